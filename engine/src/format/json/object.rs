//! The fields of an object into columns, remembering in which order objects have them.

use hashbrown::HashMap;

use super::cursor::{Cursor, JsonError, JsonResult};
use super::read::{ReadRules, Reader};
use crate::format::column::Column;
use crate::types::LogicalType;

/// Objects with more keys than this are read without the memory of their order.
const REMEMBERED_KEYS: usize = 256;
/// After so many keys at another place than remembered, the order is learned anew.
const MISSES_BEFORE_RELEARNING: u32 = 4096;

pub(super) struct ObjectReader {
    names: Vec<Box<[u8]>>,
    readers: Vec<Reader>,
    by_name: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
    /// Key at each place of an earlier object as it is written (`"name"`), and the field it means: records of a stream
    /// mostly look alike.
    order: Vec<(Box<[u8]>, Option<usize>)>,
    misses: u32,
}

impl ObjectReader {
    pub(super) fn new<'a>(fields: impl Iterator<Item = (&'a str, &'a LogicalType)>) -> Self {
        let (names, readers): (Vec<Box<[u8]>>, Vec<_>) =
            fields.map(|(name, ty)| (name.as_bytes().into(), Reader::new(ty))).unzip();
        let by_name = names.iter().cloned().enumerate().map(|(index, name)| (name, index)).collect();
        ObjectReader { names, readers, by_name, order: Vec::new(), misses: 0 }
    }

    /// Reads one object; every column gets exactly one value. After an error the caller truncates the columns.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        columns: &mut [Column],
        rules: &ReadRules,
    ) -> JsonResult<()> {
        let row = columns.first().map_or(0, Column::len);
        let filled = self.take_fields(cursor, columns, row, rules)?;
        if filled < columns.len() {
            self.fill_missing(columns, row, rules)?;
        }
        Ok(())
    }

    /// One row from two objects: fields of `over` count more than those of `base`.
    pub(super) fn read_overlaid(
        &mut self,
        base: &mut Cursor<'_>,
        over: &mut Cursor<'_>,
        columns: &mut [Column],
        rules: &ReadRules,
    ) -> JsonResult<()> {
        let row = columns.first().map_or(0, Column::len);
        self.take_fields(base, columns, row, rules)?;
        self.take_fields(over, columns, row, rules)?;
        self.fill_missing(columns, row, rules)
    }

    /// Reads the fields that an object has and tells how many columns got a first value.
    fn take_fields(
        &mut self,
        cursor: &mut Cursor<'_>,
        columns: &mut [Column],
        row: usize,
        rules: &ReadRules,
    ) -> JsonResult<usize> {
        if !cursor.take(b'{') {
            return cursor.unexpected("'{'");
        }
        let mut filled = 0;
        let mut first = true;
        let mut place = 0;
        loop {
            let known = self.order.get(place).filter(|(pattern, _)| cursor.take_known_key(&mut first, pattern));
            let field = match known {
                Some((_, field)) => *field,
                None => match cursor.key(&mut first)? {
                    Some(key) => self.look_up(place, &key.unescape()?, key.escaped),
                    None => break,
                },
            };
            place += 1;
            let target = field.and_then(|field| columns.get_mut(field).zip(self.readers.get_mut(field)));
            let Some((column, reader)) = target else {
                cursor.skip()?;
                continue;
            };
            if column.len() > row {
                // The same key again: the last one counts.
                column.truncate(row);
            } else {
                filled += 1;
            }
            if let Err(error) = reader.read(cursor, column, rules) {
                let name = field.and_then(|field| self.names.get(field));
                return Err(in_field(error, name.map_or(&[], |name| name)));
            }
        }
        Ok(filled)
    }

    #[cold]
    fn look_up(&mut self, place: usize, key: &[u8], escaped: bool) -> Option<usize> {
        let field = self.by_name.get(key).copied();
        if place == self.order.len() && place < REMEMBERED_KEYS && !escaped {
            let pattern = [b"\"", key, b"\""].concat();
            self.order.push((pattern.into(), field));
        } else {
            self.misses += 1;
            if self.misses >= MISSES_BEFORE_RELEARNING {
                self.misses = 0;
                self.order.clear();
            }
        }
        field
    }

    fn fill_missing(&self, columns: &mut [Column], row: usize, rules: &ReadRules) -> JsonResult<()> {
        for (column, name) in columns.iter_mut().zip(&self.names) {
            if column.len() > row {
                continue;
            }
            if rules.fail_on_missing && !rules.ignore_errors {
                let name = String::from_utf8_lossy(name);
                return Err(JsonError::Value(format!("the field '{name}' is missing")));
            }
            column.push_null();
        }
        Ok(())
    }
}

#[cold]
fn in_field(error: JsonError, key: &[u8]) -> JsonError {
    match error {
        JsonError::Value(reason) if !reason.starts_with("field ") => {
            JsonError::Value(format!("field '{}': {reason}", String::from_utf8_lossy(key)))
        }
        other => other,
    }
}
