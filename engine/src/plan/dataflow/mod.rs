//! The dataflow: what the runtime runs and what the console draws.
//!
//! [`plan`] is a pure function. The same script gives the same nodes with the same ids, whatever the parallelism: an id
//! is a hash of what the node computes and of the ids below it. Nodes that compute the same are one node, so every table
//! is read once for all its uses.

mod build;
mod changelog;
mod detail;
mod endpoints;
mod explain;
mod guarantee;
mod id;
mod lookup;
mod node;
#[cfg(test)]
mod tests;
mod wire_graph;

use std::sync::Arc;

use millrace_wire::graph::{ChangelogMode, Guarantee};

use crate::catalog::TableRef;
use crate::connector::{LookupColumns, OpenLookup, Sink, Source};
use crate::error::{EngineError, Result};
use crate::plan::logical::BoundScript;
use crate::plan::settings::Settings;
use crate::sql::Problem;

pub(crate) use build::key_positions;
pub use endpoints::ConnectorEndpoints;
pub use id::{NodeId, scan_key};
pub use lookup::{LookupKey, LookupNode, LookupStep};
pub use node::{Input, LeaveOut, Node, NodeKind, Partitioning, WindowInput};

/// Nodes in an order where inputs come before those who read them.
pub struct Dataflow {
    pub nodes: Vec<Node>,
    pub guarantee: Guarantee,
    pub settings: Settings,
}

/// Makes the ends of a dataflow. Nothing outside is touched before a reader or writer is opened.
pub trait Endpoints: Send + Sync {
    /// `columns` index into [`crate::catalog::TableDef::read_columns`].
    fn source(&self, table: &TableRef, columns: &[usize]) -> Result<Arc<dyn Source>>;

    fn sink(&self, table: &TableRef) -> Result<Arc<dyn Sink>>;

    /// A table that is asked for rows by key.
    fn lookup(&self, table: &TableRef, _columns: &LookupColumns) -> Result<OpenLookup> {
        Err(EngineError::user("unsupported", format!("The table '{}' cannot be looked up by key.", table.name)))
    }

    /// Where the rows of a bare SELECT go.
    fn collect(&self) -> Result<Arc<dyn Sink>>;
}

/// Plans all INSERTs and SELECTs of a script as one dataflow.
pub fn plan(script: &BoundScript, defaults: &Settings, endpoints: &dyn Endpoints) -> Result<Dataflow, Vec<Problem>> {
    let settings =
        defaults.clone().apply(&script.settings).map_err(|message| vec![problem("unknown-option", message)])?;
    build::Builder::new(settings, endpoints).build(script)
}

impl Dataflow {
    /// What an edge that leaves this node carries.
    pub fn changelog_of(&self, node: usize) -> ChangelogMode {
        self.nodes.get(node).map_or(ChangelogMode::Append, |node| node.changelog)
    }

    /// Names this plan in commits: the ids of all nodes, hence all that is computed.
    pub fn hash(&self) -> String {
        id::hash_text(self.nodes.iter().map(|node| &*node.id))
    }

    /// All sources are bounded: the run ends by itself.
    pub fn bounded(&self) -> bool {
        self.nodes.iter().all(|node| match &node.kind {
            NodeKind::Source { source, .. } => source.bounded(),
            _ => true,
        })
    }
}

fn problem(code: &'static str, message: impl Into<String>) -> Problem {
    Problem {
        severity: crate::sql::Severity::Error,
        code,
        message: message.into(),
        hint: None,
        span: None,
        replacement: None,
    }
}
