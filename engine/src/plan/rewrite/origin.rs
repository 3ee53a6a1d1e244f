//! Where a column comes from.

use crate::catalog::ColumnKind;
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Rel, RelNode, WindowGroup, WindowKind};

/// Whether the window columns of an aggregate come straight from a window function below it, through nothing but
/// projections and filters, and are used by none of those. Then rows need not be repeated once per window.
pub fn window_below(input: &Rel, group: &WindowGroup) -> bool {
    let columns: Vec<usize> = [Some(group.start), Some(group.end), group.time].into_iter().flatten().collect();
    // The binder names `start` where the time column is no longer there to assign the window again.
    group.time_column != group.start && untouched(input, &columns)
}

/// Whether the session window below is by just these columns, so that sessions may be made while aggregating. Not through
/// a filter: the rows that it leaves out bridge gaps.
pub fn session_by(input: &Rel, keys: &[usize]) -> bool {
    match &input.node {
        RelNode::Window { window, .. } => {
            let WindowKind::Session { partition, .. } = &window.kind else { return false };
            keys.iter().all(|key| partition.contains(key)) && partition.iter().all(|key| keys.contains(key))
        }
        RelNode::Project { input, exprs } => {
            let below = keys.iter().map(|column| match exprs.get(*column).map(|expr| &expr.kind) {
                Some(ExprKind::Column(index)) => Some(*index),
                _ => None,
            });
            below.collect::<Option<Vec<usize>>>().is_some_and(|below| session_by(input, &below))
        }
        _ => false,
    }
}

/// Whether a column is the time at which its row is processed: `PROCTIME()` of a table or of a query, passed on.
pub fn is_processing_time(rel: &Rel, column: usize) -> bool {
    let through = |input: &Rel| column < input.schema.len() && is_processing_time(input, column);
    match &rel.node {
        RelNode::Scan { table } => match table.columns.get(column).map(|column| &column.kind) {
            Some(ColumnKind::Computed(expr)) => is_proctime(expr),
            _ => false,
        },
        RelNode::Project { input, exprs } => match exprs.get(column).map(|expr| (&expr.kind, expr)) {
            Some((ExprKind::Column(below), _)) => is_processing_time(input, *below),
            Some((_, expr)) => is_proctime(expr),
            None => false,
        },
        RelNode::ProcessingTime { column: own, .. } if *own == column => true,
        RelNode::UnionAll { inputs } => inputs.iter().all(through),
        RelNode::Join { left, right, .. } if column >= left.schema.len() => {
            is_processing_time(right, column - left.schema.len())
        }
        RelNode::Values { .. } | RelNode::Aggregate { .. } => false,
        _ => rel.inputs().first().is_some_and(|input| through(input)),
    }
}

fn is_proctime(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call { function, .. } if function.name() == "PROCTIME")
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
        RelNode::Expand { input, expand } => {
            let passed = columns.iter().all(|column| *column < input.schema.len());
            passed && !uses_window_column(input, &expand.keys) && untouched(input, columns)
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
        RelNode::Expand { input, expand } => {
            let below: Vec<usize> = columns
                .iter()
                .filter_map(|column| match column.checked_sub(input.schema.len()) {
                    Some(appended) => expand.keys.get(appended).copied(),
                    None => Some(*column),
                })
                .collect();
            uses_window_column(input, &below)
        }
        _ => false,
    }
}
