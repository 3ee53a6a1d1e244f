//! Previews that ended, kept with their rows for the person who ran them.

use crate::ids::PreviewId;
use crate::macros::{wire, wire_words};
use crate::preview::{PreviewRow, ResultColumn};
use crate::test_run::ChangedRow;

wire_words! {
    pub enum PreviewOutcome {
        Finished = "finished",
        Cancelled = "cancelled",
        Failed = "failed",
    }
}

wire! {
    /// `GET …/preview-history`, newest first.
    pub struct KeptPreview {
        pub id: PreviewId,
        /// The statement that was run.
        pub sql: String,
        pub started_at: i64,
        pub duration_ms: u64,
        pub records_read: u64,
        pub outcome: PreviewOutcome,
        /// Why it ended, in words; of a failed one the message.
        pub reason: String,
        /// All changes that came.
        pub row_count: u64,
    }

    /// `GET …/preview-history/{preview}`
    pub struct PreviewSnapshot {
        pub preview: KeptPreview,
        pub columns: Vec<ResultColumn>,
        /// Changes, oldest first: all, or the first ones of many.
        pub rows: Vec<PreviewRow>,
    }

    /// `GET …/preview-history/{preview}/compare/{other}`: current state against current state.
    pub struct PreviewComparison {
        pub columns: Vec<ResultColumn>,
        /// Rows were matched by key; otherwise whole rows were.
        pub by_key: bool,
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
}
