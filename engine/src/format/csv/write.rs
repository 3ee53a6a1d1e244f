//! Batches to CSV records.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;

use super::CsvRules;
use crate::change::RowKind;
use crate::error::Result;
use crate::format::temporal::TimestampStandard;
use crate::format::text::scalar_text;
use crate::format::{Encoder, Slab};

pub(super) struct CsvEncoder {
    rules: CsvRules,
    field: Vec<u8>,
}

impl CsvEncoder {
    pub(super) const fn new(rules: CsvRules) -> Self {
        CsvEncoder { rules, field: Vec::new() }
    }

    fn write_field(&mut self, column: &ArrayRef, row: usize, out: &mut Vec<u8>) -> Result<()> {
        self.field.clear();
        if column.is_null(row) {
            let literal = self.rules.null_literal.as_deref().unwrap_or_default();
            out.extend_from_slice(literal.as_bytes());
            return Ok(());
        }
        write_value(column, row, &self.rules, &mut self.field)?;
        let special = |byte: &u8| {
            *byte == self.rules.delimiter || Some(*byte) == self.rules.quote || matches!(byte, b'\n' | b'\r')
        };
        // An empty text is quoted where it would else read as NULL.
        let reads_as_null = self.rules.null_literal.as_ref().is_some_and(|literal| literal.as_bytes() == self.field);
        let Some(quote) = self.rules.quote.filter(|_| reads_as_null || self.field.iter().any(special)) else {
            out.extend_from_slice(&self.field);
            return Ok(());
        };
        out.push(quote);
        for byte in &self.field {
            if *byte == quote {
                out.push(quote);
            }
            out.push(*byte);
        }
        out.push(quote);
        Ok(())
    }
}

impl Encoder for CsvEncoder {
    fn encode(&mut self, rows: &RecordBatch, _kinds: Option<&[RowKind]>, slab: &mut Slab) -> Result<()> {
        for row in 0..rows.num_rows() {
            for (position, column) in rows.columns().iter().enumerate() {
                if position > 0 {
                    slab.bytes.push(self.rules.delimiter);
                }
                self.write_field(column, row, &mut slab.bytes)?;
            }
            slab.end_record();
        }
        Ok(())
    }
}

fn write_value(column: &ArrayRef, row: usize, rules: &CsvRules, out: &mut Vec<u8>) -> Result<()> {
    if column.is_null(row) {
        out.extend_from_slice(rules.null_literal.as_deref().unwrap_or_default().as_bytes());
        return Ok(());
    }
    match column.data_type() {
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            for item in 0..items.len() {
                if item > 0 {
                    out.extend_from_slice(rules.array_delimiter.as_bytes());
                }
                write_value(&items, item, rules, out)?;
            }
        }
        DataType::Struct(_) => {
            for (position, child) in column.as_struct().columns().iter().enumerate() {
                if position > 0 {
                    out.extend_from_slice(rules.array_delimiter.as_bytes());
                }
                write_value(child, row, rules, out)?;
            }
        }
        _ => scalar_text(column, row, TimestampStandard::Sql, out)?,
    }
    Ok(())
}
