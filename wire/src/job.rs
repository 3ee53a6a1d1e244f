//! Jobs, drafts and versions.

use std::collections::BTreeMap;

use crate::access::ObjectAccess;
use crate::graph::{Graph, Guarantee};
use crate::ids::{JobId, RunId, SavepointId, VersionId};
use crate::macros::{wire, wire_words};
use crate::run::{RestorePoint, RunState};
use crate::user_function::PinnedFunction;

wire_words! {
    /// What a person, or a rule, asked for.
    pub enum DesiredState {
        Running = "running",
        Stopped = "stopped",
    }

    pub enum StopMode {
        /// Take a savepoint, then stop. The default.
        Savepoint = "savepoint",
        /// Let the sources end, flush windows, finish.
        Drain = "drain",
        /// Stop at once; the last checkpoint remains.
        Cancel = "cancel",
    }

    pub enum JobKind {
        /// Runs until somebody stops it.
        Stream = "stream",
        /// Its sources end, and with them the run; may have a schedule.
        Batch = "batch",
    }

    pub enum StartFrom {
        /// The latest checkpoint or savepoint; fresh when there is none.
        Latest = "latest",
        Savepoint = "savepoint",
        /// No state; sources start as their options say, or at `at_ms`.
        Fresh = "fresh",
    }
}

wire! {
    pub struct JobSettings {
        pub parallelism: u32,
        pub checkpoint_interval_ms: u64,
        /// Retained checkpoints.
        pub checkpoints_kept: u32,
        /// Restarts within `restart_window_ms` before the job counts as failed.
        pub restart_attempts: u32,
        pub restart_window_ms: u64,
        /// 0 keeps state for ever.
        pub state_ttl_ms: u64,
        pub memory_limit_mb: u64,
    }

    pub struct Job {
        pub id: JobId,
        pub name: String,
        pub description: String,
        pub owner: String,
        pub tags: Vec<String>,
        /// `billing/daily`; empty for the root.
        #[serde(default)]
        pub folder: String,
        pub kind: JobKind,
        pub draft: Draft,
        pub desired: DesiredState,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub current: Option<CurrentRun>,
        /// The newest version, if any was saved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub latest_version: Option<VersionSummary>,
        pub created_at: i64,
        pub updated_at: i64,
        /// Counts for the tabs of the job page.
        pub runs: u64,
        pub versions: u64,
        pub savepoints: u64,
        /// The platform created it for the demo.
        pub demo: bool,
        pub access: ObjectAccess,
    }

    /// The newest run and how it looks now.
    pub struct CurrentRun {
        pub run: RunId,
        pub number: u32,
        pub version: u32,
        pub attempt: u32,
        pub state: RunState,
        /// Why it is in that state, where there is something to say.
        pub reason: String,
        pub since: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last_seen_at: Option<i64>,
        /// Nothing was heard for longer than it should; the state is the last one known.
        pub stale: bool,
        pub restarts: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub guarantee: Option<Guarantee>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub figures: Option<JobFigures>,
    }

    /// The last figures of a run; absent ones are not known.
    pub struct JobFigures {
        pub at: i64,
        pub records_in_per_s: f64,
        pub records_out_per_s: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lag_records: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lag_ms: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub watermark: Option<i64>,
        pub bad_records: u64,
        pub late_records: u64,
        pub state_bytes: u64,
        pub memory_bytes: u64,
        pub cpu_cores: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub checkpoint_at: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub checkpoint_ms: Option<u64>,
    }

    pub struct Draft {
        pub sql: String,
        pub settings: JobSettings,
        /// Goes up with each save; sent back so that two editors do not overwrite each other.
        pub revision: u32,
        pub updated_by: String,
        pub updated_at: i64,
        /// The draft is not what the newest version holds.
        pub differs: bool,
    }

    pub struct NewJob {
        pub name: String,
        #[serde(default)]
        pub description: String,
        #[serde(default)]
        pub tags: Vec<String>,
        /// At most 5 levels of 60 characters, with `/` between; empty for the root.
        #[serde(default)]
        pub folder: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub kind: Option<JobKind>,
        pub sql: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub settings: Option<JobSettings>,
    }

    /// `PATCH …/jobs/{job}`; what is absent stays.
    #[derive(Default)]
    pub struct JobChange {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub description: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub tags: Option<Vec<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub folder: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub kind: Option<JobKind>,
    }

    /// `PUT …/jobs/{job}/draft`
    pub struct SaveDraft {
        pub sql: String,
        pub settings: JobSettings,
        /// The revision this edit started from; another one on the server answers 409.
        pub revision: u32,
    }

    /// A row of the jobs list.
    pub struct JobSummary {
        pub id: JobId,
        pub name: String,
        pub description: String,
        pub owner: String,
        pub tags: Vec<String>,
        #[serde(default)]
        pub folder: String,
        pub kind: JobKind,
        pub desired: DesiredState,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub current: Option<CurrentRun>,
        pub restricted: bool,
        pub shared: bool,
        /// Records read per second, oldest first, for the spark line.
        pub throughput: Vec<f64>,
        pub updated_at: i64,
    }

    pub struct VersionSummary {
        pub id: VersionId,
        pub number: u32,
        pub created_by: String,
        pub created_at: i64,
        pub comment: String,
    }

    pub struct Version {
        #[serde(flatten)]
        pub summary: VersionSummary,
        pub sql: String,
        pub settings: JobSettings,
        pub graph: Graph,
        pub guarantee: Guarantee,
        pub reads: Vec<String>,
        pub writes: Vec<String>,
        /// Descriptors as they were when the version was made.
        pub tables: BTreeMap<String, String>,
        /// The team's functions that the script calls, by name, as they were then.
        #[serde(default)]
        pub functions: BTreeMap<String, PinnedFunction>,
    }

    /// `POST …/jobs/{job}/versions`: freezes the draft.
    pub struct NewVersion {
        #[serde(default)]
        pub comment: String,
    }

    /// `POST …/jobs/{job}/start`
    pub struct Start {
        /// Absent: the newest version; the draft is frozen into one first when it differs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
        pub from: StartFrom,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub savepoint: Option<SavepointId>,
        /// For `fresh`: event time in the log to start reading at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub at_ms: Option<i64>,
    }

    /// `GET …/jobs/{job}/start-options`: what the start dialog offers.
    pub struct StartOptions {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub latest: Option<RestorePoint>,
        pub savepoints: Vec<RestorePoint>,
        pub guarantee: Guarantee,
        /// Somebody else has to approve what is started.
        pub approval_required: bool,
    }

    /// `POST …/jobs/{job}/stop`
    pub struct Stop {
        pub mode: StopMode,
    }
}

impl CurrentRun {
    /// Answers and live events overtake each other; the run's own clock tells which of them tells more.
    pub fn is_older_than(&self, other: &CurrentRun) -> bool {
        (self.number, self.attempt, self.since) < (other.number, other.attempt, other.since)
    }
}

impl Default for JobSettings {
    fn default() -> Self {
        JobSettings {
            parallelism: 1,
            checkpoint_interval_ms: 10_000,
            checkpoints_kept: 3,
            restart_attempts: 10,
            restart_window_ms: 600_000,
            state_ttl_ms: 0,
            memory_limit_mb: 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(number: u32, attempt: u32, state: RunState, since: i64) -> CurrentRun {
        let run = RunId(uuid::Uuid::nil());
        let (reason, last_seen_at, guarantee, figures) = (String::new(), None, None, None);
        let (version, stale, restarts) = (1, false, 0);
        CurrentRun {
            run,
            number,
            version,
            attempt,
            state,
            reason,
            since,
            last_seen_at,
            stale,
            restarts,
            guarantee,
            figures,
        }
    }

    #[test]
    fn what_was_told_before_is_older() {
        let running = told(1, 2, RunState::Running, 100);
        let stopped = told(1, 2, RunState::Stopped, 140);
        let recovering = told(1, 1, RunState::Recovering, 90);
        let next = told(2, 1, RunState::Starting, 130);
        assert!(running.is_older_than(&stopped) && !stopped.is_older_than(&running));
        assert!(recovering.is_older_than(&running) && !running.is_older_than(&recovering));
        assert!(stopped.is_older_than(&next), "the next run counts, whatever the clock says");
        assert!(!running.is_older_than(&running), "figures of the same state are taken in");
    }
}
