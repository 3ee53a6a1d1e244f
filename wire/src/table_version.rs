//! Schema versions of tables, what differs between two of them, and what a change would break.

use crate::connection::JobRef;
use crate::macros::{wire, wire_words};
use crate::sql::Diagnostic;
use crate::table::{ResolvedColumn, TableDraft};

wire_words! {
    /// Which changes of a table are accepted without confirming.
    pub enum Compatibility {
        None = "none",
        /// The new schema reads what was written with the old one.
        Backward = "backward",
        /// The old schema reads what is written with the new one.
        Forward = "forward",
        Full = "full",
    }

    pub enum SchemaChangeKind {
        ColumnAdded = "column_added",
        ColumnRemoved = "column_removed",
        TypeChanged = "type_changed",
        NullabilityChanged = "nullability_changed",
        /// The expression of a computed column, a metadata key, or which of them it is.
        SourceChanged = "source_changed",
        OrderChanged = "order_changed",
        CommentChanged = "comment_changed",
        KeyChanged = "key_changed",
        EventTimeChanged = "event_time_changed",
        /// Connector, connection, format or another option.
        OptionChanged = "option_changed",
    }
}

wire! {
    pub struct SchemaVersionSummary {
        /// The table's revision that it made.
        pub number: u32,
        pub created_by: String,
        pub created_at: i64,
        pub comment: String,
    }

    /// Never changes once it is there.
    pub struct SchemaVersion {
        #[serde(flatten)]
        pub summary: SchemaVersionSummary,
        pub draft: TableDraft,
        pub ddl: String,
        pub resolved: Vec<ResolvedColumn>,
    }

    /// `GET …/tables/{table}/diff?from=&to=`
    pub struct SchemaDiff {
        pub from: u32,
        pub to: u32,
        pub changes: Vec<SchemaChange>,
        /// Why the newer one cannot read what the older one wrote; empty when it can.
        pub backward: Vec<String>,
        /// Why the older one cannot read what the newer one writes.
        pub forward: Vec<String>,
        pub from_ddl: String,
        pub to_ddl: String,
    }

    pub struct SchemaChange {
        pub kind: SchemaChangeKind,
        /// The column or option; empty where it is the table as a whole.
        pub name: String,
        pub before: String,
        pub after: String,
    }

    /// `PUT …/tables/{table}` and `POST …/tables/{table}/impact`
    pub struct SaveTable {
        #[serde(flatten)]
        pub draft: TableDraft,
        /// What the version is for.
        #[serde(default)]
        pub version_comment: String,
        /// Save although the compatibility mode or a job speaks against it.
        #[serde(default)]
        pub accept_breaking: bool,
        /// The revision this edit started from; another one on the server answers 409.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub revision: Option<u32>,
    }

    /// What saving would do.
    pub struct TableImpact {
        pub changes: Vec<SchemaChange>,
        pub compatibility: Compatibility,
        /// What the compatibility mode speaks against.
        pub incompatible: Vec<String>,
        /// Jobs that could not be planned any more.
        pub jobs: Vec<JobImpact>,
        /// As many more, that the caller may not see.
        pub hidden_jobs: u64,
        /// How many versions of jobs were planned again.
        pub checked: u64,
        /// Saving needs `accept_breaking`.
        pub breaks: bool,
    }

    pub struct JobImpact {
        pub job: JobRef,
        pub version: u32,
        /// This version runs now. It goes on with the description it was made with until it gets a new version.
        pub running: bool,
        /// The changed columns that it stumbles over, where that can be told.
        pub columns: Vec<String>,
        pub diagnostics: Vec<Diagnostic>,
    }

    /// `PATCH …/tables/{table}`; what is absent stays. Makes no schema version.
    pub struct TableChange {
        /// A person or some words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub owner: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub tags: Option<Vec<String>>,
        /// Who else answers questions about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sharers: Option<Vec<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub compatibility: Option<Compatibility>,
    }
}
