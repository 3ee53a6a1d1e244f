//! The operators of an aggregation, and the expressions above it.

use std::collections::HashMap;

use super::super::attach::{ATTACHED_BASE, Attachments, is_attached, placed};
use super::super::query::Selected;
use super::super::relation::{Relation, ScopeTable, WindowColumns, filter, passed_column, project};
use super::super::{Bind, Binder};
use super::grouping::GROUPING_BASE;
use super::{Aggregates, Keys, Pending, fingerprint};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{AggregateCall, AggregateSpec, ExpandSpec, GroupingSet, Rel, RelNode, WindowGroup};
use crate::plan::retention::{GroupClean, Retention};
use crate::sql::{Problem, Span};
use crate::types::{Field, LogicalType, Schema, Type};

impl Binder<'_> {
    /// Builds projection, aggregation, HAVING and the select list on top.
    pub(in crate::sql::bind) fn aggregate(
        &mut self,
        mut relation: Relation,
        aggregates: Aggregates,
        selected: Selected,
        having: Option<Expr>,
        mut attachments: Attachments,
    ) -> Bind<Relation> {
        let Aggregates { keys, base, mut calls, mut overs, retention, below, .. } = aggregates;
        if !below.is_empty() {
            let width = relation.schema().len();
            relation = self.attach_all(relation, below)?;
            calls.iter_mut().flat_map(Pending::exprs_mut).for_each(|expr| *expr = placed(expr, width));
        }
        let index = KeyIndex::new(&keys);
        let regrouped: Vec<Bind<Expr>> =
            selected.exprs.iter().map(|expr| self.regroup(expr, &index, base, &relation)).collect();
        let having = having.map(|having| self.regroup(&having, &index, base, &relation)).transpose()?;
        let exprs = regrouped.into_iter().collect::<Bind<Vec<_>>>()?;
        for expr in overs.exprs_mut().chain(attachments.values_mut()) {
            *expr = self.regroup(expr, &index, base, &relation)?;
        }

        let mut columns = InputColumns { exprs: Vec::new(), by_text: HashMap::new() };
        let slots: Vec<usize> = keys.exprs.iter().map(|key| columns.slot(key)).collect();
        let clean = match &retention.clean {
            Some(condition) if condition.columns().iter().all(|column| *column < base) => {
                Some(GroupClean::Row(columns.slot(condition)))
            }
            Some(condition) => {
                let before = self.problems.len();
                let regrouped = self.regroup(condition, &index, base, &relation);
                self.problems.iter_mut().skip(before).for_each(|problem| problem.span = retention.span);
                Some(GroupClean::Result(regrouped?))
            }
            None => None,
        };
        let retention = Box::new(Retention { ttl: retention.ttl, clean, span: retention.span });
        let specs: Vec<AggregateCall> = calls
            .iter()
            .map(|call| AggregateCall {
                function: call.function,
                args: call.args.iter().map(|arg| columns.slot(arg)).collect(),
                distinct: call.distinct,
                filter: call.filter.as_ref().map(|condition| columns.slot(condition)),
                constants: call.constants.clone(),
                return_type: call.return_type.clone(),
                user: call.user.clone(),
            })
            .collect();
        // COUNT(*) alone reads nothing; a batch without columns could not say how many rows it has.
        if columns.exprs.is_empty() {
            columns.exprs.extend(relation.column(0));
        }
        let grouped_window = relation.window.as_ref().filter(|window| {
            let is_key = |column: usize| {
                let key = keys.exprs.iter().position(|key| passed_column(key) == Some(column));
                key.is_some_and(|key| keys.in_every_set(key))
            };
            is_key(window.start) && is_key(window.end)
        });
        if let Some(time) = grouped_window.and_then(|window| window.time_column).and_then(|time| relation.column(time))
        {
            columns.slot(&time);
        }
        let pre_window = grouped_window.and_then(|window| window.project(&columns.exprs));
        let names = columns.exprs.iter().enumerate().map(|(index, expr)| column_name(expr, index, &relation)).collect();
        let input = if is_identity(&columns.exprs, &relation) {
            relation.rel
        } else {
            project(relation.rel, columns.exprs, names)
        };
        let (input, group) = if keys.several() { expanded(input, &keys, slots) } else { (input, slots) };

        let window = pre_window.as_ref().map(window_group);
        let schema = aggregate_schema(&input.schema, &group, &specs, pre_window.as_ref());
        let out_window = pre_window.as_ref().and_then(|window| {
            let find = |column: usize| group.iter().position(|key| *key == column);
            Some(WindowColumns {
                kind: window.kind.clone(),
                start: find(window.start)?,
                end: find(window.end)?,
                time: window.time.and_then(find),
                time_column: None,
                local: window.local,
            })
        });
        self.refuse_for_window(window.is_some(), retention.span)?;
        let aggregate = AggregateSpec { group, calls: specs, window, retention };
        let mut rel = Rel { node: RelNode::Aggregate { input: Box::new(input), aggregate }, schema };
        let (early, late): (Vec<Expr>, Vec<Expr>) = having.into_iter().partition(|having| !is_attached(having));
        for having in early {
            rel = filter(rel, having);
        }
        let base = rel.schema.len();
        let grouped = Relation { rel, tables: Vec::new(), window: out_window, star: None };
        let mut grouped = self.attach_all(grouped, attachments)?;
        for having in late {
            grouped.rel = filter(grouped.rel, placed(&having, base));
        }
        overs.exprs_mut().for_each(|expr| *expr = placed(expr, base));
        let exprs = exprs.iter().map(|expr| placed(expr, base)).collect();
        let (grouped, exprs) = overs.apply(grouped, exprs);
        let window = grouped.window.and_then(|window| window.project(&exprs));
        let rel = project(grouped.rel, exprs, selected.names);
        let columns = 0..rel.schema.len();
        let tables = vec![ScopeTable { alias: String::new(), database: None, columns }];
        Ok(Relation { rel, tables, window, star: None })
    }

    /// An expression over input and calls → over keys and calls.
    fn regroup(&mut self, expr: &Expr, keys: &KeyIndex, base: usize, relation: &Relation) -> Bind<Expr> {
        if let Some(index) = keys.find(expr) {
            let nullable = expr.ty.nullable || keys.nullable.contains(&index);
            let mut column = Expr::column(index, expr.ty.clone().with_nullable(nullable));
            column.span = expr.span;
            return Ok(column);
        }
        let kind = match &expr.kind {
            // Calls with OVER, queries, and the row around this one: they get their places later.
            ExprKind::Column(index) if *index >= ATTACHED_BASE => return Ok(expr.clone()),
            ExprKind::Column(index) if *index >= GROUPING_BASE => {
                ExprKind::Column(keys.keys + 1 + index - GROUPING_BASE)
            }
            ExprKind::Column(index) if *index >= base => ExprKind::Column(keys.count + index - base),
            ExprKind::Column(index) => {
                let name = relation.schema().fields.get(*index).map_or("", |field| field.name.as_str());
                let mut problem = Problem::error(
                    "not-grouped",
                    format!("The column '{name}' is neither grouped nor aggregated."),
                    Span { start: 0, end: 0 },
                );
                problem.span = expr.span;
                return Err(self.report(problem.with_hint("Put it into GROUP BY, or into an aggregate such as MAX.")));
            }
            ExprKind::Literal(value) => ExprKind::Literal(value.clone()),
            ExprKind::Call { function, args } => {
                let args = args.iter().map(|arg| self.regroup(arg, keys, base, relation)).collect::<Bind<_>>()?;
                ExprKind::Call { function: function.clone(), args }
            }
            ExprKind::Cast { input, mode } => {
                ExprKind::Cast { input: Box::new(self.regroup(input, keys, base, relation)?), mode: *mode }
            }
            ExprKind::Case { branches, otherwise } => {
                let mut regrouped = Vec::with_capacity(branches.len());
                for (condition, result) in branches {
                    regrouped.push((
                        self.regroup(condition, keys, base, relation)?,
                        self.regroup(result, keys, base, relation)?,
                    ));
                }
                let otherwise = match otherwise {
                    Some(otherwise) => Some(Box::new(self.regroup(otherwise, keys, base, relation)?)),
                    None => None,
                };
                ExprKind::Case { branches: regrouped, otherwise }
            }
        };
        Ok(Expr { kind, ty: expr.ty.clone(), span: expr.span })
    }
}

/// GROUP BY keys by what they compute.
struct KeyIndex {
    keys: usize,
    /// Columns before the results: the keys, and what tells grouping sets apart.
    count: usize,
    /// Keys that some grouping set leaves out.
    nullable: Vec<usize>,
    by_text: HashMap<String, usize>,
    /// Most groupings: then larger expressions need not be looked at.
    only_columns: bool,
}

impl KeyIndex {
    fn new(keys: &Keys) -> Self {
        let mut by_text = HashMap::new();
        for (index, key) in keys.exprs.iter().enumerate() {
            if let Some(text) = fingerprint(key) {
                by_text.entry(text).or_insert(index);
            }
        }
        let count = keys.exprs.len();
        let numbers = if keys.several() { 1 + keys.groupings.len() } else { 0 };
        KeyIndex {
            keys: count,
            count: count + numbers,
            nullable: (0..count).filter(|key| !keys.in_every_set(*key)).collect(),
            by_text,
            only_columns: keys.exprs.iter().all(|key| passed_column(key).is_some()),
        }
    }

    fn find(&self, expr: &Expr) -> Option<usize> {
        if self.only_columns && passed_column(expr).is_none() {
            return None;
        }
        self.by_text.get(&fingerprint(expr)?).copied()
    }
}

/// Columns that the aggregation reads; equal expressions once.
struct InputColumns {
    exprs: Vec<Expr>,
    by_text: HashMap<String, usize>,
}

impl InputColumns {
    fn slot(&mut self, expr: &Expr) -> usize {
        let text = fingerprint(expr);
        if let Some(known) = text.as_ref().and_then(|text| self.by_text.get(text)) {
            return *known;
        }
        self.exprs.push(expr.clone());
        let index = self.exprs.len() - 1;
        self.by_text.extend(text.map(|text| (text, index)));
        index
    }
}

/// Repeats the rows, once per grouping set, and gives the columns to group by then: the keys, the number of the set, and
/// what GROUPING gives.
fn expanded(input: Rel, keys: &Keys, slots: Vec<usize>) -> (Rel, Vec<usize>) {
    let width = input.schema.len();
    let left_out: Vec<usize> = (0..slots.len()).filter(|key| !keys.in_every_set(*key)).collect();
    let mut group = slots;
    let mut copied = Vec::new();
    let mut schema = input.schema.clone();
    for key in &left_out {
        let slot = std::mem::replace(&mut group[*key], width + copied.len());
        copied.push(slot);
        schema.fields.extend(input.schema.fields.get(slot).cloned().map(|mut field| {
            field.ty.nullable = true;
            field
        }));
    }
    let sets = keys.sets.iter().enumerate().map(|(number, set)| GroupingSet {
        kept: left_out.iter().map(|key| set.contains(key)).collect(),
        numbers: std::iter::once(number as i64).chain(keys.groupings.iter().map(|of_set| of_set[number])).collect(),
    });
    let sets = sets.collect();
    for number in 0..=keys.groupings.len() {
        group.push(schema.len());
        schema.fields.push(Field::new(format!("grouping${number}"), Type::not_null(LogicalType::BigInt)));
    }
    let node = RelNode::Expand { input: Box::new(input), expand: ExpandSpec { keys: copied, sets } };
    (Rel { node, schema }, group)
}

pub(in crate::sql::bind) fn window_group(window: &WindowColumns) -> WindowGroup {
    WindowGroup {
        spec: window.kind.clone(),
        // Without the time column the window cannot be assigned again; `start` says so.
        time_column: window.time_column.unwrap_or(window.start),
        start: window.start,
        end: window.end,
        time: window.time,
        local: window.local,
    }
}

fn aggregate_schema(
    input: &Schema,
    group: &[usize],
    calls: &[AggregateCall],
    window: Option<&WindowColumns>,
) -> Schema {
    let keys = group.iter().filter_map(|key| input.fields.get(*key).cloned());
    let results =
        calls.iter().enumerate().map(|(index, call)| Field::new(format!("agg${index}"), call.return_type.clone()));
    // Event time goes on in the window's own time column only: results of an updating aggregate have none.
    let event_time = window.and_then(|window| window.time).and_then(|time| group.iter().position(|key| *key == time));
    Schema { fields: keys.chain(results).collect(), event_time: event_time.into_iter().collect() }
}
fn is_identity(exprs: &[Expr], relation: &Relation) -> bool {
    exprs.len() == relation.schema().len()
        && exprs.iter().enumerate().all(|(index, expr)| passed_column(expr) == Some(index))
}

fn column_name(expr: &Expr, index: usize, relation: &Relation) -> String {
    let passed = passed_column(expr).and_then(|column| relation.schema().fields.get(column));
    passed.map_or_else(|| format!("in${index}"), |field| field.name.clone())
}
