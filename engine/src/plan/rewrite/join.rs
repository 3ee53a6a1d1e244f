//! Joins as the runtime wants them: filters above a join become part of its condition or go below it, equalities become
//! keys, and what concerns one side only is tested there.

use datafusion_common::ScalarValue;

use super::rank::conjuncts;
use crate::expr::{Expr, ExprKind};
use crate::function::ScalarCall;
use crate::plan::logical::{AsOf, JoinKey, JoinKind, JoinSpec, Rel, RelNode};
use crate::types::{Field, LogicalType, Schema, Type};

/// Rewrites every join of a plan, from the top, so that conditions sink as deep as they can.
pub(super) fn joins(rel: &mut Rel) {
    if let RelNode::Filter { input, predicate } = &rel.node
        && let RelNode::Join { left, right, join } = &input.node
    {
        let (above, join) = absorb(predicate, left.schema.len(), join);
        let joined = Rel {
            node: RelNode::Join { left: left.clone(), right: right.clone(), join },
            schema: input.schema.clone(),
        };
        *rel = filtered(joined, above);
    }
    match &mut rel.node {
        // A filter that had to stay: the join is below it.
        RelNode::Filter { input, .. } if matches!(input.node, RelNode::Join { .. }) => split(input),
        RelNode::Join { .. } => split(rel),
        _ => {}
    }
    rel.inputs_mut().into_iter().for_each(joins);
}

/// Parts of a filter above a join that may become part of its condition, and what has to stay above.
fn absorb(predicate: &Expr, width: usize, join: &JoinSpec) -> (Vec<Expr>, JoinSpec) {
    let (mut above, mut inside): (Vec<Expr>, Vec<Expr>) = (Vec::new(), join.condition.iter().cloned().collect());
    for part in conjuncts(predicate) {
        let sides = side_of(part, width);
        if join.kind == JoinKind::Inner && sides != Sides::None {
            inside.push(part.clone());
        } else {
            above.push(part.clone());
        }
    }
    (above, JoinSpec { condition: all_of(inside), ..join.clone() })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sides {
    None,
    Left,
    Right,
    Both,
}

fn side_of(expr: &Expr, width: usize) -> Sides {
    let columns = expr.columns();
    match (columns.iter().any(|column| *column < width), columns.iter().any(|column| *column >= width)) {
        (false, false) => Sides::None,
        (true, false) => Sides::Left,
        (false, true) => Sides::Right,
        (true, true) => Sides::Both,
    }
}

/// Takes a join's condition apart: keys, filters of one side, and the rest.
fn split(rel: &mut Rel) {
    let RelNode::Join { left, right, join } = &rel.node else { return };
    let Some(condition) = &join.condition else { return };
    let (mut left, mut right) = (Rel::clone(left), Rel::clone(right));
    let width = left.schema.len();
    let (mut of_left, mut of_right, mut rest, mut equal) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for part in conjuncts(condition) {
        // A row of a side that is not kept for itself may be left out before it is joined.
        let drops_left = matches!(join.kind, JoinKind::Inner | JoinKind::Right | JoinKind::Semi);
        // Of a versioned side none may: the version before it would take its place.
        let versioned = matches!(join.as_of, Some(AsOf::Version(_)));
        let drops_right = !matches!(join.kind, JoinKind::Right | JoinKind::Full) && !versioned;
        if matches!(&part.kind, ExprKind::Literal(value) if value.0 == ScalarValue::Boolean(Some(true))) {
            continue;
        }
        match side_of(part, width) {
            Sides::Left if drops_left => of_left.push(part.clone()),
            Sides::Right if drops_right => of_right.push(moved(part, width)),
            Sides::Both => match equality(part, width) {
                Some((left, right, null_safe)) if may_be_key(join, &right, null_safe) => {
                    equal.push((left, right, null_safe));
                }
                _ => rest.push(part.clone()),
            },
            _ => rest.push(part.clone()),
        }
    }
    left = filtered(left, of_left);
    right = filtered(right, of_right);
    let mut keys = join.keys.clone();
    for (left_key, right_key, null_safe) in equal {
        let (left_place, right_place) = (place(&mut left, left_key), place(&mut right, right_key));
        keys.push(JoinKey { left: left_place, right: right_place, null_safe });
    }
    // Keys that are computed stand behind the columns of their side, and are cut off above the join.
    let (wide_left, wide_right) = (left.schema.len(), right.schema.len());
    let old_right = rel.schema.len().saturating_sub(width);
    let to_wide = |index: usize, column: &Expr| {
        let index = if index < width { index } else { index - width + wide_left };
        Expr { kind: ExprKind::Column(index), ..column.clone() }
    };
    let condition = all_of(rest).map(|condition| condition.replace_columns(&to_wide));
    let only_left = matches!(join.kind, JoinKind::Semi | JoinKind::Anti);
    let join = JoinSpec { keys, condition, ..join.clone() };
    let schema = rel.schema.clone();
    if wide_left == width && (only_left || wide_right == old_right) {
        rel.node = RelNode::Join { left: Box::new(left), right: Box::new(right), join };
        return;
    }
    let mut fields: Vec<Field> = schema.fields.iter().take(width).cloned().collect();
    fields.extend(left.schema.fields.iter().skip(width).cloned());
    if !only_left {
        fields.extend(schema.fields.iter().skip(width).cloned());
        fields.extend(right.schema.fields.iter().skip(old_right).cloned());
    }
    let event_time = schema.event_time.iter().map(|time| if *time < width { *time } else { *time - width + wide_left });
    let wide = Schema { fields, event_time: event_time.collect() };
    let back = (0..schema.len()).map(|index| {
        let place = if index < width { index } else { index - width + wide_left };
        Expr::column(place, schema.fields[index].ty.clone())
    });
    let back: Vec<Expr> = back.collect();
    let joined = Rel { node: RelNode::Join { left: Box::new(left), right: Box::new(right), join }, schema: wide };
    rel.node = RelNode::Project { input: Box::new(joined), exprs: back };
}

/// `left = right` with each side from one input: both over their own input.
fn equality(part: &Expr, width: usize) -> Option<(Expr, Expr, bool)> {
    let ExprKind::Call { function, args } = &part.kind else { return None };
    let null_safe = match function.name() {
        "=" => false,
        "IS NOT DISTINCT FROM" => true,
        _ => return None,
    };
    let [a, b] = args.as_slice() else { return None };
    // Bytes of floats tell -0.0 from 0.0, and NaN equals itself there.
    if a.ty.logical != b.ty.logical || matches!(a.ty.logical, LogicalType::Float | LogicalType::Double) {
        return None;
    }
    match (side_of(a, width), side_of(b, width)) {
        (Sides::Left, Sides::Right) => Some((a.clone(), moved(b, width), null_safe)),
        (Sides::Right, Sides::Left) => Some((b.clone(), moved(a, width), null_safe)),
        _ => None,
    }
}

/// A table that is looked up is asked by its own columns.
fn may_be_key(join: &JoinSpec, right: &Expr, null_safe: bool) -> bool {
    !matches!(join.as_of, Some(AsOf::Now(_))) || (matches!(right.kind, ExprKind::Column(_)) && !null_safe)
}

/// An expression over both sides that reads the right one only, over that.
fn moved(expr: &Expr, width: usize) -> Expr {
    expr.replace_columns(&|index, column| Expr { kind: ExprKind::Column(index - width), ..column.clone() })
}

/// The column that holds the expression; appended when it is not there.
fn place(rel: &mut Rel, expr: Expr) -> usize {
    if let ExprKind::Column(index) = expr.kind {
        return index;
    }
    let at = rel.schema.len();
    let passed = rel.schema.fields.iter().enumerate().map(|(index, field)| Expr::column(index, field.ty.clone()));
    let mut exprs: Vec<Expr> = passed.collect();
    let mut schema = rel.schema.clone();
    schema.fields.push(Field::new(format!("key${at}"), expr.ty.clone()));
    exprs.push(expr);
    *rel = Rel { node: RelNode::Project { input: Box::new(rel.clone()), exprs }, schema };
    at
}

fn filtered(rel: Rel, parts: Vec<Expr>) -> Rel {
    match all_of(parts) {
        Some(predicate) => {
            let schema = rel.schema.clone();
            Rel { node: RelNode::Filter { input: Box::new(rel), predicate }, schema }
        }
        None => rel,
    }
}

/// All conditions as one, as a tree of small height.
pub(crate) fn all_of(mut parts: Vec<Expr>) -> Option<Expr> {
    while parts.len() > 1 {
        let mut paired = Vec::with_capacity(parts.len().div_ceil(2));
        let mut rest = parts.into_iter();
        while let Some(left) = rest.next() {
            paired.push(match rest.next() {
                Some(right) => and(left, right),
                None => left,
            });
        }
        parts = paired;
    }
    parts.pop()
}

fn and(left: Expr, right: Expr) -> Expr {
    let boolean = |nullable| Type::new(LogicalType::Boolean, nullable);
    let types = vec![boolean(left.ty.nullable), boolean(right.ty.nullable)];
    let ty = boolean(left.ty.nullable || right.ty.nullable);
    let kernel = crate::function::Kernel::Binary(datafusion_expr::Operator::And);
    let function = std::sync::Arc::new(ScalarCall::new("AND", types, ty.clone(), kernel));
    let span = left.span;
    Expr { kind: ExprKind::Call { function, args: vec![left, right] }, ty, span }
}
