//! Rows by key: behind sources that give them so, and before sinks that take them so.

use std::collections::BTreeSet;
use std::sync::Arc;

use millrace_wire::graph::ChangelogMode;

use super::rank::comparable;
use super::{Builder, Draft, Input, Node, NodeKind, Partitioning, single};
use crate::catalog::TableRef;
use crate::connector::Accepts;
use crate::expr::ExprKind;
use crate::operator::NumberColumn;
use crate::sql::Problem;
use crate::types::Schema;

impl Builder<'_> {
    /// Behind a source whose rows replace each other: the changelog with the old rows.
    pub(super) fn normalize(
        &mut self,
        table: &TableRef,
        from: usize,
        used: &BTreeSet<usize>,
    ) -> Result<usize, Problem> {
        let schema = table.schema();
        let columns: Vec<usize> = used.iter().copied().collect();
        let kept = Schema::new(columns.iter().filter_map(|column| schema.fields.get(*column)).cloned().collect());
        let keys = table.primary_key.clone();
        comparable(&schema, keys.iter().copied(), "An upsert source")?;
        let text = format!("Normalize {keys:?}");
        // Other columns are other state.
        let typed = kept.fields.iter().map(|field| format!("{} {}", field.name, field.ty.logical));
        let state = format!("{text} {}", typed.collect::<Vec<_>>().join(","));
        let kind = NodeKind::Normalize { keys: keys.clone(), columns, ttl: self.settings.state_ttl };
        Ok(self.by_key(from, kind, keys, schema, ChangelogMode::Retract, text, state))
    }

    /// Before a sink with a primary key, when the rows are not known to be one per key.
    pub(super) fn materialized(&mut self, from: usize, accepts: Accepts, key: &[usize]) -> Result<usize, Problem> {
        let above = &self.nodes[from];
        let one_per_key =
            |known: Vec<usize>| known.iter().collect::<BTreeSet<_>>() == key.iter().collect::<BTreeSet<_>>();
        let by_key = accepts == Accepts::Upsert && !key.is_empty();
        if !by_key || above.changelog == ChangelogMode::Append || unique_key(&self.nodes, from).is_some_and(one_per_key)
        {
            return Ok(from);
        }
        let schema = above.schema.clone();
        comparable(&schema, key.iter().copied(), "A sink with a primary key")?;
        let types: Vec<String> = schema.fields.iter().map(|field| field.ty.logical.to_string()).collect();
        let text = format!("UpsertMaterialize {key:?} {}", types.join(","));
        let kind = NodeKind::UpsertMaterialize { keys: key.to_vec(), ttl: self.settings.state_ttl };
        Ok(self.by_key(from, kind, key.to_vec(), schema, ChangelogMode::Upsert, text.clone(), text))
    }

    #[expect(clippy::too_many_arguments, reason = "a node has so many parts")]
    fn by_key(
        &mut self,
        from: usize,
        kind: NodeKind,
        keys: Vec<usize>,
        schema: Schema,
        changelog: ChangelogMode,
        text: String,
        state: String,
    ) -> usize {
        let above = self.nodes[from].parallelism;
        let (partitioning, parallelism) = if keys.is_empty() {
            (single(above), 1)
        } else if self.settings.parallelism == 1 && above == 1 {
            (Partitioning::Forward, 1)
        } else {
            (Partitioning::Hash(keys), self.settings.parallelism)
        };
        let inputs = vec![Input { from, partitioning }];
        self.add(Draft { kind, inputs, schema, changelog, parallelism, state, text })
    }
}

/// Columns of which no two rows of a node's result have the same values, as far as that is seen easily.
fn unique_key(nodes: &[Node], node: usize) -> Option<Vec<usize>> {
    let node = nodes.get(node)?;
    let below = || unique_key(nodes, node.inputs.first()?.from);
    match &node.kind {
        NodeKind::Normalize { keys, .. }
        | NodeKind::UpsertMaterialize { keys, .. }
        // Rows that it takes back stand in the target: nothing in between knows them.
        | NodeKind::Merge { key: keys } => Some(keys.clone()),
        NodeKind::GroupAggregate { group, .. } => Some((0..group.len()).collect()),
        NodeKind::Rank { partition, from: 1, to: 1, number, .. } if *number != NumberColumn::Given => {
            Some(partition.clone())
        }
        NodeKind::Calc { exprs: None, .. } => below(),
        NodeKind::Calc { exprs: Some(exprs), .. } => {
            let place = |column: &usize| {
                exprs.iter().position(|expr| matches!(expr.kind, ExprKind::Column(index) if index == *column))
            };
            below()?.iter().map(place).collect()
        }
        _ => None,
    }
}

/// A source that gives rows by key needs the key, whoever reads it.
pub(super) fn lacks_key(table: &TableRef, used: &BTreeSet<usize>) -> bool {
    !table.primary_key.iter().all(|column| used.contains(column))
}

pub(super) fn mode_of(source: &Arc<dyn crate::connector::Source>) -> ChangelogMode {
    match (source.upserts(), source.changelog()) {
        (true, _) => ChangelogMode::Upsert,
        (false, true) => ChangelogMode::Retract,
        (false, false) => ChangelogMode::Append,
    }
}
