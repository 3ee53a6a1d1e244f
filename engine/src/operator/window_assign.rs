//! A window function without aggregation: every row once per window, with the bounds as columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMillisecondArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, SchemaRef};

use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::operator::window_aggregate::event_times;
use crate::time::window::Windows;

pub struct WindowAssign {
    windows: Windows,
    time_column: usize,
    output: SchemaRef,
}

impl WindowAssign {
    pub const fn new(windows: Windows, time_column: usize, output: SchemaRef) -> Self {
        WindowAssign { windows, time_column, output }
    }
}

impl Operator for WindowAssign {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let times = event_times(&batch.rows, self.time_column)?;
        let mut rows: Vec<u32> = Vec::with_capacity(batch.len());
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for (row, time) in times.iter().enumerate() {
            let Some(time) = time else { continue };
            self.windows.windows_at(self.windows.clock(time), |window| {
                rows.push(row as u32);
                starts.push(window.start);
                ends.push(window.end);
            });
        }
        if rows.is_empty() {
            return Ok(());
        }
        let kinds: Option<Vec<RowKind>> =
            batch.kinds.as_ref().map(|_| rows.iter().map(|row| batch.kind(*row as usize)).collect());
        let lasts: Vec<i64> = ends.iter().map(|end| self.windows.last_instant(*end)).collect();
        let repeated = take_record_batch(&batch.rows, &UInt32Array::from(rows))?;
        let mut columns: Vec<ArrayRef> = repeated.columns().to_vec();
        let first = columns.len();
        for (appended, values) in [starts, ends, lasts].into_iter().enumerate() {
            columns.push(timestamps(values, self.output.field(first + appended).data_type()));
        }
        let rows = RecordBatch::try_new(Arc::clone(&self.output), columns)?;
        out.emit(match kinds {
            Some(kinds) => ChangeBatch::with_kinds(rows, kinds),
            None => ChangeBatch::inserts(rows),
        })
    }
}

/// Milliseconds as the timestamp type that the plan wants (precision 3, with or without zone).
pub(super) fn timestamps(values: Vec<i64>, wanted: &DataType) -> ArrayRef {
    let array = TimestampMillisecondArray::from(values);
    match wanted {
        DataType::Timestamp(_, Some(zone)) => Arc::new(array.with_timezone(Arc::clone(zone))),
        _ => Arc::new(array),
    }
}
