//! Functions that a script or the catalog defines.

use super::{Expr, Ident, Name};
use crate::sql::Span;
use crate::types::Type;

/// `CREATE TEMPORARY FUNCTION`
#[derive(Clone, Debug)]
pub(crate) struct CreateFunction {
    pub name: Name,
    pub if_not_exists: bool,
    pub body: FunctionBody,
}

#[derive(Clone, Debug)]
pub(crate) enum FunctionBody {
    Macro(Box<Macro>),
    /// `AS 'entry' LANGUAGE WASM USING FILE 'path'`
    Module {
        entry: String,
        file: String,
        span: Span,
    },
}

/// `(x INT, y INT) RETURNS INT RETURN x + y`
#[derive(Clone, Debug)]
pub(crate) struct Macro {
    pub params: Vec<(Ident, Type)>,
    /// What the expression gives, when nothing is said.
    pub returns: Option<Type>,
    pub body: Expr,
}
