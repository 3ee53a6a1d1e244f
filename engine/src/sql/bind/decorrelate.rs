//! A query that refers to the row around it, for all rows around it at once.
//!
//! Its references are columns from [`OUTER_BASE`] on. What it gives afterwards has key columns behind its own: a row
//! belongs to those rows around it that have the values of the keys. Where all references are compared for equality,
//! the other sides of the comparisons are the keys. Otherwise the query is computed for each distinct combination of
//! the values that it refers to.

use super::relation::{Relation, project};
use super::subquery::OUTER_BASE;
use super::{Bind, Binder, nodes};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{AggregateSpec, JoinKind, JoinSpec, RankSpec, Rel, RelNode};
use crate::plan::rewrite::{all_of, conjuncts};
use crate::sql::Span;
use crate::types::{Field, LogicalType, Schema, Type};

/// A query without references, and the keys behind its `width` columns.
pub(super) struct Pulled {
    pub(super) rel: Rel,
    pub(super) width: usize,
    pub(super) keys: Vec<Key>,
}

/// What a key column equals, over the columns around the query, from 0 on.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) outer: Expr,
    pub(super) null_safe: bool,
}

/// Why a query could not be pulled.
enum Stop {
    /// It compares otherwise than for equality.
    NeedsDomain,
    Unsupported(&'static str),
}

type Pull = Result<Pulled, Stop>;

/// Whether anything in a plan refers to the row around it.
pub(super) fn is_correlated(rel: &Rel) -> bool {
    let mut found = Vec::new();
    references(rel, &mut found);
    !found.is_empty()
}

fn references(rel: &Rel, found: &mut Vec<(usize, Type)>) {
    let mut look = |expr: &Expr| outer_columns(expr, found);
    match &rel.node {
        RelNode::Project { exprs, .. } => exprs.iter().for_each(&mut look),
        RelNode::Filter { predicate, .. } => look(predicate),
        RelNode::TableCall { call, .. } => call.args.iter().for_each(&mut look),
        RelNode::Join { join, .. } => join.condition.iter().for_each(&mut look),
        _ => {}
    }
    rel.inputs().into_iter().for_each(|input| references(input, found));
}

fn outer_columns(expr: &Expr, found: &mut Vec<(usize, Type)>) {
    match expr.kind {
        ExprKind::Column(index) if index >= OUTER_BASE => {
            if !found.iter().any(|(known, _)| *known == index) {
                found.push((index, expr.ty.clone()));
            }
        }
        _ => expr.children().into_iter().for_each(|child| outer_columns(child, found)),
    }
}

fn has_outer(expr: &Expr) -> bool {
    expr.columns().iter().any(|column| *column >= OUTER_BASE)
}

/// References as columns of the row around the query.
pub(super) fn around(expr: &Expr) -> Expr {
    expr.replace_columns(&|index, column| {
        let index = index.checked_sub(OUTER_BASE).unwrap_or(index);
        Expr { kind: ExprKind::Column(index), ..column.clone() }
    })
}

impl Binder<'_> {
    /// `outer` are the rows around the query.
    pub(super) fn decorrelate(&mut self, rel: &Rel, outer: &Relation, span: Span) -> Bind<Pulled> {
        let mut columns = Vec::new();
        references(rel, &mut columns);
        let pulled = match pull(rel, None) {
            Err(Stop::NeedsDomain) => {
                self.count_nodes(nodes(&outer.rel) + 2, span)?;
                pull(rel, Some(&domain(outer, &columns)))
            }
            pulled => pulled,
        };
        match pulled {
            Ok(pulled) => Ok(pulled),
            Err(Stop::Unsupported(what)) => {
                self.unsupported(&format!("{what} in a query that refers to the row around it"), span)
            }
            Err(Stop::NeedsDomain) => self.unsupported("This use of the row around a query", span),
        }
    }
}

/// The distinct values of the columns that a query refers to.
struct Domain {
    rel: Rel,
    keys: Vec<Key>,
}

fn domain(outer: &Relation, columns: &[(usize, Type)]) -> Domain {
    let exprs: Vec<Expr> = columns.iter().map(|(index, ty)| Expr::column(index - OUTER_BASE, ty.clone())).collect();
    let names = (0..exprs.len()).map(|index| format!("outer${index}")).collect();
    let keys = exprs.iter().map(|outer| Key { outer: outer.clone(), null_safe: true }).collect();
    let input = project(outer.rel.clone(), exprs, names);
    let fields = input.schema.fields.clone();
    let aggregate = AggregateSpec {
        group: (0..fields.len()).collect(),
        calls: Vec::new(),
        window: None,
        retention: Box::default(),
    };
    let node = RelNode::Aggregate { input: Box::new(input), aggregate };
    Domain { rel: Rel { node, schema: Schema::new(fields) }, keys }
}

fn pull(rel: &Rel, domain: Option<&Domain>) -> Pull {
    if !is_correlated(rel) {
        return Ok(Pulled { rel: rel.clone(), width: rel.schema.len(), keys: Vec::new() });
    }
    match &rel.node {
        RelNode::Filter { input, predicate } => pull_filter(pull(input, domain)?, predicate, domain),
        RelNode::Project { input, exprs } => pull_project(rel, pull(input, domain)?, exprs, domain),
        RelNode::Aggregate { input, aggregate } => pull_aggregate(rel, pull(input, domain)?, aggregate),
        RelNode::Join { left, right, join } => pull_join(rel, left, right, join, domain),
        RelNode::UnionAll { inputs } => pull_union(rel, inputs, domain),
        RelNode::Repeat { input, times } => {
            let pulled = pull(input, domain)?;
            let schema = pulled.rel.schema.clone();
            let node = RelNode::Repeat { input: Box::new(pulled.rel), times: *times };
            Ok(Pulled { rel: Rel { node, schema }, ..pulled })
        }
        // The order of rows of a query below another says nothing.
        RelNode::Sort { input, .. } => pull(input, domain),
        RelNode::Limit { input, sort, offset, fetch } => {
            let Some(fetch) = fetch else { return Err(Stop::Unsupported("OFFSET without LIMIT")) };
            let pulled = pull(input, domain)?;
            let partition = (pulled.width..pulled.rel.schema.len()).collect();
            let rank = RankSpec {
                partition,
                sort: sort.clone(),
                from: offset + 1,
                to: offset.saturating_add(*fetch),
                number: false,
                window: None,
            };
            let mut fields = pulled.rel.schema.fields.clone();
            let kept = columns(&pulled.rel);
            fields.push(Field::new("number", Type::nullable(LogicalType::BigInt)));
            let node = RelNode::Rank { input: Box::new(pulled.rel), rank };
            let ranked = Rel { node, schema: Schema::new(fields) };
            Ok(Pulled { rel: reordered(ranked, kept), ..pulled })
        }
        RelNode::Window { .. } | RelNode::ProcessingTime { .. } => Err(Stop::Unsupported("A window function")),
        RelNode::Expand { .. } => Err(Stop::Unsupported("GROUPING SETS, ROLLUP or CUBE")),
        RelNode::Over { .. } | RelNode::Rank { .. } => Err(Stop::Unsupported("OVER")),
        RelNode::TableCall { .. } => Err(Stop::Unsupported("A table function")),
        RelNode::Scan { .. } | RelNode::Values { .. } | RelNode::Merge { .. } => Err(Stop::NeedsDomain),
    }
}

/// References that are keys already, as their columns.
fn substituted(expr: &Expr, pulled: &Pulled) -> Expr {
    expr.replace_columns(&|index, column| {
        let same = |key: &&Key| {
            matches!(key.outer.kind, ExprKind::Column(outer) if outer + OUTER_BASE == index)
                && key.outer.ty.logical == column.ty.logical
        };
        match pulled.keys.iter().position(|key| same(&key)) {
            Some(key) => Expr { kind: ExprKind::Column(pulled.width + key), ..column.clone() },
            None => column.clone(),
        }
    })
}

/// Each row with each combination of the values around.
fn crossed(pulled: Pulled, domain: &Domain) -> Pulled {
    let fields = pulled.rel.schema.fields.iter().chain(&domain.rel.schema.fields).cloned().collect();
    let schema = Schema { fields, event_time: pulled.rel.schema.event_time.clone() };
    let join = JoinSpec {
        kind: JoinKind::Inner,
        keys: Vec::new(),
        condition: None,
        windows: None,
        time: None,
        retention: Box::default(),
        as_of: None,
    };
    let node = RelNode::Join { left: Box::new(pulled.rel), right: Box::new(domain.rel.clone()), join };
    Pulled { rel: Rel { node, schema }, width: pulled.width, keys: domain.keys.clone() }
}

/// With the domain, where it is needed and not there yet.
fn with_domain(pulled: Pulled, domain: Option<&Domain>) -> Pulled {
    match domain {
        Some(domain) if pulled.keys.is_empty() => crossed(pulled, domain),
        _ => pulled,
    }
}

fn pull_filter(input: Pulled, predicate: &Expr, domain: Option<&Domain>) -> Pull {
    let correlated = has_outer(predicate);
    let input = if correlated { with_domain(input, domain) } else { input };
    let (mut own, mut equal) = (Vec::new(), Vec::new());
    for part in conjuncts(predicate) {
        let part = substituted(part, &input);
        match (has_outer(&part), equality(&part)) {
            (false, _) => own.push(part),
            (true, Some(pair)) => equal.push(pair),
            (true, None) => return Err(Stop::NeedsDomain),
        }
    }
    let Pulled { mut rel, width, mut keys } = input;
    if let Some(predicate) = all_of(own) {
        rel = super::relation::filter(rel, predicate);
    }
    if !equal.is_empty() {
        let mut exprs = columns(&rel);
        let mut names = names(&rel);
        for (inner, outer) in equal {
            names.push(format!("outer${}", exprs.len()));
            exprs.push(inner);
            keys.push(Key { outer: around(&outer), null_safe: false });
        }
        rel = project(rel, exprs, names);
    }
    Ok(Pulled { rel, width, keys })
}

/// `inner = outer`: each side over its own rows.
fn equality(part: &Expr) -> Option<(Expr, Expr)> {
    let ExprKind::Call { function, args } = &part.kind else { return None };
    let [left, right] = args.as_slice() else { return None };
    // Bytes of floats tell -0.0 from 0.0.
    let float = matches!(left.ty.logical, LogicalType::Float | LogicalType::Double);
    if function.name() != "=" || left.ty.logical != right.ty.logical || float {
        return None;
    }
    let only_outer = |expr: &Expr| expr.columns().iter().all(|column| *column >= OUTER_BASE) && has_outer(expr);
    match (only_outer(left), only_outer(right)) {
        (false, true) if !has_outer(left) => Some((left.clone(), right.clone())),
        (true, false) if !has_outer(right) => Some((right.clone(), left.clone())),
        _ => None,
    }
}

fn pull_project(rel: &Rel, input: Pulled, exprs: &[Expr], domain: Option<&Domain>) -> Pull {
    let correlated = exprs.iter().any(has_outer);
    let input = if correlated { with_domain(input, domain) } else { input };
    let mut all: Vec<Expr> = exprs.iter().map(|expr| substituted(expr, &input)).collect();
    if all.iter().any(has_outer) {
        return Err(Stop::NeedsDomain);
    }
    let mut names = names(rel);
    all.extend(columns(&input.rel).into_iter().skip(input.width));
    names.extend(input.rel.schema.fields.iter().skip(input.width).map(|field| field.name.clone()));
    Ok(Pulled { rel: project(input.rel, all, names), width: rel.schema.len(), keys: input.keys })
}

/// Groups are those of each row around.
fn pull_aggregate(rel: &Rel, input: Pulled, aggregate: &AggregateSpec) -> Pull {
    if aggregate.window.is_some() {
        return Err(Stop::Unsupported("A window"));
    }
    if aggregate.group.is_empty() {
        return Err(Stop::Unsupported("An aggregate over all rows below another operator"));
    }
    let aggregated = grouped_by_keys(input, aggregate, &rel.schema);
    // Group columns, results, keys.
    let (groups, keys) = (aggregate.group.len(), aggregated.keys.len());
    let all = columns(&aggregated.rel);
    let (group, rest) = all.split_at(groups.min(all.len()));
    let (key_columns, results) = rest.split_at(keys.min(rest.len()));
    let order = [group, results, key_columns].concat();
    Ok(Pulled { rel: reordered(aggregated.rel, order), width: rel.schema.len(), keys: aggregated.keys })
}

/// The aggregation, for each combination of the keys: group columns, keys, results. `schema` is that without keys.
pub(super) fn grouped_by_keys(input: Pulled, aggregate: &AggregateSpec, schema: &Schema) -> Pulled {
    let key_columns = input.width..input.rel.schema.len();
    let (groups, results) = schema.fields.split_at(aggregate.group.len().min(schema.len()));
    let keys = input.rel.schema.fields.iter().skip(input.width);
    let fields = groups.iter().chain(keys).chain(results).cloned().collect();
    let group = aggregate.group.iter().copied().chain(key_columns).collect();
    let aggregate = AggregateSpec { group, ..aggregate.clone() };
    let node = RelNode::Aggregate { input: Box::new(input.rel), aggregate };
    Pulled { rel: Rel { node, schema: Schema::new(fields) }, width: schema.len(), keys: input.keys }
}

fn pull_join(rel: &Rel, left: &Rel, right: &Rel, join: &JoinSpec, domain: Option<&Domain>) -> Pull {
    let (left, right) = (pull(left, domain)?, pull(right, domain)?);
    let only_left = matches!(join.kind, JoinKind::Semi | JoinKind::Anti);
    let inner = join.kind == JoinKind::Inner;
    if !inner && (!right.keys.is_empty() || !(only_left || join.kind == JoinKind::Left)) {
        return Err(Stop::Unsupported("An outer join"));
    }
    let (mut inside, mut above) = (Vec::new(), Vec::new());
    for part in join.condition.iter().flat_map(|condition| conjuncts(condition)) {
        if has_outer(part) { above.push(part.clone()) } else { inside.push(part.clone()) }
    }
    if !inner && !above.is_empty() {
        return Err(Stop::Unsupported("A reference in the condition of an outer join"));
    }
    let (wide_left, wide_right) = (left.rel.schema.len(), right.rel.schema.len());
    let shift = |index: usize| if index < left.width { index } else { index - left.width + wide_left };
    let moved = |expr: &Expr| {
        expr.replace_columns(&|index, column| Expr { kind: ExprKind::Column(shift(index)), ..column.clone() })
    };
    let condition = all_of(inside.iter().map(&moved).collect());
    // Fields as the join has them: padded ones may be NULL.
    let (own_left, own_right) = rel.schema.fields.split_at(left.width.min(rel.schema.len()));
    let mut fields: Vec<Field> = own_left.to_vec();
    fields.extend(left.rel.schema.fields.iter().skip(left.width).cloned());
    if !only_left {
        fields.extend(own_right.iter().cloned());
        fields.extend(right.rel.schema.fields.iter().skip(right.width).cloned());
    }
    let event_time = rel.schema.event_time.iter().map(|time| shift(*time)).collect();
    let keys: Vec<Key> = left.keys.iter().chain(&right.keys).cloned().collect();
    let spec = JoinSpec { condition, ..join.clone() };
    let node = RelNode::Join { left: Box::new(left.rel), right: Box::new(right.rel), join: spec };
    let joined = Rel { node, schema: Schema { fields, event_time } };
    let all = columns(&joined);
    let of = |from: usize, to: usize| all.get(from..to).unwrap_or_default().to_vec();
    let order = if only_left {
        all.clone()
    } else {
        let right_end = wide_left + right.width;
        let keys = [of(left.width, wide_left), of(right_end, wide_left + wide_right)].concat();
        [of(0, left.width), of(wide_left, right_end), keys].concat()
    };
    let pulled = Pulled { rel: reordered(joined, order), width: rel.schema.len(), keys };
    match all_of(above) {
        Some(predicate) => pull_filter(pulled, &predicate, domain),
        None => Ok(pulled),
    }
}

fn pull_union(rel: &Rel, inputs: &[Rel], domain: Option<&Domain>) -> Pull {
    let mut pulled = Vec::with_capacity(inputs.len());
    for input in inputs {
        pulled.push(with_domain(pull(input, domain)?, domain));
    }
    let shown = |pulled: &Pulled| {
        let keys = pulled.keys.iter().map(|key| format!("{} {}", key.outer, key.outer.ty.logical));
        keys.collect::<Vec<_>>()
    };
    let keys = match pulled.first() {
        Some(first) if pulled.iter().all(|other| shown(other) == shown(first)) => first.keys.clone(),
        _ => return Err(Stop::NeedsDomain),
    };
    let behind = pulled.first().into_iter().flat_map(|first| first.rel.schema.fields.iter().skip(first.width));
    let fields = rel.schema.fields.iter().chain(behind).cloned().collect();
    let schema = Schema { fields, event_time: rel.schema.event_time.clone() };
    let inputs = pulled.into_iter().map(|pulled| pulled.rel).collect();
    Ok(Pulled { rel: Rel { node: RelNode::UnionAll { inputs }, schema }, width: rel.schema.len(), keys })
}

pub(super) fn columns(rel: &Rel) -> Vec<Expr> {
    rel.schema.fields.iter().enumerate().map(|(index, field)| Expr::column(index, field.ty.clone())).collect()
}

pub(super) fn names(rel: &Rel) -> Vec<String> {
    rel.schema.fields.iter().map(|field| field.name.clone()).collect()
}

/// Some columns of a plan, in this order.
fn reordered(rel: Rel, order: Vec<Expr>) -> Rel {
    let unchanged = order.len() == rel.schema.len()
        && order.iter().enumerate().all(|(index, expr)| super::relation::passed_column(expr) == Some(index));
    if unchanged {
        return rel;
    }
    let name = |expr: &Expr| {
        let field = super::relation::passed_column(expr).and_then(|column| rel.schema.fields.get(column));
        field.map_or_else(String::new, |field| field.name.clone())
    };
    let names = order.iter().map(name).collect();
    project(rel, order, names)
}
