//! Expressions: columns, operators, CASE, CAST, conditions.

use super::aggregate::Aggregates;
use super::relation::Relation;
use super::{Bind, Binder};
use crate::expr::{CastMode, Expr, ExprKind, Value};
use crate::sql::ast::{self, ExprKind as Ast, Literal};
use crate::sql::{Problem, Span};
use crate::types::{LogicalType, Type};

/// What an expression may refer to.
pub(super) struct ExprScope<'s> {
    pub(super) relation: &'s Relation,
    /// Collects aggregate calls; `None` where they cannot stand.
    pub(super) aggregates: Option<&'s mut Aggregates>,
    /// For messages: "WHERE", "a computed column".
    pub(super) clause: &'static str,
}

impl<'s> ExprScope<'s> {
    pub(super) fn over(relation: &'s Relation, clause: &'static str) -> Self {
        ExprScope { relation, aggregates: None, clause }
    }
}

impl Binder<'_> {
    pub(super) fn expr(&mut self, expr: &ast::Expr, scope: &mut ExprScope) -> Bind<Expr> {
        // NOT IN is not TRUE where IN is NULL.
        let only_truth = match &expr.kind {
            Ast::Logical { .. } => self.only_truth,
            Ast::InQuery { negated, .. } => self.only_truth && !negated,
            _ => false,
        };
        let around = std::mem::replace(&mut self.only_truth, only_truth);
        let bound = self.expr_kind(expr, scope);
        self.only_truth = around;
        let mut bound = bound?;
        bound.span = self.span(expr.span);
        Ok(bound)
    }

    fn expr_kind(&mut self, expr: &ast::Expr, scope: &mut ExprScope) -> Bind<Expr> {
        let span = expr.span;
        match &expr.kind {
            Ast::Name(name) => self.column_name(name, scope.relation),
            Ast::Literal(literal) => self.literal(literal, span),
            Ast::Logical { operator, operands } => {
                let mut bound = Vec::with_capacity(operands.len());
                for operand in operands {
                    bound.push(self.condition(operand, scope, operator)?);
                }
                self.balanced(operator, bound, span)
            }
            Ast::Binary { operator, left, right } => self.binary(operator, left, right, scope, span),
            Ast::Unary { operator, operand } => self.unary(operator, operand, scope, span),
            Ast::Call(call) => self.call(call, scope, span),
            Ast::Cast { input, ty, try_ } => {
                let input = self.expr(input, scope)?;
                self.cast(input, &ty.ty, *try_, span)
            }
            Ast::Case { operand, branches, otherwise } => {
                self.case(operand.as_deref(), branches, otherwise.as_deref(), scope, span)
            }
            Ast::Between { input, low, high, symmetric, negated } => {
                let input = self.expr(input, scope)?;
                let low = self.expr(low, scope)?;
                let high = self.expr(high, scope)?;
                let mut inside = self.within(&input, &low, &high, span)?;
                if *symmetric {
                    let other = self.within(&input, &high, &low, span)?;
                    inside = self.operator("OR", vec![inside, other], span)?;
                }
                self.negate(inside, *negated, span)
            }
            Ast::InList { input, list, negated } => {
                let any = self.in_list(input, list, scope, span)?;
                self.negate(any, *negated, span)
            }
            Ast::InQuery { input, query, negated } => {
                let found = self.in_query(input, query, scope, span)?;
                self.negate(found, *negated, span)
            }
            Ast::Quantified { operator, all, input, query } => {
                self.quantified(operator, *all, input, query, scope, span)
            }
            Ast::Exists(query) => self.exists(query, scope, span),
            Ast::ScalarQuery(query) => self.scalar_query(query, scope, span),
            Ast::Like { operator, input, pattern, escape, negated } => {
                let mut args = vec![self.expr(input, scope)?, self.expr(pattern, scope)?];
                if let Some(escape) = escape {
                    args.push(self.expr(escape, scope)?);
                }
                let matched = self.operator(operator, args, span)?;
                self.negate(matched, *negated, span)
            }
            Ast::Is { input, test } => {
                let input = self.expr(input, scope)?;
                let test = match *test {
                    "IS UNKNOWN" => "IS NULL",
                    "IS NOT UNKNOWN" => "IS NOT NULL",
                    test => test,
                };
                self.operator(test, vec![input], span)
            }
            Ast::Row(items) => {
                let items = self.exprs(items, scope)?;
                self.constructor("ROW", items, span)
            }
            Ast::Array(items) => {
                let items = self.exprs(items, scope)?;
                self.constructor("ARRAY", items, span)
            }
            Ast::Map(items) => {
                let items = self.exprs(items, scope)?;
                self.constructor("MAP", items, span)
            }
            Ast::Element { input, index } => {
                let items = vec![self.expr(input, scope)?, self.expr(index, scope)?];
                self.constructor("ITEM", items, span)
            }
            Ast::Field { input, name } => {
                let input = self.expr(input, scope)?;
                let known = matches!(&input.ty.logical, LogicalType::Row(fields) if fields.iter().any(|field| field.name == name.value));
                if !known {
                    return self.refuse(
                        "unknown-column",
                        format!("There is no field '{}' in {}.", name.value, input.ty.logical),
                        span,
                    );
                }
                self.row_field(input, name)
            }
            Ast::TableArgument { .. } | Ast::Descriptor(_) => self.refuse(
                "wrong-arguments",
                "TABLE and DESCRIPTOR only stand inside a window function, as FROM TABLE(TUMBLE(…)).",
                span,
            ),
            Ast::Unsupported(what) => self.unsupported(what, span),
        }
    }

    pub(super) fn exprs(&mut self, items: &[ast::Expr], scope: &mut ExprScope) -> Bind<Vec<Expr>> {
        // All of them, so that the problems of the later ones are seen as well.
        let bound: Vec<Bind<Expr>> = items.iter().map(|item| self.expr(item, scope)).collect();
        bound.into_iter().collect()
    }

    /// A BOOLEAN expression.
    pub(super) fn condition(&mut self, expr: &ast::Expr, scope: &mut ExprScope, place: &str) -> Bind<Expr> {
        let bound = self.expr(expr, scope)?;
        match bound.ty.logical {
            LogicalType::Boolean => Ok(bound),
            LogicalType::Null => Ok(self.convert(bound, &Type::nullable(LogicalType::Boolean))),
            _ => {
                let message = format!("{place} needs a condition, and this is {}.", bound.ty.logical);
                self.refuse("type-mismatch", message, expr.span)
            }
        }
    }

    pub(super) fn binary(
        &mut self,
        operator: &str,
        left: &ast::Expr,
        right: &ast::Expr,
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Expr> {
        if operator == "OVERLAPS" {
            return self.overlaps(left, right, scope, span);
        }
        if let (Ast::Row(left), Ast::Row(right)) = (&left.kind, &right.kind) {
            return self.row_comparison(operator, left, right, scope, span);
        }
        let (left, right) = (self.expr(left, scope), self.expr(right, scope));
        self.operator(operator, vec![left?, right?], span)
    }

    /// `(a, b) = (1, 2)` is `a = 1 AND b = 2`.
    fn row_comparison(
        &mut self,
        operator: &str,
        left: &[ast::Expr],
        right: &[ast::Expr],
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Expr> {
        let (each, all) = match operator {
            "=" => ("=", "AND"),
            "<>" => ("<>", "OR"),
            _ => return self.unsupported(&format!("'{operator}' between rows"), span),
        };
        if left.len() != right.len() {
            return self.refuse("type-mismatch", "The two rows have different numbers of values.", span);
        }
        let mut tests = Vec::with_capacity(left.len());
        for (left, right) in left.iter().zip(right) {
            tests.push(self.binary(each, left, right, scope, span)?);
        }
        self.balanced(all, tests, span)
    }

    fn unary(&mut self, operator: &str, operand: &ast::Expr, scope: &mut ExprScope, span: Span) -> Bind<Expr> {
        if operator == "NOT" {
            let operand = self.condition(operand, scope, "NOT")?;
            return self.operator("NOT", vec![operand], span);
        }
        // The smallest BIGINT can only be written with its sign.
        if let (Ast::Literal(Literal::Number(digits)), "-") = (&operand.kind, operator) {
            return self.literal(&Literal::Number(format!("-{digits}")), span);
        }
        let operand = self.expr(operand, scope)?;
        if operator == "+" {
            if operand.ty.logical.is_numeric() || operand.ty.logical.is_interval() {
                return Ok(operand);
            }
            return self.refuse(
                "type-mismatch",
                format!("'+' needs a number, and this is {}.", operand.ty.logical),
                span,
            );
        }
        self.operator("NEGATE", vec![operand], span)
    }

    fn within(&mut self, input: &Expr, low: &Expr, high: &Expr, span: Span) -> Bind<Expr> {
        let above = self.operator(">=", vec![input.clone(), low.clone()], span)?;
        let below = self.operator("<=", vec![input.clone(), high.clone()], span)?;
        self.operator("AND", vec![above, below], span)
    }

    pub(super) fn negate(&mut self, condition: Expr, negated: bool, span: Span) -> Bind<Expr> {
        if negated { self.operator("NOT", vec![condition], span) } else { Ok(condition) }
    }

    /// A tree of small height over many operands of AND or OR.
    pub(super) fn balanced(&mut self, operator: &str, mut operands: Vec<Expr>, span: Span) -> Bind<Expr> {
        while operands.len() > 1 {
            let mut paired = Vec::with_capacity(operands.len().div_ceil(2));
            let mut rest = operands.into_iter();
            while let Some(left) = rest.next() {
                match rest.next() {
                    Some(right) => paired.push(self.operator(operator, vec![left, right], span)?),
                    None => paired.push(left),
                }
            }
            operands = paired;
        }
        match operands.pop() {
            Some(last) => Ok(last),
            None => self.refuse("parse", "A list of values is empty.", span),
        }
    }

    fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        branches: &[(Vec<ast::Expr>, ast::Expr)],
        otherwise: Option<&ast::Expr>,
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Expr> {
        let mut bound = Vec::with_capacity(branches.len());
        for (conditions, result) in branches {
            let condition = match (operand, conditions.as_slice()) {
                (Some(operand), [value]) => self.binary("=", operand, value, scope, value.span),
                (Some(operand), values) => self.in_list(operand, values, scope, span),
                (None, [condition]) => self.condition(condition, scope, "WHEN"),
                (None, _) => self.refuse("parse", "WHEN takes one condition.", span),
            };
            let result = self.expr(result, scope);
            bound.push((condition?, result?));
        }
        let otherwise = otherwise.map(|otherwise| self.expr(otherwise, scope)).transpose()?;
        let results =
            bound.iter().map(|(_, result)| &result.ty).chain(otherwise.as_ref().map(|otherwise| &otherwise.ty));
        let Some(mut ty) = super::conversion::common_of(results) else {
            let types: Vec<String> = bound.iter().map(|(_, result)| result.ty.logical.to_string()).collect();
            let last = otherwise.as_ref().map_or(String::new(), |otherwise| format!(", {}", otherwise.ty.logical));
            let message = format!("The results of this CASE have no common type: {}{last}.", types.join(", "));
            let problem = Problem::error("type-mismatch", message, span).with_hint("Convert them with CAST.");
            return Err(self.report(problem));
        };
        if otherwise.is_none() {
            ty.nullable = true;
        }
        let branches = bound.into_iter().map(|(condition, result)| (condition, self.convert(result, &ty))).collect();
        let otherwise = otherwise.map(|otherwise| Box::new(self.convert(otherwise, &ty)));
        Ok(Expr { kind: ExprKind::Case { branches, otherwise }, ty, span: None })
    }

    pub(super) fn cast(&mut self, input: Expr, ty: &Type, try_: bool, span: Span) -> Bind<Expr> {
        if !super::conversion::can_cast(&input.ty.logical, &ty.logical) {
            let message = format!("{} cannot be converted to {}.", input.ty.logical, ty.logical);
            return self.refuse("type-mismatch", message, span);
        }
        let mode = if try_ { CastMode::Try } else { CastMode::Strict };
        let ty = Type::new(ty.logical.clone(), input.ty.nullable || try_);
        Ok(input.cast(ty, mode))
    }

    /// Converts where the types differ; nullability follows the input.
    pub(super) fn convert(&self, expr: Expr, ty: &Type) -> Expr {
        if expr.ty.logical == ty.logical {
            return expr;
        }
        let nullable = expr.ty.nullable;
        if matches!(&expr.kind, ExprKind::Literal(value) if value.is_null())
            && let Ok(null) = datafusion_common::ScalarValue::try_from(&ty.logical.to_arrow())
        {
            let span = expr.span;
            return Expr { span, ..Expr::literal(Value(null), Type::nullable(ty.logical.clone())) };
        }
        expr.cast(Type::new(ty.logical.clone(), nullable), CastMode::Strict)
    }
}
