//! Calls of functions, and what may follow their arguments.

use super::{Expr, Ident, Name, OrderItem, Unsupported};

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub name: Name,
    pub args: Vec<Argument>,
    /// `COUNT(*)`
    pub star: bool,
    pub distinct: bool,
    pub filter: Option<Expr>,
    pub over: Option<Box<Over>>,
    /// What is said of NULLs, where the function takes that.
    pub nulls: Option<NullTreatment>,
    /// `WITHIN GROUP`, `IGNORE NULLS`: read and refused.
    pub unsupported: Vec<Unsupported>,
}

impl Call {
    pub(crate) fn new(name: Name, args: Vec<Argument>) -> Self {
        Call {
            name,
            args,
            star: false,
            distinct: false,
            filter: None,
            over: None,
            nulls: None,
            unsupported: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NullTreatment {
    /// `RESPECT NULLS`, `NULL ON NULL`
    Kept,
    /// `IGNORE NULLS`, `ABSENT ON NULL`
    LeftOut,
}

/// `OVER (PARTITION BY … ORDER BY … ROWS …)`, `OVER w`.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    /// The named window that it is or builds upon.
    pub base: Option<Ident>,
    pub partition: Vec<Expr>,
    pub order: Vec<OrderItem>,
    pub frame: Option<Frame>,
}

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// `ROWS`, not `RANGE`.
    pub rows: bool,
    pub start: FrameBound,
    pub end: FrameBound,
}

#[derive(Clone, Debug)]
pub(crate) enum FrameBound {
    UnboundedPreceding,
    Preceding(Expr),
    CurrentRow,
    Following(Expr),
    UnboundedFollowing,
}

#[derive(Clone, Debug)]
pub(crate) struct Argument {
    /// `SIZE => …`
    pub name: Option<Ident>,
    pub value: Expr,
}
