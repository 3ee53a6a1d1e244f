//! Shadow runs: two test runs over the same input, compared when both are over.
//!
//! ```text
//! old version ── settles what is read ──▶ new version
//!      └──────────── both ended ────────────┘──▶ compared and stored
//! ```
//! Promises: whatever becomes of the two, how the shadow run ended is stored; when one ends without having read its input,
//! the other is ended as well.

use std::collections::BTreeMap;

use millrace_wire::ids::{ShadowRunId, TeamId, TestRunId};
use millrace_wire::link::TestRunAssignment;
use millrace_wire::shadow_run::{ShadowSink, ShadowVerdict};
use millrace_wire::test_run::{InputRange, SinkComparison, TestRunSink, TestRunSource, TestRunState, WrittenBy};

use super::compare::{self, Side};
use super::{Place, TestRuns};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::parameter::Filled;
use crate::store;
use crate::store::shadow_run::{Ended, Outcome, SideOutcome};
use crate::store::test_run::TestRunRow;

/// A test run that is in the store and was not started.
pub struct Half {
    pub id: TestRunId,
    pub place: Place,
    pub script: Filled,
    pub assignment: TestRunAssignment,
}

pub struct Shadow {
    pub id: ShadowRunId,
    pub team: TeamId,
    pub keys: BTreeMap<String, Vec<String>>,
    pub old: Half,
    pub new: Half,
}

impl TestRuns {
    /// Goes on by itself; its row is in the store already.
    pub fn shadow(&self, shadow: Shadow) {
        let runs = self.clone();
        tokio::spawn(async move {
            let id = shadow.id;
            let ended = carried_out(&runs, shadow).await;
            if let Err(error) = store::shadow_run::end(&runs.inner.store, id, &ended).await {
                tracing::warn!(%error, shadow_run = %id, "the result of a shadow run is not stored");
            }
        });
    }
}

async fn carried_out(runs: &TestRuns, shadow: Shadow) -> Ended {
    let Shadow { team, keys, old, new, .. } = shadow;
    let ids = (old.id, new.id);
    let failed = |error: &Error| How::of(TestRunState::Failed, error.message().to_owned());
    let how = both(runs, team, &keys, old, new).await.unwrap_or_else(|error| failed(&error));
    let (how, results) = match results(runs, team, ids, &keys).await {
        Ok(results) => (how, Some(results)),
        Err(error) => (failed(&error), None),
    };
    let (mut outcome, mut comparison) = results.unwrap_or_default();
    if how.state == TestRunState::Finished {
        outcome.notes.extend(how.notes);
    } else {
        outcome = Outcome { verdict: None, sinks: Vec::new(), notes: Vec::new(), ..outcome };
        comparison = Vec::new();
    }
    Ended { at: now_ms(), state: how.state, reason: how.reason, outcome, comparison }
}

/// How the two ended together.
struct How {
    state: TestRunState,
    reason: String,
    /// What is to be known of their input.
    notes: Vec<String>,
}

impl How {
    fn of(state: TestRunState, reason: String) -> How {
        How { state, reason, notes: Vec::new() }
    }
}

/// Runs the two to their ends and tells how that went.
async fn both(
    runs: &TestRuns,
    team: TeamId,
    keys: &BTreeMap<String, Vec<String>>,
    old: Half,
    mut new: Half,
) -> Result<How> {
    let (old_id, new_id) = (old.id, new.id);
    let started = runs.start(old.place, old_id, old.script, old.assignment).await;
    let (outcome, _) = runs.content(old_id);
    if started.is_err() || outcome.sinks.is_empty() {
        runs.end_unstarted(new_id, "The old version could not be run.").await?;
        started?;
        // Without a plan it ends by itself.
        let (state, reason) = runs.ended(old_id).await;
        return Ok(not_whole("old", state, reason));
    }
    let ranges = runs.ranges(old_id);
    if let Some(settled) = &mut new.assignment.settled {
        settled.ranges.clone_from(&ranges);
    }
    if let Err(error) = runs.start(new.place, new_id, new.script, new.assignment).await {
        runs.cancel(team, old_id);
        return Err(error);
    }
    let (other, _) = runs.content(new_id);
    let wrong_key = wrong_key(keys, &outcome.sinks, &other.sinks).filter(|_| !other.sinks.is_empty());
    if wrong_key.is_some() {
        runs.cancel(team, old_id);
        runs.cancel(team, new_id);
    }
    let notes = of_input((&outcome.sources, &ranges), (&other.sources, &runs.ranges(new_id)));
    let (old, new) = tokio::join!(ended_with(runs, team, old_id, new_id), ended_with(runs, team, new_id, old_id));
    Ok(match (wrong_key, old, new) {
        (Some(reason), _, _) => How::of(TestRunState::Failed, reason),
        (None, (TestRunState::Failed, reason), _) => not_whole("old", TestRunState::Failed, reason),
        (None, _, (TestRunState::Failed, reason)) => not_whole("new", TestRunState::Failed, reason),
        (None, (TestRunState::Finished, _), (TestRunState::Finished, _)) => {
            How { notes, ..How::of(TestRunState::Finished, String::new()) }
        }
        (None, _, _) => How::of(TestRunState::Cancelled, "cancelled".to_owned()),
    })
}

fn not_whole(which: &str, state: TestRunState, reason: String) -> How {
    match state {
        TestRunState::Cancelled => How::of(TestRunState::Cancelled, reason),
        TestRunState::Running | TestRunState::Finished | TestRunState::Failed => {
            How::of(TestRunState::Failed, format!("The {which} version: {reason}"))
        }
    }
}

/// One alone shows nothing: where it did not end well, the other is cancelled.
async fn ended_with(runs: &TestRuns, team: TeamId, one: TestRunId, other: TestRunId) -> (TestRunState, String) {
    let how = runs.ended(one).await;
    if how.0 != TestRunState::Finished {
        runs.cancel(team, other);
    }
    how
}

/// What is wrong with the first key that fits no sink.
fn wrong_key(keys: &BTreeMap<String, Vec<String>>, old: &[TestRunSink], new: &[TestRunSink]) -> Option<String> {
    keys.iter().find_map(|(table, columns)| {
        let mut sinks = old.iter().chain(new).filter(|sink| sink.table == *table).peekable();
        if sinks.peek().is_none() {
            return Some(format!("Neither version writes {table}, so its rows cannot be matched."));
        }
        sinks.find_map(|sink| {
            let missing = columns.iter().find(|name| !sink.columns.iter().any(|column| column.name == **name))?;
            Some(format!("{table} has no column '{missing}' to match rows by."))
        })
    })
}

async fn results(
    runs: &TestRuns,
    team: TeamId,
    (old, new): (TestRunId, TestRunId),
    keys: &BTreeMap<String, Vec<String>>,
) -> Result<(Outcome, Vec<SinkComparison>)> {
    let (old, old_side) = side(runs, team, old).await?;
    let (new, new_side) = side(runs, team, new).await?;
    let comparison = compare::sinks(&old_side, &new_side, keys);
    let outcome = Outcome {
        verdict: Some(verdict(&comparison)),
        sinks: comparison.iter().map(counts).collect(),
        notes: of_limits(&old, &new),
        old: SideOutcome { records_read: old.outcome.records_read, reason: old.reason },
        new: SideOutcome { records_read: new.outcome.records_read, reason: new.reason },
    };
    Ok((outcome, comparison))
}

async fn side(runs: &TestRuns, team: TeamId, id: TestRunId) -> Result<(TestRunRow, Side)> {
    let store = &runs.inner.store;
    let row = store::test_run::get(store, team, id).await?.ok_or_else(|| Error::not_found("test run"))?;
    let rows = store::test_run::captured(store, team, id).await?.rows;
    let side = Side { sinks: row.outcome.sinks.clone(), rows, to_its_end: row.reason == "finished" };
    Ok((row, side))
}

fn verdict(sinks: &[SinkComparison]) -> ShadowVerdict {
    let same = |sink: &SinkComparison| {
        let counts = counts(sink);
        counts.written_by == WrittenBy::Both && counts.column_changes == 0 && counts.differences() == 0
    };
    if sinks.iter().any(|sink| !sink.complete) {
        ShadowVerdict::Unclear
    } else if sinks.iter().all(same) {
        ShadowVerdict::Same
    } else {
        ShadowVerdict::Different
    }
}

fn counts(sink: &SinkComparison) -> ShadowSink {
    ShadowSink {
        table: sink.table.clone(),
        written_by: sink.written_by,
        complete: sink.complete,
        same: sink.same,
        only_old: sink.only_a_count,
        only_new: sink.only_b_count,
        changed: sink.changed_count,
        column_changes: u32::try_from(sink.column_changes.len()).unwrap_or(u32::MAX),
    }
}

/// What ended one of them before its input did.
fn of_limits(old: &TestRunRow, new: &TestRunRow) -> Vec<String> {
    let cut = [("old", old), ("new", new)].into_iter().filter(|(_, row)| row.reason != "finished");
    let words = cut
        .map(|(which, row)| format!("The {which} version was ended by its {}, before all input was read.", row.reason));
    words.collect()
}

/// What of their input is not the same, or may not be.
fn of_input(old: Input<'_>, new: Input<'_>) -> Vec<String> {
    let reads = |source: &&TestRunSource| new.0.iter().any(|other| other.table == source.table);
    let words = old.0.iter().filter(reads).filter_map(|source| {
        let table = &source.table;
        match (old.1.get(table), new.1.get(table)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(_), Some(_)) => {
                Some(format!("{table} lies somewhere else for the new version: the two read other records."))
            }
            _ => Some(format!("{table} was asked by each at its own moment: it may have changed between.")),
        }
    });
    words.collect()
}

/// What is read, and over which ranges.
type Input<'a> = (&'a [TestRunSource], &'a BTreeMap<String, InputRange>);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use millrace_wire::preview::ResultColumn;
    use millrace_wire::test_run::SplitRange;

    use super::*;

    fn sink(table: &str, columns: &[&str]) -> TestRunSink {
        let column = |name: &&str| ResultColumn { name: (*name).to_owned(), data_type: "INT".to_owned(), key: false };
        TestRunSink {
            table: table.to_owned(),
            connector: "kafka".to_owned(),
            columns: columns.iter().map(column).collect(),
            words: String::new(),
            changes: 0,
            kept: 0,
            target: None,
        }
    }

    #[test]
    fn a_key_names_columns_of_a_sink() {
        let key = |table: &str, column: &str| BTreeMap::from([(table.to_owned(), vec![column.to_owned()])]);
        let (old, new) = ([sink("a", &["id", "n"])], [sink("a", &["id"]), sink("b", &["x"])]);
        assert_eq!(wrong_key(&key("a", "id"), &old, &new), None);
        assert_eq!(wrong_key(&key("b", "x"), &old, &new), None);
        assert!(wrong_key(&key("a", "n"), &old, &new).unwrap().contains("no column 'n'"));
        assert!(wrong_key(&key("c", "x"), &old, &new).unwrap().contains("Neither version writes c"));
    }

    #[test]
    fn input_that_is_not_the_same_is_named() {
        let source = |table: &str| TestRunSource { table: table.to_owned(), supplied: false, words: String::new() };
        let range = |split: &str| InputRange::from([(split.to_owned(), SplitRange { position: None })]);
        let (a, b) = (
            [source("in"), source("moved"), source("asked"), source("gone")],
            [source("in"), source("moved"), source("asked")],
        );
        let old = BTreeMap::from([
            ("in".to_owned(), range("in/0")),
            ("moved".to_owned(), range("x/0")),
            ("gone".to_owned(), range("g/0")),
        ]);
        let new = BTreeMap::from([("in".to_owned(), range("in/0")), ("moved".to_owned(), range("y/0"))]);
        let notes = of_input((&a, &old), (&b, &new));
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].starts_with("moved lies somewhere else") && notes[1].starts_with("asked was asked by each"));
    }
}
