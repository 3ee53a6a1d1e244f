//! Questions and answers. Every question takes what the asker may see, and nothing in here reaches a line without it.

mod cursor;
mod export;
mod groups;
mod read;
mod survey;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use millrace_wire::log::LogLevel;
use tantivy::collector::Collector;

pub use cursor::Cursor;
pub use export::Export;
pub use groups::Group;
pub(crate) use groups::{GroupKey, Tallies};
pub use read::Context;

use crate::day::DayIndex;
use crate::days::Known;
use crate::error::{Error, Result};
use crate::index::LogIndex;
use crate::line::{Day, Line, LineId};
use crate::query::{LineWords, Query, Window};
use crate::schema::column;
use crate::scope::Allowed;
use survey::{Found, Survey, Top};

/// Most buckets of a histogram and values of a facet.
const MOST_BUCKETS: usize = 2_000;
const MOST_VALUES: usize = 1_000;
/// Most lines of one page.
pub(crate) const MOST_HITS: usize = 5_000;

/// What to look for, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    pub query: Query,
    pub window: Window,
}

impl Search {
    pub const fn new(query: Query) -> Search {
        Search { query, window: Window::ALWAYS }
    }

    pub(crate) fn effective(&self) -> Window {
        self.window.and(self.query.window())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    NewestFirst,
    OldestFirst,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub order: Order,
    pub limit: usize,
    /// Go on after this place of an answer before.
    pub after: Option<Cursor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facet {
    Team,
    Job,
    JobName,
    Level,
    Worker,
    Operator,
    Run,
    Source,
    Version,
}

impl Facet {
    const fn column(self) -> &'static str {
        match self {
            Facet::Team => column::TEAM,
            Facet::Job => column::JOB,
            Facet::JobName => column::JOB_NAME,
            Facet::Level => column::LEVEL,
            Facet::Worker => column::WORKER,
            Facet::Operator => column::OPERATOR,
            Facet::Run => column::STREAM,
            Facet::Source => column::SOURCE,
            Facet::Version => column::VERSION,
        }
    }
}

/// What an answer has in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    pub page: Option<Page>,
    /// With how many values of each, the most frequent first.
    pub facets: Vec<(Facet, usize)>,
    /// In so many buckets at most.
    pub histogram: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub hits: Vec<Hit>,
    /// To go on from; `None` when there is nothing more.
    pub next: Option<Cursor>,
    /// All lines that match. `None` when only a page was asked for, which does not count them.
    pub total: Option<u64>,
    pub facets: Vec<FacetCounts>,
    pub histogram: Option<Histogram>,
    /// Days that are being built again and were left out.
    pub left_out: Vec<Day>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub id: LineId,
    pub line: Line,
    /// Where in the message the words that were looked for stand, in bytes.
    pub marks: Vec<Range<usize>>,
    /// The line that this one continues.
    pub event: Option<LineId>,
    /// The group of errors that it begins one of.
    pub group: Option<u64>,
    /// The place of this line in the list.
    pub cursor: Cursor,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FacetCounts {
    pub facet: Facet,
    /// The most frequent first; equal ones by name.
    pub values: Vec<(String, u64)>,
    /// Different values in all.
    pub distinct: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// UTC milliseconds of the first bucket.
    pub start: i64,
    /// Milliseconds of each.
    pub width: i64,
    /// Lines by level, in the order of `LogLevel::ALL`.
    pub buckets: Vec<[u64; LogLevel::ALL.len()]>,
}

impl LogIndex {
    pub fn search(&self, allowed: &Allowed, search: &Search, wanted: &Wanted) -> Result<Answer> {
        let window = search.effective();
        let (days, left_out) = self.days_in(window);
        let counts_all = wanted.page.is_none() || !wanted.facets.is_empty() || wanted.histogram.is_some();
        let histogram = wanted.histogram.map(|buckets| self.empty_histogram(&days, window, buckets));
        let mut found = Found::new(&wanted.facets, histogram.as_ref());
        let query = search.query.compiled();
        let mut newest_first = days;
        if wanted.page.as_ref().is_none_or(|page| page.order == Order::NewestFirst) {
            newest_first.reverse();
        }
        let mut top = Vec::new();
        let limit = wanted.page.as_ref().map_or(0, |page| page.limit.clamp(1, MOST_HITS));
        let mut more = false;
        for index in newest_first {
            let bounded =
                wanted.page.as_ref().map(|page| Top::by_time(page.order, limit + 1 - top.len().min(limit), page.after));
            let reachable = bounded.as_ref().is_some_and(|top| top.reaches(index.day)) && !more;
            if !counts_all && !reachable {
                continue;
            }
            let survey = Survey {
                allowed: allowed.clone(),
                window: within(window, index.day),
                top: bounded.filter(|_| reachable),
                facets: wanted.facets.iter().map(|(facet, _)| *facet).collect(),
                histogram: histogram.clone(),
            };
            let part = self.ask(&index, query.as_ref(), &survey)?;
            top.extend(part.top.iter().map(|found| (index.clone(), *found)));
            found.join(part);
            if top.len() > limit {
                top.truncate(limit);
                more = true;
            }
        }
        let hits = self.hits(top, &search.query)?;
        let next = if more { hits.last().map(|hit| hit.cursor) } else { None };
        let facets = found.facets(&wanted.facets, MOST_VALUES);
        let histogram = histogram.map(|empty| Histogram { buckets: found.buckets, ..empty });
        Ok(Answer { hits, next, total: counts_all.then_some(found.total), facets, histogram, left_out })
    }

    /// Days that touch the time, oldest first, and those that cannot be searched now.
    fn days_in(&self, window: Window) -> (Vec<Arc<DayIndex>>, Vec<Day>) {
        let mut days = Vec::new();
        let mut left_out = Vec::new();
        for (day, known) in self.shared.days.all() {
            if day.end() <= window.from || day.start() >= window.to {
                continue;
            }
            match known {
                Known::Ready(index) => days.push(index),
                Known::Damaged => left_out.push(day),
            }
        }
        (days, left_out)
    }

    /// Asks one day. A panic in the depths of the index means that its files are damaged.
    fn ask<C: Collector>(
        &self,
        index: &DayIndex,
        query: &dyn tantivy::query::Query,
        collector: &C,
    ) -> Result<C::Fruit> {
        match catch_unwind(AssertUnwindSafe(|| index.searcher().search(query, collector))) {
            Ok(Ok(fruit)) => Ok(fruit),
            Ok(Err(tantivy::TantivyError::DataCorruption(cause))) => {
                self.report_damage(index.day, format!("{cause:?}"));
                Err(Error::Damaged(index.day))
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => {
                self.report_damage(index.day, "a search in it panicked".to_owned());
                Err(Error::Damaged(index.day))
            }
        }
    }

    /// Reads lines in the order in which they lie on the disk, so that each block is unpacked once, and gives them in their own.
    fn hits(&self, places: Vec<(Arc<DayIndex>, survey::TopLine)>, query: &Query) -> Result<Vec<Hit>> {
        let mut turns: Vec<_> = places.into_iter().enumerate().collect();
        turns.sort_by_key(|(_, (index, place))| (index.day, place.address));
        let mut hits = Vec::with_capacity(turns.len());
        for (turn, (index, place)) in turns {
            hits.push((turn, self.hit(&index, place, query)?));
        }
        hits.sort_by_key(|(turn, _)| *turn);
        Ok(hits.into_iter().map(|(_, hit)| hit).collect())
    }

    fn hit(&self, index: &DayIndex, found: survey::TopLine, query: &Query) -> Result<Hit> {
        let Some(line) = index.line(found.address)? else {
            self.report_damage(index.day, "a line that the index names cannot be read".to_owned());
            return Err(Error::Damaged(index.day));
        };
        let marks = query.marks(&LineWords::of(&line));
        let event = found.event.map(|seq| LineId { day: index.day, stream: line.stream.clone(), seq });
        let cursor = Cursor { at: line.at, address: found.address.0 };
        Ok(Hit { id: line.id(), marks, event, group: found.fingerprint, cursor, line })
    }

    /// Buckets over the time asked for; where that is open, over the days that there are, up to now.
    fn empty_histogram(&self, days: &[Arc<DayIndex>], window: Window, buckets: usize) -> Histogram {
        let now = (self.shared.options.clock)();
        let first = days.first().map_or(now, |index| index.day.start());
        let last = days.last().map_or(now, |index| now.clamp(index.day.start(), index.day.end()));
        let from = if window.from == i64::MIN { first } else { window.from };
        let to = if window.to == i64::MAX { last.saturating_add(1) } else { window.to };
        let length = to.saturating_sub(from).max(1).unsigned_abs();
        let width = length.div_ceil(buckets.clamp(1, MOST_BUCKETS) as u64);
        let used = usize::try_from(length.div_ceil(width)).unwrap_or(MOST_BUCKETS);
        let width = i64::try_from(width).unwrap_or(i64::MAX);
        Histogram { start: from, width, buckets: vec![[0; LogLevel::ALL.len()]; used] }
    }
}

/// What of the window lies in this day; `None` when all of the day does.
fn within(window: Window, day: Day) -> Option<Window> {
    let covers = window.from <= day.start() && window.to >= day.end();
    (!covers).then_some(window)
}
