//! Queries in WHERE: `[NOT] EXISTS (…)` and `[NOT] IN (…)` become joins that keep the left rows.
//!
//! A query may refer to the row around it in its WHERE. Such a reference is bound to a column from [`OUTER_BASE`] on;
//! the conditions that have one become part of the join.

use super::aggregate::Aggregates;
use super::expr::ExprScope;
use super::join::{beside, joined};
use super::over::Overs;
use super::relation::{Relation, filter};
use super::{Bind, Binder, Reported};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::JoinKind;
use crate::plan::rewrite::all_of;
use crate::sql::Span;
use crate::sql::ast::{self, Body, ExprKind as Ast, Query, Select};

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
    query: &'a Query,
    /// `a IN (…)`; none for EXISTS.
    input: Option<&'a ast::Expr>,
    negated: bool,
    span: Span,
}

impl Binder<'_> {
    /// The rows that pass a WHERE. What is wrong is reported, and left out.
    pub(super) fn where_clause(&mut self, condition: &ast::Expr, mut relation: Relation) -> Bind<Relation> {
        let parts = conjuncts(condition);
        if parts.iter().all(|part| test_of(part).is_none()) {
            let mut scope = ExprScope::over(&relation, "WHERE");
            if let Ok(predicate) = self.condition(condition, &mut scope, "WHERE") {
                relation.rel = filter(relation.rel, predicate);
            }
            return Ok(relation);
        }
        let mut plain = Vec::new();
        for part in parts.iter().filter(|part| test_of(part).is_none()) {
            plain.extend(self.condition(part, &mut ExprScope::over(&relation, "WHERE"), "WHERE"));
        }
        if let Some(predicate) = all_of(plain) {
            relation.rel = filter(relation.rel, predicate);
        }
        for test in parts.iter().filter_map(|part| test_of(part)) {
            relation = self.semi_join(relation, &test)?;
        }
        Ok(relation)
    }

    fn semi_join(&mut self, relation: Relation, test: &Test<'_>) -> Bind<Relation> {
        self.count_nodes(3, test.span)?;
        let subquery = self.subquery(test.query, &relation)?;
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

    fn subquery(&mut self, query: &Query, outer: &Relation) -> Bind<Subquery> {
        let around = self.outer.take();
        let result = match plain_select(query) {
            Some(select) => self.plain_subquery(query, select, outer),
            None => self.whole_subquery(query),
        };
        self.outer = around;
        result
    }

    fn whole_subquery(&mut self, query: &Query) -> Bind<Subquery> {
        let relation = self.query(query)?;
        let output = (0..relation.schema().len()).filter_map(|column| relation.column(column)).collect();
        Ok(Subquery { relation, output, correlated: Vec::new() })
    }

    fn plain_subquery(&mut self, query: &Query, select: &Select, outer: &Relation) -> Bind<Subquery> {
        let Some(from) = &select.from else { return self.whole_subquery(query) };
        let mut relation = self.from(from)?;
        let (mut own, mut correlated, mut failed) = (Vec::new(), Vec::new(), false);
        let parts = select.filter.as_ref().map(conjuncts).unwrap_or_default();
        for part in parts.iter().filter(|part| test_of(part).is_none()) {
            self.outer = Some(outer.clone());
            let bound = self.condition(part, &mut ExprScope::over(&relation, "WHERE"), "WHERE");
            self.outer = None;
            match bound {
                Ok(bound) if bound.columns().iter().any(|column| *column >= OUTER_BASE) => correlated.push(bound),
                Ok(bound) => own.push(bound),
                Err(Reported) => failed = true,
            }
        }
        if let Some(predicate) = all_of(own) {
            relation.rel = filter(relation.rel, predicate);
        }
        for test in parts.iter().filter_map(|part| test_of(part)) {
            relation = self.semi_join(relation, &test)?;
        }
        let mut aggregates = Aggregates::new(Vec::new(), relation.schema().len(), None, Overs::new(&select.windows));
        let selected = self.select_items(select, &relation, &mut aggregates)?;
        if failed {
            return Err(Reported);
        }
        if aggregates.is_used() || !aggregates.overs.is_empty() {
            if !correlated.is_empty() {
                return self.unsupported("A query that aggregates and refers to the row around it", query.span);
            }
            return self.whole_subquery(query);
        }
        Ok(Subquery { relation, output: selected.exprs, correlated })
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
        Ast::Exists(query) => Some(Test { query, input: None, negated: false, span: part.span }),
        Ast::InQuery { input, query, negated } => {
            Some(Test { query, input: Some(input), negated: *negated, span: part.span })
        }
        Ast::Unary { operator: "NOT", operand } => {
            test_of(operand).map(|test| Test { negated: !test.negated, span: part.span, ..test })
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
