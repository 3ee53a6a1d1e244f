//! Test runs: a job's script over real input, with every sink replaced by a table of the sandbox.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{JobId, TestRunId};
use crate::macros::{wire, wire_words};
use crate::preview::{PreviewRow, ResultColumn, RowKind};
use crate::sql::Diagnostic;

wire_words! {
    /// Where sources begin that get no supplied rows.
    pub enum TestRunFrom {
        /// As the options of each table say.
        Table = "table",
        Earliest = "earliest",
        Latest = "latest",
        /// At `at_ms`, by log time.
        Time = "time",
    }

    pub enum TestRunState {
        Running = "running",
        /// Its input or its time is over, or its sinks are full.
        Finished = "finished",
        Cancelled = "cancelled",
        Failed = "failed",
    }

    /// Which of two runs write a table.
    pub enum WrittenBy {
        Both = "both",
        OnlyA = "only_a",
        OnlyB = "only_b",
    }

    pub enum ResultView {
        /// Every change in order.
        Changelog = "changelog",
        /// What the changes leave: by primary key where there is one, else row by row.
        State = "state",
    }
}

wire! {
    /// One row for a source, or one that a sink should get.
    pub struct SuppliedRow {
        #[serde(default = "insert")]
        pub kind: RowKind,
        /// Event time in milliseconds; sets the event-time column where `values` does not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub at: Option<i64>,
        /// An object by column name, or an array in the order of the columns. Values as results show them.
        pub values: serde_json::Value,
    }

    /// `POST …/test-runs`
    pub struct StartTestRun {
        /// Absent: the draft of `job`, or its `version`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sql: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
        pub from: TestRunFrom,
        /// For `time`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub at_ms: Option<i64>,
        /// Rows by source table; these tables are not read.
        #[serde(default)]
        pub rows: BTreeMap<String, Vec<SuppliedRow>>,
        /// Changes that are kept of each sink; more are counted. At most 10,000.
        #[serde(default)]
        pub max_rows: Option<u32>,
        /// At most 1,800.
        #[serde(default)]
        pub max_seconds: Option<u32>,
        /// At most 2,048.
        #[serde(default)]
        pub memory_mb: Option<u32>,
        #[serde(default)]
        pub parallelism: Option<u32>,
        /// Sinks whose rows are also written to the sandbox target of their connection, see `…/sandbox-targets/offers`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub sandbox_targets: Vec<String>,
    }

    pub struct TestRunLimits {
        pub max_rows: u32,
        pub max_seconds: u32,
        pub memory_mb: u32,
    }

    /// A sink and what stands in its place.
    pub struct TestRunSink {
        pub table: String,
        pub connector: String,
        pub columns: Vec<ResultColumn>,
        /// Says what was replaced by what.
        pub words: String,
        /// Changes that the sink would have got.
        pub changes: u64,
        /// Of them so many are kept, the first ones.
        pub kept: u64,
        /// Where the same rows are written to outside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub target: Option<WrittenTarget>,
    }

    /// A topic, table or folder of a test run's own.
    pub struct WrittenTarget {
        /// As people call it: `topic sandbox.orders-1a2b3c4d`.
        pub name: String,
        /// The options of a table that name it.
        pub options: BTreeMap<String, String>,
    }

    pub struct TestRunSource {
        pub table: String,
        pub supplied: bool,
        /// Says where it is read from, and under which name.
        pub words: String,
    }

    pub struct TestRunProgress {
        pub elapsed_ms: u64,
        pub records_read: u64,
        /// Changes by sink, in the order of the sinks.
        pub changes: Vec<u64>,
        /// What it waits for, when no row has come yet.
        pub waiting_for: String,
    }

    /// A row of the history.
    pub struct TestRunSummary {
        pub id: TestRunId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobId>,
        /// As it was called then; empty for a script that belongs to no job.
        pub job_name: String,
        /// Absent: the draft, or text of the editor.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
        pub started_by: String,
        pub started_at: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ended_at: Option<i64>,
        pub state: TestRunState,
        /// Why it ended.
        pub reason: String,
        pub records_read: u64,
        pub sinks: Vec<TestRunSink>,
    }

    pub struct TestRun {
        #[serde(flatten)]
        pub summary: TestRunSummary,
        pub sql: String,
        pub from: TestRunFrom,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub at_ms: Option<i64>,
        pub limits: TestRunLimits,
        pub sources: Vec<TestRunSource>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub diagnostic: Option<Diagnostic>,
        /// The first rows that each source gave, for making a test of them.
        pub inputs: BTreeMap<String, Vec<SuppliedRow>>,
        /// The result goes then.
        pub kept_until: i64,
    }

    /// `GET …/test-runs/{id}/sinks/{table}/rows`
    pub struct SinkRows {
        pub table: String,
        pub columns: Vec<ResultColumn>,
        pub rows: Vec<PreviewRow>,
        /// Rows of this view that there are to page through.
        pub total: u64,
        pub changes: u64,
        /// Says what is left out, and what the state is the state of.
        pub note: String,
    }

    /// `GET …/test-runs/{id}/compare/{other}`
    pub struct TestRunComparison {
        pub sinks: Vec<SinkComparison>,
    }

    /// Current state against current state.
    pub struct SinkComparison {
        pub table: String,
        pub written_by: WrittenBy,
        /// Those that both have, or of the one that writes the table. The rows below have these and no others; `key` marks
        /// those that rows were matched by.
        pub columns: Vec<ResultColumn>,
        /// Columns that only one has, or that have another type.
        pub column_changes: Vec<ColumnChange>,
        /// Rows were matched by key; otherwise whole rows were.
        pub by_key: bool,
        /// Both states are those after all changes. Otherwise rows may differ that would not.
        pub complete: bool,
        pub same: u64,
        pub only_a: Vec<Vec<serde_json::Value>>,
        pub only_b: Vec<Vec<serde_json::Value>>,
        pub changed: Vec<ChangedRow>,
        /// How many there are of each; the lists above hold the first ones.
        pub only_a_count: u64,
        pub only_b_count: u64,
        pub changed_count: u64,
        pub note: String,
    }

    pub struct SplitRange {
        /// Where reading begins and ends, as the connector of the table writes it down; absent: the whole split.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub position: Option<serde_json::Value>,
    }

    pub struct ColumnChange {
        pub name: String,
        /// Its type; absent where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub a: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub b: Option<String>,
    }

    pub struct ChangedRow {
        pub a: Vec<serde_json::Value>,
        pub b: Vec<serde_json::Value>,
        /// Indices of the columns that differ.
        pub columns: Vec<u32>,
    }
}

/// `GET …/test-runs/{id}/events` (SSE)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TestRunEvent {
    /// What is read of each table, told to the server alone, before `Planned`.
    Settled {
        ranges: BTreeMap<String, BTreeMap<String, SplitRange>>,
    },
    /// The script is planned: what was replaced, and what is read.
    Planned {
        sinks: Vec<TestRunSink>,
        sources: Vec<TestRunSource>,
    },
    Rows {
        /// Index into the sinks.
        sink: u32,
        rows: Vec<PreviewRow>,
    },
    /// The first rows of each source.
    Inputs {
        rows: BTreeMap<String, Vec<SuppliedRow>>,
    },
    Progress {
        progress: TestRunProgress,
    },
    /// No more rows come. `reason`: `finished`, `row limit`, `time limit`, `cancelled`.
    End {
        reason: String,
        progress: TestRunProgress,
    },
    Failed {
        diagnostic: Diagnostic,
    },
}

/// What is read of a table, by split (partition, file).
pub type InputRange = BTreeMap<String, SplitRange>;

const fn insert() -> RowKind {
    RowKind::Insert
}
