//! Filter and projection in one step.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};
use crate::expr::{Expr, lower::lower_in};
use crate::function::EvalContext;
use crate::types::Schema;

pub struct Calc {
    predicates: Vec<Arc<dyn PhysicalExpr>>,
    /// `None` passes all columns on.
    exprs: Option<Vec<Arc<dyn PhysicalExpr>>>,
    output: SchemaRef,
}

impl Calc {
    pub fn new(
        predicates: &[Expr],
        exprs: Option<&[Expr]>,
        input: &Schema,
        output: &Schema,
        context: EvalContext,
    ) -> Result<Self> {
        let lower_all =
            |exprs: &[Expr]| exprs.iter().map(|expr| lower_in(expr, input, context)).collect::<Result<Vec<_>>>();
        Ok(Calc {
            predicates: lower_all(predicates)?,
            exprs: exprs.map(lower_all).transpose()?,
            output: output.to_arrow(),
        })
    }

    fn filter(&self, mut batch: ChangeBatch) -> Result<ChangeBatch> {
        for predicate in &self.predicates {
            if batch.is_empty() {
                break;
            }
            let keep = predicate.evaluate(&batch.rows)?.into_array(batch.len())?;
            let keep = keep.as_boolean_opt().ok_or_else(|| EngineError::internal("a filter is no BOOLEAN"))?;
            batch = filtered(batch, keep)?;
        }
        Ok(batch)
    }
}

impl Operator for Calc {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let batch = self.filter(batch)?;
        if batch.is_empty() {
            return Ok(());
        }
        let Some(exprs) = &self.exprs else {
            let rows = renamed(batch.rows, &self.output)?;
            return out.emit(ChangeBatch { rows, kinds: batch.kinds });
        };
        let rows = batch.len();
        let columns = exprs.iter().map(|expr| Ok(expr.evaluate(&batch.rows)?.into_array(rows)?));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.output), columns, &options)?;
        out.emit(ChangeBatch { rows, kinds: batch.kinds })
    }
}

/// Rows where `keep` is TRUE, NULL counting as FALSE.
fn filtered(batch: ChangeBatch, keep: &BooleanArray) -> Result<ChangeBatch> {
    let keep = if keep.null_count() > 0 { &arrow::compute::prep_null_mask_filter(keep) } else { keep };
    let kept = keep.true_count();
    if kept == batch.len() {
        return Ok(batch);
    }
    let rows = filter_record_batch(&batch.rows, keep)?;
    let Some(kinds) = &batch.kinds else { return Ok(ChangeBatch::inserts(rows)) };
    let kinds: Vec<RowKind> = keep.values().set_indices().filter_map(|row| kinds.get(row).copied()).collect();
    Ok(ChangeBatch::with_kinds(rows, kinds))
}

/// The same columns under the names that the plan gives them.
pub(super) fn renamed(rows: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), rows.columns().to_vec(), &options)?)
}
