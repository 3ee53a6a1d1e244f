//! Which rows are in the frame of each row, in partitions that are sorted.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int64Type, Time32MillisecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};

use crate::error::{EngineError, Result};
use crate::plan::logical::{Edge, Extent, Frame};

/// Sorted partitions, one behind the other.
#[derive(Default)]
pub(super) struct Layout {
    pub(super) partitions: Vec<Range<usize>>,
    /// For each row, those that are equal to it in the order.
    pub(super) peers: Vec<Range<usize>>,
}

impl Layout {
    /// Appends a partition by the sort keys of its rows.
    pub(super) fn push<'k>(&mut self, keys: impl Iterator<Item = &'k [u8]>) {
        let start = self.peers.len();
        let (mut first, mut last): (usize, Option<&[u8]>) = (start, None);
        let mut at = start;
        for key in keys {
            if last.is_some_and(|last| last != key) {
                self.peers.resize(at, first..at);
                first = at;
            }
            last = Some(key);
            at += 1;
        }
        self.peers.resize(at, first..at);
        self.partitions.push(start..at);
    }

    pub(super) fn rows(&self) -> usize {
        self.peers.len()
    }
}

/// The frame of every row. Within a partition, neither edge goes back.
pub(super) fn frames(layout: &Layout, frame: Frame, order: Option<&Positions>) -> Vec<Range<usize>> {
    let (extent, start, end) = frame.edges();
    let mut frames = Vec::with_capacity(layout.rows());
    for partition in &layout.partitions {
        for row in partition.clone() {
            let peers = || layout.peers.get(row).cloned().unwrap_or(row..row + 1);
            let low = match (extent, start) {
                (_, Edge::Unbounded) => partition.start,
                (Extent::Rows, Edge::At(distance)) => moved(row, distance, partition),
                (Extent::Range, Edge::At(0)) => peers().start,
                (Extent::Range, Edge::At(distance)) => {
                    order.and_then(|order| order.low(row, distance, partition)).unwrap_or_else(|| peers().start)
                }
            };
            let high = match (extent, end) {
                (_, Edge::Unbounded) => partition.end,
                (Extent::Rows, Edge::At(distance)) => moved(row + 1, distance, partition),
                (Extent::Range, Edge::At(0)) => peers().end,
                (Extent::Range, Edge::At(distance)) => {
                    order.and_then(|order| order.high(row, distance, partition)).unwrap_or_else(|| peers().end)
                }
            };
            frames.push(low..high.max(low));
        }
    }
    frames
}

fn moved(row: usize, distance: i64, partition: &Range<usize>) -> usize {
    let by = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX);
    let to = if distance < 0 { row.saturating_sub(by) } else { row.saturating_add(by) };
    to.clamp(partition.start, partition.end)
}

/// Where each row stands in the order, as a number that grows from row to row; `None` for NULL.
pub(super) struct Positions(Vec<Option<i128>>);

impl Positions {
    pub(super) fn new(order: &ArrayRef, ascending: bool) -> Result<Self> {
        let mut positions = numbers(order)?;
        if !ascending {
            positions.iter_mut().flatten().for_each(|number| *number = number.saturating_neg());
        }
        Ok(Positions(positions))
    }

    /// The first row that is at least at `distance` from this one; `None` for a row of NULL, whose like are its frame.
    fn low(&self, row: usize, distance: i64, partition: &Range<usize>) -> Option<usize> {
        let wanted = (*self.0.get(row)?)?.saturating_add(i128::from(distance));
        Some(self.find(partition, |position| position < wanted))
    }

    /// The row behind the last that is at most at `distance` from this one.
    fn high(&self, row: usize, distance: i64, partition: &Range<usize>) -> Option<usize> {
        let wanted = (*self.0.get(row)?)?.saturating_add(i128::from(distance));
        Some(self.find(partition, |position| position <= wanted))
    }

    /// The first row, among those that are not NULL, for which `before` does not hold.
    fn find(&self, partition: &Range<usize>, before: impl Fn(i128) -> bool) -> usize {
        let rows = self.0.get(partition.clone()).unwrap_or_default();
        let nulls_before = rows.iter().take_while(|position| position.is_none()).count();
        let nulls_behind = rows.iter().skip(nulls_before).rev().take_while(|position| position.is_none()).count();
        let there = rows.get(nulls_before..rows.len() - nulls_behind).unwrap_or_default();
        partition.start + nulls_before + there.partition_point(|position| position.is_some_and(&before))
    }
}

fn numbers(order: &ArrayRef) -> Result<Vec<Option<i128>>> {
    macro_rules! native {
        ($type:ty, $factor:expr) => {
            order.as_primitive::<$type>().iter().map(|value| value.map(|value| i128::from(value) * $factor)).collect()
        };
    }
    Ok(match order.data_type() {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let wide = cast(order, &DataType::Int64)?;
            wide.as_primitive::<Int64Type>().iter().map(|value| value.map(i128::from)).collect()
        }
        DataType::Decimal128(..) => order.as_primitive::<Decimal128Type>().iter().collect(),
        DataType::Date32 => native!(Date32Type, 86_400_000),
        DataType::Time32(TimeUnit::Millisecond) => native!(Time32MillisecondType, 1),
        DataType::Timestamp(TimeUnit::Millisecond, _) => native!(TimestampMillisecondType, 1),
        DataType::Timestamp(TimeUnit::Microsecond, _) => native!(TimestampMicrosecondType, 1),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => native!(TimestampNanosecondType, 1),
        other => return Err(EngineError::internal(format!("RANGE with a distance got {other}"))),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;

    /// Two partitions: 1 1 3 NULL, and 2.
    fn layout() -> (Layout, Positions) {
        let mut layout = Layout::default();
        layout.push([&b"1"[..], b"1", b"3", b"z"].into_iter());
        layout.push([&b"2"[..]].into_iter());
        let order: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(1), Some(3), None, Some(2)]));
        (layout, Positions::new(&order, true).unwrap())
    }

    fn of(extent: Extent, start: Edge, end: Edge) -> Vec<(usize, usize)> {
        let (layout, positions) = layout();
        let all = frames(&layout, Frame::Between(extent, start, end), Some(&positions));
        all.into_iter().map(|range| (range.start, range.end)).collect()
    }

    #[test]
    fn rows_stay_within_their_partition() {
        assert_eq!(of(Extent::Rows, Edge::At(-1), Edge::At(1)), [(0, 2), (0, 3), (1, 4), (2, 4), (4, 5)]);
        assert_eq!(of(Extent::Rows, Edge::At(1), Edge::At(2)), [(1, 3), (2, 4), (3, 4), (4, 4), (5, 5)]);
        assert_eq!(of(Extent::Rows, Edge::Unbounded, Edge::Unbounded), [(0, 4), (0, 4), (0, 4), (0, 4), (4, 5)]);
    }

    #[test]
    fn a_range_is_by_value_and_nulls_are_by_themselves() {
        assert_eq!(of(Extent::Range, Edge::Unbounded, Edge::At(0)), [(0, 2), (0, 2), (0, 3), (0, 4), (4, 5)]);
        assert_eq!(of(Extent::Range, Edge::At(-1), Edge::At(0)), [(0, 2), (0, 2), (2, 3), (3, 4), (4, 5)]);
        assert_eq!(of(Extent::Range, Edge::At(-2), Edge::At(2)), [(0, 3), (0, 3), (0, 3), (3, 4), (4, 5)]);
        assert_eq!(of(Extent::Range, Edge::At(1), Edge::At(2)), [(2, 3), (2, 3), (3, 3), (3, 4), (5, 5)]);
    }
}
