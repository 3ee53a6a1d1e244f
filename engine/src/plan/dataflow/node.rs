//! Nodes and edges.

use std::sync::Arc;
use std::time::Duration;

use millrace_wire::graph::ChangelogMode;

use super::{LookupNode, NodeId};
use crate::catalog::TableRef;
use crate::connector::{Accepts, Sink, Source};
use crate::expr::{Expr, Value};
use crate::operator::NumberColumn;
use crate::plan::logical::{
    AggregateCall, ExpandSpec, Frame, JoinSpec, OverCall, SortKey, TableCallSpec, TimeBound, VersionTimes,
    WindowBounds, WindowKind,
};
use crate::plan::retention::GroupClean;
use crate::time::alignment::AlignmentSpec;
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
        /// Waits for other sources of its group.
        alignment: Option<AlignmentSpec>,
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
    /// Stamps rows, and makes watermarks by the clock.
    ProcessingTime {
        column: usize,
    },
    /// Repeats rows, once per window.
    /// Rows of a table function beside the rows that it is called for.
    TableCall {
        call: TableCallSpec,
    },
    Window {
        kind: WindowKind,
        time_column: usize,
    },
    /// Repeats rows, once per grouping set.
    Expand {
        expand: ExpandSpec,
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
        /// When the state of a group goes before its time.
        clean: Option<Box<GroupClean>>,
        /// Gives every group once, at the end.
        at_end: bool,
    },
    Union,
    /// Rows with an action of MERGE become a changelog by this primary key.
    Merge {
        key: Vec<usize>,
    },
    /// Each row as often as this BIGINT column says.
    Repeat {
        times: usize,
    },
    /// Two inputs: the left one and the right one.
    Join {
        join: JoinSpec,
        /// Of the left and of the right side.
        ttl: [Duration; 2],
        /// When a row is not kept any longer, over the columns of its side.
        clean: Box<[Option<Expr>; 2]>,
        /// What depends on there being no match comes at the end.
        at_end: bool,
    },
    /// A join that keeps rows for as long as their event times can be close to that of a match.
    IntervalJoin {
        join: JoinSpec,
        time: TimeBound,
    },
    /// Each left row meets the version of its key at its event time.
    TemporalJoin {
        join: JoinSpec,
        times: VersionTimes,
        only_newest: bool,
        ttl: Duration,
    },
    /// Each left row meets what a table outside holds when it comes.
    LookupJoin(Box<LookupNode>),
    /// A join of rows of the same window.
    WindowJoin {
        join: JoinSpec,
        windows: (WindowBounds, WindowBounds),
    },
    /// The first rows of each partition; LIMIT is one over a single partition.
    Rank {
        partition: Vec<usize>,
        sort: Vec<SortKey>,
        /// First and last number that is given.
        from: u64,
        to: u64,
        number: NumberColumn,
        latest_first: bool,
        by_place: bool,
        ttl: Duration,
        at_end: bool,
    },
    /// The first row of each key by event time, once.
    FirstRow {
        keys: Vec<usize>,
        time_column: usize,
        number: NumberColumn,
        ttl: Duration,
    },
    /// Rows by key → changes with the old rows.
    Normalize {
        keys: Vec<usize>,
        /// Those that somebody reads.
        columns: Vec<usize>,
        ttl: Duration,
    },
    /// Changes → rows by the key of a sink.
    UpsertMaterialize {
        keys: Vec<usize>,
        ttl: Duration,
    },
    /// The first rows of each partition of a window.
    WindowRank {
        /// Without the bounds of the window.
        partition: Vec<usize>,
        window: WindowBounds,
        sort: Vec<SortKey>,
        from: u64,
        to: u64,
        number: NumberColumn,
        latest_first: bool,
    },
    /// Of the rows before each row, in the order of event time.
    OverAggregate {
        partition: Vec<usize>,
        time_column: usize,
        frame: Frame,
        calls: Vec<OverCall>,
        ttl: Duration,
    },
    /// Of the rows around each row, in any order.
    OverTable {
        partition: Vec<usize>,
        sort: Vec<SortKey>,
        frame: Frame,
        calls: Vec<OverCall>,
        ttl: Duration,
        at_end: bool,
    },
    /// In the order of event time.
    TimeSort {
        sort: Vec<SortKey>,
        time_column: usize,
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
    Attached { start: usize, end: usize, time: Option<usize>, local: bool },
}

impl NodeKind {
    pub fn is_source(&self) -> bool {
        matches!(self, NodeKind::Source { .. } | NodeKind::Values { .. })
    }
}
