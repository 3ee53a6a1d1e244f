//! Single lines: by their permanent name, with what stands around them, with all of their event.

use std::ops::Bound;

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
        Ok(self.numbered(allowed, &index, &id.stream, (id.seq, id.seq), Top::by_number(Order::OldestFirst, 1))?.pop())
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
                let top = Top::by_number(Order::NewestFirst, missing);
                context.before.extend(self.numbered(allowed, index, &id.stream, (0, last), top)?);
            }
            context.before.sort_by_key(|hit| hit.id.seq);
        }
        if let Some(first) = id.seq.checked_add(1) {
            for index in days.iter().filter(|index| index.day >= id.day.plus(-1)) {
                let missing = after - context.after.len();
                if missing == 0 {
                    break;
                }
                let top = Top::by_number(Order::OldestFirst, missing);
                context.after.extend(self.numbered(allowed, index, &id.stream, (first, u64::MAX), top)?);
            }
            context.after.sort_by_key(|hit| hit.id.seq);
        }
        Ok(Some(context))
    }

    /// All lines of the event that a line belongs to, its first one included.
    pub fn event(&self, allowed: &Allowed, id: &LineId) -> Result<Vec<Hit>> {
        let Some(line) = self.line(allowed, id)? else { return Ok(Vec::new()) };
        let head = line.event.map_or(line.id.seq, |head| head.seq);
        let Some(first) = self.line(allowed, &LineId { seq: head, ..id.clone() })? else { return Ok(Vec::new()) };
        let index = self.shared.days.ready(id.day)?;
        let query = of_stream(&id.stream, vec![Box::new(TermQueryOnColumn::event(head))]);
        let mut lines = vec![first];
        lines.extend(self.asked(allowed, &index, query.as_ref(), Top::by_number(Order::OldestFirst, MOST_HITS))?);
        Ok(lines)
    }

    fn numbered(
        &self,
        allowed: &Allowed,
        index: &DayIndex,
        stream: &Stream,
        numbers: (u64, u64),
        top: Top,
    ) -> Result<Vec<Hit>> {
        let bound = |number| Bound::Included(Term::from_field_u64(fields().seq, number));
        let range = RangeQuery::new(bound(numbers.0), bound(numbers.1));
        self.asked(allowed, index, of_stream(stream, vec![Box::new(range)]).as_ref(), top)
    }

    fn asked(&self, allowed: &Allowed, index: &DayIndex, query: &dyn IndexQuery, top: Top) -> Result<Vec<Hit>> {
        let survey =
            Survey { allowed: allowed.clone(), window: None, top: Some(top), facets: Vec::new(), histogram: None };
        let found = self.ask(index, query, &survey)?;
        found.top.into_iter().map(|line| self.hit(index, line, &Query::everything())).collect()
    }
}

/// The one value of a column that is not indexed otherwise.
struct TermQueryOnColumn;

impl TermQueryOnColumn {
    fn event(head: u64) -> RangeQuery {
        let bound = || Bound::Included(Term::from_field_u64(fields().event, head));
        RangeQuery::new(bound(), bound())
    }
}

fn of_stream(stream: &Stream, mut more: Vec<Box<dyn IndexQuery>>) -> Box<dyn IndexQuery> {
    let name = crate::token::folded(&stream.to_string());
    let term = Term::from_field_text(fields().stream, &name);
    more.push(Box::new(TermQuery::new(term, IndexRecordOption::Basic)));
    Box::new(BooleanQuery::intersection(more))
}
