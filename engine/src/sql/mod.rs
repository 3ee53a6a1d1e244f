//! Text → bound script, and what the editor asks: diagnosis, completion, formatting.
//!
//! The parser never panics and never gives up at the first error of a script: each statement is parsed and bound on its
//! own, and every problem carries a span.

mod ast;
mod bind;
mod complete;
mod ddl;
mod format;
mod functions;
#[cfg(test)]
mod fuzz;
mod parser;
mod position;
mod stack;
pub(crate) mod suggest;
mod table_check;
mod table_script;
#[cfg(test)]
mod tests;
mod token;
mod validate;

use std::sync::Arc;

use crate::catalog::{CatalogText, TableDef};
use crate::plan::logical::BoundScript;

pub use bind::Bound;
pub use complete::complete;
pub use ddl::write_ddl;
pub use format::format_sql;
pub(crate) use functions::is_function;
pub use functions::list_functions;
pub(crate) use parser::{is_reserved, parse_data_type};
pub use position::LineIndex;
pub use table_check::{TableReport, check_table, resolved};
pub use table_script::{ScriptTable, TableScript, read_tables};
pub use validate::{planned, validate};

pub use millrace_wire::sql::Severity;

/// Half-open range of UTF-8 byte offsets into the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// Something wrong with a script, in the user's words.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub severity: Severity,
    /// A category of the golden cases: `parse`, `unknown-table`, `unknown-column`, `unknown-function`,
    /// `ambiguous-column`, `duplicate-column`, `wrong-arguments`, `type-mismatch`, `not-grouped`, `sink-schema`,
    /// `sink-changelog`, `unsupported`, `unknown-connector`, `unknown-option`, `missing-option`, `exists-already`.
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
    pub span: Option<Span>,
    /// Text to put in place of the span.
    pub replacement: Option<String>,
}

impl Problem {
    pub fn error(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Problem {
            severity: Severity::Error,
            code,
            message: message.into(),
            hint: None,
            span: Some(span),
            replacement: None,
        }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Offers another word in place of the span.
    #[must_use]
    pub fn with_replacement(mut self, text: &str) -> Self {
        self.hint.get_or_insert_with(|| format!("Did you mean '{text}'?"));
        self.replacement = Some(text.to_owned());
        self
    }
}

/// Parses and binds a script: everything a plan needs, or everything that is wrong with it.
///
/// Never panics and never overflows the stack, whatever the text.
pub fn bind(sql: &str, catalog: &CatalogText) -> Result<BoundScript, Vec<Problem>> {
    let bound = bind_all(sql, catalog);
    if bound.problems.iter().any(|problem| problem.severity == Severity::Error) {
        Err(bound.problems)
    } else {
        Ok(bound.script)
    }
}

/// No script that a person wrote is longer, and all that is asked here stays quick.
const MAX_SCRIPT: usize = 1 << 20;

fn too_long(sql: &str) -> Option<Problem> {
    let whole = Span { start: 0, end: sql.len() };
    (sql.len() > MAX_SCRIPT).then(|| Problem::error("unsupported", "The script is longer than 1 MB.", whole))
}

/// As [`bind`], and what was found on the way: statements, tables, problems next to what could be bound.
pub fn bind_all(sql: &str, catalog: &CatalogText) -> Bound {
    if let Some(problem) = too_long(sql) {
        return Bound::with(problem);
    }
    stack::deep(|| bind::bind_script(sql, catalog))
        .unwrap_or_else(|| Bound::failed("The script is too complex to be read."))
}

/// Parses and binds one `CREATE TABLE` outside of a script: a table of the catalog.
pub fn bind_table(name: &str, source: &millrace_wire::link::TableSource) -> Result<Arc<TableDef>, Vec<Problem>> {
    let failed = || Err(Bound::failed("The definition is too complex to be read.").problems);
    stack::deep(|| bind::bind_catalog_table(name, source)).unwrap_or_else(failed)
}

/// Checks the definition of a macro, `(x INT) RETURNS INT RETURN x + 1`, and tells how it is called. Spans are those of
/// the definition.
pub(crate) fn check_macro(name: &str, definition: &str, catalog: &CatalogText) -> Result<String, Vec<Problem>> {
    if let Some(problem) = too_long(definition) {
        return Err(vec![problem]);
    }
    let failed = || Err(Bound::failed("The definition is too complex to be read.").problems);
    stack::deep(|| bind::check_macro(name, definition, catalog)).unwrap_or_else(failed)
}

/// Only the parser: the entry for fuzzing. Returns the problems found.
pub fn parse(sql: &str) -> Vec<Problem> {
    if let Some(problem) = too_long(sql) {
        return vec![problem];
    }
    stack::deep(|| parser::parse(sql).problems).unwrap_or_default()
}
