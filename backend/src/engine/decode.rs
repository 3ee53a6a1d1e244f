//! Single records, decoded by the table as it is now.

use std::path::PathBuf;

use millrace_engine::collect::{RowWriter, column_type};
use millrace_engine::connector::registry;
use millrace_engine::format::bad_record::RecordOrigin;
use millrace_engine::sql::bind_table;
use millrace_engine::types::Schema;
use millrace_wire::bad_record::DecodedRecord;
use millrace_wire::link::TableSource;
use millrace_wire::preview::ResultColumn;

use super::RawRecord;
use super::embedded::{error, looking};
use crate::error::{Error, Result};

pub(super) async fn decode(
    source: TableSource,
    records: Vec<RawRecord>,
    file_roots: Vec<PathBuf>,
) -> Result<Vec<DecodedRecord>> {
    let table = bind_table("table", &source).map_err(|problems| {
        let message = problems.first().map_or_else(String::new, |problem| problem.message.clone());
        Error::bad_request(format!("The table cannot be read: {message}"))
    })?;
    let context = looking(file_roots);
    let decoding = tokio::task::spawn_blocking(move || {
        let connector =
            registry::find(table.connector()).ok_or_else(|| Error::bad_request("There is no such connector."))?;
        let decoder = connector.records(&table, &context).map_err(error)?;
        let mut decoder = decoder.ok_or_else(|| {
            Error::bad_request("Records of this table cannot be decoded one by one: its files are read as a whole.")
        })?;
        let schema = Schema::new(decoder.fields().to_vec());
        let writer = RowWriter::new(&schema);
        let is_key = |name: &str| {
            let mut keys = table.primary_key.iter().filter_map(|index| table.columns.get(*index));
            keys.any(|column| column.name == name)
        };
        let column = |field: &millrace_engine::types::Field| ResultColumn {
            name: field.name.clone(),
            data_type: column_type(&field.ty.logical),
            key: is_key(&field.name),
        };
        let columns: Vec<ResultColumn> = schema.fields.iter().map(column).collect();
        let mut decoded = Vec::with_capacity(records.len());
        for record in &records {
            let (key, value) = (record.key.as_deref(), record.value.as_deref());
            let origin = RecordOrigin { split: &record.split, offset: record.offset, key, value };
            let (reason, rows) = match decoder.decode(&origin).map_err(error)? {
                Ok(batch) => (None, (0..batch.len()).map(|row| writer.row(&batch, row)).collect()),
                Err(bad) => (Some(bad.0), Vec::new()),
            };
            decoded.push(DecodedRecord { reason, columns: columns.clone(), rows });
        }
        Ok(decoded)
    });
    decoding.await.map_err(Error::internal)?
}
