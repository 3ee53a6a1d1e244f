//! One pass over the hits of a day: the first lines of a list, counts by value, counts over time.
//!
//! It reads columns only. Each segment counts by the numbers of its own dictionary; the texts are looked up once at its end.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Time,
    Number,
}

impl Top {
    pub(super) const fn by_time(order: Order, limit: usize, after: Option<Cursor>) -> Top {
        Top { key: Key::Time, order, limit, after }
    }

    pub(super) const fn by_number(order: Order, limit: usize) -> Top {
        Top { key: Key::Number, order, limit, after: None }
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
        let time = columns.column_first_or_default::<i64>(column::TIME)?;
        // A segment that lies in the window as a whole is not asked line by line.
        let window = self.window.filter(|window| {
            segment.max_doc() > 0 && !(window.contains(time.min_value()) && window.contains(time.max_value()))
        });
        let top = match self.top {
            Some(top) => Some(SegmentTop {
                key: match top.key {
                    Key::Time => KeyColumn::Time(time.clone()),
                    Key::Number => KeyColumn::Number(columns.column_first_or_default::<u64>(column::SEQ)?),
                },
                top,
                address: columns.column_first_or_default::<u64>(column::ADDRESS)?,
                event: columns.column_opt::<u64>(column::EVENT)?,
                fingerprint: columns.column_opt::<u64>(column::FINGERPRINT)?,
                newest: BinaryHeap::new(),
                oldest: BinaryHeap::new(),
            }),
            None => None,
        };
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
            failed: None,
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
    time: Arc<dyn ColumnValues<i64>>,
    top: Option<SegmentTop>,
    facets: Vec<SegmentFacet>,
    histogram: Option<SegmentHistogram>,
    total: u64,
    taken: Vec<DocId>,
    failed: Option<tantivy::TantivyError>,
}

impl SegmentSurvey {
    fn count(&mut self, documents: &[DocId]) {
        self.total += documents.len() as u64;
        for facet in &mut self.facets {
            facet.count(documents);
        }
        if let Some(histogram) = &mut self.histogram {
            histogram.count(documents, &self.time);
        }
        if let Some(top) = &mut self.top {
            for document in documents {
                top.offer(*document);
            }
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
            window.is_none_or(|window| window.contains(time.get_val(*document))) && scope.takes(*document)
        }));
        self.count(&taken);
        self.taken = taken;
    }

    fn harvest(self) -> tantivy::Result<Found> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        Ok(Found {
            total: self.total,
            top: self.top.map(SegmentTop::lines).unwrap_or_default(),
            values: self.facets.into_iter().map(SegmentFacet::values).collect::<tantivy::Result<_>>()?,
            buckets: self.histogram.map(|histogram| histogram.histogram.buckets).unwrap_or_default(),
        })
    }
}

enum KeyColumn {
    Time(Arc<dyn ColumnValues<i64>>),
    Number(Arc<dyn ColumnValues<u64>>),
}

struct SegmentTop {
    key: KeyColumn,
    top: Top,
    address: Arc<dyn ColumnValues<u64>>,
    event: Option<Column<u64>>,
    fingerprint: Option<Column<u64>>,
    /// The heap's first is the one that goes next: the oldest of the newest, or the newest of the oldest.
    newest: BinaryHeap<Reverse<TopLine>>,
    oldest: BinaryHeap<TopLine>,
}

impl SegmentTop {
    fn offer(&mut self, document: DocId) {
        let key = match &self.key {
            KeyColumn::Time(time) => time.get_val(document),
            KeyColumn::Number(number) => i64::try_from(number.get_val(document)).unwrap_or(i64::MAX),
        };
        let worst = match self.top.order {
            Order::NewestFirst => {
                self.newest.peek().filter(|_| self.newest.len() >= self.top.limit).map(|worst| worst.0.key)
            }
            Order::OldestFirst => {
                self.oldest.peek().filter(|_| self.oldest.len() >= self.top.limit).map(|worst| worst.key)
            }
        };
        let too_late = worst.is_some_and(|worst| match self.top.order {
            Order::NewestFirst => key < worst,
            Order::OldestFirst => key > worst,
        });
        if too_late {
            return;
        }
        let address = Address(self.address.get_val(document));
        let place = Cursor { at: key, address: address.0 };
        let passed = self.top.after.is_some_and(|after| match self.top.order {
            Order::NewestFirst => place >= after,
            Order::OldestFirst => place <= after,
        });
        if passed {
            return;
        }
        let event = self.event.as_ref().and_then(|column| column.first(document));
        let fingerprint = self.fingerprint.as_ref().and_then(|column| column.first(document));
        let line = TopLine { key, address, event, fingerprint };
        match self.top.order {
            Order::NewestFirst => {
                self.newest.push(Reverse(line));
                if self.newest.len() > self.top.limit {
                    self.newest.pop();
                }
            }
            Order::OldestFirst => {
                self.oldest.push(line);
                if self.oldest.len() > self.top.limit {
                    self.oldest.pop();
                }
            }
        }
    }

    fn lines(self) -> Vec<TopLine> {
        self.newest.into_iter().map(|line| line.0).chain(self.oldest).collect()
    }
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
    fn count(&mut self, documents: &[DocId], time: &Arc<dyn ColumnValues<i64>>) {
        let Histogram { start, width, buckets } = &mut self.histogram;
        for document in documents {
            let since = time.get_val(*document).saturating_sub(*start);
            let bucket = usize::try_from(since.div_euclid(*width)).ok().and_then(|at| buckets.get_mut(at));
            let level = usize::try_from(self.level.get_val(*document)).ok();
            if let Some(count) = bucket.zip(level).and_then(|(bucket, level)| bucket.get_mut(level)) {
                *count += 1;
            }
        }
    }
}
