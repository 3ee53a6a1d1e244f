//! Queries as values: `(SELECT …)`, and EXISTS, IN and comparisons with ANY and ALL anywhere in an expression.
//!
//! Each is computed once for all rows around it, grouped by what it refers to of them, and attached to those rows.

use super::attach::{Attached, AttachedKey};
use super::decorrelate::{Key, Pulled, around, columns, grouped_by_keys, names};
use super::expr::ExprScope;
use super::query::distinct;
use super::relation::{Relation, project};
use super::subquery::{OUTER_BASE, scope_of};
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind, Value};
use crate::plan::logical::{AggregateCall, AggregateFunction, AggregateSpec, Rel, RelNode};
use crate::plan::rewrite::{all_of, null_literal};
use crate::sql::Span;
use crate::sql::ast::{self, ExprKind as Ast, Query};
use crate::types::{Field, LogicalType, Schema, Type};

/// Columns of a query in a comparison with what is outside, until it is known where they stand.
const PROBE_BASE: usize = usize::MAX / 16;

/// A query that gives one row, or none where `having` is not TRUE.
pub(super) struct OneRow {
    pub(super) output: Vec<Expr>,
    pub(super) having: Option<Expr>,
}

impl Binder<'_> {
    /// A query below the rows of `outer`, to which it may refer.
    pub(super) fn inner_query(&mut self, query: &Query, outer: &Relation) -> Bind<Relation> {
        let attachments = self.attachments.take();
        self.outer.push(scope_of(outer));
        let result = self.query(query);
        self.outer.pop();
        self.attachments = attachments;
        result
    }

    fn queries_may_stand(&mut self, what: &str, clause: &str, span: Span) -> Bind<()> {
        if self.attachments.is_none() {
            return self.unsupported(&format!("{what} in {clause}"), span);
        }
        Ok(())
    }

    pub(super) fn scalar_query(&mut self, query: &Query, scope: &ExprScope, span: Span) -> Bind<Expr> {
        self.queries_may_stand("A query as a value", scope.clause, span)?;
        let relation = self.inner_query(query, scope.relation)?;
        let width = relation.schema().len();
        if width != 1 {
            return self.refuse(
                "type-mismatch",
                format!("A query as a value gives one column, and this one gives {width}."),
                span,
            );
        }
        if let Some(OneRow { output, having }) = self.one_row(&relation.rel, scope.relation, span)? {
            return match (output.into_iter().next(), having) {
                (Some(value), Some(having)) => Ok(when(vec![(having, value)], None)),
                (Some(value), None) => Ok(value),
                (None, _) => self.unsupported("A query without columns", span),
            };
        }
        let pulled = self.decorrelate(&relation.rel, scope.relation, span)?;
        if pulled.keys.is_empty() && gives_one_row(&pulled.rel) {
            let column = self.attach(pulled.rel, Vec::new(), span);
            return Ok(column(0));
        }
        let ty = Type::nullable(relation.schema().fields.first().map_or(LogicalType::Null, |f| f.ty.logical.clone()));
        let call = call(AggregateFunction::SingleValue, Some(0), ty);
        let (column, keys) = self.attach_grouped(pulled, vec![call], span);
        Ok(column(keys))
    }

    /// The value of a query with exactly one row, for each row around it: attached where it has to be computed.
    pub(super) fn one_row(&mut self, rel: &Rel, outer: &Relation, span: Span) -> Bind<Option<OneRow>> {
        let mut output = columns(rel);
        let mut tests: Vec<Expr> = Vec::new();
        let mut at = rel;
        loop {
            match &at.node {
                RelNode::Project { input, exprs } => {
                    let below = |index: usize, column: &Expr| exprs.get(index).unwrap_or(column).clone();
                    output.iter_mut().chain(&mut tests).for_each(|expr| *expr = expr.replace_columns(&below));
                    at = input;
                }
                RelNode::Filter { input, predicate } => {
                    tests.push(predicate.clone());
                    at = input;
                }
                RelNode::Values { rows } => {
                    let [row] = rows.as_slice() else { return Ok(None) };
                    let literal = |index: usize, column: &Expr| match row.get(index) {
                        Some(value) => Expr::literal(value.clone(), column.ty.clone()),
                        None => column.clone(),
                    };
                    return Ok(Some(placed_row(output, tests, &literal)));
                }
                RelNode::Aggregate { input, aggregate } if aggregate.group.is_empty() && aggregate.window.is_none() => {
                    let pulled = self.decorrelate(input, outer, span)?;
                    let pulled = grouped_by_keys(pulled, aggregate, &at.schema);
                    let keys = pulled.keys.len();
                    let column = self.attach(pulled.rel, pulled.keys, span);
                    let mut results = Vec::with_capacity(aggregate.calls.len());
                    for (index, call) in aggregate.calls.iter().enumerate() {
                        results.push(self.over_no_rows(call, column(keys + index), span)?);
                    }
                    let result = |index: usize, column: &Expr| results.get(index).unwrap_or(column).clone();
                    return Ok(Some(placed_row(output, tests, &result)));
                }
                _ => return Ok(None),
            }
        }
    }

    /// The result of a call where there is nothing to aggregate is not NULL for those that count.
    fn over_no_rows(&mut self, call: &AggregateCall, column: Expr, span: Span) -> Bind<Expr> {
        let counts = matches!(
            call.function,
            AggregateFunction::Count | AggregateFunction::Sum0 | AggregateFunction::ApproxCountDistinct
        );
        if !counts {
            return Ok(column);
        }
        let zero = self.convert(Expr::literal(Value::int(0), Type::not_null(LogicalType::Int)), &column.ty);
        self.operator("COALESCE", vec![column, zero], span)
    }

    pub(super) fn exists(&mut self, query: &Query, scope: &ExprScope, span: Span) -> Bind<Expr> {
        self.queries_may_stand("EXISTS", scope.clause, span)?;
        let relation = self.inner_query(query, scope.relation)?;
        if let Some(row) = self.one_row(&relation.rel, scope.relation, span)? {
            return Ok(match row.having {
                Some(having) => when(vec![(having, truth(true))], Some(truth(false))),
                None => truth(true),
            });
        }
        let pulled = self.decorrelate(&relation.rel, scope.relation, span)?;
        let marker = self.attach_marker(pulled, Vec::new(), Vec::new(), span)?;
        self.operator("IS NOT NULL", vec![marker], span)
    }

    /// `input IN (query)`: TRUE, FALSE or NULL.
    pub(super) fn in_query(
        &mut self,
        input: &ast::Expr,
        query: &Query,
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Expr> {
        let only_truth = self.only_truth;
        self.queries_may_stand("IN with a query", scope.clause, span)?;
        let values = match &input.kind {
            Ast::Row(items) => self.exprs(items, scope)?,
            _ => vec![self.expr(input, scope)?],
        };
        let relation = self.inner_query(query, scope.relation)?;
        let found = relation.schema().len();
        if found != values.len() {
            let message = format!("IN compares {} value(s) with a query of {found} column(s).", values.len());
            // As Calcite counts it, without the closing parenthesis.
            let span = Span { start: input.span.start, end: query.span.end };
            return self.refuse("type-mismatch", message, span);
        }
        if let Some(OneRow { output, having }) = self.one_row(&relation.rel, scope.relation, span)? {
            let mut equal = Vec::new();
            for (value, output) in values.into_iter().zip(output) {
                equal.push(self.operator("=", vec![value, output], span)?);
            }
            let equal = self.balanced("AND", equal, span)?;
            return Ok(having.map_or(equal.clone(), |having| when(vec![(having, equal)], Some(truth(false)))));
        }
        let nullable = values.iter().any(|value| value.ty.nullable)
            || relation.schema().fields.iter().any(|field| field.ty.nullable);
        if nullable && !only_truth && values.len() > 1 {
            return self.unsupported(
                "IN with a query and several values that may be NULL, other than as a condition of WHERE,",
                span,
            );
        }
        let pulled = self.decorrelate(&relation.rel, scope.relation, span)?;
        let (mut probes, mut items) = (Vec::new(), Vec::new());
        for (index, (value, field)) in values.iter().zip(&relation.schema().fields).enumerate() {
            let item = Expr::column(PROBE_BASE + index, field.ty.clone());
            let (value, item) = self.compared("=", value.clone(), item, span)?;
            probes.push(value);
            items.push(item);
        }
        let (absent, any) = match (values.as_slice(), relation.schema().fields.as_slice()) {
            ([value], [field]) if nullable && !only_truth => {
                let column = Expr::column(0, field.ty.clone());
                let absent = self.operator("IS NULL", vec![column], span)?;
                let rel = super::relation::filter(pulled.rel.clone(), absent);
                let absent = Pulled { rel, width: pulled.width, keys: pulled.keys.clone() };
                let absent = self.attach_marker(absent, Vec::new(), Vec::new(), span)?;
                let any = Pulled { rel: pulled.rel.clone(), width: pulled.width, keys: pulled.keys.clone() };
                let any = self.attach_marker(any, Vec::new(), Vec::new(), span)?;
                let value_absent = self.operator("IS NULL", vec![value.clone()], span)?;
                (Some(self.operator("IS NOT NULL", vec![absent], span)?), Some((value_absent, any)))
            }
            _ => (None, None),
        };
        let marker = self.attach_marker(pulled, items, probes, span)?;
        let found = self.operator("IS NOT NULL", vec![marker], span)?;
        let (Some(absent), Some((value_absent, any))) = (absent, any) else { return Ok(found) };
        let any = self.operator("IS NOT NULL", vec![any], span)?;
        let unknown = self.operator("AND", vec![value_absent, any], span)?;
        let unknown = self.operator("OR", vec![absent, unknown], span)?;
        let branches = vec![(found, truth(true)), (unknown, null_literal(&Type::nullable(LogicalType::Boolean)))];
        Ok(when(branches, Some(truth(false))))
    }

    /// `input > ALL (query)`, `input <> ANY (query)`.
    pub(super) fn quantified(
        &mut self,
        operator: &str,
        all: bool,
        input: &ast::Expr,
        query: &Query,
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Expr> {
        if let ("=", false) | ("<>", true) = (operator, all) {
            let found = self.in_query(input, query, scope, span)?;
            return self.negate(found, all, span);
        }
        self.queries_may_stand("A comparison with ANY or ALL", scope.clause, span)?;
        let value = self.expr(input, scope)?;
        let relation = self.inner_query(query, scope.relation)?;
        let [field] = relation.schema().fields.as_slice() else {
            let message =
                format!("'{operator}' compares with a query of one column, not of {}.", relation.schema().len());
            return self.refuse("type-mismatch", message, span);
        };
        if let Some(OneRow { output, having }) = self.one_row(&relation.rel, scope.relation, span)? {
            let compared = self.operator(operator, std::iter::once(value).chain(output).collect(), span)?;
            return Ok(having.map_or(compared.clone(), |having| when(vec![(having, compared)], Some(truth(all)))));
        }
        // `x > ALL` is NOT `x <= ANY`.
        let operator = if all { opposite(operator) } else { operator };
        let item = Expr::column(PROBE_BASE, field.ty.clone());
        let (value, item) = self.compared(operator, value, item, span)?;
        let pulled = self.decorrelate(&relation.rel, scope.relation, span)?;
        let item = item.replace_columns(&from_probe);
        let ty = Type::nullable(item.ty.logical.clone());
        let pulled = with_column_first(pulled, item);
        let count = Type::not_null(LogicalType::BigInt);
        let calls = vec![
            call(AggregateFunction::Min, Some(0), ty.clone()),
            call(AggregateFunction::Max, Some(0), ty),
            call(AggregateFunction::Count, None, count.clone()),
            call(AggregateFunction::Count, Some(0), count),
        ];
        let (column, keys) = self.attach_grouped(pulled, calls, span);
        let (least, greatest, rows, present) = (column(keys), column(keys + 1), column(keys + 2), column(keys + 3));
        let matches = match operator {
            ">" | ">=" => self.operator(operator, vec![value.clone(), least], span)?,
            "<" | "<=" => self.operator(operator, vec![value.clone(), greatest], span)?,
            _ => {
                let mut other = Vec::new();
                for bound in [least, greatest] {
                    other.push(self.operator("<>", vec![value.clone(), bound], span)?);
                }
                self.balanced("OR", other, span)?
            }
        };
        let none = self.operator("IS NULL", vec![rows.clone()], span)?;
        let value_absent = self.operator("IS NULL", vec![value], span)?;
        let some_absent = self.operator("<", vec![present, rows], span)?;
        let unknown = self.operator("OR", vec![value_absent, some_absent], span)?;
        let branches = vec![
            (none, truth(false)),
            (matches, truth(true)),
            (unknown, null_literal(&Type::nullable(LogicalType::Boolean))),
        ];
        let any = when(branches, Some(truth(false)));
        self.negate(any, all, span)
    }

    /// Both sides of a comparison, converted to a common type.
    fn compared(&mut self, operator: &str, left: Expr, right: Expr, span: Span) -> Bind<(Expr, Expr)> {
        let compared = self.operator(operator, vec![left, right], span)?;
        let ExprKind::Call { args, .. } = compared.kind else { return self.unsupported("This comparison", span) };
        match <[Expr; 2]>::try_from(args) {
            Ok([left, right]) => Ok((left, right)),
            Err(_) => self.unsupported("This comparison", span),
        }
    }

    /// A column that is TRUE where there is a row of the query with the keys, in which `items` equal `values`.
    fn attach_marker(&mut self, pulled: Pulled, items: Vec<Expr>, values: Vec<Expr>, span: Span) -> Bind<Expr> {
        let mut exprs: Vec<Expr> = columns(&pulled.rel).into_iter().skip(pulled.width).collect();
        exprs.extend(items.iter().map(|item| item.replace_columns(&from_probe)));
        exprs.push(truth(true));
        let named = (0..exprs.len()).map(|index| format!("key${index}")).collect();
        let marker = exprs.len() - 1;
        let rows = distinct(Relation::new(project(pulled.rel, exprs, named), ""));
        let mut keys = pulled.keys;
        keys.extend(values.into_iter().map(|outer| Key { outer, null_safe: false }));
        let column = self.attach(rows.rel, keys, span);
        Ok(column(marker))
    }

    /// One row of results for each combination of the keys, which come first.
    fn attach_grouped(
        &mut self,
        pulled: Pulled,
        calls: Vec<AggregateCall>,
        span: Span,
    ) -> (impl Fn(usize) -> Expr + use<>, usize) {
        let results = calls.iter().enumerate();
        let fields = results.map(|(index, call)| Field::new(format!("value${index}"), call.return_type.clone()));
        let schema = Schema::new(fields.collect());
        let spec = AggregateSpec { group: Vec::new(), calls, window: None, retention: Box::default() };
        let grouped = grouped_by_keys(pulled, &spec, &schema);
        let keys = grouped.keys.len();
        (self.attach(grouped.rel, grouped.keys, span), keys)
    }

    /// The keys are the first columns.
    fn attach(&mut self, rel: Rel, keys: Vec<Key>, span: Span) -> impl Fn(usize) -> Expr + use<> {
        let keys = keys.into_iter().enumerate().map(|(column, key)| AttachedKey {
            column,
            value: key.outer,
            null_safe: key.null_safe,
        });
        let attached = Attached { rel, keys: keys.collect(), span };
        self.attachments.get_or_insert_default().push(attached)
    }
}

fn placed_row(output: Vec<Expr>, tests: Vec<Expr>, place: &impl Fn(usize, &Expr) -> Expr) -> OneRow {
    let put = |index: usize, column: &Expr| match index >= OUTER_BASE {
        true => around(column),
        false => place(index, column),
    };
    let output = output.iter().map(|expr| expr.replace_columns(&put)).collect();
    OneRow { output, having: all_of(tests.iter().map(|test| test.replace_columns(&put)).collect()) }
}

fn from_probe(index: usize, column: &Expr) -> Expr {
    let index = index.checked_sub(PROBE_BASE).unwrap_or(index);
    Expr { kind: ExprKind::Column(index), ..column.clone() }
}

/// The same rows with one column, computed from them, and the keys.
fn with_column_first(pulled: Pulled, expr: Expr) -> Pulled {
    let mut exprs = vec![expr];
    exprs.extend(columns(&pulled.rel).into_iter().skip(pulled.width));
    let mut named = vec!["item".to_owned()];
    named.extend(names(&pulled.rel).into_iter().skip(pulled.width));
    Pulled { rel: project(pulled.rel, exprs, named), width: 1, keys: pulled.keys }
}

fn call(function: AggregateFunction, arg: Option<usize>, return_type: Type) -> AggregateCall {
    let args = arg.into_iter().collect();
    AggregateCall { function, args, distinct: false, filter: None, constants: Vec::new(), return_type, user: None }
}

fn gives_one_row(rel: &Rel) -> bool {
    match &rel.node {
        RelNode::Project { input, .. } => gives_one_row(input),
        RelNode::Limit { fetch, .. } => fetch.is_some_and(|fetch| fetch <= 1),
        _ => false,
    }
}

fn opposite(operator: &str) -> &str {
    match operator {
        ">" => "<=",
        ">=" => "<",
        "<" => ">=",
        "<=" => ">",
        "=" => "<>",
        other => other,
    }
}

fn truth(truth: bool) -> Expr {
    Expr::literal(Value::boolean(truth), Type::not_null(LogicalType::Boolean))
}

fn when(branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let results = branches.iter().map(|(_, result)| result).chain(&otherwise);
    let logical = branches.first().map_or(LogicalType::Null, |(_, result)| result.ty.logical.clone());
    let nullable = otherwise.is_none() || results.into_iter().any(|result| result.ty.nullable);
    let otherwise = otherwise.map(Box::new);
    Expr { kind: ExprKind::Case { branches, otherwise }, ty: Type::new(logical, nullable), span: None }
}
