//! How far a local run is: what its sources gave and its sinks took, for people who wait at a terminal.

use std::io::IsTerminal as _;
use std::time::Duration;

use millrace_engine::runtime::RunHandle;
use millrace_wire::graph::Graph;

const EVERY: Duration = Duration::from_secs(1);

pub(super) struct Progress {
    handle: RunHandle,
    /// Nodes that nothing follows.
    sinks: Vec<String>,
}

impl Progress {
    pub(super) fn new(handle: RunHandle, graph: &Graph) -> Self {
        let is_last = |id: &String| !graph.edges.iter().any(|edge| edge.from == *id);
        let sinks = graph.nodes.iter().map(|node| node.id.clone()).filter(is_last).collect();
        Self { handle, sinks }
    }

    /// Rewrites one line of the terminal until the task is ended; does nothing where nobody would see it.
    pub(super) async fn show(self) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        loop {
            tokio::time::sleep(EVERY).await;
            eprint!("\r\x1b[K{}", self.words());
        }
    }

    /// `203352 records read, 1116 written`.
    pub(super) fn words(&self) -> String {
        let Some(metrics) = self.handle.metrics() else { return "nothing read".to_owned() };
        let figures = metrics.read();
        let read: u64 = figures.sources.iter().map(|source| source.records).sum();
        let sinks = figures.operators.iter().filter(|operator| self.sinks.contains(&operator.node));
        let written: u64 = sinks.map(|operator| operator.records_in).sum();
        format!("{read} records read, {written} written")
    }
}
