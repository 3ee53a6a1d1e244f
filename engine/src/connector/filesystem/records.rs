//! Single records of files whose formats are sequences of records.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::super::Records;
use super::super::layout::{ReadLayout, physical_fields};
use super::super::option::Options;
use super::partition::FileColumns;
use super::{AVRO, PARQUET};
use crate::catalog::TableRef;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::bad_record::RecordOrigin;
use crate::format::{self, BadRecord, Decoder, FormatOptions};
use crate::types::{Field, Schema};

struct FileRecords {
    /// Columns of the files: not those of partitions.
    fields: Vec<Field>,
    schema: SchemaRef,
    decoder: Box<dyn Decoder>,
}

pub(super) fn records(table: &TableRef) -> Result<Option<Box<dyn Records>>> {
    let name = Options(&table.options).required("format")?;
    if matches!(name, AVRO | PARQUET) {
        return Ok(None);
    }
    let format = format::find(name);
    let format = format.ok_or_else(|| EngineError::user("unknown_format", format!("There is no format '{name}'.")))?;
    let all: Vec<usize> = (0..physical_fields(table).len()).collect();
    let columns = FileColumns::new(table, ReadLayout::new(table, &all)?);
    let decoder =
        format.decoder(&columns.fields, &columns.wanted, &FormatOptions::of_table(&table.options, "", name))?;
    let wanted = columns.wanted.iter().filter_map(|index| columns.fields.get(*index));
    let fields: Vec<Field> = wanted.cloned().collect();
    let schema = Schema::new(fields.clone()).to_arrow();
    Ok(Some(Box::new(FileRecords { fields, schema, decoder })))
}

impl Records for FileRecords {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn decode(&mut self, record: &RecordOrigin<'_>) -> Result<std::result::Result<ChangeBatch, BadRecord>> {
        if let Err(bad) = self.decoder.push(record.value.unwrap_or_default()) {
            return match self.decoder.failure() {
                Some(error) => Err(error),
                None => Ok(Err(bad)),
            };
        }
        let decoded = self.decoder.finish()?;
        let rows = RecordBatch::try_new(self.schema.clone(), decoded.columns)?;
        Ok(Ok(match decoded.kinds {
            Some(kinds) => ChangeBatch::with_kinds(rows, kinds),
            None => ChangeBatch::inserts(rows),
        }))
    }
}
