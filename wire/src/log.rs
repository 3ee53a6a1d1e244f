//! Log lines of workers and of the server.

use crate::ids::{JobId, RunId};
use crate::macros::{wire, wire_words};

wire_words! {
    pub enum LogLevel {
        Error = "error",
        Warn = "warn",
        Info = "info",
        Debug = "debug",
        Trace = "trace",
    }
}

wire! {
    /// Identity is on every line (V1 of the product).
    pub struct LogLine {
        /// Goes up by one per run; the cursor for paging and resuming a tail.
        pub seq: u64,
        pub at: i64,
        pub level: LogLevel,
        pub target: String,
        pub message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobId>,
        #[serde(default)]
        pub job_name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub run: Option<RunId>,
        #[serde(default)]
        pub attempt: u32,
        #[serde(default)]
        pub worker: String,
        #[serde(default)]
        pub team: String,
    }

    /// `GET …/jobs/{job}/runs/{run}/logs`
    pub struct LogPage {
        pub lines: Vec<LogLine>,
        /// Lines before the first one exist.
        pub more_before: bool,
        /// To go on from: the sequence after the last line.
        pub next_seq: u64,
    }
}
