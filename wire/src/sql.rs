//! Validation and completion: what the editor asks while somebody types.

use crate::graph::{Graph, Guarantee};
use crate::macros::{wire, wire_words};

wire_words! {
    pub enum Severity {
        Error = "error",
        Warning = "warning",
    }

    pub enum CompletionKind {
        Keyword = "keyword",
        Database = "database",
        Table = "table",
        Column = "column",
        Function = "function",
        Option = "option",
        Value = "value",
        Variable = "variable",
        Snippet = "snippet",
    }
}

wire! {
    /// Half-open range of UTF-8 byte offsets into the text that was sent, and the same as line and column,
    /// both counted from 1, the end being the last character itself.
    pub struct Span {
        pub start: u32,
        pub end: u32,
        pub line: u32,
        pub column: u32,
        pub end_line: u32,
        pub end_column: u32,
    }

    pub struct Diagnostic {
        pub severity: Severity,
        /// `unknown-column`, `parse`, `sink-changelog`, …
        pub code: String,
        pub message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub hint: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub span: Option<Span>,
        /// Replaces the text at `span` when the user accepts it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub replacement: Option<String>,
    }

    /// `POST …/sql/validate`
    pub struct Validate {
        pub sql: String,
        #[serde(default)]
        pub parallelism: Option<u32>,
    }

    pub struct Validation {
        pub diagnostics: Vec<Diagnostic>,
        /// There when nothing is wrong and the script has at least one INSERT or SELECT.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub graph: Option<Graph>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub guarantee: Option<Guarantee>,
        pub statements: Vec<StatementInfo>,
        /// Tables read and written, as `database.table`.
        pub reads: Vec<String>,
        pub writes: Vec<String>,
        /// Functions of users that it calls, as they are named in the catalog.
        #[serde(default)]
        pub functions: Vec<String>,
    }

    pub struct StatementInfo {
        /// `select`, `insert`, `create_view`, …
        pub kind: String,
        pub span: Span,
    }

    /// `POST …/sql/complete`
    pub struct Complete {
        pub sql: String,
        /// UTF-8 byte offset of the caret.
        pub offset: u32,
    }

    pub struct CompletionItem {
        pub label: String,
        pub insert: String,
        pub kind: CompletionKind,
        pub detail: String,
        pub documentation: String,
        /// Where the word being completed starts, as a byte offset.
        pub replace_from: u32,
    }

    /// `POST …/sql/format`
    pub struct Format {
        pub sql: String,
    }

    pub struct Formatted {
        pub sql: String,
    }
}
