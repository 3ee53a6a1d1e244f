//! `(start, end) OVERLAPS (start, length)`: periods that have an instant in common, their ends included.

use super::expr::ExprScope;
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind};
use crate::sql::Span;
use crate::sql::ast::{self, ExprKind as Ast};

impl Binder<'_> {
    pub(super) fn overlaps(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Expr> {
        let (left, right) = (self.period(left, scope), self.period(right, scope));
        let ((left_start, left_end), (right_start, right_end)) = (left?, right?);
        let before = self.operator(">=", vec![left_end, right_start], span)?;
        let after = self.operator(">=", vec![right_end, left_start], span)?;
        self.operator("AND", vec![before, after], span)
    }

    /// Start and end in order. A length counts from the start.
    fn period(&mut self, period: &ast::Expr, scope: &mut ExprScope) -> Bind<(Expr, Expr)> {
        let Ast::Row(bounds) = &period.kind else {
            return self.refuse(
                "type-mismatch",
                "OVERLAPS compares periods: (start, end) or (start, length).",
                period.span,
            );
        };
        let bounds = self.exprs(bounds, scope)?;
        let [start, end] = bounds.as_slice() else {
            return self.refuse(
                "type-mismatch",
                "A period has a start and an end, or a start and a length.",
                period.span,
            );
        };
        let end = if end.ty.logical.is_interval() {
            self.operator("+", vec![start.clone(), end.clone()], period.span)?
        } else {
            end.clone()
        };
        let ordered = self.operator("<=", vec![start.clone(), end.clone()], period.span)?;
        let pick = |then: &Expr, otherwise: &Expr| {
            let ty = then.ty.clone().with_nullable(then.ty.nullable || otherwise.ty.nullable);
            let branches = vec![(ordered.clone(), then.clone())];
            Expr { kind: ExprKind::Case { branches, otherwise: Some(Box::new(otherwise.clone())) }, ty, span: None }
        };
        if start.ty.logical != end.ty.logical {
            let message = format!("The period starts as {} and ends as {}.", start.ty.logical, end.ty.logical);
            return self.refuse("type-mismatch", message, period.span);
        }
        Ok((pick(start, &end), pick(&end, start)))
    }
}
