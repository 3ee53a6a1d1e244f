//! Shadow runs: two versions of a job over the same input, both in the sandbox, compared sink by sink.

use std::collections::BTreeMap;

use crate::ids::{JobId, ShadowRunId, TestRunId};
use crate::macros::{wire, wire_words};
use crate::test_run::{SinkComparison, TestRunFrom, TestRunLimits, TestRunState, WrittenBy};

wire_words! {
    pub enum ShadowVerdict {
        /// All rows of all sinks are the same.
        Same = "same",
        Different = "different",
        /// A limit, or input that is not the same, keeps this from being told.
        Unclear = "unclear",
    }
}

wire! {
    /// `POST …/jobs/{job}/shadow-runs`
    pub struct StartShadowRun {
        /// Absent: the version of the newest run; of a job that never ran its newest version.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub old: Option<u32>,
        /// Absent: the draft.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub new: Option<u32>,
        /// Text instead of `new` or the draft.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sql: Option<String>,
        /// `latest`: the newest records before now, at most `max_records` of each table.
        pub from: TestRunFrom,
        /// For `time`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub at_ms: Option<i64>,
        /// For `table`: where reading begins instead, by table, as `scan.startup.specific-offsets` writes it.
        #[serde(default)]
        pub offsets: BTreeMap<String, String>,
        /// Of each table, spread evenly over its partitions. At most 1,000,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_records: Option<u32>,
        /// By sink: columns that rows are matched by, instead of the primary key.
        #[serde(default)]
        pub keys: BTreeMap<String, Vec<String>>,
        /// Changes that are kept of each sink. At most 10,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_rows: Option<u32>,
        /// At most 1,800.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_seconds: Option<u32>,
        /// Of each of the two. At most 2,048.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub memory_mb: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub parallelism: Option<u32>,
    }

    /// One of the two.
    pub struct ShadowSide {
        /// Absent: the draft, or text of the editor.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
        /// Its rows, as those of any test run.
        pub run: TestRunId,
        pub records_read: u64,
        /// How it ended; empty while it runs.
        pub reason: String,
    }

    /// A row of the history.
    pub struct ShadowRunSummary {
        pub id: ShadowRunId,
        pub job: JobId,
        pub old: ShadowSide,
        pub new: ShadowSide,
        pub started_by: String,
        pub started_at: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ended_at: Option<i64>,
        pub state: TestRunState,
        /// Why it ended, where it did not come to its end.
        pub reason: String,
        /// Absent until it is finished.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub verdict: Option<ShadowVerdict>,
        pub sinks: Vec<ShadowSink>,
        /// What keeps the comparison from being whole, and what was not read at the same moment.
        pub notes: Vec<String>,
    }

    /// Counts of one sink.
    pub struct ShadowSink {
        pub table: String,
        pub written_by: WrittenBy,
        pub complete: bool,
        pub same: u64,
        pub only_old: u64,
        pub only_new: u64,
        pub changed: u64,
        /// Columns that only one has, or that have another type.
        pub column_changes: u32,
    }

    pub struct ShadowRun {
        #[serde(flatten)]
        pub summary: ShadowRunSummary,
        pub from: TestRunFrom,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub at_ms: Option<i64>,
        pub max_records: u32,
        pub limits: TestRunLimits,
        pub keys: BTreeMap<String, Vec<String>>,
        /// Once it is finished: A is the old version, B the new one.
        pub comparison: Vec<SinkComparison>,
        /// The result goes then.
        pub kept_until: i64,
    }
}

impl ShadowSink {
    pub const fn differences(&self) -> u64 {
        self.only_old + self.only_new + self.changed
    }
}
