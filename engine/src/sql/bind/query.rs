//! Queries: WITH, SELECT, star expansion, names of result columns.

use super::aggregate::Aggregates;
use super::attach::placed;
use super::expr::ExprScope;
use super::over::Overs;
use super::relation::{Relation, ScopeTable, project};
use super::{Bind, Binder, Named, Reported};
use crate::connector::TableUse;
use crate::expr::{Expr, Value};
use crate::plan::logical::{AggregateSpec, Rel, RelNode};
use crate::plan::retention::Retention;
use crate::sql::Span;
use crate::sql::ast::{self, Body, Ident, Item, OrderItem, Query, Select};
use crate::types::{Field, LogicalType, Schema, Type};

/// The select list after stars are expanded.
pub(super) struct Selected {
    pub(super) exprs: Vec<Expr>,
    pub(super) names: Vec<String>,
}

/// What a SELECT computes above its rows or groups.
struct SelectExprs {
    selected: Selected,
    having: Option<Expr>,
    keys: Vec<Expr>,
}

impl Binder<'_> {
    pub(super) fn query(&mut self, query: &Query) -> Bind<Relation> {
        let depth = self.with.len();
        for cte in &query.with {
            let named = match self
                .query(&cte.query)
                .and_then(|relation| self.rename_columns(relation, &cte.columns, cte.name.span))
            {
                Ok(relation) => Named::View(std::sync::Arc::new(relation.rel), relation.window),
                Err(Reported) => Named::Broken,
            };
            self.with.push((cte.name.value.clone(), named));
        }
        let result = self.query_without_ctes(query);
        self.with.truncate(depth);
        result
    }

    fn query_without_ctes(&mut self, query: &Query) -> Bind<Relation> {
        let (relation, keys, visible) = match &query.body {
            Body::Select(select) => self.select(select, &query.order_by)?,
            body => {
                let relation = self.body(body)?;
                let keys = self.sort_keys_over(&query.order_by, &relation)?;
                let visible = relation.schema().len();
                (relation, keys, visible)
            }
        };
        self.order_and_limit(relation, keys, visible, query)
    }

    pub(super) fn body(&mut self, body: &Body) -> Bind<Relation> {
        match body {
            Body::Select(select) => Ok(self.select(select, &[])?.0),
            Body::Values { rows, span } => self.values(rows, *span),
            Body::Table(name) => self.named_relation(name, &[], TableUse::Read),
            Body::Query(query) => self.query(query),
            Body::SetOperation { operator, all, inputs, span } => self.set_operation(*operator, *all, inputs, *span),
        }
    }

    /// The result, the sort keys as columns of it, and how many of its columns were selected: keys that were not are
    /// extra columns at its end.
    fn select(&mut self, select: &Select, order_by: &[OrderItem]) -> Bind<(Relation, Vec<Expr>, usize)> {
        let hints = self.state_hints(select)?;
        let around = std::mem::replace(&mut self.state_hints, hints);
        let result = self.select_with_hints(select, order_by);
        let hints = std::mem::replace(&mut self.state_hints, around);
        let result = result?;
        self.check_hints_used(&hints)?;
        Ok(result)
    }

    fn select_with_hints(&mut self, select: &Select, order_by: &[OrderItem]) -> Bind<(Relation, Vec<Expr>, usize)> {
        for clause in &select.unsupported {
            let _ = self.unsupported::<()>(clause.what, clause.span);
        }
        let mut relation = match &select.from {
            Some(from) => self.tables_with_hints(from, &select.hints)?,
            None => one_row(),
        };
        let before = self.problems.len();
        if let Some(condition) = &select.filter {
            relation = self.where_clause(condition, relation)?;
        }
        self.count_nodes(4, select.span)?;
        let grouping = self.group_items(select, relation)?;
        relation = grouping.relation;
        let overs = Overs::new(&select.windows);
        let mut aggregates = Aggregates::new(grouping.keys, relation.schema().len(), grouping.window, overs);
        let (bound, mut attachments) =
            self.collecting(|binder| binder.select_exprs(select, order_by, &relation, &mut aggregates));
        let SelectExprs { mut selected, having, keys } = bound?;
        let visible = selected.exprs.len();
        let keys =
            keys.into_iter().map(|key| hide(key, &mut selected, select.distinct)).collect::<Option<Vec<usize>>>();
        let Some(keys) = keys else {
            return self.unsupported("ORDER BY something that SELECT DISTINCT does not select", select.span);
        };
        if self.problems.len() > before {
            return Err(Reported);
        }
        let grouped = select.grouped || having.is_some() || aggregates.is_used();
        if grouped {
            aggregates.retention = self.group_retention(select, &relation, Some(&mut aggregates))?;
        }
        let retention =
            if select.distinct { self.group_retention(select, &relation, None)? } else { Retention::default() };
        let result = if grouped {
            self.aggregate(relation, aggregates, selected, having, attachments)?
        } else {
            let base = relation.schema().len();
            let relation = self.attach_all(relation, std::mem::take(&mut attachments))?;
            let mut overs = aggregates.overs;
            overs.exprs_mut().for_each(|expr| *expr = placed(expr, base));
            let exprs = selected.exprs.iter().map(|expr| placed(expr, base)).collect();
            let (relation, exprs) = overs.apply(relation, exprs);
            let window = relation.window.as_ref().and_then(|window| window.project(&exprs));
            let mut result = Relation::new(project(relation.rel, exprs, selected.names), "");
            result.window = window;
            result
        };
        let result = if select.distinct { self.distinct_select(result, retention)? } else { result };
        let keys = keys.into_iter().filter_map(|index| result.column(index)).collect();
        Ok((result, keys, visible))
    }

    fn select_exprs(
        &mut self,
        select: &Select,
        order_by: &[OrderItem],
        relation: &Relation,
        aggregates: &mut Aggregates,
    ) -> Bind<SelectExprs> {
        let selected = self.select_items(select, relation, aggregates);
        let having = match &select.having {
            Some(having) => {
                let mut scope = ExprScope { relation, aggregates: Some(&mut *aggregates), clause: "HAVING" };
                Some(self.only_truth(|binder| binder.condition(having, &mut scope, "HAVING")))
            }
            None => None,
        };
        let selected = selected?;
        let keys = self.sort_keys(order_by, &selected, relation, aggregates)?;
        Ok(SelectExprs { selected, having: having.transpose()?, keys })
    }

    pub(super) fn select_items(
        &mut self,
        select: &Select,
        relation: &Relation,
        aggregates: &mut Aggregates,
    ) -> Bind<Selected> {
        let mut selected = Selected { exprs: Vec::new(), names: Vec::new() };
        let mut failed = false;
        for (position, item) in select.items.iter().enumerate() {
            self.check_width(selected.exprs.len(), select.span)?;
            match item {
                Item::Star(span) => {
                    if select.from.is_none() {
                        return self.refuse("parse", "'*' needs a FROM.", *span);
                    }
                    self.star(relation, relation.star(), *span, &mut selected);
                }
                Item::QualifiedStar(name) => match find_table(relation, name) {
                    Some(columns) => self.star(relation, columns.collect(), name.span, &mut selected),
                    None => {
                        let _ = self.refuse::<()>(
                            "unknown-table",
                            format!("There is no table '{}' in FROM.", name.text()),
                            name.span,
                        );
                        failed = true;
                    }
                },
                Item::Expr { expr, alias } => {
                    let mut scope = ExprScope { relation, aggregates: Some(aggregates), clause: "SELECT" };
                    let Ok(bound) = self.expr(expr, &mut scope) else {
                        failed = true;
                        continue;
                    };
                    selected.exprs.push(bound);
                    selected.names.push(result_name(expr, alias.as_ref(), position));
                }
            }
        }
        self.check_width(selected.exprs.len(), select.span)?;
        if failed { Err(Reported) } else { Ok(unique_names(selected)) }
    }

    fn star(&self, relation: &Relation, columns: Vec<usize>, span: Span, selected: &mut Selected) {
        for index in columns {
            let Some(mut column) = relation.column(index) else { continue };
            column.span = self.span(span);
            selected.exprs.push(column);
            selected.names.extend(relation.schema().fields.get(index).map(|field| field.name.clone()));
        }
    }

    /// A condition is over what is below DISTINCT, where there are no groups yet.
    fn distinct_select(&mut self, relation: Relation, retention: Retention<Expr>) -> Bind<Relation> {
        let mut result = distinct(relation);
        if let (Some(_), Some(span)) = (&retention.clean, retention.span) {
            return self.unsupported("STATE_CLEAN for SELECT DISTINCT", span);
        }
        if let RelNode::Aggregate { aggregate, .. } = &mut result.rel.node {
            self.refuse_for_window(aggregate.window.is_some(), retention.span)?;
            *aggregate.retention = Retention { ttl: retention.ttl, clean: None, span: retention.span };
        }
        Ok(result)
    }

    /// A window's state goes when it has fired.
    pub(super) fn refuse_for_window(&mut self, window: bool, hint: Option<Span>) -> Bind<()> {
        match hint.filter(|_| window) {
            Some(span) => {
                let message = "STATE_TTL and STATE_CLEAN are for a GROUP BY without window; windows are freed when \
                               they have fired.";
                self.refuse("wrong-arguments", message, span)
            }
            None => Ok(()),
        }
    }

    pub(super) fn rename_columns(&mut self, mut relation: Relation, columns: &[Ident], span: Span) -> Bind<Relation> {
        if columns.is_empty() {
            return Ok(relation);
        }
        if columns.len() != relation.schema().len() {
            let message = format!("{} names are given for {} columns.", columns.len(), relation.schema().len());
            return self.refuse("wrong-arguments", message, span);
        }
        let exprs = (0..columns.len()).filter_map(|index| relation.column(index)).collect();
        let names = columns.iter().map(|column| column.value.clone()).collect();
        relation.rel = project(relation.rel, exprs, names);
        Ok(relation)
    }

    pub(super) fn refuse_duplicates(&mut self, schema: &Schema, span: Span) -> Bind<()> {
        for (position, field) in schema.fields.iter().enumerate() {
            if schema.index_of(&field.name) != Some(position) {
                return self.refuse("duplicate-column", format!("The column '{}' is there twice.", field.name), span);
            }
        }
        Ok(())
    }
}

/// The place of a sort key among the columns, added at the end when it is not selected.
fn hide(key: Expr, selected: &mut Selected, distinct: bool) -> Option<usize> {
    let text = key.to_string();
    if let Some(found) = selected.exprs.iter().position(|expr| expr.to_string() == text && expr.ty == key.ty) {
        return Some(found);
    }
    if distinct {
        return None;
    }
    selected.names.push(format!("sort${}", selected.exprs.len()));
    selected.exprs.push(key);
    Some(selected.exprs.len() - 1)
}

/// What SELECT without FROM reads.
pub(super) fn one_row() -> Relation {
    let field = Field::new("ZERO", Type::not_null(LogicalType::Int));
    let rel = Rel { node: RelNode::Values { rows: vec![vec![Value::int(0)]] }, schema: Schema::new(vec![field]) };
    let mut relation = Relation::new(rel, "");
    relation.tables.clear();
    relation
}

/// Each row once: an aggregation by all columns.
pub(super) fn distinct(relation: Relation) -> Relation {
    let window = relation.window.clone();
    let group: Vec<usize> = (0..relation.schema().len()).collect();
    let schema = relation.schema().clone();
    let group_window = window.as_ref().map(super::aggregate::window_group);
    let aggregate = AggregateSpec { group, calls: Vec::new(), window: group_window, retention: Box::default() };
    let event_time = if window.is_some() { schema.event_time.clone() } else { Vec::new() };
    let rel = Rel {
        node: RelNode::Aggregate { input: Box::new(relation.rel), aggregate },
        schema: Schema { event_time, ..schema },
    };
    Relation { rel, tables: relation.tables, window, star: None }
}

fn result_name(expr: &ast::Expr, alias: Option<&Ident>, position: usize) -> String {
    match (alias, &expr.kind) {
        (Some(alias), _) => alias.value.clone(),
        (None, ast::ExprKind::Name(name)) => name.last().to_owned(),
        (None, ast::ExprKind::Field { name, .. }) => name.value.clone(),
        _ => format!("EXPR${position}"),
    }
}

/// `id, id` becomes `id, id0`, as Flink names them.
fn unique_names(mut selected: Selected) -> Selected {
    let mut seen: std::collections::HashSet<String> = std::collections::HashSet::new();
    for name in &mut selected.names {
        if !seen.insert(name.clone()) {
            let fresh = (0..).map(|number| format!("{name}{number}")).find(|fresh| !seen.contains(fresh));
            *name = fresh.unwrap_or_default();
            seen.insert(name.clone());
        }
    }
    selected
}

fn find_table(relation: &Relation, name: &ast::Name) -> Option<std::ops::Range<usize>> {
    let matches = |table: &&ScopeTable| match name.parts.as_slice() {
        [alias] => table.alias == alias.value,
        [.., database, alias] => table.alias == alias.value && table.database.as_ref() == Some(&database.value),
        [] => false,
    };
    relation.tables.iter().find(matches).map(|table| table.columns.clone())
}
