//! Columns that come from the envelope: `METADATA FROM 'value.source.table'` of a Kafka table, `value.` taken off.

use arrow::array::ArrayRef;

use super::Dialect;
use super::envelope::{each_field, text_of};
use crate::error::{EngineError, Result};
use crate::format::column::Column;
use crate::format::json::cursor::{Cursor, JsonError, JsonResult};
use crate::format::json::read::{ReadRules, Reader};
use crate::format::number::parse_integer;
use crate::format::temporal::{TimestampStandard, parse_timestamp, units_per_second};
use crate::format::{MetadataKey, metadata_fits};
use crate::types::{LogicalType, Type};

/// A key with the field of the envelope that it is read from.
struct Known {
    key: &'static str,
    ty: LogicalType,
    field: &'static [u8],
    /// A field inside of that field.
    property: Option<&'static [u8]>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Value,
    Millis,
    Seconds,
    /// `2020-05-13 15:40:06.000000`, in UTC.
    Text,
}

fn text() -> LogicalType {
    LogicalType::String
}

fn list_of_text() -> LogicalType {
    LogicalType::Array(Box::new(text().into()))
}

fn map_to(value: LogicalType) -> LogicalType {
    LogicalType::Map(Box::new(text().into()), Box::new(value.into()))
}

/// As in Flink's documentation of each format.
fn known(dialect: Dialect) -> Vec<Known> {
    let plain = |key, ty, field| Known { key, ty, field, property: None, form: Form::Value };
    let time = |key, precision, field, form| {
        let ty = LogicalType::TimestampLtz(precision);
        Known { key, ty, field, property: None, form }
    };
    let source = |key, property| Known { property: Some(property), ..plain(key, text(), b"source") };
    match dialect {
        Dialect::Debezium => vec![
            plain("schema", text(), b"schema"),
            time("ingestion-timestamp", 3, b"ts_ms", Form::Millis),
            Known { property: Some(b"ts_ms"), ..time("source.timestamp", 3, b"source", Form::Millis) },
            source("source.database", b"db"),
            source("source.schema", b"schema"),
            source("source.table", b"table"),
            plain("source.properties", map_to(text()), b"source"),
        ],
        Dialect::Canal => vec![
            plain("database", text(), b"database"),
            plain("table", text(), b"table"),
            plain("sql-type", map_to(LogicalType::Int), b"sqlType"),
            plain("pk-names", list_of_text(), b"pkNames"),
            time("ingestion-timestamp", 3, b"ts", Form::Millis),
            time("event-timestamp", 3, b"es", Form::Millis),
        ],
        Dialect::Maxwell => vec![
            plain("database", text(), b"database"),
            plain("table", text(), b"table"),
            plain("primary-key-columns", list_of_text(), b"primary_key_columns"),
            time("ingestion-timestamp", 3, b"ts", Form::Seconds),
        ],
        Dialect::Ogg => vec![
            plain("table", text(), b"table"),
            plain("primary-keys", list_of_text(), b"primary_keys"),
            time("ingestion-timestamp", 6, b"current_ts", Form::Text),
            time("event-timestamp", 6, b"op_ts", Form::Text),
        ],
    }
}

pub(super) fn keys(dialect: Dialect) -> Vec<MetadataKey> {
    known(dialect).into_iter().map(|known| MetadataKey { key: known.key, ty: known.ty }).collect()
}

/// The metadata columns of a batch under construction.
pub(super) struct EnvelopeColumns {
    columns: Vec<EnvelopeColumn>,
}

struct EnvelopeColumn {
    known: Known,
    reader: Reader,
    column: Column,
}

impl EnvelopeColumns {
    pub(super) fn new(dialect: Dialect, wanted: &[(String, Type)]) -> Result<Self> {
        let column = |(key, ty): &(String, Type)| {
            let found = known(dialect).into_iter().find(|known| known.key == key);
            let fitting = found.filter(|known| metadata_fits(&ty.logical, &known.ty));
            let known = fitting.ok_or_else(|| {
                EngineError::user("bad_column", format!("The metadata '{key}' cannot be read as {}.", ty.logical))
            })?;
            let (reader, column) = (Reader::new(&ty.logical), Column::new(&ty.logical));
            Ok(EnvelopeColumn { known, reader, column })
        };
        Ok(EnvelopeColumns { columns: wanted.iter().map(column).collect::<Result<_>>()? })
    }

    /// A place per column for what [`Self::see`] finds.
    pub(super) fn places<'a>(&self) -> Vec<&'a [u8]> {
        vec![&[]; self.columns.len()]
    }

    /// Keeps a field of the envelope when a column is read from it.
    pub(super) fn see<'a>(&self, field: &[u8], value: &'a [u8], places: &mut [&'a [u8]]) {
        for (column, place) in self.columns.iter().zip(places) {
            if column.known.field == field {
                *place = value;
            }
        }
    }

    /// One value per column, for one row.
    pub(super) fn push(&mut self, places: &[&[u8]], rules: &ReadRules) -> JsonResult<()> {
        for (column, place) in self.columns.iter_mut().zip(places) {
            let row = column.column.len();
            match column.push(place, rules) {
                Err(JsonError::Value(_)) if rules.ignore_errors => {
                    column.column.truncate(row);
                    column.column.push_null();
                }
                pushed => pushed?,
            }
        }
        Ok(())
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.column.truncate(rows));
    }

    pub(super) fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.columns.iter_mut().map(|column| column.column.finish()).collect()
    }
}

impl EnvelopeColumn {
    fn push(&mut self, field: &[u8], rules: &ReadRules) -> JsonResult<()> {
        let value = match self.known.property {
            Some(property) if !field.is_empty() => property_of(field, property)?,
            _ => field,
        };
        if value.is_empty() {
            self.column.push_null();
            return Ok(());
        }
        if self.known.form == Form::Value {
            return self.reader.read(&mut Cursor::new(value), &mut self.column, rules);
        }
        let text = text_of(value)?;
        let wrong = || JsonError::Value(format!("'{}': '{text}' is no time", self.known.key));
        self.column.push_i64(self.instant(text.as_bytes()).ok_or_else(wrong)?);
        Ok(())
    }

    /// In the units of the column.
    fn instant(&self, text: &[u8]) -> Option<i64> {
        let (LogicalType::Timestamp(precision) | LogicalType::TimestampLtz(precision)) = *self.column.logical() else {
            return None;
        };
        let units = units_per_second(precision);
        match self.known.form {
            Form::Seconds => parse_integer(text)?.checked_mul(units),
            Form::Millis => parse_integer(text)?.checked_mul(units / 1000),
            Form::Value | Form::Text => [TimestampStandard::Sql, TimestampStandard::Iso8601]
                .into_iter()
                .find_map(|standard| parse_timestamp(text, precision, standard, false)),
        }
    }
}

/// Nothing where the object does not have it.
fn property_of<'a>(object: &'a [u8], property: &[u8]) -> JsonResult<&'a [u8]> {
    let mut found: &[u8] = &[];
    each_field(object, |key, value| {
        if key == property {
            found = value;
        }
        Ok(())
    })?;
    Ok(found)
}
