//! Single lines: by their permanent name, with what stands around them, with all of their event.

use std::ops::Bound;
use std::sync::Arc;

use tantivy::Term;
use tantivy::query::{BooleanQuery, Query as IndexQuery, RangeQuery, TermQuery};
use tantivy::schema::IndexRecordOption;

use super::survey::{Survey, Top};
use super::{Hit, MOST_HITS, Order};
use crate::day::DayIndex;
use crate::error::Result;
use crate::index::LogIndex;
use crate::line::{LineId, Stream};
use crate::query::{Query, Window};
use crate::schema::fields;
use crate::scope::Allowed;

/// A line and its neighbours in its stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// In order of their numbers.
    pub before: Vec<Hit>,
    pub line: Hit,
    pub after: Vec<Hit>,
}

impl LogIndex {
    /// The line of a permalink; `None` when it is gone, never was, or is not for this asker, which look the same.
    pub fn line(&self, allowed: &Allowed, id: &LineId) -> Result<Option<Hit>> {
        let Ok(index) = self.shared.days.ready(id.day) else {
            return if self.shared.days.damaged().contains(&id.day) {
                Err(crate::Error::Damaged(id.day))
            } else {
                Ok(None)
            };
        };
        Ok(self.numbered(allowed, &index, &id.stream, Top::by_number(Order::OldestFirst, 1, (id.seq, id.seq)))?.pop())
    }

    /// Lines of the same stream around one, over midnight as well.
    pub fn context(&self, allowed: &Allowed, id: &LineId, before: usize, after: usize) -> Result<Option<Context>> {
        let Some(line) = self.line(allowed, id)? else { return Ok(None) };
        let mut context = Context { before: Vec::new(), line, after: Vec::new() };
        let (days, _) = self.days_in(Window::ALWAYS);
        let (before, after) = (before.min(MOST_HITS), after.min(MOST_HITS));
        if let Some(last) = id.seq.checked_sub(1) {
            for index in days.iter().rev().filter(|index| index.day <= id.day.plus(1)) {
                let missing = before - context.before.len();
                if missing == 0 {
                    break;
                }
                let top = Top::by_number(Order::NewestFirst, missing, (0, last));
                context.before.extend(self.numbered(allowed, index, &id.stream, top)?);
            }
            context.before.sort_by_key(|hit| hit.id.seq);
        }
        if let Some(first) = id.seq.checked_add(1) {
            for index in days.iter().filter(|index| index.day >= id.day.plus(-1)) {
                let missing = after - context.after.len();
                if missing == 0 {
                    break;
                }
                let top = Top::by_number(Order::OldestFirst, missing, (first, u64::MAX));
                context.after.extend(self.numbered(allowed, index, &id.stream, top)?);
            }
            context.after.sort_by_key(|hit| hit.id.seq);
        }
        Ok(Some(context))
    }

    /// All lines of the event that a line belongs to, its first one included.
    pub fn event(&self, allowed: &Allowed, id: &LineId) -> Result<Vec<Hit>> {
        let Some(line) = self.line(allowed, id)? else { return Ok(Vec::new()) };
        let head = line.event.map_or(line.id.seq, |head| head.seq);
        let mut lines = Vec::new();
        // It may have begun just before midnight.
        for day in [id.day.plus(-1), id.day, id.day.plus(1)] {
            let Ok(index) = self.shared.days.ready(day) else { continue };
            let first = Top::by_number(Order::OldestFirst, 1, (head, head));
            lines.extend(self.numbered(allowed, &index, &id.stream, first)?);
            let query = of_stream(&id.stream, vec![continuing(head)]);
            let rest = Top::by_number(Order::OldestFirst, MOST_HITS, (head, u64::MAX));
            lines.extend(self.asked(allowed, &index, query.as_ref(), rest)?);
        }
        Ok(lines)
    }

    fn numbered(&self, allowed: &Allowed, index: &Arc<DayIndex>, stream: &Stream, top: Top) -> Result<Vec<Hit>> {
        self.asked(allowed, index, of_stream(stream, Vec::new()).as_ref(), top)
    }

    fn asked(&self, allowed: &Allowed, index: &Arc<DayIndex>, query: &dyn IndexQuery, top: Top) -> Result<Vec<Hit>> {
        let survey =
            Survey { allowed: allowed.clone(), window: None, top: Some(top), facets: Vec::new(), histogram: None };
        let found = self.ask(index, query, &survey)?;
        self.hits(found.top.into_iter().map(|line| (index.clone(), line)).collect(), &Query::everything())
    }
}

/// Lines that continue this one. The numbers are a column only.
fn continuing(head: u64) -> Box<dyn IndexQuery> {
    let bound = || Bound::Included(Term::from_field_u64(fields().event, head));
    Box::new(RangeQuery::new(bound(), bound()))
}

fn of_stream(stream: &Stream, mut more: Vec<Box<dyn IndexQuery>>) -> Box<dyn IndexQuery> {
    let name = crate::token::folded(&stream.to_string());
    let term = Term::from_field_text(fields().stream, &name);
    more.push(Box::new(TermQuery::new(term, IndexRecordOption::Basic)));
    Box::new(BooleanQuery::intersection(more))
}
