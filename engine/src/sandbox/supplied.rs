//! Rows that somebody supplied: as a source, as a table to look up, and in the notation of results.

use std::time::Duration;

use arrow::array::{RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use chrono::DateTime;
use millrace_wire::preview::PreviewRow;
use millrace_wire::test_run::SuppliedRow;
use serde_json::{Map, Value};

use super::value::for_decoder;
use super::{row_kind, wire_kind};
use crate::catalog::{TableDef, TableRef};
use crate::change::{ChangeBatch, RowKind};
use crate::collect::RowWriter;
use crate::connector::{
    Found, Lookup, LookupColumns, Source, SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart,
};
use crate::error::{EngineError, Result};
use crate::format::{self, FormatOptions};
use crate::state::KeyEncoder;
use crate::types::{LogicalType, Schema};

const SPLIT: &str = "supplied";
const UPSERT_KAFKA: &str = "upsert-kafka";

/// The rows as columns of the table. `wanted` index into `columns`, which index into the table's columns.
fn decode(table: &TableDef, columns: &[usize], wanted: &[usize], rows: &[SuppliedRow]) -> Result<RecordBatch> {
    let schema = table.schema_of(columns);
    let json = format::find("json").ok_or_else(|| EngineError::internal("there is no format 'json'"))?;
    let mut decoder = json.decoder(&schema.fields, wanted, &FormatOptions::default())?;
    for (number, row) in rows.iter().enumerate() {
        let wrong = |why: &str| {
            EngineError::user("bad_row", format!("Row {} of {} does not fit: {why}.", number + 1, table.name))
        };
        let object = object(table, &schema, row).map_err(|why| wrong(&why))?;
        let text = Value::Object(object).to_string();
        decoder.push(text.as_bytes()).map_err(|bad| wrong(&bad.0))?;
    }
    let columns: Vec<usize> = wanted.iter().filter_map(|index| columns.get(*index).copied()).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let arrays = decoder.finish()?.columns;
    let made = RecordBatch::try_new_with_options(table.schema_of(&columns).to_arrow(), arrays, &options);
    made.map_err(|error| {
        let message = format!("The rows of {} do not fit: a column that is NOT NULL has no value.", table.name);
        EngineError::user("bad_row", message).with_detail(error)
    })
}

/// One row by the names of its columns, as the decoder takes it.
fn object(table: &TableDef, schema: &Schema, row: &SuppliedRow) -> Result<Map<String, Value>, String> {
    let mut object = Map::new();
    match &row.values {
        Value::Object(values) => {
            for (name, value) in values {
                let field = schema.index_of(name).and_then(|index| schema.fields.get(index));
                let field = field.ok_or_else(|| unknown(table, name))?;
                object.insert(name.clone(), for_decoder(value, &field.ty.logical));
            }
        }
        Value::Array(values) if values.len() == schema.len() => {
            for (field, value) in schema.fields.iter().zip(values) {
                object.insert(field.name.clone(), for_decoder(value, &field.ty.logical));
            }
        }
        Value::Array(values) => return Err(format!("it has {} values, not {}", values.len(), schema.len())),
        _ => return Err("it is neither an object nor an array".to_owned()),
    }
    if let Some(at) = row.at {
        let time = table.watermark.as_ref().and_then(|watermark| table.columns.get(watermark.column));
        let time = time.ok_or("the table has no event time to set")?;
        if schema.index_of(&time.name).is_none() {
            return Err(format!("its event time {} is computed: give the columns that it is computed from", time.name));
        }
        let moment = DateTime::from_timestamp_millis(at).ok_or("its event time is out of range")?;
        let zone = if matches!(time.ty.logical, LogicalType::TimestampLtz(_)) { "Z" } else { "" };
        let text = format!("{}{zone}", moment.format("%Y-%m-%d %H:%M:%S%.3f"));
        object.entry(time.name.clone()).or_insert(Value::String(text));
    }
    Ok(object)
}

fn unknown(table: &TableDef, name: &str) -> String {
    if table.columns.iter().any(|column| column.name == name) {
        return format!("the column {name} is computed and cannot be given");
    }
    format!("there is no column {name}")
}

/// What a sink should get, in the notation that it shows what it got in.
pub fn canonical(table: &TableDef, rows: &[SuppliedRow]) -> Result<Vec<PreviewRow>> {
    let columns = table.write_columns();
    let all: Vec<usize> = (0..columns.len()).collect();
    let batch = ChangeBatch::inserts(decode(table, &columns, &all, rows)?);
    let writer = RowWriter::new(&table.schema_of(&columns));
    let numbered = rows.iter().enumerate();
    Ok(numbered.map(|(at, row)| PreviewRow { kind: row.kind, values: writer.row(&batch, at) }).collect())
}

/// Bounded; the whole of it in one split.
pub(super) struct SuppliedSource {
    batch: ChangeBatch,
    changelog: bool,
    upserts: bool,
}

impl SuppliedSource {
    /// `columns` index into [`TableDef::read_columns`].
    pub(super) fn new(table: &TableRef, columns: &[usize], rows: &[SuppliedRow]) -> Result<Self> {
        let upserts = table.connector() == UPSERT_KAFKA;
        // By key a row is replaced by the next one: what it was before is not said.
        let given: Vec<SuppliedRow> = match upserts {
            true => rows.iter().filter(|row| row_kind(row.kind) != RowKind::UpdateBefore).cloned().collect(),
            false => rows.to_vec(),
        };
        let kind = |row: &SuppliedRow| match row_kind(row.kind) {
            RowKind::UpdateAfter if upserts => RowKind::Insert,
            kind => kind,
        };
        let kinds: Vec<RowKind> = given.iter().map(kind).collect();
        let format = table.option("format").or_else(|| table.option("value.format")).and_then(format::find);
        let changelog = format.is_some_and(|format| format.changelog());
        if !changelog && !upserts && kinds.iter().any(|kind| *kind != RowKind::Insert) {
            let message = format!("{} gives new rows only: its rows cannot be -U, +U or -D.", table.name);
            return Err(EngineError::user("bad_row", message));
        }
        let rows = decode(table, &table.read_columns(), columns, &given)?;
        Ok(SuppliedSource { batch: ChangeBatch::with_kinds(rows, kinds), changelog, upserts })
    }
}

impl Source for SuppliedSource {
    fn bounded(&self) -> bool {
        true
    }

    fn schema(&self) -> SchemaRef {
        self.batch.rows.schema()
    }

    fn changelog(&self) -> bool {
        self.changelog
    }

    fn upserts(&self) -> bool {
        self.upserts
    }

    fn replayable(&self) -> bool {
        true
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        Ok(vec![SPLIT.into()])
    }

    fn reader(&self, splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        let given = |position: &SplitPosition| position.0.as_u64().unwrap_or(0) as usize;
        let next = splits.first().map(|start| start.position.as_ref().map_or(0, given));
        Ok(Box::new(SuppliedReader { batch: self.batch.clone(), next }))
    }
}

/// One row a batch, so that watermarks move as they do with records that come one by one.
struct SuppliedReader {
    batch: ChangeBatch,
    /// `None` in tasks that the split was not given to.
    next: Option<usize>,
}

impl SourceReader for SuppliedReader {
    fn next(&mut self, _wait: Duration) -> Result<SourceEvent> {
        let Some(next) = self.next.as_mut().filter(|next| **next < self.batch.len()) else {
            return Ok(SourceEvent::End);
        };
        let batch = self.batch.row(*next);
        *next += 1;
        Ok(SourceEvent::Batch { split: SPLIT.into(), batch, bytes: 0 })
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        self.next.iter().map(|next| (SPLIT.into(), SplitPosition((*next).into()))).collect()
    }

    fn add_splits(&mut self, splits: Vec<SplitStart>) -> Result<()> {
        if !splits.is_empty() {
            self.next.get_or_insert(0);
        }
        Ok(())
    }

    fn checkpoint_complete(&mut self, _positions: &[(SplitId, SplitPosition)]) -> Result<()> {
        Ok(())
    }

    fn lag(&mut self) -> Vec<SplitLag> {
        Vec::new()
    }

    fn bad_records(&self) -> u64 {
        0
    }
}

/// A table that is looked up, held in memory.
pub(super) struct SuppliedLookup {
    rows: RecordBatch,
    /// Positions of the keys among the columns that were asked for.
    keys: Vec<usize>,
}

impl SuppliedLookup {
    pub(super) fn new(table: &TableRef, columns: &LookupColumns, rows: &[SuppliedRow]) -> Result<Self> {
        let place = |key: &usize| columns.columns.iter().position(|column| column == key);
        let keys = columns.keys.iter().map(place).collect::<Option<Vec<_>>>();
        let keys = keys.ok_or_else(|| EngineError::internal("a key of a lookup is not read"))?;
        Ok(SuppliedLookup { rows: decode(table, &table.read_columns(), &columns.columns, rows)?, keys })
    }
}

#[async_trait]
impl Lookup for SuppliedLookup {
    async fn find(&self, keys: RecordBatch) -> Result<Found> {
        let all: Vec<usize> = (0..keys.num_columns()).collect();
        let asked = KeyEncoder::new(&keys.schema(), &all)?.encode(&keys)?;
        let own = KeyEncoder::new(&self.rows.schema(), &self.keys)?.encode(&self.rows)?;
        let (mut found, mut key_of) = (Vec::new(), Vec::new());
        for row in 0..self.rows.num_rows() {
            let answers = (0..keys.num_rows()).find(|key| asked.key(*key) == own.key(row));
            if let Some(key) = answers {
                found.push(u32::try_from(row).unwrap_or(u32::MAX));
                key_of.push(u32::try_from(key).unwrap_or(u32::MAX));
            }
        }
        let rows = arrow::compute::take_record_batch(&self.rows, &UInt32Array::from(found))?;
        Ok(Found { rows, key_of })
    }

    async fn load(&self, take: &mut (dyn FnMut(RecordBatch) -> Result<()> + Send)) -> Result<()> {
        take(self.rows.clone())
    }
}

/// Rows of a batch as somebody could supply them again: by the names of the columns.
pub(super) fn supplied_again(schema: &Schema, writer: &RowWriter, batch: &ChangeBatch, row: usize) -> SuppliedRow {
    let named = schema.fields.iter().zip(writer.row(batch, row));
    let values = named.map(|(field, value)| (field.name.clone(), value)).collect();
    SuppliedRow { kind: wire_kind(batch.kind(row)), at: None, values: Value::Object(values) }
}

/// Of what a reader gives when it is asked for these of [`TableDef::read_columns`].
pub(super) fn read_schema(table: &TableDef, columns: &[usize]) -> Schema {
    let read = table.read_columns();
    let chosen: Vec<usize> = columns.iter().filter_map(|index| read.get(*index).copied()).collect();
    table.schema_of(&chosen)
}
