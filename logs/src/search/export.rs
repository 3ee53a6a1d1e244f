//! All hits, one by one, for a download of any length in bounded memory.
//!
//! Places of lines are fetched in large pages, day by day; texts are read a few hundred at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use super::survey::{Survey, Top, TopLine};
use super::{Cursor, Hit, Order, Search, within};
use crate::day::DayIndex;
use crate::error::Result;
use crate::index::LogIndex;
use crate::line::Day;
use crate::query::Window;
use crate::scope::Allowed;

/// Places that are held at once, of 56 bytes each.
const PLACES: usize = 50_000;
/// Lines that are held at once.
const LINES: usize = 500;

/// Gives hits in the order asked for. Lines that come while it runs may be among them.
pub struct Export {
    index: Arc<LogIndex>,
    allowed: Allowed,
    search: Search,
    window: Window,
    order: Order,
    days: VecDeque<Arc<DayIndex>>,
    after: Option<Cursor>,
    places: VecDeque<TopLine>,
    lines: VecDeque<Hit>,
    /// Days that are being built again and are missing.
    pub left_out: Vec<Day>,
    ended: bool,
}

impl LogIndex {
    pub fn export(self: &Arc<Self>, allowed: Allowed, search: Search, order: Order) -> Export {
        let window = search.effective();
        let (mut days, left_out) = self.days_in(window);
        if order == Order::NewestFirst {
            days.reverse();
        }
        Export {
            index: self.clone(),
            allowed,
            search,
            window,
            order,
            days: days.into(),
            after: None,
            places: VecDeque::new(),
            lines: VecDeque::new(),
            left_out,
            ended: false,
        }
    }
}

impl Export {
    fn step(&mut self) -> Result<Option<Hit>> {
        loop {
            if let Some(hit) = self.lines.pop_front() {
                return Ok(Some(hit));
            }
            let Some(day) = self.days.front().cloned() else { return Ok(None) };
            if !self.places.is_empty() {
                self.read(&day)?;
                continue;
            }
            let survey = Survey {
                allowed: self.allowed.clone(),
                window: within(self.window, day.day),
                top: Some(Top::by_time(self.order, PLACES, self.after)),
                facets: Vec::new(),
                histogram: None,
            };
            self.places = self.index.ask(&day, self.search.query.compiled().as_ref(), &survey)?.top.into();
            self.after = self.places.back().map(|last| Cursor { at: last.key, address: last.address.0 });
            if self.places.is_empty() {
                self.days.pop_front();
            }
        }
    }

    fn read(&mut self, day: &Arc<DayIndex>) -> Result<()> {
        let next = self.places.drain(..self.places.len().min(LINES));
        let places: Vec<_> = next.map(|place| (day.clone(), place)).collect();
        self.lines = self.index.hits(places, &self.search.query)?.into();
        Ok(())
    }
}

impl Iterator for Export {
    type Item = Result<Hit>;

    fn next(&mut self) -> Option<Result<Hit>> {
        if self.ended {
            return None;
        }
        let next = self.step().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
