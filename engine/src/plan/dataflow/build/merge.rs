//! MERGE, and rows as often as a column says.

use millrace_wire::graph::ChangelogMode;

use super::{Builder, Draft};
use crate::plan::dataflow::{Input, NodeKind, Partitioning, problem};
use crate::plan::logical::Rel;
use crate::sql::Problem;

impl Builder<'_> {
    pub(super) fn merge(&mut self, rel: &Rel, input: &Rel, key: &[usize]) -> Result<usize, Problem> {
        let from = self.rel(input)?;
        let endless = self.nodes.iter().find_map(|node| match &node.kind {
            NodeKind::Source { table, source, .. } if !source.bounded() => Some(table.name.clone()),
            _ => None,
        });
        if let Some(name) = endless {
            let message = format!("MERGE INTO works over bounded input only, and {name} has no end.");
            return Err(problem("unsupported", message));
        }
        if self.nodes[from].changelog != ChangelogMode::Append {
            return Err(problem("unsupported", "MERGE INTO over rows that change is not supported."));
        }
        let width = rel.schema.len();
        let behind: Vec<usize> = key.iter().map(|column| 1 + width + column).collect();
        let kind = NodeKind::Merge { key: key.to_vec() };
        let types: Vec<String> = rel.schema.fields.iter().map(|field| field.ty.logical.to_string()).collect();
        let text = format!("Merge {key:?} {}", types.join(","));
        Ok(self.keyed(rel, from, kind, &behind, ChangelogMode::Retract, text))
    }

    pub(super) fn repeat(&mut self, rel: &Rel, input: &Rel, times: usize) -> Result<usize, Problem> {
        let from = self.rel(input)?;
        let above = &self.nodes[from];
        let (changelog, parallelism) = (above.changelog, above.parallelism);
        Ok(self.add(Draft {
            kind: NodeKind::Repeat { times },
            inputs: vec![Input { from, partitioning: Partitioning::Forward }],
            schema: rel.schema.clone(),
            changelog,
            parallelism,
            state: String::new(),
            text: format!("Repeat ${times}"),
        }))
    }
}
