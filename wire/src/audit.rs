//! The audit trail as it is read.

use crate::macros::{wire, wire_words};

wire_words! {
    pub enum AuditOutcome {
        Done = "done",
        Refused = "refused",
    }

    pub enum AuditFormat {
        Csv = "csv",
        /// One object per line.
        JsonLines = "jsonl",
    }
}

wire! {
    /// One call, done or refused.
    pub struct AuditEntry {
        /// Its place in the chain, from 1.
        pub seq: i64,
        pub at: i64,
        /// E-mail address as it was; empty when nobody was signed in.
        pub person: String,
        /// `session`, `token`, `none` or `server`.
        pub via: String,
        /// Slug of the team; empty for what concerns the server.
        pub team: String,
        /// What the call does, in words: "Change a table."
        pub what: String,
        /// Method and path template: `PUT /teams/{team}/tables/{table}`.
        pub action: String,
        /// The path that was asked for.
        pub object: String,
        /// Where the call came from.
        pub address: String,
        pub request_id: String,
        pub status: u16,
        /// `done`, or the code of the refusal.
        pub outcome: String,
        /// Before and after, without secrets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub detail: Option<serde_json::Value>,
        pub hash: String,
    }

    /// Whether each entry follows from the one before it.
    pub struct AuditChain {
        /// Entries that were looked at, of all teams.
        pub entries: u64,
        /// The first one that was changed, moved, or stands after a gap.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub broken_at: Option<i64>,
        /// Of the last entry. Kept elsewhere, it shows later whether the end was cut off.
        pub last_hash: String,
    }
}
