//! Rows as often as one of their columns says: what INTERSECT ALL and EXCEPT ALL count.

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Int64Type, SchemaRef};

use super::calc::renamed;
use super::{CHUNK_ROWS, Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};

pub struct Repeat {
    /// A BIGINT column. NULL and what is below 1 give no row.
    times: usize,
    schema: SchemaRef,
}

impl Repeat {
    pub const fn new(times: usize, schema: SchemaRef) -> Self {
        Repeat { times, schema }
    }

    fn give(&self, batch: &ChangeBatch, rows: Vec<u32>, out: &mut dyn Output) -> Result<()> {
        let kinds: Vec<RowKind> = rows.iter().map(|row| batch.kind(*row as usize)).collect();
        let rows = take_record_batch(&batch.rows, &UInt32Array::from(rows))?;
        out.emit(ChangeBatch::with_kinds(renamed(rows, &self.schema)?, kinds))
    }
}

impl Operator for Repeat {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let times = batch.rows.column(self.times).as_primitive_opt::<Int64Type>().cloned();
        let times = times.ok_or_else(|| EngineError::internal("how often a row is there is no BIGINT"))?;
        let mut rows = Vec::new();
        for row in 0..batch.len() {
            let count = if times.is_valid(row) { times.value(row).max(0) } else { 0 };
            for _ in 0..count {
                rows.push(row as u32);
                if rows.len() == CHUNK_ROWS {
                    self.give(&batch, std::mem::take(&mut rows), out)?;
                }
            }
        }
        if rows.is_empty() { Ok(()) } else { self.give(&batch, rows, out) }
    }
}
