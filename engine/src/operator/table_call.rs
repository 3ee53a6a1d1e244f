//! A table function beside each row: every row once per row that the function gives for it, under its own kind.
//!
//! Without state: the function gives for a row that is taken back what it gave for the row itself.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use super::{Chunks, Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};
use crate::expr::{Expr, lower::lower_in};
use crate::function::EvalContext;
use crate::function::table::{TableFunctionRef, TableRows};
use crate::types::Schema;

/// Rows that the function gets at once: it may give many for each.
const PIECE_ROWS: usize = 1024;

pub struct TableCall {
    function: TableFunctionRef,
    args: Vec<Arc<dyn PhysicalExpr>>,
    /// Which input columns are passed on; the others are NULL.
    passed: Vec<bool>,
    /// A row without a result comes once, with NULLs.
    outer: bool,
    context: EvalContext,
    output: SchemaRef,
}

impl TableCall {
    pub fn new(
        function: TableFunctionRef,
        args: &[Expr],
        passed: &[usize],
        outer: bool,
        input: &Schema,
        output: SchemaRef,
        context: EvalContext,
    ) -> Result<Self> {
        function.open()?;
        let args = args.iter().map(|arg| lower_in(arg, input, context)).collect::<Result<Vec<_>>>()?;
        let passed = (0..input.len()).map(|column| passed.contains(&column)).collect();
        Ok(TableCall { function, args, passed, outer, context, output })
    }

    fn piece(&self, batch: &ChangeBatch, start: usize, out: &mut dyn Output) -> Result<()> {
        let rows = batch.rows.slice(start, PIECE_ROWS.min(batch.len() - start));
        let args = self.args.iter().map(|arg| Ok(arg.evaluate(&rows)?)).collect::<Result<Vec<_>>>()?;
        let made = self.function.call(&args, rows.num_rows(), self.context)?;
        self.check(&made, rows.num_rows())?;
        let beside = if self.outer { Beside::padded(made, rows.num_rows())? } else { Beside::all(made) };
        if beside.parents.is_empty() {
            return Ok(());
        }
        let kinds: Option<Vec<RowKind>> = batch
            .kinds
            .as_ref()
            .map(|_| beside.parents.values().iter().map(|parent| batch.kind(start + *parent as usize)).collect());
        let rows = self.rows(&rows, beside)?;
        for range in Chunks::of(rows.num_rows()) {
            let part = rows.slice(range.start, range.len());
            out.emit(match &kinds {
                Some(kinds) => ChangeBatch::with_kinds(part, kinds.get(range).unwrap_or_default().to_vec()),
                None => ChangeBatch::inserts(part),
            })?;
        }
        Ok(())
    }

    /// A function that is not ours may give anything.
    fn check(&self, made: &TableRows, rows: usize) -> Result<()> {
        let ordered = made.parents.is_sorted() && made.parents.last().is_none_or(|last| (*last as usize) < rows);
        let whole = made.columns.iter().all(|column| column.len() == made.parents.len())
            && made.columns.len() == self.function.columns().len();
        if ordered && whole {
            return Ok(());
        }
        Err(EngineError::internal("a table function gave rows that fit no input").with_detail(self.function.name()))
    }

    fn rows(&self, input: &RecordBatch, beside: Beside) -> Result<RecordBatch> {
        let count = beside.parents.len();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.output.fields().len());
        for (column, passed) in input.columns().iter().zip(&self.passed) {
            columns.push(match passed {
                true => take(column, &beside.parents, None)?,
                false => new_null_array(column.data_type(), count),
            });
        }
        columns.extend(beside.columns);
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.output), columns, &options)?)
    }
}

/// What stands beside which input row.
struct Beside {
    parents: UInt32Array,
    columns: Vec<ArrayRef>,
}

impl Beside {
    fn all(made: TableRows) -> Self {
        Beside { parents: UInt32Array::from(made.parents), columns: made.columns }
    }

    /// With a row of NULLs for every input row that has none.
    fn padded(made: TableRows, rows: usize) -> Result<Self> {
        let mut parents: Vec<u32> = Vec::with_capacity(made.parents.len().max(rows));
        let mut indices: Vec<Option<u32>> = Vec::with_capacity(parents.capacity());
        let mut results = (0_u32..).zip(made.parents).peekable();
        for row in 0..rows as u32 {
            let before = parents.len();
            while let Some((index, _)) = results.next_if(|(_, parent)| *parent == row) {
                parents.push(row);
                indices.push(Some(index));
            }
            if parents.len() == before {
                parents.push(row);
                indices.push(None);
            }
        }
        let indices = UInt32Array::from(indices);
        let columns = made.columns.iter().map(|column| Ok(take(column, &indices, None)?)).collect::<Result<_>>()?;
        Ok(Beside { parents: UInt32Array::from(parents), columns })
    }
}

impl Operator for TableCall {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        for start in (0..batch.len()).step_by(PIECE_ROWS) {
            self.piece(&batch, start, out)?;
        }
        Ok(())
    }
}
