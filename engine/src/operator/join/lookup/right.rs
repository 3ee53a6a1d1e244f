//! What a table gave → rows of the right side: computed columns, then the filters and columns of the query.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{filter, filter_record_batch, prep_null_mask_filter};
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use super::Answer;
use crate::change::ChangeBatch;
use crate::connector::Found;
use crate::error::{EngineError, Result};
use crate::operator::TableColumns;
use crate::operator::stored_rows::RowCodec;

/// One step of filters and columns.
pub struct RightStep {
    pub predicates: Vec<Arc<dyn PhysicalExpr>>,
    /// `None` passes all columns on.
    pub exprs: Option<Vec<Arc<dyn PhysicalExpr>>>,
    pub schema: SchemaRef,
}

pub struct RightSide {
    columns: TableColumns,
    steps: Vec<RightStep>,
    codec: RowCodec,
}

impl RightSide {
    pub fn new(columns: TableColumns, steps: Vec<RightStep>, schema: &SchemaRef) -> Result<Self> {
        Ok(RightSide { columns, steps, codec: RowCodec::new(schema)? })
    }

    /// For each key of a request its rows, and whether the table had any before they were filtered.
    pub(super) fn by_key(&mut self, found: &Found, keys: usize) -> Result<Vec<(Answer, bool)>> {
        let mut there = vec![false; keys];
        for key in &found.key_of {
            if let Some(there) = there.get_mut(*key as usize) {
                *there = true;
            }
        }
        let mut rows: Vec<Vec<Arc<[u8]>>> = vec![Vec::new(); keys];
        self.rows(found.rows.clone(), UInt32Array::from(found.key_of.clone()), &mut |key, row| {
            if let Some(rows) = rows.get_mut(key as usize) {
                rows.push(row.into());
            }
        })?;
        Ok(rows.into_iter().map(Answer::from).zip(there).collect())
    }

    /// Gives the bytes of every row that passes with the number it came with.
    pub(super) fn rows(
        &mut self,
        rows: RecordBatch,
        mut numbers: UInt32Array,
        take: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<()> {
        let mut rows = self.columns.apply(ChangeBatch::inserts(rows))?.rows;
        for step in &self.steps {
            for predicate in &step.predicates {
                let keep = predicate.evaluate(&rows)?.into_array(rows.num_rows())?;
                let keep = keep.as_boolean_opt().ok_or_else(|| EngineError::internal("a filter is no BOOLEAN"))?;
                let keep = if keep.null_count() > 0 { &prep_null_mask_filter(keep) } else { keep };
                numbers = filter(&numbers, keep)?.as_primitive().clone();
                rows = filter_record_batch(&rows, keep)?;
            }
            let columns: Vec<ArrayRef> = match &step.exprs {
                Some(exprs) => exprs
                    .iter()
                    .map(|expr| Ok(expr.evaluate(&rows)?.into_array(rows.num_rows())?))
                    .collect::<Result<_>>()?,
                None => rows.columns().to_vec(),
            };
            let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
            rows = RecordBatch::try_new_with_options(Arc::clone(&step.schema), columns, &options)?;
        }
        let encoded = self.codec.encode(&rows)?;
        for (row, number) in numbers.values().iter().enumerate() {
            take(*number, encoded.row(row).data());
        }
        Ok(())
    }
}
