//! How long operators keep their state: what the hints STATE_TTL and STATE_CLEAN of a query say, over the job's setting.

use std::fmt;
use std::time::Duration;

use crate::expr::Expr;
use crate::sql::Span;

/// What hints say about one state: a side of a join, or the groups of an aggregation.
#[derive(Clone, Debug)]
pub struct Retention<C> {
    /// In place of the job's time to live.
    pub ttl: Option<Duration>,
    /// What is kept goes as soon as this is TRUE.
    pub clean: Option<C>,
    /// Where the hint stands, for operators that take none.
    pub span: Option<Span>,
}

/// When the state of a group goes.
#[derive(Clone, Debug)]
pub enum GroupClean {
    /// With a row that has TRUE in this input column.
    Row(usize),
    /// When this is TRUE, over group columns and results.
    Result(Expr),
}

impl fmt::Display for GroupClean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupClean::Row(column) => write!(f, "a row with ${column}"),
            GroupClean::Result(condition) => write!(f, "{condition}"),
        }
    }
}

impl<C> Default for Retention<C> {
    fn default() -> Self {
        Retention { ttl: None, clean: None, span: None }
    }
}
