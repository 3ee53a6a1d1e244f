//! The dataflow as it is drawn.

use millrace_wire::graph::{Graph, GraphEdge, GraphNode};

use super::detail::words;
use super::{Dataflow, NodeKind, Partitioning};

impl Dataflow {
    pub fn to_wire(&self) -> Graph {
        let mut graph = Graph { nodes: Vec::new(), edges: Vec::new() };
        for node in &self.nodes {
            let input = node.inputs.first().and_then(|input| self.nodes.get(input.from)).map(|from| &from.schema);
            let words = words(node, input);
            let table = match &node.kind {
                NodeKind::Source { table, .. } | NodeKind::Sink { table: Some(table), .. } => Some(table.name.clone()),
                _ => None,
            };
            graph.nodes.push(GraphNode {
                id: node.id.to_string(),
                kind: words.kind,
                name: words.name,
                detail: words.detail,
                parallelism: node.parallelism,
                stateful: !node.state.is_empty(),
                table,
            });
            for input in &node.inputs {
                let Some(from) = self.nodes.get(input.from) else { continue };
                let name = |column: &usize| from.schema.fields.get(*column).map_or("?", |field| field.name.as_str());
                let partitioning = match &input.partitioning {
                    Partitioning::Forward => "forward".to_owned(),
                    Partitioning::Rebalance => "rebalance".to_owned(),
                    Partitioning::Hash(keys) if keys.is_empty() => "single".to_owned(),
                    Partitioning::Hash(keys) => {
                        format!("hash({})", keys.iter().map(name).collect::<Vec<_>>().join(", "))
                    }
                };
                // An upsert sink is told what it gets, not what leaves the node above it.
                let changelog =
                    if matches!(node.kind, NodeKind::Sink { .. }) { node.changelog } else { from.changelog };
                graph.edges.push(GraphEdge {
                    from: from.id.to_string(),
                    to: node.id.to_string(),
                    partitioning,
                    changelog,
                });
            }
        }
        graph
    }
}
