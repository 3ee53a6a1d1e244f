//! Tables as scripts of `CREATE TABLE`: brought in with a dry run, and written out.

use std::collections::BTreeMap;

use crate::connection::ConnectionKind;
use crate::ids::ConnectionId;
use crate::macros::{wire, wire_words};
use crate::table_version::SchemaChange;

wire_words! {
    pub enum ImportVerdict {
        New = "new",
        Changed = "changed",
        Same = "same",
        Refused = "refused",
    }
}

wire! {
    /// `POST …/tables/import`
    pub struct ImportTables {
        pub sql: String,
        /// Of tables that name none.
        #[serde(default)]
        pub database: String,
        /// Chosen by `database.table`, where the script's addresses do not tell.
        #[serde(default)]
        pub connections: BTreeMap<String, ConnectionId>,
        /// Take over changes that break something as well.
        #[serde(default)]
        pub accept_breaking: bool,
        /// Absent: a dry run, which saves nothing.
        #[serde(default)]
        pub apply: bool,
    }

    pub struct ImportReport {
        /// Databases that are made.
        pub databases: Vec<String>,
        pub tables: Vec<ImportedTable>,
        /// Statements that cannot be read.
        pub problems: Vec<ImportLine>,
        /// Statements that are not about tables.
        pub left_out: Vec<ImportLine>,
        /// Everything was saved, in one transaction. Nothing is while something is refused.
        pub applied: bool,
    }

    pub struct ImportLine {
        pub line: u32,
        pub message: String,
    }

    pub struct ImportedTable {
        /// `database.table`
        pub name: String,
        pub line: u32,
        pub verdict: ImportVerdict,
        pub connector: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub connection: Option<ConnectionId>,
        pub connection_name: String,
        /// Kinds of connection to choose from.
        pub connection_kinds: Vec<ConnectionKind>,
        pub ddl: String,
        pub changes: Vec<SchemaChange>,
        /// Why it is refused.
        pub reasons: Vec<String>,
        /// What is taken over in another way than it is written.
        pub notes: Vec<String>,
    }

    /// `GET …/tables/script?database=&table=`: secrets are placeholders such as `${password}`.
    pub struct ExportedTables {
        pub sql: String,
        pub tables: u64,
    }
}
