//! State that goes when a condition is TRUE: the hint STATE_CLEAN.
//!
//! Forgetting gives no rows: results that left stay as they are, and what is taken back later is not known any more, as
//! with a time to live.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{prep_null_mask_filter, take_record_batch};
use datafusion_physical_expr::PhysicalExpr;

use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};
use crate::expr::{Expr, lower::lower_in};
use crate::function::EvalContext;
use crate::state::EncodedKeys;
use crate::types::Schema;

/// A compiled condition.
pub struct CleanTest {
    test: Arc<dyn PhysicalExpr>,
    /// It may become TRUE by itself, so that what is kept has to be looked at again.
    pub changes: bool,
}

impl CleanTest {
    pub fn new(test: &Expr, input: &Schema, context: EvalContext) -> Result<Self> {
        Ok(CleanTest { test: lower_in(test, input, context)?, changes: test.is_volatile() })
    }

    /// For each row, whether the condition is TRUE.
    pub fn holds(&self, rows: &RecordBatch) -> Result<BooleanArray> {
        flags(&self.test.evaluate(rows)?.into_array(rows.num_rows())?)
    }
}

/// TRUE and nothing else.
fn flags(values: &dyn Array) -> Result<BooleanArray> {
    let values = values.as_boolean_opt().ok_or_else(|| EngineError::internal("a clean-up condition is no BOOLEAN"))?;
    Ok(if values.null_count() > 0 { prep_null_mask_filter(values) } else { values.clone() })
}

/// When a group is forgotten.
pub enum GroupCleaner {
    /// Behind a row that has TRUE in this column.
    Row(usize),
    /// When this is TRUE of its key and results.
    Result(CleanTest),
}

/// Rows of a batch that end the state of their group.
pub(super) struct Ends(BooleanArray);

impl Ends {
    /// `None` when there is none.
    pub(super) fn of(batch: &ChangeBatch, column: usize) -> Result<Option<Self>> {
        let flags = flags(batch.rows.column(column))?;
        let adds = BooleanArray::from_iter((0..batch.len()).map(|row| Some(batch.kind(row).is_accumulate())));
        let ends = arrow::compute::and(&flags, &adds)?;
        Ok((ends.true_count() > 0).then_some(Ends(ends)))
    }

    pub(super) fn ends(&self, row: usize) -> bool {
        self.0.value(row)
    }

    /// The batch in parts, so that rows behind the end of their group are in a later part than that end.
    pub(super) fn parts(&self, batch: ChangeBatch, keys: &EncodedKeys) -> Result<Vec<(ChangeBatch, Ends)>> {
        let mut ended: std::collections::HashMap<&[u8], usize, foldhash::fast::RandomState> = Default::default();
        let mut parts: Vec<Vec<u32>> = Vec::new();
        for row in 0..batch.len() {
            let key = keys.key(row);
            let part = ended.get(key).copied().unwrap_or(0);
            if parts.len() <= part {
                parts.resize_with(part + 1, Vec::new);
            }
            parts[part].push(row as u32);
            if self.ends(row) {
                ended.insert(key, part + 1);
            }
        }
        if parts.len() == 1 {
            return Ok(vec![(batch, Ends(self.0.clone()))]);
        }
        parts.into_iter().map(|rows| self.part(&batch, &rows)).collect()
    }

    fn part(&self, batch: &ChangeBatch, rows: &[u32]) -> Result<(ChangeBatch, Ends)> {
        let kinds: Vec<RowKind> = rows.iter().map(|row| batch.kind(*row as usize)).collect();
        let ends = rows.iter().map(|row| Some(self.ends(*row as usize))).collect();
        let rows = take_record_batch(&batch.rows, &UInt32Array::from(rows.to_vec()))?;
        Ok((ChangeBatch::with_kinds(rows, kinds), Ends(ends)))
    }
}
