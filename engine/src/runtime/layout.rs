//! Which nodes run together in one task.

use crate::plan::dataflow::{Dataflow, NodeKind, Partitioning};

/// For each node the chain it belongs to; a chain is named by its first node.
pub(super) struct Layout {
    pub(super) chain_of: Vec<usize>,
}

impl Layout {
    /// A node joins the chain of its only input when rows go forward, task by task.
    pub(super) fn of(dataflow: &Dataflow) -> Self {
        let mut chain_of: Vec<usize> = Vec::with_capacity(dataflow.nodes.len());
        for (index, node) in dataflow.nodes.iter().enumerate() {
            let joined = match node.inputs.as_slice() {
                [input] => {
                    let above = &dataflow.nodes[input.from];
                    // Whoever waits for answers from outside does not hold up what is above it.
                    let own = matches!(node.kind, NodeKind::LookupJoin(_));
                    let forward = input.partitioning == Partitioning::Forward && above.parallelism == node.parallelism;
                    let forward = forward && !own;
                    forward.then(|| chain_of[input.from])
                }
                _ => None,
            };
            chain_of.push(joined.unwrap_or(index));
        }
        Layout { chain_of }
    }

    /// The first nodes of all chains.
    pub(super) fn heads(&self) -> impl Iterator<Item = usize> + '_ {
        self.chain_of.iter().enumerate().filter(|(node, chain)| node == *chain).map(|(node, _)| node)
    }
}
