//! Conditions on two event times that bound how far apart they are.

use super::rank::conjuncts;
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{JoinKind, JoinSpec, TimeBound};
use crate::types::{LogicalType, Schema};

/// The bound that keys and condition give, if they do in both directions. The condition itself stays as it is.
pub(super) fn time_bound(join: &JoinSpec, left: &Schema, right: &Schema) -> Option<TimeBound> {
    if matches!(join.kind, JoinKind::Semi | JoinKind::Anti) {
        return None;
    }
    let is_time = |left_column: usize, right_column: usize| {
        left.event_time.contains(&left_column) && right.event_time.contains(&right_column)
    };
    if let Some(key) = join.keys.iter().find(|key| is_time(key.left, key.right)) {
        return Some(TimeBound { left: key.left, right: key.right, low: 0, high: 0 });
    }
    let width = left.len();
    // By the first pair of columns that is compared.
    let mut bound: Option<(usize, usize, Option<i64>, Option<i64>)> = None;
    for part in join.condition.iter().flat_map(conjuncts) {
        let Some((left_column, right_column, low, high)) = difference(part, width) else { continue };
        if !is_time(left_column, right_column) {
            continue;
        }
        let (known_left, known_right, known_low, known_high) =
            bound.get_or_insert((left_column, right_column, None, None));
        if (*known_left, *known_right) == (left_column, right_column) {
            *known_low = (*known_low).into_iter().chain(low).max();
            *known_high = (*known_high).into_iter().chain(high).min();
        }
    }
    let (left, right, low, high) = bound?;
    Some(TimeBound { left, right, low: low?, high: high? })
}

/// A comparison as bounds of `left - right`: left column, right column, low, high.
fn difference(part: &Expr, width: usize) -> Option<(usize, usize, Option<i64>, Option<i64>)> {
    let ExprKind::Call { function, args } = &part.kind else { return None };
    let [a, b] = args.as_slice() else { return None };
    let ((a, a_shift), (b, b_shift)) = (shifted(a)?, shifted(b)?);
    let name = function.name();
    // a + a_shift ? b + b_shift
    let (left, right, apart, name) = match (a < width, b < width) {
        (true, false) => (a, b - width, b_shift - a_shift, name),
        (false, true) => (b, a - width, a_shift - b_shift, mirrored(name)),
        _ => return None,
    };
    let (low, high) = match name {
        "=" => (Some(apart), Some(apart)),
        ">=" => (Some(apart), None),
        ">" => (Some(apart + 1), None),
        "<=" => (None, Some(apart)),
        "<" => (None, Some(apart - 1)),
        _ => return None,
    };
    Some((left, right, low, high))
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

/// A column, or one with an interval added or taken away: the column and the milliseconds added.
fn shifted(expr: &Expr) -> Option<(usize, i64)> {
    match &expr.kind {
        ExprKind::Column(column) => Some((*column, 0)),
        // Between precisions that are all kept in milliseconds nothing changes.
        ExprKind::Cast { input, .. } if in_millis(&input.ty.logical) && in_millis(&expr.ty.logical) => shifted(input),
        ExprKind::Call { function, args } => {
            let [a, b] = args.as_slice() else { return None };
            let millis = |expr: &Expr| match &expr.kind {
                ExprKind::Literal(value) if expr.ty.logical == LogicalType::IntervalDayTime => value.as_i64(),
                _ => None,
            };
            match function.name() {
                "+" => match (millis(a), millis(b)) {
                    (None, Some(shift)) => shifted(a).map(|(column, before)| (column, before + shift)),
                    (Some(shift), None) => shifted(b).map(|(column, before)| (column, before + shift)),
                    _ => None,
                },
                "-" => millis(b).and_then(|shift| shifted(a).map(|(column, before)| (column, before - shift))),
                _ => None,
            }
        }
        _ => None,
    }
}

fn in_millis(ty: &LogicalType) -> bool {
    matches!(ty, LogicalType::Timestamp(p) | LogicalType::TimestampLtz(p) if *p == 3)
}
