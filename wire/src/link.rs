//! The worker link: frames of JSON over a WebSocket that the worker opens to the server.
//!
//! The worker authenticates with its per-attempt token in `Hello`. A frame carries `v`, the version of this protocol;
//! a side that does not know it closes with a reason. Reports are numbered; the server acknowledges the highest it has
//! stored, and after a lost link the worker sends the unacknowledged ones again. Commands carry the attempt they are
//! meant for; a worker of another attempt ignores them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bad_record::BadRecordReport;
use crate::function::FunctionSource;
use crate::graph::{Graph, Guarantee};
use crate::ids::{JobId, RunId, WorkerId};
use crate::job::{JobSettings, StopMode};
use crate::log::LogLine;
use crate::metric::MetricReport;
use crate::preview::{PreviewEvent, ResultColumn};
use crate::run::RestoreKind;
use crate::sandbox_target::SandboxPlace;
use crate::test_run::{InputRange, SuppliedRow, TestRunFrom};

pub const LINK_VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FromWorker {
    pub v: u32,
    /// Goes up by one with each report of this process; 0 for `Hello`.
    pub seq: u64,
    pub report: Report,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Report {
    Hello(Hello),
    /// Still alive; also renews the lease.
    Heartbeat {
        at: i64,
    },
    State(WorkerState),
    CheckpointDone(CheckpointDone),
    CheckpointFailed {
        number: u64,
        reason: String,
    },
    Metrics(MetricReport),
    Logs {
        lines: Vec<LogLine>,
    },
    BadRecords(BadRecordReport),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    pub worker: WorkerId,
    pub job: JobId,
    pub run: RunId,
    pub attempt: u32,
    pub token: String,
    pub pid: u32,
    /// In clock ticks since boot as the kernel gives it: tells this process from a later one with the same pid.
    pub process_start: u64,
    /// The state now, so that an adopted worker is known at once.
    pub state: WorkerState,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum WorkerState {
    /// Connected, has no plan yet: the server answers with `Start`.
    Waiting,
    Starting {
        step: String,
    },
    Running {
        graph: Graph,
        guarantee: Guarantee,
        restored_from: Option<u64>,
    },
    Stopping {
        mode: StopMode,
    },
    /// Terminal: the process exits after the server has acknowledged it, or after a grace period.
    Stopped {
        savepoint: Option<CheckpointDone>,
    },
    Finished,
    Failed {
        failure: Failure,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub code: String,
    pub message: String,
    /// Trying again may help (a broker away); false for wrong SQL or an incompatible state.
    pub retry: bool,
    pub operator: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointDone {
    pub number: u64,
    pub kind: RestoreKind,
    /// Directory of the manifest, relative to the run's checkpoint root.
    pub path: String,
    pub bytes: u64,
    pub ms: u64,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToWorker {
    pub v: u32,
    pub attempt: u32,
    pub command: Command,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    Start(Box<Assignment>),
    /// All reports up to this number are stored; renews the worker's lease for `lease_ms`.
    Ack {
        seq: u64,
        lease_ms: u64,
    },
    Checkpoint,
    Savepoint,
    Stop {
        mode: StopMode,
    },
    /// Another attempt took over, or the token is no longer valid: leave at once, commit nothing.
    Fence {
        reason: String,
    },
    /// Where the link may be opened, this server first: tried in turn when it is lost.
    Servers {
        links: Vec<String>,
    },
    /// Another server takes care of this run: open the link there.
    GoTo {
        link: String,
    },
}

/// All a worker needs to run: it plans the script itself, so the plan is never shipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    pub job: JobId,
    pub job_name: String,
    pub run: RunId,
    pub attempt: u32,
    pub team: String,
    pub sql: String,
    /// DDL of every catalog table the script names, by `database.table`, without secrets.
    pub tables: BTreeMap<String, TableSource>,
    /// The users' functions that the script names, by name in SQL.
    #[serde(default)]
    pub functions: BTreeMap<String, FunctionSource>,
    /// Secret variables that the script names as `${name}`: the engine fills them in where a table's option is a
    /// credential.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    pub default_database: String,
    pub settings: JobSettings,
    /// Absolute directory for this job's checkpoints.
    pub checkpoint_root: String,
    pub restore: Option<Restore>,
    /// Start of reading for sources without restored offsets, by log time.
    pub start_at_ms: Option<i64>,
    /// Roots that file connectors may use.
    pub file_roots: Vec<String>,
    /// Same for all attempts of a job: prefix of transactional ids and consumer groups.
    pub identity: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableSource {
    pub ddl: String,
    /// Options that do not appear in the DDL: what the connection fills in, credentials included.
    pub hidden_options: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restore {
    /// Directory of the manifest, absolute.
    pub path: String,
    pub number: u64,
    pub kind: RestoreKind,
}

/// All that `millrace-worker preview` needs: one line of JSON on its standard input.
///
/// Sinks are never written: an INSERT is previewed as the SELECT below it. Closing standard input cancels the preview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreviewAssignment {
    pub sql: String,
    /// UTF-8 byte offset into `sql` of the statement to preview; the last one that gives rows when absent.
    pub offset: Option<u32>,
    /// As in `Assignment`.
    pub tables: BTreeMap<String, TableSource>,
    /// As in `Assignment`.
    #[serde(default)]
    pub functions: BTreeMap<String, FunctionSource>,
    /// As in `Assignment`.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    pub default_database: String,
    pub max_rows: u32,
    pub max_seconds: u32,
    pub memory_limit_mb: u64,
    pub parallelism: u32,
    pub file_roots: Vec<String>,
    /// Unique per preview: suffix of consumer groups; offsets are never committed.
    pub identity: String,
}

/// All that `millrace-worker test-run` needs: one line of JSON on its standard input. It answers with lines of
/// [`TestRunEvent`](crate::test_run::TestRunEvent), `Planned` first.
///
/// Sinks are replaced in the plan. Closing standard input cancels the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestRunAssignment {
    pub sql: String,
    /// As in `Assignment`.
    pub tables: BTreeMap<String, TableSource>,
    /// As in `Assignment`.
    #[serde(default)]
    pub functions: BTreeMap<String, FunctionSource>,
    /// As in `Assignment`.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    pub default_database: String,
    pub from: TestRunFrom,
    pub at_ms: Option<i64>,
    pub rows: BTreeMap<String, Vec<SuppliedRow>>,
    /// Of each sink.
    pub max_rows: u32,
    pub max_seconds: u32,
    pub memory_limit_mb: u64,
    pub parallelism: u32,
    pub file_roots: Vec<String>,
    /// Unique per run: its consumer group, which commits nothing.
    pub identity: String,
    /// Of a run that is compared with another one.
    #[serde(default)]
    pub settled: Option<SettledInput>,
    /// By sink: where its rows are written to as well. Others are only kept.
    #[serde(default)]
    pub targets: BTreeMap<String, SandboxPlace>,
    /// Ends the names of what is written there, so that no two runs share anything.
    #[serde(default)]
    pub mark: String,
}

/// What a run reads whose ranges are settled before the first record, so that another one can read the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettledInput {
    /// When the two began, for sources whose rows count time from there.
    pub at_ms: i64,
    /// Of each table, spread evenly over its partitions.
    pub max_records: u64,
    /// The newest ones before now instead of the first ones from where reading begins.
    pub newest: bool,
    /// Where reading begins, by table, as the connector's options write it.
    pub offsets: BTreeMap<String, String>,
    /// By table: what the other run has settled.
    pub ranges: BTreeMap<String, InputRange>,
}

/// One line of JSON on a preview's standard output: `Started` first, then events up to `End` or `Failed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PreviewLine {
    /// The statement is planned. `note` says in words which sinks were replaced by what.
    Started { columns: Vec<ResultColumn>, note: String },
    #[serde(untagged)]
    Event(PreviewEvent),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::preview::PreviewProgress;

    #[test]
    fn preview_lines_are_told_apart_by_their_type() {
        let started: PreviewLine = serde_json::from_str(r#"{"type":"started","columns":[],"note":"n"}"#).unwrap();
        assert_eq!(started, PreviewLine::Started { columns: vec![], note: "n".into() });
        let progress = PreviewProgress { elapsed_ms: 1, records_read: 2, rows: 3, waiting_for: String::new() };
        let end = PreviewLine::Event(PreviewEvent::End { reason: "finished".into(), progress });
        let text = serde_json::to_string(&end).unwrap();
        assert!(text.starts_with(r#"{"type":"end""#), "{text}");
        assert_eq!(serde_json::from_str::<PreviewLine>(&text).unwrap(), end);
    }
}
