//! Constant parts of expressions are computed once, while planning.
//!
//! Never turns an error at run time into one of planning: what cannot be computed stays as it is. Nothing is folded that
//! depends on the session or on when it runs.

use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch};
use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema};
use datafusion_common::ScalarValue;

use crate::expr::{Expr, ExprKind, Value};
use crate::plan::logical::{Rel, RelNode};
use crate::plan::retention::GroupClean;
use crate::types::{LogicalType, Schema};

/// Folds every expression of a plan.
pub(super) fn fold(rel: &mut Rel) {
    match &mut rel.node {
        RelNode::Project { exprs, .. } => exprs.iter_mut().for_each(fold_expr),
        RelNode::Filter { predicate, .. } => fold_expr(predicate),
        RelNode::TableCall { call, .. } => call.args.iter_mut().for_each(fold_expr),
        RelNode::Aggregate { aggregate, .. } => {
            if let Some(GroupClean::Result(condition)) = &mut aggregate.retention.clean {
                fold_expr(condition);
            }
        }
        RelNode::Join { join, .. } => {
            let cleans = join.retention.iter_mut().flat_map(|retention| retention.clean.iter_mut());
            join.condition.iter_mut().chain(cleans).for_each(fold_expr);
        }
        _ => {}
    }
    rel.inputs_mut().into_iter().for_each(fold);
}

/// The value of an expression without columns, if it has one that is the same at any time and in any session.
pub(crate) fn constant(expr: &Expr) -> Option<Value> {
    if let ExprKind::Literal(value) = &expr.kind {
        return Some(value.clone());
    }
    if !expr.columns().is_empty() || !is_fixed(expr) {
        return None;
    }
    let lowered = crate::expr::lower::lower(expr, &Schema::default()).ok()?;
    let schema = Arc::new(ArrowSchema::new(vec![ArrowField::new("row", DataType::Int32, false)]));
    let batch = RecordBatch::try_new(schema, vec![Arc::new(Int32Array::from(vec![0]))]).ok()?;
    let result = lowered.evaluate(&batch).ok()?;
    let array = result.into_array(1).ok()?;
    let value = ScalarValue::try_from_array(&array, 0).ok()?;
    (value.data_type() == expr.ty.logical.to_arrow()).then_some(Value(value))
}

fn fold_expr(expr: &mut Expr) {
    if matches!(expr.kind, ExprKind::Literal(_) | ExprKind::Column(_)) {
        return;
    }
    if let Some(value) = constant(expr) {
        let nullable = value.is_null();
        expr.kind = ExprKind::Literal(value);
        expr.ty.nullable = nullable;
        return;
    }
    match &mut expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => {}
        ExprKind::Call { args, .. } => args.iter_mut().for_each(fold_expr),
        ExprKind::Cast { input, .. } => fold_expr(input),
        ExprKind::Case { branches, otherwise } => {
            for (condition, result) in branches {
                fold_expr(condition);
                fold_expr(result);
            }
            if let Some(otherwise) = otherwise {
                fold_expr(otherwise);
            }
        }
    }
}

/// Functions that read or write local time without saying so in their types.
const SESSION_BOUND: &[&str] = &["UNIX_TIMESTAMP", "FROM_UNIXTIME", "CONVERT_TZ"];

/// No call of it gives different results at different times, and none depends on the time zone of the session.
fn is_fixed(expr: &Expr) -> bool {
    let own = match &expr.kind {
        ExprKind::Call { function, .. } => {
            !function.volatile && function.user.is_none() && !SESSION_BOUND.contains(&function.name())
        }
        _ => true,
    };
    own && !matches!(expr.ty.logical, LogicalType::TimestampLtz(_)) && expr.children().into_iter().all(is_fixed)
}
