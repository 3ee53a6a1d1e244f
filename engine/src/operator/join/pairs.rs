//! Which rows of a batch meet which rows of the other side, and rows of both sides put next to each other.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;
use foldhash::fast::FixedState;

use super::side::Side;
use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};
use crate::operator::stored_rows::{Change, RowCodec};
use crate::operator::{CHUNK_ROWS, Output};

/// Rows of the other side that rows of a batch may match.
#[derive(Default)]
pub(super) struct Others {
    /// Slot and place in the bucket of each.
    pub(super) places: Vec<(u32, usize)>,
    pub(super) rows: Vec<Arc<[u8]>>,
    /// Per row of the batch: which of them have its key.
    pub(super) of_row: Vec<Range<usize>>,
    by_slot: HashMap<u32, Range<usize>, FixedState>,
}

impl Others {
    /// A row without a key that could match.
    pub(super) fn none(&mut self) {
        self.of_row.push(0..0);
    }

    pub(super) fn with_key(&mut self, key: &[u8], side: &mut Side) -> Result<()> {
        let range = side.find(key)?.map(|slot| match self.by_slot.get(&slot) {
            Some(known) => known.clone(),
            None => {
                let start = self.rows.len();
                for (place, entry) in side.bucket(slot).iter().enumerate() {
                    self.places.push((slot, place));
                    self.rows.push(Arc::clone(&entry.row));
                }
                let range = start..self.rows.len();
                self.by_slot.insert(slot, range.clone());
                range
            }
        });
        self.of_row.push(range.unwrap_or(0..0));
        Ok(())
    }

    /// Rows that are found otherwise.
    pub(super) fn these(&mut self, rows: impl Iterator<Item = Arc<[u8]>>) {
        let start = self.rows.len();
        self.rows.extend(rows);
        self.of_row.push(start..self.rows.len());
    }

    /// Pairs of the whole batch.
    pub(super) fn pairs(&self) -> usize {
        self.of_row.iter().map(ExactSizeIterator::len).sum()
    }
}

/// Puts rows of the batch and rows of the other side next to each other, whichever of them is the left one.
pub(super) struct Beside<'a> {
    pub(super) input: &'a [ArrayRef],
    pub(super) others: Vec<ArrayRef>,
    pub(super) input_is_left: bool,
}

impl<'a> Beside<'a> {
    pub(super) fn new(input: &'a RecordBatch, others: &Others, codec: &RowCodec, input_is_left: bool) -> Result<Self> {
        let others = codec.decode(others.rows.iter().map(|row| &**row))?;
        Ok(Beside { input: input.columns(), others, input_is_left })
    }

    /// `None` gives NULLs.
    pub(super) fn columns(&self, pairs: &[(Option<u32>, Option<u32>)]) -> Result<Vec<ArrayRef>> {
        let taken = |columns: &[ArrayRef], rows: UInt32Array| -> Result<Vec<ArrayRef>> {
            Ok(columns.iter().map(|column| take(column, &rows, None)).collect::<std::result::Result<_, _>>()?)
        };
        let input = taken(self.input, pairs.iter().map(|(input, _)| *input).collect())?;
        let others = taken(&self.others, pairs.iter().map(|(_, other)| *other).collect())?;
        let (left, right) = if self.input_is_left { (input, others) } else { (others, input) };
        Ok(left.into_iter().chain(right).collect())
    }

    /// For each pair of the batch, row by row, whether the condition is TRUE. `None`: all are.
    pub(super) fn matching(
        &self,
        others: &Others,
        condition: Option<&Arc<dyn PhysicalExpr>>,
        schema: &SchemaRef,
    ) -> Result<Option<Vec<bool>>> {
        let Some(condition) = condition else { return Ok(None) };
        let mut matching = Vec::with_capacity(others.pairs());
        let mut pairs: Vec<(Option<u32>, Option<u32>)> = Vec::new();
        let mut test = |pairs: &mut Vec<(Option<u32>, Option<u32>)>| -> Result<()> {
            let options = RecordBatchOptions::new().with_row_count(Some(pairs.len()));
            let rows = RecordBatch::try_new_with_options(Arc::clone(schema), self.columns(pairs)?, &options)?;
            let result = condition.evaluate(&rows)?.into_array(rows.num_rows())?;
            let result: &BooleanArray = result
                .as_boolean_opt()
                .ok_or_else(|| EngineError::internal("the condition of a join is no BOOLEAN"))?;
            matching.extend((0..result.len()).map(|row| result.is_valid(row) && result.value(row)));
            pairs.clear();
            Ok(())
        };
        for (row, range) in others.of_row.iter().enumerate() {
            for other in range.clone() {
                pairs.push((Some(row as u32), Some(other as u32)));
                if pairs.len() == CHUNK_ROWS {
                    test(&mut pairs)?;
                }
            }
        }
        if !pairs.is_empty() {
            test(&mut pairs)?;
        }
        Ok(Some(matching))
    }
}

/// Rows of one side with NULLs in place of the other. `width`: columns of the left side.
pub(super) fn give_padded(
    codec: &RowCodec,
    rows: &[Change],
    output: &SchemaRef,
    width: usize,
    side: usize,
    out: &mut dyn Output,
) -> Result<()> {
    let complete = |range: Range<usize>, columns: &mut Vec<ArrayRef>| {
        let null = |from: usize, to: usize| {
            let fields = output.fields().iter().skip(from).take(to - from);
            fields.map(|field| new_null_array(field.data_type(), range.len())).collect::<Vec<_>>()
        };
        if side == super::LEFT {
            columns.extend(null(width, output.fields().len()));
        } else {
            *columns = null(0, width).into_iter().chain(std::mem::take(columns)).collect();
        }
    };
    codec.give(rows, output, complete, out)
}

/// Rows on their way out.
#[derive(Default)]
pub(super) struct Joined {
    pairs: Vec<(Option<u32>, Option<u32>)>,
    kinds: Vec<RowKind>,
}

impl Joined {
    pub(super) fn push(&mut self, kind: RowKind, input: Option<u32>, other: Option<u32>, times: u64) {
        for _ in 0..times {
            self.pairs.push((input, other));
            self.kinds.push(kind);
        }
    }

    /// The output may have fewer columns than both sides: those of the left one.
    pub(super) fn give(self, beside: &Beside<'_>, output: &SchemaRef, out: &mut dyn Output) -> Result<()> {
        for (pairs, kinds) in self.pairs.chunks(CHUNK_ROWS).zip(self.kinds.chunks(CHUNK_ROWS)) {
            let mut columns = beside.columns(pairs)?;
            columns.truncate(output.fields().len());
            let options = RecordBatchOptions::new().with_row_count(Some(pairs.len()));
            let rows = RecordBatch::try_new_with_options(Arc::clone(output), columns, &options)?;
            out.emit(ChangeBatch::with_kinds(rows, kinds.to_vec()))?;
        }
        Ok(())
    }
}
