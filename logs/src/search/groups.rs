//! Errors grouped by fingerprint: how often, since when, in which versions of the job.
//!
//! A group belongs to one team and one job, so that rights hold for it as for its lines. It is counted from the index; only what was
//! in days that are gone comes from the book of groups.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use millrace_wire::ids::JobId;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, ColumnValues, StrColumn};
use tantivy::index::SegmentReader;
use tantivy::query::{BooleanQuery, ExistsQuery, Query as IndexQuery, TermSetQuery};
use tantivy::{DocId, Score, SegmentOrdinal, Term};

use super::{Search, within};
use crate::day::DayIndex;
use crate::error::Result;
use crate::index::LogIndex;
use crate::line::{Day, LineId};
use crate::query::{Query, Window};
use crate::schema::{column, fields};
use crate::scope::{Allowed, SegmentScope};
use crate::source::Address;

/// Versions that are counted apart in one group; further ones are left out.
const MOST_VERSIONS: usize = 50;

/// The same error, again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub fingerprint: u64,
    pub team: String,
    pub job: Option<JobId>,
    pub job_name: String,
    /// Its newest message among the hits.
    pub message: String,
    /// The line of that message.
    pub newest: LineId,
    /// Among the hits of the search.
    pub count: u64,
    /// Of all time, as far as it is remembered.
    pub total: u64,
    pub first_seen: i64,
    pub last_seen: i64,
    /// Of all time, by name, as far as it is remembered. The empty name stands for lines without a version.
    pub versions: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct GroupKey {
    pub(crate) fingerprint: u64,
    pub(crate) team: String,
    pub(crate) job: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) versions: BTreeMap<String, u64>,
    newest: Address,
}

impl Tally {
    fn join(&mut self, other: Tally) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        if other.last > self.last {
            (self.last, self.newest) = (other.last, other.newest);
        }
        for (version, count) in other.versions {
            if self.versions.len() < MOST_VERSIONS || self.versions.contains_key(&version) {
                *self.versions.entry(version).or_default() += count;
            }
        }
    }
}

pub(crate) type Tallies = HashMap<GroupKey, Tally>;

impl LogIndex {
    /// The groups among the hits, the most frequent first.
    pub fn groups(&self, allowed: &Allowed, search: &Search, limit: usize) -> Result<Vec<Group>> {
        let window = search.effective();
        let (days, _) = self.days_in(window);
        let mut found: HashMap<GroupKey, (Tally, Arc<DayIndex>)> = HashMap::new();
        for index in days {
            let has = Box::new(ExistsQuery::new(column::FINGERPRINT.to_owned(), false));
            let query = BooleanQuery::intersection(vec![search.query.compiled(), has]);
            for (key, tally) in self.tally(&index, allowed, within(window, index.day), &query)? {
                match found.get_mut(&key) {
                    // Days come oldest first, so the newest line is of the last one.
                    Some((known, of)) => {
                        known.join(tally);
                        *of = index.clone();
                    }
                    None => {
                        found.insert(key, (tally, index.clone()));
                    }
                }
            }
        }
        let mut most: Vec<(GroupKey, (Tally, Arc<DayIndex>))> = found.into_iter().collect();
        most.sort_by(|(key, (tally, _)), (other_key, (other, _))| {
            other.count.cmp(&tally.count).then(other.last.cmp(&tally.last)).then_with(|| key.cmp(other_key))
        });
        most.truncate(limit.min(super::MOST_VALUES));
        let fingerprints: Vec<u64> = most.iter().map(|(key, _)| key.fingerprint).collect();
        let mut always = if search.query == Query::everything() && window == Window::ALWAYS {
            let mut found: Tallies = most.iter().map(|(key, (tally, _))| (key.clone(), tally.clone())).collect();
            self.groups.add_to(&mut found);
            found
        } else {
            self.tally_always(allowed, fingerprints.into_iter())?
        };
        let mut groups = Vec::with_capacity(most.len());
        for (key, (tally, index)) in most {
            let Some(line) = index.line(tally.newest)? else { continue };
            let all = always.remove(&key).unwrap_or_else(|| tally.clone());
            groups.push(Group {
                fingerprint: key.fingerprint,
                job: line.job,
                job_name: line.job_name.clone(),
                newest: line.id(),
                message: line.message,
                team: key.team,
                count: tally.count,
                total: all.count,
                first_seen: all.first,
                last_seen: all.last,
                versions: all.versions,
            });
        }
        Ok(groups)
    }

    /// These groups over all days, those that are gone included.
    fn tally_always(&self, allowed: &Allowed, fingerprints: impl Iterator<Item = u64>) -> Result<Tallies> {
        let terms: Vec<Term> = fingerprints.map(|group| Term::from_field_u64(fields().fingerprint, group)).collect();
        if terms.is_empty() {
            return Ok(Tallies::new());
        }
        let query = TermSetQuery::new(terms);
        let mut always = Tallies::new();
        for index in self.days_in(Window::ALWAYS).0 {
            for (key, tally) in self.tally(&index, allowed, None, &query)? {
                match always.get_mut(&key) {
                    Some(known) => known.join(tally),
                    None => {
                        always.insert(key, tally);
                    }
                }
            }
        }
        self.groups.add_to(&mut always);
        Ok(always)
    }

    fn tally(
        &self,
        index: &DayIndex,
        allowed: &Allowed,
        window: Option<Window>,
        query: &dyn IndexQuery,
    ) -> Result<Tallies> {
        self.ask(index, query, &GroupSurvey { allowed: allowed.clone(), window })
    }

    /// Before a day goes, its groups are written into the book.
    pub(crate) fn remember_groups(&self, day: Day) -> Result<()> {
        let Ok(index) = self.shared.days.ready(day) else { return Ok(()) };
        let query = Query::everything().compiled();
        let tallies = self.tally(&index, &Allowed::All, None, query.as_ref())?;
        self.groups.remember(day, tallies)
    }
}

struct GroupSurvey {
    allowed: Allowed,
    window: Option<Window>,
}

impl Collector for GroupSurvey {
    type Fruit = Tallies;
    type Child = SegmentGroups;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentGroups> {
        let columns = segment.fast_fields();
        Ok(SegmentGroups {
            scope: self.allowed.in_segment(segment)?,
            window: self.window,
            time: columns.column_first_or_default::<i64>(column::TIME)?,
            address: columns.column_first_or_default::<u64>(column::ADDRESS)?,
            fingerprint: columns.column_opt::<u64>(column::FINGERPRINT)?,
            team: columns.str(column::TEAM)?,
            job: columns.str(column::JOB)?,
            version: columns.str(column::VERSION)?,
            tallies: HashMap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, parts: Vec<tantivy::Result<Tallies>>) -> tantivy::Result<Tallies> {
        let mut all = Tallies::new();
        for part in parts {
            for (key, tally) in part? {
                match all.get_mut(&key) {
                    Some(known) => known.join(tally),
                    None => {
                        all.insert(key, tally);
                    }
                }
            }
        }
        Ok(all)
    }
}

struct SegmentGroups {
    scope: SegmentScope,
    window: Option<Window>,
    time: Arc<dyn ColumnValues<i64>>,
    address: Arc<dyn ColumnValues<u64>>,
    fingerprint: Option<Column<u64>>,
    team: Option<StrColumn>,
    job: Option<StrColumn>,
    version: Option<StrColumn>,
    /// By the numbers of this segment's dictionaries.
    tallies: HashMap<(u64, Option<u64>, Option<u64>), SegmentTally>,
}

struct SegmentTally {
    count: u64,
    first: i64,
    last: i64,
    newest: Address,
    versions: HashMap<Option<u64>, u64>,
}

impl SegmentCollector for SegmentGroups {
    type Fruit = tantivy::Result<Tallies>;

    fn collect(&mut self, document: DocId, _: Score) {
        let Some(fingerprint) = self.fingerprint.as_ref().and_then(|column| column.first(document)) else { return };
        let at = self.time.get_val(document);
        if !self.scope.takes(document) || self.window.is_some_and(|window| !window.contains(at)) {
            return;
        }
        let ord = |column: &Option<StrColumn>| column.as_ref().and_then(|column| column.ords().first(document));
        let newest = Address(self.address.get_val(document));
        let version = ord(&self.version);
        let tally = self
            .tallies
            .entry((fingerprint, ord(&self.team), ord(&self.job)))
            .or_insert_with(|| SegmentTally { count: 0, first: at, last: at, newest, versions: HashMap::new() });
        tally.count += 1;
        tally.first = tally.first.min(at);
        if at >= tally.last {
            (tally.last, tally.newest) = (at, newest);
        }
        *tally.versions.entry(version).or_default() += 1;
    }

    fn harvest(self) -> tantivy::Result<Tallies> {
        let text = |column: &Option<StrColumn>, ord: Option<u64>| -> tantivy::Result<String> {
            let mut text = String::new();
            if let (Some(column), Some(ord)) = (column, ord) {
                column.ord_to_str(ord, &mut text)?;
            }
            Ok(text)
        };
        let mut tallies = Tallies::with_capacity(self.tallies.len());
        for ((fingerprint, team, job), tally) in &self.tallies {
            let key =
                GroupKey { fingerprint: *fingerprint, team: text(&self.team, *team)?, job: text(&self.job, *job)? };
            let mut versions = BTreeMap::new();
            for (version, count) in &tally.versions {
                versions.insert(text(&self.version, *version)?, *count);
            }
            let SegmentTally { count, first, last, newest, .. } = *tally;
            tallies.insert(key, Tally { count, first, last, newest, versions });
        }
        Ok(tallies)
    }
}
