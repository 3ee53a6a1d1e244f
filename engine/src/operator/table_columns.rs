//! What a source's reader gives → all columns of the table.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use crate::catalog::{ColumnKind, TableDef};
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::expr::lower::lower_in;
use crate::function::EvalContext;
use crate::types::Schema;

/// Puts read columns in their places, computes computed ones, and leaves NULLs where nobody looks.
pub struct TableColumns {
    schema: SchemaRef,
    columns: Vec<Origin>,
    /// Computed columns see physical and metadata columns only, so one pass suffices.
    computed: Vec<(usize, Arc<dyn PhysicalExpr>)>,
    /// NULL columns of the longest batch so far.
    nulls: Vec<ArrayRef>,
}

enum Origin {
    /// Position in the reader's batch.
    Read(usize),
    /// Computed or unused: index into `nulls`.
    Null(usize),
}

impl TableColumns {
    /// `read` are the table columns that the reader gives; `used` those that must be right.
    pub fn new(table: &TableDef, read: &[usize], used: &[usize], context: EvalContext) -> Result<Self> {
        let whole: Schema = table.schema();
        let schema = whole.to_arrow();
        let mut columns = Vec::new();
        let mut computed = Vec::new();
        let mut nulls = Vec::new();
        for (index, column) in table.columns.iter().enumerate() {
            if let Some(position) = read.iter().position(|read| *read == index) {
                columns.push(Origin::Read(position));
                continue;
            }
            columns.push(Origin::Null(nulls.len()));
            nulls.push(new_null_array(schema.field(index).data_type(), 0));
            if let ColumnKind::Computed(expr) = &column.kind
                && used.contains(&index)
            {
                computed.push((index, lower_in(expr, &whole, context)?));
            }
        }
        Ok(TableColumns { schema, columns, computed, nulls })
    }

    pub fn apply(&mut self, batch: ChangeBatch) -> Result<ChangeBatch> {
        let rows = batch.len();
        for null in &mut self.nulls {
            if null.len() < rows {
                *null = new_null_array(null.data_type(), rows);
            }
        }
        let place = |origin: &Origin| match origin {
            Origin::Read(position) => Arc::clone(batch.rows.column(*position)),
            Origin::Null(index) => self.nulls[*index].slice(0, rows),
        };
        let columns: Vec<ArrayRef> = self.columns.iter().map(place).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let mut whole = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        if !self.computed.is_empty() {
            let mut columns = whole.columns().to_vec();
            for (index, expr) in &self.computed {
                columns[*index] = expr.evaluate(&whole)?.into_array(rows)?;
            }
            whole = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        }
        Ok(ChangeBatch { rows: whole, kinds: batch.kinds })
    }
}
