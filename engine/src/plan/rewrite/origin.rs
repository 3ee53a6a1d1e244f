//! Where a column comes from.

use crate::expr::ExprKind;
use crate::plan::logical::{Rel, RelNode, WindowGroup};

/// Whether the window columns of an aggregate come straight from a window function below it, through nothing but
/// projections and filters, and are used by none of those. Then rows need not be repeated once per window.
pub fn window_below(input: &Rel, group: &WindowGroup) -> bool {
    let columns: Vec<usize> = [Some(group.start), Some(group.end), group.time].into_iter().flatten().collect();
    // The binder names `start` where the time column is no longer there to assign the window again.
    group.time_column != group.start && untouched(input, &columns)
}

fn untouched(rel: &Rel, columns: &[usize]) -> bool {
    match &rel.node {
        RelNode::Window { input, .. } => columns.iter().all(|column| *column >= input.schema.len()),
        RelNode::Filter { input, predicate } => {
            !uses_window_column(input, &predicate.columns()) && untouched(input, columns)
        }
        RelNode::Project { input, exprs } => {
            let below: Option<Vec<usize>> = columns
                .iter()
                .map(|column| match exprs.get(*column).map(|expr| &expr.kind) {
                    Some(ExprKind::Column(index)) => Some(*index),
                    _ => None,
                })
                .collect();
            let computed = exprs.iter().filter(|expr| !matches!(expr.kind, ExprKind::Column(_)));
            let computed_from_window = computed.map(|expr| expr.columns()).any(|used| uses_window_column(input, &used));
            below.is_some_and(|below| !computed_from_window && untouched(input, &below))
        }
        _ => false,
    }
}

/// Whether any of these output columns of `rel` is one that the window function appended.
fn uses_window_column(rel: &Rel, columns: &[usize]) -> bool {
    match &rel.node {
        RelNode::Window { input, .. } => columns.iter().any(|column| *column >= input.schema.len()),
        RelNode::Filter { input, .. } => uses_window_column(input, columns),
        RelNode::Project { input, exprs } => {
            let below: Vec<usize> =
                columns.iter().filter_map(|column| exprs.get(*column)).flat_map(|e| e.columns()).collect();
            uses_window_column(input, &below)
        }
        _ => false,
    }
}
