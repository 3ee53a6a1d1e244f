//! A join with a table outside, as the runtime needs it.

use crate::catalog::TableRef;
use crate::connector::OpenLookup;
use crate::expr::Expr;
use crate::operator::{KeySource, LookupSettings};
use crate::plan::logical::JoinSpec;
use crate::types::Schema;

pub struct LookupNode {
    pub join: JoinSpec,
    pub table: TableRef,
    pub open: OpenLookup,
    /// What the table is asked for, as columns of it.
    pub keys: Vec<LookupKey>,
    /// Table columns that are given, in their order.
    pub read: Vec<usize>,
    /// Table columns that somebody uses; computed ones among them are evaluated.
    pub used: Vec<usize>,
    /// From the table's columns to those of the right side.
    pub steps: Vec<LookupStep>,
    pub right: Schema,
    pub settings: LookupSettings,
}

#[derive(Clone, Debug)]
pub struct LookupKey {
    pub column: usize,
    pub source: KeySource,
}

/// Filters, then columns. The first step reads all columns of the table.
#[derive(Clone, Debug)]
pub struct LookupStep {
    pub predicates: Vec<Expr>,
    pub exprs: Option<Vec<Expr>>,
    pub schema: Schema,
}
