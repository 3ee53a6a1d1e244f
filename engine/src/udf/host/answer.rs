//! What a guest answers: bytes of which nothing is known, and columns only after everything has been looked at.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::DataType;
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::{FileDecoder, read_footer_length};
use arrow::ipc::root_as_footer;

/// At the end of a file of Arrow IPC: the length of the footer, and letters.
const TRAILER: usize = 10;

/// A file with one batch whose first columns have these types; one more, of text, may hold errors.
///
/// The decoder of Arrow checks all values, but is not made for lies about sizes: it is handed parts that are really
/// there, only types that were expected, and where it panics nevertheless that is an answer, too.
pub(in crate::udf) fn decode(bytes: &[u8], expected: &[DataType]) -> Result<RecordBatch, String> {
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_file(bytes, expected)));
    decoded.unwrap_or_else(|_| Err("gave an answer that is no Arrow IPC".to_owned()))
}

fn decode_file(bytes: &[u8], expected: &[DataType]) -> Result<RecordBatch, String> {
    let wrong = || "gave an answer that is no Arrow IPC".to_owned();
    let body = bytes.len().checked_sub(TRAILER).ok_or_else(wrong)?;
    let trailer = bytes.get(body..).and_then(<[u8]>::first_chunk).copied().ok_or_else(wrong)?;
    let length = read_footer_length(trailer).map_err(|_| wrong())?;
    let start = body.checked_sub(length).ok_or_else(wrong)?;
    let footer = bytes.get(start..body).and_then(|footer| root_as_footer(footer).ok()).ok_or_else(wrong)?;
    if footer.dictionaries().is_some_and(|dictionaries| !dictionaries.is_empty()) {
        return Err("gave an answer with dictionaries".to_owned());
    }
    let schema = fb_to_schema(footer.schema().ok_or_else(wrong)?);
    let given: Vec<&DataType> = schema.fields().iter().map(|field| field.data_type()).collect();
    fits(&given, expected)?;
    let blocks = footer.recordBatches().ok_or_else(wrong)?;
    if blocks.len() != 1 {
        return Err(format!("gave {} batches instead of one", blocks.len()));
    }
    let block = blocks.get(0);
    let at = |number: i64| usize::try_from(number).map_err(|_| wrong());
    let (offset, head, data) = (at(block.offset())?, at(block.metaDataLength().into())?, at(block.bodyLength())?);
    let part = head.checked_add(data).filter(|_| head >= 8).ok_or_else(wrong)?;
    let part = bytes.get(offset..).and_then(|rest| rest.get(..part)).ok_or_else(wrong)?;
    let decoder = FileDecoder::new(Arc::new(schema), footer.version());
    let batch = decoder.read_record_batch(block, &Buffer::from(part));
    batch.map_err(|error| format!("gave an answer that does not hold together ({error})"))?.ok_or_else(wrong)
}

fn fits(given: &[&DataType], expected: &[DataType]) -> Result<(), String> {
    let (first, more) = given.split_at_checked(expected.len()).unwrap_or((given, &[]));
    let with_errors = matches!(more, [] | [DataType::Utf8]);
    if first.len() != expected.len() || !with_errors {
        return Err(format!("gave {} columns instead of {}", given.len(), expected.len()));
    }
    match first.iter().zip(expected).find(|(given, expected)| !same(given, expected)) {
        Some((given, expected)) => Err(format!("gave a column of {given} instead of {expected}")),
        None => Ok(()),
    }
}

/// The same whatever parts are named, and whether they may be NULL.
fn same(given: &DataType, expected: &DataType) -> bool {
    match (given, expected) {
        (DataType::List(given), DataType::List(expected)) => same(given.data_type(), expected.data_type()),
        (DataType::Struct(given), DataType::Struct(expected)) => {
            given.len() == expected.len()
                && given.iter().zip(expected).all(|(given, expected)| same(given.data_type(), expected.data_type()))
        }
        (given, expected) => given == expected,
    }
}
