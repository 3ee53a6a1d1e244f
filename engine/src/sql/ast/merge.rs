//! `MERGE INTO`.

use super::{Expr, From, Hint, Ident, Name, Span};

#[derive(Clone, Debug)]
pub(crate) struct Merge {
    pub target: Name,
    pub hints: Vec<Hint>,
    pub alias: Option<Ident>,
    pub source: From,
    pub on: Expr,
    /// In their order: the first one that fits a row counts.
    pub clauses: Vec<MergeClause>,
}

#[derive(Clone, Debug)]
pub(crate) struct MergeClause {
    pub matched: bool,
    pub condition: Option<Expr>,
    pub action: MergeAction,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum MergeAction {
    Update { set: Vec<(Ident, Expr)> },
    Delete,
    Insert { columns: Vec<Ident>, values: Vec<Expr> },
}
