//! Searching the log lines of a team, over all its jobs.

use crate::ids::{JobId, RunId};
use crate::log::LogLevel;
use crate::macros::{wire, wire_words};

wire_words! {
    /// What lines are counted by.
    pub enum LogFacet {
        Level = "level",
        JobName = "job_name",
        Run = "run",
        Worker = "worker",
        Operator = "operator",
        Source = "source",
        Version = "version",
    }
}

wire_words! {
    pub enum LogOrder {
        Newest = "newest",
        Oldest = "oldest",
    }

    /// How a download is written.
    pub enum LogDownload {
        /// A line of text per line.
        Text = "text",
        /// A `LogHit` per line.
        JsonLines = "jsonl",
    }
}

wire! {
    /// `GET /teams/{team}/logs`
    pub struct LogHits {
        pub hits: Vec<LogHit>,
        /// To go on from; absent when there is nothing more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub next: Option<String>,
        /// Days whose index is being built again and that are missing here.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub left_out: Vec<String>,
    }

    pub struct LogHit {
        /// The permanent name of the line: `GET /teams/{team}/logs/lines/{line}`.
        pub id: String,
        pub at: i64,
        pub level: LogLevel,
        /// `worker`, `server` or `broker`.
        pub source: String,
        pub target: String,
        pub message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobId>,
        #[serde(default)]
        pub job_name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub run: Option<RunId>,
        /// Number within the run.
        pub seq: u64,
        #[serde(default)]
        pub attempt: u32,
        #[serde(default)]
        pub worker: String,
        #[serde(default)]
        pub operator: String,
        /// Of the job; empty where it is not known.
        #[serde(default)]
        pub version: String,
        /// Where in the message the words stand that were looked for: first and last byte, the last not included.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub marks: Vec<(u32, u32)>,
        /// The line that this one continues, such as a frame of a stack trace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub event: Option<String>,
        /// The group of errors that it begins one of; `group:<this>` finds them all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub group: Option<String>,
    }

    /// `GET /teams/{team}/logs/counts`
    pub struct LogCounts {
        pub total: u64,
        pub histogram: LogHistogram,
        pub facets: Vec<LogFacetCounts>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub left_out: Vec<String>,
    }

    pub struct LogHistogram {
        /// Begin of the first bucket.
        pub start: i64,
        /// Milliseconds of each.
        pub width: i64,
        /// Lines of each bucket by level: error, warn, info, debug, trace.
        pub buckets: Vec<[u64; 5]>,
    }

    pub struct LogFacetCounts {
        pub facet: LogFacet,
        /// The most frequent first.
        pub values: Vec<LogFacetValue>,
        /// How many different values there are.
        pub distinct: u64,
    }

    pub struct LogFacetValue {
        pub value: String,
        pub count: u64,
    }

    /// `GET /teams/{team}/logs/lines/{line}`: a line and those around it in the same run.
    pub struct LogContext {
        pub before: Vec<LogHit>,
        pub line: LogHit,
        pub after: Vec<LogHit>,
    }

    /// `GET /teams/{team}/logs/groups`: the same error, again and again.
    pub struct LogGroup {
        /// `group:<this>` finds its lines.
        pub group: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobId>,
        pub job_name: String,
        /// The newest message.
        pub message: String,
        /// The line of that message.
        pub newest: String,
        /// Among what was searched.
        pub count: u64,
        /// Of all time, as far as it is remembered.
        pub total: u64,
        pub first_seen: i64,
        pub last_seen: i64,
        /// How often in which version of the job.
        pub versions: Vec<(String, u64)>,
    }
}
