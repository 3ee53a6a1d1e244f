//! A dataflow as text, from its sinks to its sources: the result of EXPLAIN.

use std::collections::BTreeSet;

use millrace_wire::graph::{ChangelogMode, Graph, GraphNode};

use super::Dataflow;

impl Dataflow {
    /// One line per operator and one per line of its detail, indented below what reads it. What is read several times
    /// is shown once.
    pub fn explain(&self) -> String {
        let graph = self.to_wire();
        let mut explained = Explained { graph: &graph, text: String::new(), seen: BTreeSet::new() };
        for node in &graph.nodes {
            if !graph.edges.iter().any(|edge| edge.from == node.id) {
                explained.node(node, "", 0);
            }
        }
        explained.text
    }
}

struct Explained<'g> {
    graph: &'g Graph,
    text: String,
    seen: BTreeSet<&'g str>,
}

impl<'g> Explained<'g> {
    /// `edge` is what leads from this node to its reader.
    fn node(&mut self, node: &'g GraphNode, edge: &str, depth: usize) {
        let again = !self.seen.insert(&node.id);
        let name = if node.name.is_empty() { String::new() } else { format!(": {}", node.name) };
        let note = if again { " (as above)" } else { "" };
        self.line(depth, &format!("{}{name}{note}{edge}", node.kind));
        if again {
            return;
        }
        for detail in node.detail.lines() {
            self.line(depth, &format!("  {detail}"));
        }
        let graph = self.graph;
        for edge in graph.edges.iter().filter(|edge| edge.to == node.id) {
            let Some(from) = graph.nodes.iter().find(|from| from.id == edge.from) else { continue };
            let words = format!(" [{}, {}]", changelog_words(edge.changelog), edge.partitioning);
            self.node(from, &words, depth + 1);
        }
    }

    fn line(&mut self, depth: usize, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&"  ".repeat(depth));
        self.text.push_str(text);
    }
}

const fn changelog_words(mode: ChangelogMode) -> &'static str {
    match mode {
        ChangelogMode::Append => "+I",
        ChangelogMode::Retract => "+I -U +U -D",
        ChangelogMode::Upsert => "+I +U -D by key",
    }
}
