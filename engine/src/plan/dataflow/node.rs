//! Nodes and edges.

use std::sync::Arc;
use std::time::Duration;

use millrace_wire::graph::ChangelogMode;

use super::NodeId;
use crate::catalog::TableRef;
use crate::connector::{Accepts, Sink, Source};
use crate::expr::{Expr, Value};
use crate::plan::logical::{AggregateCall, SortKey, WindowKind};
use crate::types::Schema;

pub struct Node {
    pub id: NodeId,
    pub kind: NodeKind,
    pub inputs: Vec<Input>,
    pub schema: Schema,
    /// What leaves the node.
    pub changelog: ChangelogMode,
    pub parallelism: u32,
    /// Describes the state's layout; a checkpoint with another text cannot be taken over. Empty: no state.
    pub state: String,
}

#[derive(Clone, Debug)]
pub struct Input {
    /// Index into the nodes.
    pub from: usize,
    pub partitioning: Partitioning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partitioning {
    /// To the task with the same number.
    Forward,
    /// By the hash of these columns.
    Hash(Vec<usize>),
    /// Batches in turn, between different parallelism.
    Rebalance,
}

pub enum NodeKind {
    Source {
        table: TableRef,
        source: Arc<dyn Source>,
        /// Table columns that the reader delivers, in its order.
        read: Vec<usize>,
        /// Table columns that somebody uses; computed ones among them are evaluated.
        used: Vec<usize>,
        idle_timeout: Duration,
    },
    Values {
        rows: Vec<Vec<Value>>,
    },
    Calc {
        /// Applied in order, each to what the one before left.
        predicates: Vec<Expr>,
        /// `None` passes all columns on.
        exprs: Option<Vec<Expr>>,
    },
    /// Repeats rows, once per window.
    Window {
        kind: WindowKind,
        time_column: usize,
    },
    WindowAggregate {
        window: WindowInput,
        /// Input columns; window columns among them are filled in by the operator.
        group: Vec<usize>,
        calls: Vec<AggregateCall>,
    },
    GroupAggregate {
        group: Vec<usize>,
        calls: Vec<AggregateCall>,
        ttl: Duration,
        /// Gives every group once, at the end.
        at_end: bool,
    },
    Union,
    Limit {
        sort: Vec<SortKey>,
        offset: u64,
        fetch: Option<u64>,
        at_end: bool,
    },
    Sink {
        /// `None` for a bare SELECT.
        table: Option<TableRef>,
        sink: Arc<dyn Sink>,
        accepts: Accepts,
        leave_out: LeaveOut,
    },
}

/// Row kinds that a sink is not given: the option `sink.drop`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaveOut {
    pub update_before: bool,
    pub delete: bool,
}

impl LeaveOut {
    /// `update_before`, `delete`, or both with a comma.
    pub fn parse(text: &str) -> Option<Self> {
        let mut leave_out = LeaveOut::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "update_before" => leave_out.update_before = true,
                "delete" => leave_out.delete = true,
                _ => return None,
            }
        }
        Some(leave_out)
    }

    /// What is left are new rows only.
    pub const fn leaves_insertions(self) -> bool {
        self.update_before && self.delete
    }
}

/// How rows of a window aggregation find their windows.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowInput {
    /// From their event time.
    Assign { kind: WindowKind, time_column: usize, start: usize, end: usize, time: Option<usize> },
    /// They carry the bounds as columns, from a window further up the stream.
    Attached { start: usize, end: usize, time: Option<usize> },
}

impl NodeKind {
    pub fn is_source(&self) -> bool {
        matches!(self, NodeKind::Source { .. } | NodeKind::Values { .. })
    }
}
