//! `a IN (1, 2, 3)`: comparisons, or one look into a set where the list is long and constant.

use std::sync::Arc;

use datafusion_expr::Operator;

use super::expr::ExprScope;
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind};
use crate::function::{Kernel, ScalarCall};
use crate::plan::rewrite::constant;
use crate::sql::Span;
use crate::sql::ast;
use crate::types::{LogicalType, Type};

/// Below this a few comparisons are as fast.
const LONG: usize = 4;

impl Binder<'_> {
    pub(super) fn in_list(
        &mut self,
        input: &ast::Expr,
        list: &[ast::Expr],
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Expr> {
        let mut tests = Vec::with_capacity(list.len());
        for item in list {
            tests.push(self.binary("=", input, item, scope, span)?);
        }
        match as_set(&tests).filter(|_| tests.len() >= LONG) {
            Some(set) => Ok(set),
            None => self.balanced("OR", tests, span),
        }
    }
}

/// Equality tests of one and the same value with constants of its type, as one call. Floats stay comparisons: in a set
/// -0.0 is not 0.0.
fn as_set(tests: &[Expr]) -> Option<Expr> {
    let mut args: Vec<Expr> = Vec::with_capacity(tests.len() + 1);
    let mut first = String::new();
    for test in tests {
        let ExprKind::Call { function, args: sides } = &test.kind else { return None };
        let [value, item] = sides.as_slice() else { return None };
        if !matches!(function.kernel, Kernel::Binary(Operator::Eq)) || value.ty.logical != item.ty.logical {
            return None;
        }
        let literal = constant(item)?;
        if args.is_empty() {
            first = value.to_string();
            args.push(value.clone());
        } else if value.to_string() != first || args.first().is_none_or(|known| known.ty.logical != value.ty.logical) {
            return None;
        }
        let ty = item.ty.clone().with_nullable(literal.is_null());
        args.push(Expr::literal(literal, ty));
    }
    let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
    let ty = Type::new(LogicalType::Boolean, types.iter().any(|ty| ty.nullable));
    let function = Arc::new(ScalarCall::new("IN", types, ty.clone(), Kernel::In));
    Some(Expr { kind: ExprKind::Call { function, args }, ty, span: None })
}
