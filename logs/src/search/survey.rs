//! One pass over the hits of a day: the first lines of a list, counts by value, counts over time.
//!
//! It reads columns only. Each segment counts by the numbers of its own dictionary; the texts are looked up once at its end.

use std::collections::HashMap;
use std::sync::Arc;

use millrace_wire::log::LogLevel;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, ColumnValues, StrColumn};
use tantivy::index::SegmentReader;
use tantivy::{DocId, Score, SegmentOrdinal};

use super::{Cursor, Facet, FacetCounts, Histogram, Order};
use crate::codec::level_from;
use crate::line::Day;
use crate::query::Window;
use crate::schema::column;
use crate::scope::{Allowed, SegmentScope};
use crate::source::Address;

const LEVELS: usize = LogLevel::ALL.len();

/// What to collect.
pub(super) struct Survey {
    pub(super) allowed: Allowed,
    /// `None` when every line of the day lies in it.
    pub(super) window: Option<Window>,
    pub(super) top: Option<Top>,
    pub(super) facets: Vec<Facet>,
    pub(super) histogram: Option<Histogram>,
}

/// The first lines of a list by time or by number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Top {
    pub(super) key: Key,
    pub(super) order: Order,
    pub(super) limit: usize,
    pub(super) after: Option<Cursor>,
    /// Only numbers from the first to the last of these, when the list is by number.
    pub(super) numbers: (u64, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Time,
    Number,
}

impl Top {
    pub(super) const fn by_time(order: Order, limit: usize, after: Option<Cursor>) -> Top {
        Top { key: Key::Time, order, limit, after, numbers: (0, u64::MAX) }
    }

    pub(super) const fn by_number(order: Order, limit: usize, numbers: (u64, u64)) -> Top {
        Top { key: Key::Number, order, limit, after: None, numbers }
    }

    /// Whether lines of this day can come after the cursor.
    pub(super) fn reaches(&self, day: Day) -> bool {
        match (self.after, self.order) {
            (None, _) => true,
            (Some(after), Order::NewestFirst) => day.start() <= after.at,
            (Some(after), Order::OldestFirst) => day.end() > after.at,
        }
    }
}

/// A line of a list, before its text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TopLine {
    pub(super) key: i64,
    pub(super) address: Address,
    pub(super) event: Option<u64>,
    pub(super) fingerprint: Option<u64>,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Found {
    pub(super) total: u64,
    pub(super) top: Vec<TopLine>,
    values: Vec<HashMap<String, u64>>,
    pub(super) buckets: Vec<[u64; LEVELS]>,
}

impl Found {
    pub(super) fn new(facets: &[(Facet, usize)], histogram: Option<&Histogram>) -> Found {
        Found {
            values: facets.iter().map(|_| HashMap::new()).collect(),
            buckets: histogram.map(|histogram| histogram.buckets.clone()).unwrap_or_default(),
            ..Found::default()
        }
    }

    /// Adds what another part found; the list stays as it is.
    pub(super) fn join(&mut self, other: Found) {
        self.total += other.total;
        for (mine, theirs) in self.values.iter_mut().zip(other.values) {
            for (value, count) in theirs {
                *mine.entry(value).or_default() += count;
            }
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += theirs;
            }
        }
    }

    pub(super) fn facets(&self, wanted: &[(Facet, usize)], most: usize) -> Vec<FacetCounts> {
        let counts = wanted.iter().zip(&self.values).map(|((facet, limit), values)| {
            let mut all: Vec<(String, u64)> = values.iter().map(|(value, count)| (value.clone(), *count)).collect();
            all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
            let distinct = all.len();
            all.truncate((*limit).min(most));
            FacetCounts { facet: *facet, values: all, distinct }
        });
        counts.collect()
    }
}

impl Collector for Survey {
    type Fruit = Found;
    type Child = SegmentSurvey;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentSurvey> {
        let columns = segment.fast_fields();
        let time = columns.i64(column::TIME)?;
        // A segment that lies in the window as a whole is not asked line by line.
        let window = self.window.filter(|window| {
            segment.max_doc() > 0 && !(window.contains(time.min_value()) && window.contains(time.max_value()))
        });
        let top = self.top.map(|top| SegmentTop::open(top, segment)).transpose()?;
        let facets =
            self.facets.iter().map(|facet| SegmentFacet::open(*facet, segment)).collect::<tantivy::Result<_>>()?;
        let histogram = match &self.histogram {
            Some(histogram) => Some(SegmentHistogram {
                level: columns.column_first_or_default::<u64>(column::LEVEL)?,
                histogram: histogram.clone(),
            }),
            None => None,
        };
        Ok(SegmentSurvey {
            scope: self.allowed.in_segment(segment)?,
            window,
            time,
            top,
            facets,
            histogram,
            total: 0,
            taken: Vec::new(),
            times: Vec::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, parts: Vec<tantivy::Result<Found>>) -> tantivy::Result<Found> {
        let facets: Vec<(Facet, usize)> = self.facets.iter().map(|facet| (*facet, 0)).collect();
        let mut found = Found::new(&facets, self.histogram.as_ref());
        for part in parts {
            let mut part = part?;
            found.top.append(&mut part.top);
            found.join(part);
        }
        if let Some(top) = &self.top {
            found.top.sort_unstable();
            if top.order == Order::NewestFirst {
                found.top.reverse();
            }
            found.top.truncate(top.limit);
        }
        Ok(found)
    }
}

pub(super) struct SegmentSurvey {
    scope: SegmentScope,
    window: Option<Window>,
    time: Column<i64>,
    top: Option<SegmentTop>,
    facets: Vec<SegmentFacet>,
    histogram: Option<SegmentHistogram>,
    total: u64,
    taken: Vec<DocId>,
    times: Vec<Option<i64>>,
}

impl SegmentSurvey {
    fn count(&mut self, documents: &[DocId]) {
        self.total += documents.len() as u64;
        for facet in &mut self.facets {
            facet.count(documents);
        }
        if self.histogram.is_none() && self.top.is_none() {
            return;
        }
        self.times.clear();
        self.times.resize(documents.len(), None);
        self.time.first_vals(documents, &mut self.times);
        if let Some(histogram) = &mut self.histogram {
            histogram.count(documents, &self.times);
        }
        if let Some(top) = &mut self.top {
            top.offer(documents, &self.times);
        }
    }
}

impl SegmentCollector for SegmentSurvey {
    type Fruit = tantivy::Result<Found>;

    fn collect(&mut self, document: DocId, _: Score) {
        self.collect_block(&[document]);
    }

    fn collect_block(&mut self, documents: &[DocId]) {
        if self.scope.takes_all() && self.window.is_none() {
            self.count(documents);
            return;
        }
        let mut taken = std::mem::take(&mut self.taken);
        taken.clear();
        let (scope, window, time) = (&self.scope, self.window, &self.time);
        taken.extend(documents.iter().copied().filter(|document| {
            let in_time = window.is_none_or(|window| time.first(*document).is_some_and(|at| window.contains(at)));
            in_time && scope.takes(*document)
        }));
        self.count(&taken);
        self.taken = taken;
    }

    fn harvest(self) -> tantivy::Result<Found> {
        Ok(Found {
            total: self.total,
            top: self.top.map(SegmentTop::lines).unwrap_or_default(),
            values: self.facets.into_iter().map(SegmentFacet::values).collect::<tantivy::Result<_>>()?,
            buckets: self.histogram.map(|histogram| histogram.histogram.buckets).unwrap_or_default(),
        })
    }
}

/// Keeps what may be among the first. Lines mostly lie in order of time, so nearly each of them is newer than all before:
/// they are gathered, and what is too many goes now and then.
struct SegmentTop {
    top: Top,
    /// The key where it is not the time.
    number: Option<Column<u64>>,
    address: Arc<dyn ColumnValues<u64>>,
    event: Option<Column<u64>>,
    fingerprint: Option<Column<u64>>,
    kept: Vec<(i64, DocId)>,
    /// Keys behind this one cannot be among the first any more.
    worst: Option<i64>,
    /// How many are gathered until some go.
    room: usize,
}

impl SegmentTop {
    fn open(top: Top, segment: &SegmentReader) -> tantivy::Result<SegmentTop> {
        let columns = segment.fast_fields();
        Ok(SegmentTop {
            top,
            number: (top.key == Key::Number).then(|| columns.u64(column::SEQ)).transpose()?,
            address: columns.column_first_or_default::<u64>(column::ADDRESS)?,
            event: columns.column_opt::<u64>(column::EVENT)?,
            fingerprint: columns.column_opt::<u64>(column::FINGERPRINT)?,
            kept: Vec::new(),
            worst: None,
            room: room_for(top.limit),
        })
    }

    fn offer(&mut self, documents: &[DocId], times: &[Option<i64>]) {
        for (document, time) in documents.iter().zip(times) {
            let key = match &self.number {
                None => time.unwrap_or_default(),
                Some(number) => {
                    let number = number.first(*document).unwrap_or_default();
                    if number < self.top.numbers.0 || number > self.top.numbers.1 {
                        continue;
                    }
                    i64::try_from(number).unwrap_or(i64::MAX)
                }
            };
            if self.worst.is_some_and(|worst| self.is_behind(key, worst)) || self.is_passed(key, *document) {
                continue;
            }
            self.kept.push((key, *document));
            if self.kept.len() >= self.room {
                self.let_go();
            }
        }
    }

    fn is_behind(&self, key: i64, other: i64) -> bool {
        match self.top.order {
            Order::NewestFirst => key < other,
            Order::OldestFirst => key > other,
        }
    }

    /// The list has gone past this line already.
    fn is_passed(&self, key: i64, document: DocId) -> bool {
        let Some(after) = self.top.after else { return false };
        if key != after.at {
            return self.is_behind(after.at, key);
        }
        let address = self.address.get_val(document);
        match self.top.order {
            Order::NewestFirst => address >= after.address,
            Order::OldestFirst => address <= after.address,
        }
    }

    fn let_go(&mut self) {
        let (order, limit) = (self.top.order, self.top.limit);
        if limit == 0 || self.kept.len() < limit {
            return;
        }
        let (_, last, _) = self.kept.select_nth_unstable_by(limit - 1, |one, other| match order {
            Order::NewestFirst => other.0.cmp(&one.0),
            Order::OldestFirst => one.0.cmp(&other.0),
        });
        let worst = last.0;
        self.worst = Some(worst);
        // All of the worst key stay: which of them are first is told by their addresses.
        self.kept.retain(|(key, _)| match order {
            Order::NewestFirst => *key >= worst,
            Order::OldestFirst => *key <= worst,
        });
        self.room = room_for(limit.max(self.kept.len()));
    }

    fn lines(mut self) -> Vec<TopLine> {
        self.let_go();
        let value = |column: &Option<Column<u64>>, document| column.as_ref().and_then(|column| column.first(document));
        let line = |(key, document): &(i64, DocId)| TopLine {
            key: *key,
            address: Address(self.address.get_val(*document)),
            event: value(&self.event, *document),
            fingerprint: value(&self.fingerprint, *document),
        };
        self.kept.iter().map(line).collect()
    }
}

const fn room_for(limit: usize) -> usize {
    limit.saturating_mul(4).saturating_add(512)
}

struct SegmentFacet {
    texts: Option<StrColumn>,
    values: Option<Column<u64>>,
    counts: Vec<u64>,
    buffer: Vec<Option<u64>>,
    /// Streams of servers and brokers are no runs.
    runs_only: bool,
}

impl SegmentFacet {
    fn open(facet: Facet, segment: &SegmentReader) -> tantivy::Result<SegmentFacet> {
        let columns = segment.fast_fields();
        let (texts, values, size) = if facet == Facet::Level {
            (None, Some(columns.u64(facet.column())?), LEVELS)
        } else {
            let texts = columns.str(facet.column())?;
            let values = texts.as_ref().map(|texts| texts.ords().clone());
            let size = texts.as_ref().map_or(0, |texts| texts.num_terms());
            (texts, values, size)
        };
        Ok(SegmentFacet { texts, values, counts: vec![0; size], buffer: Vec::new(), runs_only: facet == Facet::Run })
    }

    fn count(&mut self, documents: &[DocId]) {
        let Some(values) = &self.values else { return };
        self.buffer.clear();
        self.buffer.resize(documents.len(), None);
        values.first_vals(documents, &mut self.buffer);
        for value in self.buffer.iter().flatten() {
            if let Some(count) = usize::try_from(*value).ok().and_then(|value| self.counts.get_mut(value)) {
                *count += 1;
            }
        }
    }

    fn values(self) -> tantivy::Result<HashMap<String, u64>> {
        let counted: Vec<(u64, u64)> = self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(ord, count)| (ord as u64, *count))
            .collect();
        let Some(texts) = self.texts else {
            let named =
                counted.into_iter().filter_map(|(level, count)| Some((level_from(level)?.as_str().to_owned(), count)));
            return Ok(named.collect());
        };
        let ords: Vec<u64> = counted.iter().map(|(ord, _)| *ord).collect();
        let mut names = Vec::with_capacity(ords.len());
        texts
            .dictionary()
            .sorted_ords_to_term_cb(&ords, |name| names.push(String::from_utf8_lossy(name).into_owned()))?;
        let named = names.into_iter().zip(counted.into_iter().map(|(_, count)| count));
        Ok(named.filter(|(name, _)| !self.runs_only || !name.contains(':')).collect())
    }
}

struct SegmentHistogram {
    level: Arc<dyn ColumnValues<u64>>,
    histogram: Histogram,
}

impl SegmentHistogram {
    fn count(&mut self, documents: &[DocId], times: &[Option<i64>]) {
        let Histogram { start, width, buckets } = &mut self.histogram;
        for (document, time) in documents.iter().zip(times) {
            let since = time.unwrap_or_default().saturating_sub(*start);
            let bucket = usize::try_from(since.div_euclid(*width)).ok().and_then(|at| buckets.get_mut(at));
            let level = usize::try_from(self.level.get_val(*document)).ok();
            if let Some(count) = bucket.zip(level).and_then(|(bucket, level)| bucket.get_mut(level)) {
                *count += 1;
            }
        }
    }
}
