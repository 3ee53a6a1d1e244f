//! CSV records into columns.

use super::CsvRules;
use crate::error::Result;
use crate::format::column::{Column, Data, offset_of};
use crate::format::json::scalar_value;
use crate::format::temporal::TimestampStandard;
use crate::format::{BadRecord, Decoded, Decoder, RECORD_LIMIT, wanted_columns};
use crate::types::Field;

pub(super) struct CsvDecoder {
    names: Vec<String>,
    /// Per field of the record: the column it goes into.
    target: Vec<Option<usize>>,
    columns: Vec<Column>,
    rows: usize,
    rules: CsvRules,
    /// The unquoted text of the record's fields, one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl CsvDecoder {
    pub(super) fn new(fields: &[Field], wanted: &[usize], rules: CsvRules) -> Self {
        let target = (0..fields.len()).map(|field| wanted.iter().position(|index| *index == field)).collect();
        CsvDecoder {
            names: fields.iter().map(|field| field.name.clone()).collect(),
            target,
            columns: wanted_columns(fields, wanted),
            rows: 0,
            rules,
            text: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn read(&mut self, record: &[u8]) -> Result<(), BadRecord> {
        self.text.clear();
        self.ends.clear();
        split_line(record, &self.rules, &mut self.text, &mut self.ends);
        if self.ends.len() != self.target.len() && !self.rules.ignore_errors {
            return Err(BadRecord(format!("it has {} fields instead of {}", self.ends.len(), self.target.len())));
        }
        for (field, target) in self.target.iter().enumerate() {
            let Some(column) = target.and_then(|index| self.columns.get_mut(index)) else { continue };
            let Some(end) = self.ends.get(field) else {
                column.push_null();
                continue;
            };
            let start = field.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
            let text = self.text.get(start..*end).unwrap_or_default();
            if let Err(reason) = push_field(text, column, &self.rules) {
                if !self.rules.ignore_errors {
                    let name = self.names.get(field).map_or("", String::as_str);
                    return Err(BadRecord(format!("field '{name}': {reason}")));
                }
                column.truncate(self.rows);
                column.push_null();
            }
        }
        Ok(())
    }
}

fn push_field(text: &[u8], column: &mut Column, rules: &CsvRules) -> Result<(), String> {
    if rules.null_literal.as_ref().is_some_and(|literal| literal.as_bytes() == text) {
        column.push_null();
        return Ok(());
    }
    let pieces = || {
        let text = String::from_utf8_lossy(text).into_owned();
        let split: Vec<String> = text.split(&rules.array_delimiter).map(str::to_owned).collect();
        split
    };
    match column.data() {
        Data::List { offsets, items } => {
            if !text.is_empty() {
                for piece in pieces() {
                    push_field(piece.as_bytes(), items, rules)?;
                }
            }
            offsets.push(offset_of(items.len()));
        }
        Data::Row(children) => {
            let pieces = pieces();
            if pieces.len() != children.len() {
                return Err(format!("{} nested fields instead of {}", pieces.len(), children.len()));
            }
            for (piece, child) in pieces.iter().zip(children) {
                push_field(piece.as_bytes(), child, rules)?;
            }
        }
        _ => return scalar_value(text, column, TimestampStandard::Sql),
    }
    column.accept();
    Ok(())
}

impl Decoder for CsvDecoder {
    fn push(&mut self, record: &[u8]) -> Result<usize, BadRecord> {
        if record.is_empty() || self.rules.allow_comments && record.first() == Some(&b'#') {
            return Ok(0);
        }
        if record.len() > RECORD_LIMIT {
            return Err(BadRecord(format!("the record has {} bytes, more than the limit", record.len())));
        }
        if let Err(error) = std::str::from_utf8(record) {
            return Err(BadRecord(format!("byte {} is no UTF-8", error.valid_up_to())));
        }
        match self.read(record) {
            Ok(()) => {
                self.rows += 1;
                Ok(1)
            }
            Err(bad) => {
                self.columns.iter_mut().for_each(|column| column.truncate(self.rows));
                Err(bad)
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

/// Appends the fields of a record to `text`, quotes and escapes resolved; `ends` gets where each field ends.
pub fn split_line(record: &[u8], rules: &CsvRules, text: &mut Vec<u8>, ends: &mut Vec<usize>) {
    let mut bytes = record.iter().copied().peekable();
    let mut inside = false;
    let mut at_start = true;
    while let Some(byte) = bytes.next() {
        if Some(byte) == rules.escape {
            text.extend(bytes.next());
        } else if Some(byte) == rules.quote && (inside || at_start) {
            if inside && bytes.peek() == Some(&byte) {
                text.push(byte);
                bytes.next();
            } else {
                inside = !inside;
            }
        } else if byte == rules.delimiter && !inside {
            ends.push(text.len());
            at_start = true;
            continue;
        } else {
            text.push(byte);
        }
        at_start = false;
    }
    ends.push(text.len());
}
