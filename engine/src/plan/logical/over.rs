//! OVER: what is computed of the rows around each row.

use super::{AggregateCall, SortKey, WindowBounds};
use crate::types::{LogicalType, Schema, Type};

#[derive(Clone, Debug)]
pub struct OverSpec {
    pub partition: Vec<usize>,
    pub sort: Vec<SortKey>,
    pub frame: Frame,
    pub calls: Vec<OverCall>,
    /// The rows carry a window, and both bounds are partitioned by.
    pub window: Option<WindowBounds>,
    /// Where the first call stands in the script.
    pub span: Option<crate::sql::Span>,
}

impl OverSpec {
    /// Ordered by nothing but event time: rows are final once the watermark has passed them.
    pub fn by_event_time(&self, input: &Schema) -> bool {
        matches!(self.sort.as_slice(), [key] if key.ascending && input.event_time.contains(&key.column))
    }
}

/// Which rows count for a row. The first four end at it; a stream in the order of event time has only those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// All before it.
    RowsUnbounded,
    /// All before it, and those that are equal to it in the order.
    RangeUnbounded,
    /// So many before it.
    Rows(u64),
    /// Those at most so much before it in the order, and those that are equal: milliseconds where it is event time.
    Range(i64),
    Between(Extent, Edge, Edge),
}

/// In what an edge of a frame is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Rows,
    /// Values of the one sort key: in its smallest unit, dates in milliseconds.
    Range,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// That of the partition.
    Unbounded,
    /// So far behind the current row; before it when negative.
    At(i64),
}

impl Frame {
    pub fn edges(self) -> (Extent, Edge, Edge) {
        let back = |distance: i64| Edge::At(distance.saturating_neg());
        match self {
            Frame::RowsUnbounded => (Extent::Rows, Edge::Unbounded, Edge::At(0)),
            Frame::RangeUnbounded => (Extent::Range, Edge::Unbounded, Edge::At(0)),
            Frame::Rows(rows) => (Extent::Rows, back(i64::try_from(rows).unwrap_or(i64::MAX)), Edge::At(0)),
            Frame::Range(span) => (Extent::Range, back(span), Edge::At(0)),
            Frame::Between(extent, start, end) => (extent, start, end),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum OverCall {
    RowNumber,
    Aggregate(AggregateCall),
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
    /// The number of the part, of so many, in which a row is.
    Ntile(u64),
    /// LAG and LEAD: the value of the row that is so many places before, or behind where negative.
    Shift {
        value: usize,
        default: Option<usize>,
        back: i64,
        return_type: Type,
    },
}

impl OverCall {
    pub fn return_type(&self) -> Type {
        match self {
            OverCall::RowNumber | OverCall::Rank | OverCall::DenseRank => Type::not_null(LogicalType::BigInt),
            OverCall::PercentRank | OverCall::CumeDist => Type::not_null(LogicalType::Double),
            OverCall::Ntile(_) => Type::not_null(LogicalType::Int),
            OverCall::Aggregate(call) => call.return_type.clone(),
            OverCall::Shift { return_type, .. } => return_type.clone(),
        }
    }

    /// Columns of the input that it reads.
    pub fn columns(&self) -> Vec<usize> {
        match self {
            OverCall::Aggregate(call) => call.args.iter().copied().chain(call.filter).collect(),
            OverCall::Shift { value, default, .. } => std::iter::once(*value).chain(*default).collect(),
            _ => Vec::new(),
        }
    }
}
