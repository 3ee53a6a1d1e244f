//! Records of plain JSON objects into columns.

use super::cursor::{Cursor, JsonError, JsonResult, Next};
use super::object::ObjectReader;
use super::read::{ReadRules, describe};
use crate::error::Result;
use crate::format::column::Column;
use crate::format::{BadRecord, Decoded, Decoder, RECORD_LIMIT, wanted_columns, wanted_fields};
use crate::types::Field;

pub(super) struct JsonDecoder {
    object: ObjectReader,
    columns: Vec<Column>,
    rows: usize,
    rules: ReadRules,
}

impl JsonDecoder {
    pub(super) fn new(fields: &[Field], wanted: &[usize], rules: ReadRules) -> Self {
        let named = wanted_fields(fields, wanted).map(|field| (field.name.as_str(), &field.ty.logical));
        JsonDecoder { object: ObjectReader::new(named), columns: wanted_columns(fields, wanted), rows: 0, rules }
    }

    fn read(&mut self, cursor: &mut Cursor<'_>) -> JsonResult<usize> {
        if cursor.at_end() {
            // A blank line of a file, or a tombstone.
            return Ok(0);
        }
        let rows = match cursor.next()? {
            Next::Object => {
                self.object.read(cursor, &mut self.columns, &self.rules)?;
                1
            }
            Next::Array => {
                cursor.take(b'[');
                let (mut rows, mut first) = (0, true);
                while cursor.element(&mut first)? {
                    self.object.read(cursor, &mut self.columns, &self.rules)?;
                    rows += 1;
                }
                rows
            }
            Next::Null => {
                cursor.word(b"null")?;
                0
            }
            other => return Err(JsonError::Value(format!("an object was expected, not {}", describe(other)))),
        };
        if cursor.at_end() { Ok(rows) } else { cursor.unexpected("the end of the record") }
    }
}

impl Decoder for JsonDecoder {
    fn push(&mut self, record: &[u8]) -> Result<usize, BadRecord> {
        let mut cursor = Cursor::new(checked_text(record)?);
        match self.read(&mut cursor) {
            Ok(rows) => {
                self.rows += rows;
                Ok(rows)
            }
            Err(error) => {
                self.columns.iter_mut().for_each(|column| column.truncate(self.rows));
                Err(bad_record(error))
            }
        }
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = self.rows.min(rows);
    }

    fn finish(&mut self) -> Result<Decoded> {
        self.rows = 0;
        let columns = self.columns.iter_mut().map(Column::finish).collect::<Result<_>>()?;
        Ok(Decoded { columns, kinds: None })
    }
}

/// The record, when it is UTF-8 and not too large.
pub(super) fn checked_text(record: &[u8]) -> Result<&[u8], BadRecord> {
    if record.len() > RECORD_LIMIT {
        return Err(BadRecord(format!("the record has {} bytes, more than the limit of {RECORD_LIMIT}", record.len())));
    }
    match std::str::from_utf8(record) {
        Ok(_) => Ok(record),
        Err(error) => Err(BadRecord(format!("byte {} is no UTF-8", error.valid_up_to()))),
    }
}

#[cold]
pub(super) fn bad_record(error: JsonError) -> BadRecord {
    match error {
        JsonError::Syntax { at, expected } => BadRecord(format!("it is no JSON: {expected} was expected at byte {at}")),
        JsonError::Value(reason) => BadRecord(reason),
    }
}
