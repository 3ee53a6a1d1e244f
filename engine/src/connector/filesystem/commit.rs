//! `sink.partition-commit.*`: a finished partition gets a `_SUCCESS` file, so that readers know that it is whole.
//!
//! With the trigger `process-time` a partition is finished some time after its first row came, with `partition-time` when
//! the watermark has passed the time that its folder names. It is marked with the next checkpoint, when the files of all
//! tasks have their names. Rows that come later mark it again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::super::option::Options;
use super::partition::{Partitions, Values};
use super::path;
use super::sink::sync_folder;
use crate::catalog::TableDef;
use crate::error::{EngineError, Result};
use crate::format::temporal::{TimestampStandard, parse_date, parse_timestamp};

const DAY_MS: i64 = 86_400_000;

pub(super) struct CommitRules {
    by_partition_time: bool,
    delay_ms: i64,
    success_file: String,
    /// Of the time that a folder names: `$day $hour:00:00`; the first partition column by default.
    pattern: Option<String>,
}

impl CommitRules {
    /// None where no policy is given, as in Flink.
    pub(super) fn of_table(table: &TableDef) -> Result<Option<Self>> {
        let options = Options(&table.options);
        let Some(policy) = options.text("sink.partition-commit.policy.kind") else { return Ok(None) };
        if table.partition_keys.is_empty() {
            let message = "'sink.partition-commit.policy.kind' needs a table that is PARTITIONED BY columns.";
            return Err(EngineError::user("bad_option", message));
        }
        if let Some(other) = policy.split(',').map(str::trim).find(|kind| *kind != "success-file") {
            let message = format!("'sink.partition-commit.policy.kind' '{other}' is not supported; 'success-file' is.");
            return Err(EngineError::user("unsupported", message));
        }
        let rules = CommitRules {
            by_partition_time: options.text("sink.partition-commit.trigger") == Some("partition-time"),
            delay_ms: millis(options.duration("sink.partition-commit.delay")?.unwrap_or_default()),
            success_file: file_name(options.text("sink.partition-commit.success-file.name").unwrap_or("_SUCCESS"))?,
            pattern: options.text("partition.time-extractor.timestamp-pattern").map(str::to_owned),
        };
        let unknown = rules.pattern.as_deref().and_then(|pattern| {
            let partitions = Partitions::of_table(table);
            let known = |name: &str| partitions.has(name);
            pattern.split('$').skip(1).map(leading_name).find(|name| !known(name)).map(str::to_owned)
        });
        match unknown {
            Some(name) => Err(EngineError::user(
                "bad_option",
                format!("'partition.time-extractor.timestamp-pattern' names '{name}', which is no partition column."),
            )),
            None => Ok(Some(rules)),
        }
    }

    fn is_due(&self, partitions: &Partitions, partition: &Pending, now: Now) -> Result<bool> {
        if partition.overdue {
            return Ok(true);
        }
        if !self.by_partition_time {
            return Ok(self.delay_ms == 0 || now.clock_ms > partition.first_ms.saturating_add(self.delay_ms));
        }
        let time = self.time_of(partitions, &partition.values)?;
        Ok(now.watermark > time.saturating_add(self.delay_ms) || now.watermark == i64::MAX)
    }

    /// In milliseconds, in UTC.
    fn time_of(&self, partitions: &Partitions, values: &[Option<String>]) -> Result<i64> {
        let first = values.first().cloned().flatten().unwrap_or_default();
        let text = self.pattern.as_ref().map_or(first, |pattern| {
            let mut named: Vec<(&str, &str)> =
                partitions.names().zip(values.iter().map(|value| value.as_deref().unwrap_or_default())).collect();
            named.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
            named.into_iter().fold(pattern.clone(), |text, (name, value)| text.replace(&format!("${name}"), value))
        });
        let instant = parse_timestamp(text.as_bytes(), 3, TimestampStandard::Sql, false);
        let instant = instant.or_else(|| parse_date(text.as_bytes()).map(|days| i64::from(days) * DAY_MS));
        instant.ok_or_else(|| {
            let message =
                format!("'{text}' of a partition is no time; set 'partition.time-extractor.timestamp-pattern'.");
            EngineError::user("bad_value", message)
        })
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn leading_name(text: &str) -> &str {
    let end = text.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

fn file_name(name: &str) -> Result<String> {
    if name.contains(['/', '\\']) || name.trim_matches('.').is_empty() {
        let message = format!("'sink.partition-commit.success-file.name' '{name}' is no name of a file.");
        return Err(EngineError::user("bad_option", message));
    }
    Ok(name.to_owned())
}

/// What decides whether a partition is finished.
#[derive(Clone, Copy)]
pub(super) struct Now {
    pub(super) clock_ms: i64,
    pub(super) watermark: i64,
}

/// A partition with rows that is not marked yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    values: Values,
    first_ms: i64,
    /// It was finished when the run ended before it was marked.
    overdue: bool,
}

/// The partitions of one task, by folder.
#[derive(Default)]
pub(super) struct PendingPartitions {
    waiting: BTreeMap<String, Pending>,
    /// Finished at a checkpoint that is not durable yet.
    due: Vec<(u64, BTreeMap<String, Pending>)>,
}

impl PendingPartitions {
    pub(super) fn saw(&mut self, folder: &str, values: &[Option<String>], now_ms: i64) {
        if !self.waiting.contains_key(folder) {
            let pending = Pending { values: values.to_vec(), first_ms: now_ms, overdue: false };
            self.waiting.insert(folder.to_owned(), pending);
        }
    }

    /// At a barrier: all rows so far are in files of this checkpoint.
    pub(super) fn settle(
        &mut self,
        checkpoint: u64,
        rules: &CommitRules,
        partitions: &Partitions,
        now: Now,
    ) -> Result<()> {
        let mut due = BTreeMap::new();
        for (folder, pending) in std::mem::take(&mut self.waiting) {
            let into = if rules.is_due(partitions, &pending, now)? { &mut due } else { &mut self.waiting };
            into.insert(folder, pending);
        }
        self.due.push((checkpoint, due));
        Ok(())
    }

    /// What a checkpoint keeps: also what is finished, since it is marked only after the checkpoint.
    pub(super) fn kept(&self) -> BTreeMap<String, Pending> {
        let overdue = self
            .due
            .iter()
            .flat_map(|(_, due)| due)
            .map(|(folder, pending)| (folder.clone(), Pending { overdue: true, ..pending.clone() }));
        overdue.chain(self.waiting.iter().map(|(folder, pending)| (folder.clone(), pending.clone()))).collect()
    }

    pub(super) fn restore(&mut self, kept: BTreeMap<String, Pending>) {
        self.waiting.extend(kept);
    }

    /// The checkpoint is durable: what is finished up to it.
    pub(super) fn take_due(&mut self, checkpoint: u64) -> BTreeSet<String> {
        let (done, later) = std::mem::take(&mut self.due).into_iter().partition(|(number, _)| *number <= checkpoint);
        self.due = later;
        let done: Vec<(u64, BTreeMap<String, Pending>)> = done;
        done.into_iter().flat_map(|(_, due)| due.into_keys()).collect()
    }

    pub(super) fn take_all(&mut self) -> BTreeSet<String> {
        let mut all = self.take_due(u64::MAX);
        all.extend(std::mem::take(&mut self.waiting).into_keys());
        all
    }
}

/// Where the tasks of a sink meet: a partition is whole when the files of all of them are there.
pub(super) struct CommitBoard {
    tasks: usize,
    state: Mutex<BoardState>,
}

#[derive(Default)]
struct BoardState {
    /// By checkpoint: who is done, and what is finished.
    reports: BTreeMap<u64, (BTreeSet<usize>, BTreeSet<String>)>,
    closed: BTreeSet<usize>,
}

impl CommitBoard {
    pub(super) fn new(tasks: usize) -> Self {
        CommitBoard { tasks, state: Mutex::default() }
    }

    /// The files of this task up to the checkpoint have their names. Gives what can be marked now.
    pub(super) fn report(&self, task: usize, checkpoint: u64, finished: BTreeSet<String>) -> BTreeSet<String> {
        let mut state = self.state.lock();
        let report = state.reports.entry(checkpoint).or_default();
        report.0.insert(task);
        report.1.extend(finished);
        self.complete(&mut state)
    }

    /// This task writes no more.
    pub(super) fn close(&self, task: usize, finished: BTreeSet<String>) -> BTreeSet<String> {
        let mut state = self.state.lock();
        state.closed.insert(task);
        state.reports.entry(u64::MAX).or_default().1.extend(finished);
        self.complete(&mut state)
    }

    fn complete(&self, state: &mut BoardState) -> BTreeSet<String> {
        let closed = &state.closed;
        let is_whole = |done: &BTreeSet<usize>| done.union(closed).count() >= self.tasks;
        let (whole, open) = std::mem::take(&mut state.reports).into_iter().partition(|(_, (done, _))| is_whole(done));
        state.reports = open;
        let whole: BTreeMap<u64, (BTreeSet<usize>, BTreeSet<String>)> = whole;
        whole.into_values().flat_map(|(_, finished)| finished).collect()
    }
}

/// Marks partitions of the table in `folder`. Doing it again does nothing.
pub(super) fn mark(folder: &Path, partitions: &BTreeSet<String>, rules: &CommitRules) -> Result<()> {
    for partition in partitions {
        let place = folder.join(partition);
        let file = place.join(&rules.success_file);
        File::create(&file).map_err(|error| path::failed("created", &file, &error))?;
        sync_folder(&place)?;
    }
    Ok(())
}
