//! A change as a line, in the notation of Flink's `print`.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

use crate::change::ChangeBatch;
use crate::error::Result;
use crate::format::scalar_text;
use crate::format::temporal::TimestampStandard;

/// `+I[1, text, null]`
pub(super) fn write_change(batch: &ChangeBatch, row: usize, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(batch.kind(row).mark().as_bytes());
    out.push(b'[');
    for (position, column) in batch.rows.columns().iter().enumerate() {
        if position > 0 {
            out.extend_from_slice(b", ");
        }
        write_value(column, row, out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_value(array: &ArrayRef, row: usize, out: &mut Vec<u8>) -> Result<()> {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match array.data_type() {
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            out.push(b'[');
            for item in 0..items.len() {
                separate(item, out);
                write_value(&items, item, out)?;
            }
            out.push(b']');
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            out.push(b'{');
            for entry in 0..entries.len() {
                separate(entry, out);
                write_value(entries.column(0), entry, out)?;
                out.push(b'=');
                write_value(entries.column(1), entry, out)?;
            }
            out.push(b'}');
        }
        DataType::Struct(_) => {
            out.extend_from_slice(b"+I[");
            for (position, child) in array.as_struct().columns().iter().enumerate() {
                separate(position, out);
                write_value(child, row, out)?;
            }
            out.push(b']');
        }
        DataType::Binary => {
            out.push(b'[');
            for (position, byte) in array.as_binary::<i32>().value(row).iter().enumerate() {
                separate(position, out);
                // Java's bytes have a sign.
                out.extend_from_slice(byte.cast_signed().to_string().as_bytes());
            }
            out.push(b']');
        }
        _ => scalar_text(array, row, TimestampStandard::Iso8601, out)?,
    }
    Ok(())
}

fn separate(position: usize, out: &mut Vec<u8>) {
    if position > 0 {
        out.extend_from_slice(b", ");
    }
}
