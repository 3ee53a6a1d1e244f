//! Databases and tables. A table is a descriptor of an external stream, never the data itself.

use std::collections::BTreeMap;

use crate::access::ObjectAccess;
use crate::connection::JobRef;
use crate::ids::{ConnectionId, DatabaseId, TableId};
use crate::macros::{wire, wire_words};

wire_words! {
    pub enum ColumnKind {
        Physical = "physical",
        /// `name AS expression`
        Computed = "computed",
        /// `name type METADATA FROM 'key'`
        Metadata = "metadata",
    }
}

wire! {
    pub struct Database {
        pub id: DatabaseId,
        pub name: String,
        pub description: String,
        pub tables: u64,
        /// `millrace`: the platform's own logs and metrics.
        pub built_in: bool,
    }

    pub struct NewDatabase {
        pub name: String,
        #[serde(default)]
        pub description: String,
    }

    pub struct Column {
        pub name: String,
        /// Flink SQL: `BIGINT`, `TIMESTAMP(3)`, `ROW<a INT, b STRING>`. Empty for a computed column (it is derived).
        #[serde(default)]
        pub data_type: String,
        pub kind: ColumnKind,
        /// The expression of a computed column, or the metadata key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub source: Option<String>,
        #[serde(default)]
        pub nullable: bool,
        #[serde(default)]
        pub comment: String,
    }

    pub struct EventTime {
        pub column: String,
        /// The watermark expression, for example `ts - INTERVAL '5' SECOND`.
        pub watermark: String,
    }

    /// What the form sends: enough to write the DDL.
    pub struct TableDraft {
        pub database: String,
        pub name: String,
        #[serde(default)]
        pub comment: String,
        pub connector: String,
        /// Where the connector needs one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub connection: Option<ConnectionId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub format: Option<String>,
        /// Without `connector`, `format` and what the connection fills in.
        pub options: BTreeMap<String, String>,
        pub columns: Vec<Column>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub event_time: Option<EventTime>,
        #[serde(default)]
        pub primary_key: Vec<String>,
    }

    pub struct Table {
        pub id: TableId,
        #[serde(flatten)]
        pub draft: TableDraft,
        pub connection_name: String,
        /// A person or some words; empty when nobody was named.
        pub owner: String,
        pub tags: Vec<String>,
        pub sharers: Vec<String>,
        pub compatibility: crate::table_version::Compatibility,
        /// Options that are secrets and stored; their values never leave the server.
        pub secrets_set: Vec<String>,
        pub ddl: String,
        /// Columns as the planner sees them, computed ones with their derived type.
        pub resolved: Vec<ResolvedColumn>,
        pub producers: Vec<JobRef>,
        pub consumers: Vec<JobRef>,
        pub built_in: bool,
        pub access: ObjectAccess,
        pub revision: u32,
        pub updated_by: String,
        pub updated_at: i64,
        pub created_at: i64,
    }

    pub struct ResolvedColumn {
        pub name: String,
        pub data_type: String,
        pub kind: ColumnKind,
        pub event_time: bool,
        pub key: bool,
        pub comment: String,
    }

    /// A row of the tables list and of the editor's tree, without columns: there may be thousands of rows.
    pub struct TableSummary {
        pub id: TableId,
        pub database: String,
        pub name: String,
        pub connector: String,
        pub comment: String,
        pub owner: String,
        pub tags: Vec<String>,
        /// How many; the table itself has them.
        pub columns: u64,
        /// Those that hold a word of the search in name or comment.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub found: Vec<ResolvedColumn>,
        pub producers: u64,
        pub consumers: u64,
        pub built_in: bool,
        pub restricted: bool,
        pub shared: bool,
        pub updated_at: i64,
    }

    /// `POST …/tables/check`: the DDL beside the form, and what is wrong, field by field.
    pub struct TableCheck {
        pub ddl: String,
        pub problems: Vec<crate::error::FieldError>,
        pub resolved: Vec<ResolvedColumn>,
    }

    /// `POST …/tables/fetch`: asks the external system what the columns are.
    pub struct FetchSchema {
        pub connector: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub connection: Option<ConnectionId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub format: Option<String>,
        pub options: BTreeMap<String, String>,
        /// A schema registry to ask instead of looking at records.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub registry: Option<ConnectionId>,
        /// What to ask the registry for; the topic's values when it is absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub subject: Option<String>,
    }

    pub struct FetchedSchema {
        pub format: String,
        pub columns: Vec<Column>,
        /// A column that looks like event time, offered by the form.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub event_time: Option<EventTime>,
        /// Options that the found types need, such as `json.timestamp-format.standard`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub options: BTreeMap<String, String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub primary_key: Vec<String>,
        /// What the external system says about the whole.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub comment: String,
        /// How the types were found: "inferred from 200 JSON records".
        pub origin: String,
        pub sampled: u64,
    }

    /// `GET …/tables/{id}/sample`: decoded rows, newest first where the source allows.
    pub struct Sample {
        pub columns: Vec<crate::preview::ResultColumn>,
        pub rows: Vec<Vec<serde_json::Value>>,
        pub note: String,
    }
}
