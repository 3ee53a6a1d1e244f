//! What identifies the versions of a temporal join, and whether the join asks for them.

use super::{fold, rank};
use crate::expr::ExprKind;
use crate::plan::logical::{AsOf, Rel, RelNode};

/// Columns of which no two rows that are there at the same time have the same values. Row numbers with a bound may not
/// have been rewritten yet.
pub(crate) fn unique_key(rel: &Rel) -> Option<Vec<usize>> {
    let mut rel = rel.clone();
    fold::fold(&mut rel);
    rank::rank(&mut rel, false);
    key_of(&rel).filter(|key| !key.is_empty())
}

fn key_of(rel: &Rel) -> Option<Vec<usize>> {
    match &rel.node {
        RelNode::Scan { table } => Some(table.primary_key.clone()),
        RelNode::Project { input, exprs } => {
            let place = |column: usize| {
                exprs.iter().position(|expr| matches!(expr.kind, ExprKind::Column(from) if from == column))
            };
            key_of(input)?.into_iter().map(place).collect()
        }
        RelNode::Filter { input, .. } | RelNode::Sort { input, .. } | RelNode::Limit { input, .. } => key_of(input),
        RelNode::Rank { input, rank } if (rank.from, rank.to) == (1, 1) => {
            // Within a window the bounds are part of the partition.
            let key = Some(rank.partition.clone()).filter(|partition| !partition.is_empty());
            key.or_else(|| key_of(input))
        }
        RelNode::Rank { input, .. } => key_of(input),
        RelNode::Aggregate { aggregate, .. } => Some((0..aggregate.group.len()).collect()),
        _ => None,
    }
}

/// Whether the row that an update leaves behind says all: no filter can have let only the row before it through.
pub(crate) fn only_newest(rel: &Rel) -> bool {
    match &rel.node {
        RelNode::Project { input, .. } => only_newest(input),
        RelNode::Filter { input, predicate } => {
            let key = key_of(input).unwrap_or_default();
            predicate.columns().iter().all(|column| key.contains(column)) && only_newest(input)
        }
        RelNode::Scan { .. } | RelNode::Aggregate { .. } => true,
        RelNode::Rank { rank, .. } => (rank.from, rank.to) == (1, 1),
        _ => false,
    }
}

/// Gives the reason when a temporal join does not ask for what identifies a version or a row.
pub(super) fn check(rel: &Rel) -> Result<(), String> {
    rel.inputs().into_iter().try_for_each(check)?;
    let RelNode::Join { right, join, .. } = &rel.node else { return Ok(()) };
    match &join.as_of {
        Some(AsOf::Version(_)) => {
            let key = key_of(right).unwrap_or_default();
            let asked = |column: &usize| join.keys.iter().any(|key| key.right == *column);
            if key.iter().all(asked) {
                return Ok(());
            }
            let name = |column: &usize| right.schema.fields.get(*column).map_or("?", |field| field.name.as_str());
            Err(format!(
                "A temporal join compares the whole primary key of the versioned table ({}) with columns of the left \
                 one, each with = and of one type. Other conditions may only be added to that.",
                key.iter().map(name).collect::<Vec<_>>().join(", ")
            ))
        }
        _ => Ok(()),
    }
}
