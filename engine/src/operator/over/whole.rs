//! Results of calls over sorted partitions that are there as a whole.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{concat, interleave, take};
use arrow::datatypes::SchemaRef;

use super::frames::{Layout, Positions, frames};
use super::sliding::{self, Counted};
use crate::error::{EngineError, Result};
use crate::operator::aggregate::{AccumulatorSet, Update};
use crate::plan::logical::{AggregateCall, AggregateFunction, Edge, Extent, Frame, OverCall, SortKey};

pub(super) struct Whole {
    frame: Frame,
    /// The one column that a RANGE with a distance is measured by, and whether it ascends.
    order: Option<(usize, bool)>,
    calls: Vec<OverCall>,
    input: SchemaRef,
}

impl Whole {
    pub(super) fn new(frame: Frame, sort: &[SortKey], calls: &[OverCall], input: &SchemaRef) -> Self {
        let far = |edge: Edge| matches!(edge, Edge::At(distance) if distance != 0);
        let (extent, start, end) = frame.edges();
        let by_value = extent == Extent::Range && (far(start) || far(end));
        let order = sort.first().filter(|_| by_value).map(|key| (key.column, key.ascending));
        Whole { frame, order, calls: calls.to_vec(), input: Arc::clone(input) }
    }

    /// One column per call. `rows` lie as `layout` says.
    pub(super) fn evaluate(&self, rows: &RecordBatch, layout: &Layout) -> Result<Vec<ArrayRef>> {
        let order = self.order.map(|(column, ascending)| Positions::new(rows.column(column), ascending)).transpose()?;
        let mut around: Option<Vec<Range<usize>>> = None;
        let mut results = Vec::with_capacity(self.calls.len());
        for call in &self.calls {
            results.push(match call {
                OverCall::Aggregate(call) => {
                    let frames = around.get_or_insert_with(|| frames(layout, self.frame, order.as_ref()));
                    self.aggregate(call, rows, frames)?
                }
                OverCall::Shift { value, default, back, .. } => {
                    shifted(rows.column(*value), default.map(|column| rows.column(column)), *back, layout)?
                }
                place => placed(place, layout),
            });
        }
        Ok(results)
    }

    fn aggregate(&self, call: &AggregateCall, rows: &RecordBatch, frames: &[Range<usize>]) -> Result<ArrayRef> {
        let args: Vec<&ArrayRef> = call.args.iter().map(|arg| rows.column(*arg)).collect();
        let filter = call.filter.map(|column| rows.column(column)).map(|filter| {
            filter.as_boolean_opt().ok_or_else(|| EngineError::internal("an aggregate filter is no BOOLEAN"))
        });
        let counted = Counted::new(&args, filter.transpose()?, rows.num_rows());
        let result = call.return_type.logical.to_arrow();
        let fast = match (call.function, args.first()) {
            (AggregateFunction::FirstValue, Some(arg)) => Some(take(arg, &counted.first_of(frames), None)?),
            (AggregateFunction::LastValue, Some(arg)) => Some(take(arg, &counted.last_of(frames), None)?),
            (AggregateFunction::Min, Some(arg)) => {
                Some(take(arg, &sliding::least(arg, &counted, frames, sliding::Side::Least)?, None)?)
            }
            (AggregateFunction::Max, Some(arg)) => {
                Some(take(arg, &sliding::least(arg, &counted, frames, sliding::Side::Greatest)?, None)?)
            }
            _ if call.distinct => None,
            (AggregateFunction::Count, _) => Some(counted.counts(frames)),
            (AggregateFunction::Sum, Some(arg)) => sliding::sums(arg, &counted, frames, &result)?,
            _ => None,
        };
        match fast {
            // The shortest of all CHARs is a VARCHAR; both are the same here.
            Some(fast) if fast.data_type() == &result => Ok(fast),
            Some(fast) => Ok(arrow::compute::cast(&fast, &result)?),
            None => self.accumulated(call, rows, frames),
        }
    }

    /// Any other aggregate: row by row, what comes into the frame is added and what leaves it taken back.
    fn accumulated(&self, call: &AggregateCall, rows: &RecordBatch, frames: &[Range<usize>]) -> Result<ArrayRef> {
        // A user's function may know of no way back: what leaves a frame begins it anew.
        let back = call.user.as_ref().is_none_or(|user| user.retracts());
        let mut values = AccumulatorSet::new(std::slice::from_ref(call), &self.input, back)?;
        values.grow(1);
        let mut given: Vec<ArrayRef> = Vec::with_capacity(frames.len());
        let mut last: Option<(&Range<usize>, ArrayRef)> = None;
        for frame in frames {
            if let Some((_, result)) = last.as_ref().filter(|(known, _)| *known == frame) {
                given.push(Arc::clone(result));
                continue;
            }
            let (coming, going) = match &last {
                Some((known, _))
                    if known.start <= frame.start
                        && known.end <= frame.end
                        && frame.start < known.end
                        && (back || known.start == frame.start) =>
                {
                    (known.end..frame.end, known.start..frame.start)
                }
                _ => {
                    values.clear(0);
                    (frame.clone(), 0..0)
                }
            };
            for (range, retract) in [(coming, false), (going, true)] {
                if !range.is_empty() {
                    let (slots, retracts) = (vec![0_u32; range.len()], vec![true; range.len()]);
                    let update = Update { slots: &slots, retract: retract.then_some(retracts.as_slice()), keep: None };
                    values.update(update, &rows.slice(range.start, range.len()))?;
                }
            }
            let result = values.evaluate(&[0])?.pop();
            let result = result.ok_or_else(|| EngineError::internal("an aggregate gave no result"))?;
            given.push(Arc::clone(&result));
            last = Some((frame, result));
        }
        if given.is_empty() {
            return Ok(arrow::array::new_empty_array(&call.return_type.logical.to_arrow()));
        }
        Ok(concat(&given.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>())?)
    }
}

/// Functions of the place in the order alone.
fn placed(call: &OverCall, layout: &Layout) -> ArrayRef {
    let (mut whole, mut parts): (Vec<i64>, Vec<f64>) = Default::default();
    for partition in &layout.partitions {
        let (size, mut dense) = (partition.len(), 0);
        for row in partition.clone() {
            let peers = layout.peers.get(row).cloned().unwrap_or(row..row + 1);
            dense += i64::from(peers.start == row);
            let before = peers.start - partition.start;
            match call {
                OverCall::Rank => whole.push(before as i64 + 1),
                OverCall::DenseRank => whole.push(dense),
                OverCall::Ntile(buckets) => whole.push(bucket(row - partition.start, size, *buckets)),
                OverCall::PercentRank if size > 1 => parts.push(before as f64 / (size - 1) as f64),
                OverCall::PercentRank => parts.push(0.0),
                OverCall::CumeDist => parts.push((peers.end - partition.start) as f64 / size as f64),
                _ => whole.push((row - partition.start) as i64 + 1),
            }
        }
    }
    match call {
        OverCall::PercentRank | OverCall::CumeDist => Arc::new(Float64Array::from(parts)),
        OverCall::Ntile(_) => Arc::new(whole.into_iter().map(|number| number as i32).collect::<Int32Array>()),
        _ => Arc::new(Int64Array::from(whole)),
    }
}

/// Which of `buckets` parts row `at` of `size` is in, from 1; the first ones have one row more.
fn bucket(at: usize, size: usize, buckets: u64) -> i64 {
    let buckets = usize::try_from(buckets).unwrap_or(usize::MAX);
    let (each, larger) = (size / buckets, size % buckets);
    let of_larger = larger * (each + 1);
    let bucket = if at < of_larger { at / (each + 1) } else { larger + (at - of_larger) / each.max(1) };
    bucket as i64 + 1
}

fn shifted(value: &ArrayRef, default: Option<&ArrayRef>, back: i64, layout: &Layout) -> Result<ArrayRef> {
    let by = usize::try_from(back.unsigned_abs()).unwrap_or(usize::MAX);
    let from = layout.partitions.iter().flat_map(|partition| {
        partition.clone().map(move |row| {
            let from = if back >= 0 { row.checked_sub(by) } else { row.checked_add(by) };
            from.filter(|from| partition.contains(from))
        })
    });
    let Some(default) = default else {
        let from: UInt32Array = from.map(|from| from.map(|from| from as u32)).collect();
        return Ok(take(value, &from, None)?);
    };
    let picks: Vec<(usize, usize)> =
        from.enumerate().map(|(row, from)| from.map_or((1, row), |from| (0, from))).collect();
    if picks.is_empty() {
        return Ok(arrow::array::new_empty_array(value.data_type()));
    }
    Ok(interleave(&[value.as_ref(), default.as_ref()], &picks)?)
}
