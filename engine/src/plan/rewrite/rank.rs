//! `WHERE rn <= 3` above `ROW_NUMBER() OVER (…) AS rn` becomes a Top-N, as Flink has it.

use crate::expr::{Expr, ExprKind, Value};
use crate::plan::logical::{OverCall, OverSpec, RankSpec, Rel, RelNode};

/// Rewrites every row number with an upper bound. Over bounded input also those without: all rows are numbered at the end.
pub(super) fn rank(rel: &mut Rel, batch: bool) {
    let replaced = match &rel.node {
        RelNode::Filter { input, predicate } => bound(input, predicate),
        RelNode::Over { over, .. } if batch && numbers(over) => Some(ranked(rel, 1, u64::MAX)),
        _ => None,
    };
    if let Some(replaced) = replaced {
        *rel = replaced;
    }
    rel.inputs_mut().into_iter().for_each(|input| rank(input, batch));
}

/// The input with a Top-N in place of its row number, below what is left of the predicate.
fn bound(input: &Rel, predicate: &Expr) -> Option<Rel> {
    let (mut from, mut to, mut rest) = (1_u64, u64::MAX, Vec::new());
    for part in conjuncts(predicate) {
        match limit(part).filter(|(column, _)| is_number(input, *column)) {
            Some((_, (low, high))) => (from, to) = (from.max(low), to.min(high)),
            None => rest.push(part.clone()),
        }
    }
    if to == u64::MAX {
        return None;
    }
    let mut below = input.clone();
    replace(&mut below, from, to);
    let all = rest.into_iter().reduce(|left, right| and(left, right, predicate));
    Some(match all {
        Some(predicate) => {
            let schema = below.schema.clone();
            Rel { node: RelNode::Filter { input: Box::new(below), predicate }, schema }
        }
        None => below,
    })
}

/// The parts of a condition that all have to be true.
pub(crate) fn conjuncts(predicate: &Expr) -> Vec<&Expr> {
    match &predicate.kind {
        ExprKind::Call { function, args } if function.name() == "AND" => args.iter().flat_map(conjuncts).collect(),
        _ => vec![predicate],
    }
}

/// `all` is a condition that has an AND in it.
fn and(left: Expr, right: Expr, all: &Expr) -> Expr {
    let ExprKind::Call { function, .. } = &all.kind else { return left };
    let kind = ExprKind::Call { function: function.clone(), args: vec![left, right] };
    Expr { kind, ty: all.ty.clone(), span: all.span }
}

/// A comparison of a column with a number: the column, the lowest and the highest number that pass.
fn limit(test: &Expr) -> Option<(usize, (u64, u64))> {
    let ExprKind::Call { function, args } = &test.kind else { return None };
    let [left, right] = args.as_slice() else { return None };
    let number = |value: &Value| value.as_i64();
    let (column, number, name) = match (&left.kind, &right.kind) {
        (ExprKind::Column(column), ExprKind::Literal(value)) => (*column, number(value)?, function.name()),
        (ExprKind::Literal(value), ExprKind::Column(column)) => (*column, number(value)?, mirrored(function.name())),
        _ => return None,
    };
    let at = |number: i64| u64::try_from(number.max(0)).unwrap_or(0);
    let range = match name {
        "=" => (at(number), at(number)),
        "<=" => (1, at(number)),
        "<" => (1, at(number.saturating_sub(1))),
        ">=" => (at(number), u64::MAX),
        ">" => (at(number.saturating_add(1)), u64::MAX),
        _ => return None,
    };
    Some((column, range))
}

fn mirrored(name: &str) -> &str {
    match name {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        name => name,
    }
}

/// Whether a column is a row number, passed on by projections only.
fn is_number(rel: &Rel, column: usize) -> bool {
    match &rel.node {
        RelNode::Over { input, over } => column == input.schema.len() && numbers(over),
        RelNode::Project { input, exprs } => match exprs.get(column).map(|expr| &expr.kind) {
            Some(ExprKind::Column(below)) => is_number(input, *below),
            _ => false,
        },
        _ => false,
    }
}

fn numbers(over: &OverSpec) -> bool {
    matches!(over.calls.as_slice(), [OverCall::RowNumber]) && !over.sort.is_empty()
}

fn replace(rel: &mut Rel, from: u64, to: u64) {
    match &mut rel.node {
        RelNode::Project { input, .. } => replace(input, from, to),
        _ => *rel = ranked(rel, from, to),
    }
}

/// The Top-N in place of a row number.
fn ranked(rel: &Rel, from: u64, to: u64) -> Rel {
    let RelNode::Over { input, over } = &rel.node else { return rel.clone() };
    let rank = RankSpec {
        partition: over.partition.clone(),
        sort: over.sort.clone(),
        from: from.max(1),
        to,
        number: true,
        window: over.window,
    };
    Rel { node: RelNode::Rank { input: input.clone(), rank }, schema: rel.schema.clone() }
}
