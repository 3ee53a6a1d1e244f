//! Figures: what a worker reports, and series for charts.

use std::collections::BTreeMap;

use crate::macros::wire;

wire! {
    /// One report of a running worker. Counters are totals since the attempt began.
    pub struct MetricReport {
        pub at: i64,
        pub operators: Vec<OperatorMetrics>,
        pub sources: Vec<SourceMetrics>,
        pub process: ProcessMetrics,
    }

    /// Summed over the tasks of one operator.
    pub struct OperatorMetrics {
        /// The node's id in the graph.
        pub node: String,
        pub records_in: u64,
        pub records_out: u64,
        pub bytes_in: u64,
        pub bytes_out: u64,
        /// Of the last interval, 0 to 1, mean over tasks.
        pub busy: f64,
        /// Waiting for a full channel downstream, 0 to 1.
        pub blocked: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub watermark: Option<i64>,
        pub state_rows: u64,
        pub state_bytes: u64,
        pub late: u64,
        pub dropped: u64,
        /// Of a join with a table that is asked by key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lookup: Option<LookupMetrics>,
    }

    /// Totals since the attempt began, and what the cache holds now.
    pub struct LookupMetrics {
        /// Keys that the cache knew, and that it did not know. Both 0 without a cache.
        pub hits: u64,
        pub misses: u64,
        /// Keys in the cache.
        pub entries: u64,
        pub bytes: u64,
        pub requests: u64,
        /// Requests that were made again because they failed.
        pub retries: u64,
        /// How long loading the whole table took, and when it was loaded last, milliseconds since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub load_ms: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub loaded_at: Option<i64>,
    }

    pub struct SourceMetrics {
        pub node: String,
        pub table: String,
        pub records: u64,
        pub bytes: u64,
        pub bad_records: u64,
        pub partitions: Vec<PartitionLag>,
        /// Age of the newest record read: its event time, or without one the record's own time (Kafka).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lag_ms: Option<u64>,
    }

    pub struct PartitionLag {
        pub partition: String,
        pub position: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub end: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lag: Option<u64>,
        pub idle: bool,
    }

    pub struct ProcessMetrics {
        pub memory_bytes: u64,
        pub cpu_seconds: f64,
        pub threads: u32,
    }

    /// `GET …/jobs/{job}/metrics?from=&to=&points=`
    pub struct MetricSeries {
        /// Times of all series, ascending, milliseconds.
        pub times: Vec<i64>,
        pub series: Vec<Series>,
        /// Starts, restarts, version changes to draw on the same axis.
        pub marks: Vec<Mark>,
    }

    pub struct Series {
        /// `records_in`, `records_out`, `lag_records`, `lag_ms`, `busy`, `state_bytes`, …
        pub name: String,
        /// `node`, `partition`, `table` where the series is about one.
        pub labels: BTreeMap<String, String>,
        pub unit: String,
        /// One value per time; null is a gap.
        pub values: Vec<Option<f64>>,
    }

    pub struct Mark {
        pub at: i64,
        pub label: String,
        /// `version`, `restart`, `state`
        pub kind: String,
    }
}
