//! Which columns carry event time, once joins are what they are.
//!
//! The binder marks columns of both sides of a join. A join that keeps rows for ever gives them late, so behind it no
//! column carries event time; what needs one there is refused. The same holds for OVER in another order.

use crate::expr::ExprKind;
use crate::plan::logical::{AsOf, JoinSpec, Rel, RelNode};

/// Corrects the marks of a plan. Gives the reason when something needs event time where there is none.
pub(super) fn settle(rel: &mut Rel) -> Result<(), String> {
    for input in rel.inputs_mut() {
        settle(input)?;
    }
    if let RelNode::Join { left, right, join } = &mut rel.node
        && join.by_window().is_none()
        && join.as_of.is_none()
    {
        join.time = super::interval::time_bound(join, &left.schema, &right.schema);
    }
    let kept = |input: &Rel, column: usize| input.schema.event_time.contains(&column);
    let times = match &rel.node {
        RelNode::Scan { .. } | RelNode::Values { .. } | RelNode::Aggregate { .. } => return Ok(()),
        // It has a time of its own, whatever that of the input is.
        RelNode::ProcessingTime { .. } => return Ok(()),
        // The marks of both sides stay.
        RelNode::Join { join, .. } if join.time.is_some() => return Ok(()),
        RelNode::Join { left, right, join: JoinSpec { as_of: Some(as_of), .. } } => {
            if let AsOf::Version(times) = as_of
                && !(kept(left, times.left) && kept(right, times.right))
            {
                return Err(lost("A temporal join"));
            }
            let of_left = |column: &usize| *column < left.schema.len() && kept(left, *column);
            rel.schema.event_time.iter().copied().filter(of_left).collect()
        }
        RelNode::Join { .. } | RelNode::Limit { .. } | RelNode::Merge { .. } => Vec::new(),
        RelNode::Window { input, window } => {
            if !kept(input, window.time_column) {
                return Err(lost("A window"));
            }
            return Ok(());
        }
        RelNode::Project { input, exprs } => {
            let passed = |column: &usize| match exprs.get(*column).map(|expr| &expr.kind) {
                Some(ExprKind::Column(below)) => kept(input, *below),
                _ => false,
            };
            rel.schema.event_time.iter().copied().filter(passed).collect()
        }
        // In another order, rows change long after their time.
        RelNode::Over { input, over } if !over.by_event_time(&input.schema) => Vec::new(),
        RelNode::Filter { input, .. }
        | RelNode::TableCall { input, .. }
        | RelNode::Repeat { input, .. }
        | RelNode::Over { input, .. }
        | RelNode::Rank { input, .. }
        | RelNode::Expand { input, .. } => {
            rel.schema.event_time.iter().copied().filter(|column| kept(input, *column)).collect()
        }
        RelNode::Sort { input, sort } => {
            if sort.first().is_none_or(|key| !kept(input, key.column)) {
                return Err(lost("ORDER BY without LIMIT"));
            }
            rel.schema.event_time.iter().copied().filter(|column| kept(input, *column)).collect()
        }
        RelNode::UnionAll { inputs } => {
            let everywhere = |column: &usize| inputs.iter().all(|input| kept(input, *column));
            rel.schema.event_time.iter().copied().filter(everywhere).collect()
        }
    };
    rel.schema.event_time = times;
    Ok(())
}

fn lost(what: &str) -> String {
    format!(
        "{what} needs event time, and behind a join that keeps its rows for ever, or OVER in another order than that of \
         event time, there is none."
    )
}
