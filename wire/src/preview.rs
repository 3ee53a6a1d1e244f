//! Previews: a SELECT (or an INSERT whose sink is replaced) run for a while, rows streamed to the browser.

use serde::{Deserialize, Serialize};

use crate::ids::PreviewId;
use crate::macros::{wire, wire_words};
use crate::sql::Diagnostic;

wire_words! {
    pub enum RowKind {
        Insert = "+I",
        UpdateBefore = "-U",
        UpdateAfter = "+U",
        Delete = "-D",
    }
}

wire! {
    /// `POST …/previews`
    pub struct StartPreview {
        pub sql: String,
        /// Which statement to preview: the one at this byte offset; the whole text when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub offset: Option<u32>,
        /// At most 10,000.
        #[serde(default)]
        pub max_rows: Option<u32>,
        #[serde(default)]
        pub max_seconds: Option<u32>,
    }

    pub struct PreviewStarted {
        pub id: PreviewId,
        pub columns: Vec<ResultColumn>,
        /// Says in words which sinks were replaced by what.
        pub note: String,
    }

    pub struct ResultColumn {
        pub name: String,
        pub data_type: String,
        pub key: bool,
    }

    pub struct PreviewRow {
        pub kind: RowKind,
        /// The value notation of the engine: numbers, strings, arrays; decimals and times as strings.
        pub values: Vec<serde_json::Value>,
    }

    pub struct PreviewProgress {
        pub elapsed_ms: u64,
        pub records_read: u64,
        pub rows: u64,
        /// What it waits for, when no row has come yet.
        pub waiting_for: String,
    }
}

/// `GET …/previews/{id}/events` (SSE)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PreviewEvent {
    Rows {
        rows: Vec<PreviewRow>,
    },
    Progress {
        progress: PreviewProgress,
    },
    /// No more rows come. `reason`: `finished`, `row limit`, `time limit`, `cancelled`.
    End {
        reason: String,
        progress: PreviewProgress,
    },
    Failed {
        diagnostic: Diagnostic,
    },
}
