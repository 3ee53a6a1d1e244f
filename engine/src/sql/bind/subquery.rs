//! Queries as conditions of WHERE: `[NOT] EXISTS (…)` and `[NOT] IN (…)` become joins that keep the left rows.
//!
//! A query may refer to the row around it. Such a reference is bound to a column from [`OUTER_BASE`] on. Conditions of
//! a simple query that have one become part of the join; other queries are freed of them by [`super::decorrelate`].

use super::aggregate::{Aggregates, Keys};
use super::attach::Attachments;
use super::decorrelate::is_correlated;
use super::expr::ExprScope;
use super::join::{beside, joined};
use super::over::Overs;
use super::relation::{Relation, filter};
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{JoinKind, Rel, RelNode};
use crate::plan::rewrite::all_of;
use crate::sql::Span;
use crate::sql::ast::{self, Body, ExprKind as Ast, Query, Select};
use crate::types::Schema;

/// No relation has so many columns.
pub(super) const OUTER_BASE: usize = usize::MAX / 4;

/// A query of which the left side's rows are tested.
struct Subquery {
    relation: Relation,
    /// What it selects, over its relation.
    output: Vec<Expr>,
    /// Conditions over its relation and the row around it.
    correlated: Vec<Expr>,
}

/// One part of a WHERE that tests with a query.
struct Test<'a> {
    /// The whole of it.
    part: &'a ast::Expr,
    query: &'a Query,
    /// `a IN (…)`; none for EXISTS.
    input: Option<&'a ast::Expr>,
    negated: bool,
    span: Span,
}

/// What names find in the row around a query, without the plan that gives it.
pub(super) fn scope_of(relation: &Relation) -> Relation {
    let schema = Schema::new(relation.schema().fields.clone());
    Relation {
        rel: Rel { node: RelNode::Values { rows: Vec::new() }, schema },
        tables: relation.tables.clone(),
        window: None,
        star: relation.star.clone(),
    }
}

impl Binder<'_> {
    /// The rows that pass a WHERE. What is wrong is reported, and left out.
    pub(super) fn where_clause(&mut self, condition: &ast::Expr, mut relation: Relation) -> Bind<Relation> {
        let parts = conjuncts(condition);
        if parts.iter().all(|part| test_of(part).is_none()) {
            let (bound, attachments) = self.where_parts(&[condition], &relation);
            return match bound.into_iter().next() {
                Some(Ok(predicate)) => self.filter_attached(relation, vec![predicate], attachments),
                _ => Ok(relation),
            };
        }
        let plain: Vec<&ast::Expr> = parts.iter().copied().filter(|part| test_of(part).is_none()).collect();
        let (bound, attachments) = self.where_parts(&plain, &relation);
        let plain: Vec<Expr> = bound.into_iter().flatten().collect();
        if attachments.is_empty() {
            if let Some(predicate) = all_of(plain) {
                relation.rel = filter(relation.rel, predicate);
            }
        } else {
            relation = self.filter_attached(relation, plain, attachments)?;
        }
        for test in parts.iter().filter_map(|part| test_of(part)) {
            relation = self.semi_join(relation, &test)?;
        }
        Ok(relation)
    }

    fn where_parts(&mut self, parts: &[&ast::Expr], relation: &Relation) -> (Vec<Bind<Expr>>, Attachments) {
        self.collecting(|binder| {
            let bind = |part: &&ast::Expr| {
                let mut scope = ExprScope::over(relation, "WHERE");
                binder.only_truth(|binder| binder.condition(part, &mut scope, "WHERE"))
            };
            parts.iter().map(bind).collect()
        })
    }

    /// NULL and FALSE are the same to what `work` binds.
    pub(super) fn only_truth<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let around = std::mem::replace(&mut self.only_truth, true);
        let result = work(self);
        self.only_truth = around;
        result
    }

    fn semi_join(&mut self, relation: Relation, test: &Test<'_>) -> Bind<Relation> {
        self.count_nodes(3, test.span)?;
        let Some(subquery) = self.subquery(test.query, &relation)? else {
            // One row for each row around: a value like others.
            let (bound, attachments) = self.where_parts(&[test.part], &relation);
            let bound = bound.into_iter().collect::<Bind<Vec<_>>>()?;
            return self.filter_attached(relation, bound, attachments);
        };
        let width = relation.schema().len();
        let place = |index: usize, column: &Expr| {
            let index = if index >= OUTER_BASE { index - OUTER_BASE } else { index + width };
            Expr { kind: ExprKind::Column(index), ..column.clone() }
        };
        let mut conditions: Vec<Expr> =
            subquery.correlated.iter().map(|condition| condition.replace_columns(&place)).collect();
        if let Some(input) = test.input {
            let span = Span { start: input.span.start, end: test.query.span.end };
            let values = match &input.kind {
                Ast::Row(items) => self.exprs(items, &mut ExprScope::over(&relation, "IN"))?,
                _ => vec![self.expr(input, &mut ExprScope::over(&relation, "IN"))?],
            };
            if values.len() != subquery.output.len() {
                let message = format!(
                    "IN compares {} value(s) with a query of {} column(s).",
                    values.len(),
                    subquery.output.len()
                );
                return self.refuse("type-mismatch", message, span);
            }
            let mut equal = Vec::new();
            for (value, output) in values.into_iter().zip(&subquery.output) {
                equal.push(self.operator("=", vec![value, output.replace_columns(&place)], span)?);
            }
            // NOT IN is only true when no comparison is NULL.
            match all_of(equal) {
                Some(equal) if test.negated && equal.ty.nullable => {
                    conditions.push(self.operator("IS NOT FALSE", vec![equal], span)?);
                }
                equal => conditions.extend(equal),
            }
        }
        let kind = if test.negated { JoinKind::Anti } else { JoinKind::Semi };
        let (window, star, tables) = (relation.window.clone(), relation.star.clone(), relation.tables.clone());
        let result = joined(beside(relation, subquery.relation), width, kind, all_of(conditions));
        Ok(Relation { window, star, tables, ..result })
    }

    /// `None` for one that gives a row in any case, so that a join cannot test for it.
    fn subquery(&mut self, query: &Query, outer: &Relation) -> Bind<Option<Subquery>> {
        if let Some(select) = plain_select(query)
            && let Some(subquery) = self.plain_subquery(select, outer)?
        {
            return Ok(Some(subquery));
        }
        self.any_subquery(query, outer)
    }

    fn any_subquery(&mut self, query: &Query, outer: &Relation) -> Bind<Option<Subquery>> {
        let relation = self.inner_query(query, outer)?;
        if !is_correlated(&relation.rel) {
            let output = (0..relation.schema().len()).filter_map(|column| relation.column(column)).collect();
            return Ok(Some(Subquery { relation, output, correlated: Vec::new() }));
        }
        if aggregates_all(&relation.rel) {
            return Ok(None);
        }
        let pulled = self.decorrelate(&relation.rel, outer, query.span)?;
        let width = pulled.width;
        let relation = Relation::new(pulled.rel, "");
        let mut correlated = Vec::with_capacity(pulled.keys.len());
        for (index, key) in pulled.keys.iter().enumerate() {
            let Some(column) = relation.column(width + index) else { continue };
            let value = key.outer.replace_columns(&|index, column| Expr {
                kind: ExprKind::Column(OUTER_BASE + index),
                ..column.clone()
            });
            let operator = if key.null_safe { "IS NOT DISTINCT FROM" } else { "=" };
            correlated.push(self.operator(operator, vec![value, column], query.span)?);
        }
        let output = (0..width).filter_map(|column| relation.column(column)).collect();
        Ok(Some(Subquery { relation, output, correlated }))
    }

    /// `None` for one that is not as plain as it looked.
    fn plain_subquery(&mut self, select: &Select, outer: &Relation) -> Bind<Option<Subquery>> {
        let Some(from) = &select.from else { return Ok(None) };
        let (problems, nodes) = (self.problems.len(), self.nodes);
        let attachments = self.attachments.take();
        self.outer.push(scope_of(outer));
        let result = self.plain_parts(select, from);
        self.outer.pop();
        self.attachments = attachments;
        if matches!(result, Ok(None)) {
            self.problems.truncate(problems);
            self.nodes = nodes;
        }
        result
    }

    fn plain_parts(&mut self, select: &Select, from: &ast::From) -> Bind<Option<Subquery>> {
        let mut relation = self.from(from)?;
        let (mut own, mut correlated) = (Vec::new(), Vec::new());
        let parts = select.filter.as_ref().map(conjuncts).unwrap_or_default();
        let plain: Vec<&ast::Expr> = parts.iter().copied().filter(|part| test_of(part).is_none()).collect();
        let (bound, attached) = self.where_parts(&plain, &relation);
        if !attached.is_empty() {
            return Ok(None);
        }
        for bound in bound {
            let bound = bound?;
            if refers_around(&bound) { correlated.push(bound) } else { own.push(bound) }
        }
        if let Some(predicate) = all_of(own) {
            relation.rel = filter(relation.rel, predicate);
        }
        for test in parts.iter().filter_map(|part| test_of(part)) {
            relation = self.semi_join(relation, &test)?;
        }
        let mut aggregates =
            Aggregates::new(Keys::default(), relation.schema().len(), None, Overs::new(&select.windows));
        let (selected, attached) = self.collecting(|binder| binder.select_items(select, &relation, &mut aggregates));
        let output = selected?.exprs;
        let queries = !attached.is_empty() || !aggregates.below.is_empty();
        let computes = aggregates.is_used() || !aggregates.overs.is_empty();
        if queries || computes || output.iter().any(refers_around) || is_correlated(&relation.rel) {
            return Ok(None);
        }
        Ok(Some(Subquery { relation, output, correlated }))
    }
}

fn refers_around(expr: &Expr) -> bool {
    expr.columns().iter().any(|column| *column >= OUTER_BASE)
}

/// An aggregation over all rows, which gives one row whatever there is.
fn aggregates_all(rel: &Rel) -> bool {
    match &rel.node {
        RelNode::Project { input, .. } | RelNode::Filter { input, .. } => aggregates_all(input),
        RelNode::Aggregate { aggregate, .. } => aggregate.group.is_empty(),
        _ => false,
    }
}

/// Conditions that all have to be true.
fn conjuncts(condition: &ast::Expr) -> Vec<&ast::Expr> {
    match &condition.kind {
        Ast::Logical { operator: "AND", operands } => operands.iter().flat_map(conjuncts).collect(),
        _ => vec![condition],
    }
}

fn test_of(part: &ast::Expr) -> Option<Test<'_>> {
    match &part.kind {
        Ast::Exists(query) => Some(Test { part, query, input: None, negated: false, span: part.span }),
        // A query in front of IN is a value like others.
        Ast::InQuery { input, .. } if matches!(input.kind, Ast::ScalarQuery(_)) => None,
        Ast::InQuery { input, query, negated } => {
            Some(Test { part, query, input: Some(input), negated: *negated, span: part.span })
        }
        Ast::Unary { operator: "NOT", operand } => {
            test_of(operand).map(|test| Test { part, negated: !test.negated, span: part.span, ..test })
        }
        _ => None,
    }
}

/// A SELECT whose rows are those of its FROM and WHERE. DISTINCT changes nothing for a test.
fn plain_select(query: &Query) -> Option<&Select> {
    let Body::Select(select) = &query.body else { return None };
    let bare = query.with.is_empty() && query.order_by.is_empty() && query.offset.is_none() && query.fetch.is_none();
    let ungrouped = select.group_by.is_empty() && !select.grouped && select.having.is_none();
    (bare && ungrouped && select.hints.is_empty() && select.unsupported.is_empty()).then_some(&**select)
}
