//! All hits, one by one, for a download of any length in bounded memory.
//!
//! Places of lines are fetched in large pages, day by day; texts are read when their turn comes.

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
            left_out,
            ended: false,
        }
    }
}

impl Export {
    fn step(&mut self) -> Result<Option<Hit>> {
        loop {
            let Some(day) = self.days.front().cloned() else { return Ok(None) };
            if let Some(place) = self.places.pop_front() {
                self.after = Some(Cursor { at: place.key, address: place.address.0 });
                return self.index.hit(&day, place, &self.search.query).map(Some);
            }
            let survey = Survey {
                allowed: self.allowed.clone(),
                window: within(self.window, day.day),
                top: Some(Top::by_time(self.order, PLACES, self.after)),
                facets: Vec::new(),
                histogram: None,
            };
            self.places = self.index.ask(&day, self.search.query.compiled().as_ref(), &survey)?.top.into();
            if self.places.is_empty() {
                self.days.pop_front();
                self.after = None;
            }
        }
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
