//! Which columns of a table come from where: the record's fields, or metadata of the record.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use crate::catalog::{ColumnDef, ColumnKind, TableDef};
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::Decoded;
use crate::types::{Field, Type};

/// A source's columns, taken apart for the decoder and put together again per batch.
#[derive(Clone)]
pub(super) struct ReadLayout {
    /// The physical fields of the table, in order.
    pub(super) fields: Vec<Field>,
    /// Indices into `fields` that the query needs.
    pub(super) wanted: Vec<usize>,
    /// Metadata keys that the query needs, with their types.
    pub(super) metadata: Vec<(String, Type)>,
    slots: Vec<Slot>,
    pub(super) schema: SchemaRef,
}

#[derive(Clone, Copy)]
enum Slot {
    Field(usize),
    Metadata(usize),
}

impl ReadLayout {
    /// `columns` as in [`super::Connector::source`].
    pub(super) fn new(table: &TableDef, columns: &[usize]) -> Result<Self> {
        let read = table.read_columns();
        let mut layout = ReadLayout {
            fields: physical_fields(table),
            wanted: Vec::new(),
            metadata: Vec::new(),
            slots: Vec::new(),
            schema: table.schema_of(&picked(&read, columns)?).to_arrow(),
        };
        for index in columns {
            let column = read.get(*index).and_then(|column| table.columns.get(*column));
            match column.map(|column| (&column.kind, column)) {
                Some((ColumnKind::Physical, _)) => {
                    // Physical columns come first in the order of reading.
                    layout.slots.push(Slot::Field(layout.wanted.len()));
                    layout.wanted.push(*index);
                }
                Some((ColumnKind::Metadata { key, .. }, column)) => {
                    layout.slots.push(Slot::Metadata(layout.metadata.len()));
                    layout.metadata.push((key.clone(), column.ty.clone()));
                }
                _ => return Err(no_such_column()),
            }
        }
        Ok(layout)
    }

    /// `metadata` has one array per entry of `self.metadata`.
    pub(super) fn batch(&self, rows: usize, decoded: Decoded, metadata: &[ArrayRef]) -> Result<ChangeBatch> {
        let arrays = self.slots.iter().map(|slot| {
            let array = match slot {
                Slot::Field(index) => decoded.columns.get(*index),
                Slot::Metadata(index) => metadata.get(*index),
            };
            array.cloned().ok_or_else(no_such_column)
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        Ok(match decoded.kinds {
            Some(kinds) => ChangeBatch::with_kinds(batch, kinds),
            None => ChangeBatch::inserts(batch),
        })
    }
}

fn picked(read: &[usize], columns: &[usize]) -> Result<Vec<usize>> {
    columns.iter().map(|index| read.get(*index).copied().ok_or_else(no_such_column)).collect()
}

fn no_such_column() -> EngineError {
    EngineError::internal("a source was asked for a column that it does not have")
}

pub(super) fn physical_fields(table: &TableDef) -> Vec<Field> {
    let physical = table.columns.iter().filter(|column| matches!(column.kind, ColumnKind::Physical));
    physical.map(field_of).collect()
}

pub(super) fn field_of(column: &ColumnDef) -> Field {
    Field::new(&column.name, column.ty.clone())
}

/// The connector whose key is the table's primary key.
pub(super) const UPSERT_KAFKA: &str = "upsert-kafka";

/// The fields that the format behind an option prefix holds: those of the key for `key.`, in the order of the key, else
/// those of the value. Fields of the key go by their names without `key.fields-prefix`.
pub(super) fn fields_of_format(table: &TableDef, prefix: &str) -> Vec<Field> {
    let keys = key_fields(table);
    let physical = physical_fields(table);
    if prefix == KEY {
        let of_key = keys.iter().filter_map(|key| physical.iter().find(|field| field.name == *key));
        return of_key.map(|field| Field::new(key_name(table, &field.name), field.ty.clone())).collect();
    }
    let except_key = table.option("value.fields-include") == Some("EXCEPT_KEY");
    physical.into_iter().filter(|field| !(except_key && keys.contains(&field.name.as_str()))).collect()
}

/// The prefix of options about the key.
pub(super) const KEY: &str = "key.";

/// Columns of the key: the primary key of an upsert table, else `key.fields`, names separated by semicolons.
pub(super) fn key_fields(table: &TableDef) -> Vec<&str> {
    if table.connector() == UPSERT_KAFKA {
        let columns = table.primary_key.iter().filter_map(|index| table.columns.get(*index));
        return columns.map(|column| column.name.as_str()).collect();
    }
    let text = table.option("key.fields").unwrap_or_default();
    text.split(';').map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// What the format of the key calls a column.
pub(super) fn key_name<'a>(table: &TableDef, column: &'a str) -> &'a str {
    let prefix = table.option("key.fields-prefix").unwrap_or_default();
    column.strip_prefix(prefix).unwrap_or(column)
}
