//! Tables and surroundings for the tests of connectors.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use parking_lot::Mutex;

use super::{
    Committer, Committers, ConnectorContext, Source, SourceEvent, SourceReader, SplitId, SplitPosition, SplitStart,
    registry,
};
use crate::catalog::{ColumnDef, ColumnKind, TableDef, TableRef};
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::format::json::JsonEncoder;
use crate::format::{Encoder, FormatOptions, Slab};
use crate::types::{Field, LogicalType, Type};

pub(super) fn field(name: &str, ty: LogicalType) -> Field {
    Field::new(name, Type::nullable(ty))
}

/// A table of physical columns.
pub(super) fn table(columns: &[(&str, LogicalType)], options: &[(&str, &str)]) -> TableRef {
    Arc::new(TableDef {
        name: "test.t".to_owned(),
        columns: columns.iter().map(|(name, ty)| column(name, ty.clone(), ColumnKind::Physical)).collect(),
        watermark: None,
        primary_key: Vec::new(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        comment: String::new(),
    })
}

pub(super) fn with_metadata(table: &TableRef, columns: &[(&str, LogicalType, &str)]) -> TableRef {
    let mut def = TableDef::clone(table);
    for (name, ty, key) in columns {
        let kind = ColumnKind::Metadata { key: (*key).to_owned(), virtual_: false };
        def.columns.push(column(name, ty.clone(), kind));
    }
    Arc::new(def)
}

pub(super) fn with_options(table: &TableRef, options: &[(&str, &str)]) -> TableRef {
    let mut def = TableDef::clone(table);
    def.options.extend(options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Arc::new(def)
}

fn column(name: &str, ty: LogicalType, kind: ColumnKind) -> ColumnDef {
    ColumnDef { name: name.to_owned(), ty: Type::nullable(ty), kind, comment: String::new() }
}

/// Keeps committers for a run.
#[derive(Default)]
pub(super) struct TestCommitters(Mutex<Vec<(String, Arc<dyn Committer>)>>);

impl Committers for TestCommitters {
    fn all(&self) -> Vec<Arc<dyn Committer>> {
        self.0.lock().iter().map(|(_, committer)| Arc::clone(committer)).collect()
    }

    fn get_or_insert(&self, key: &str, make: &dyn Fn() -> Result<Arc<dyn Committer>>) -> Result<Arc<dyn Committer>> {
        let mut all = self.0.lock();
        if let Some((_, there)) = all.iter().find(|(known, _)| known == key) {
            return Ok(Arc::clone(there));
        }
        let made = make()?;
        all.push((key.to_owned(), Arc::clone(&made)));
        Ok(made)
    }
}

pub(super) fn context(runtime: &tokio::runtime::Runtime, identity: &str) -> ConnectorContext {
    ConnectorContext {
        file_roots: Vec::<PathBuf>::new(),
        identity: identity.to_owned(),
        start_at_ms: None,
        committers: Arc::new(TestCommitters::default()),
        read_only: false,
        batch_rows: 100,
        runtime: runtime.handle().clone(),
    }
}

pub(super) fn source(table: &TableRef, context: &ConnectorContext) -> Box<dyn Source> {
    let columns: Vec<usize> = (0..table.read_columns().len()).collect();
    registry::find(table.connector()).unwrap().source(table, &columns, context).unwrap()
}

pub(super) fn reader(source: &dyn Source, positions: &[(SplitId, SplitPosition)]) -> Box<dyn SourceReader> {
    let position =
        |split: &SplitId| positions.iter().find(|(known, _)| known == split).map(|(_, position)| position.clone());
    let starts = source.splits().unwrap().into_iter().map(|split| SplitStart { position: position(&split), split });
    source.reader(starts.collect()).unwrap()
}

/// Rows as JSON with the mark of their kind.
pub(super) fn lines(batch: &ChangeBatch) -> Vec<String> {
    let schema = batch.rows.schema();
    // Only the names matter to the encoder.
    let fields: Vec<Field> = schema.fields().iter().map(|known| field(known.name(), LogicalType::Null)).collect();
    let mut slab = Slab::default();
    JsonEncoder::new(&fields, &FormatOptions::default()).encode(&batch.rows, None, &mut slab).unwrap();
    let text = |(row, record): (usize, &[u8])| format!("{}{}", batch.kind(row).mark(), String::from_utf8_lossy(record));
    slab.records().enumerate().map(text).collect()
}

/// Reads until the end, or until `rows` rows came.
pub(super) fn read(reader: &mut dyn SourceReader, rows: usize) -> Result<Vec<String>> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut found = Vec::new();
    while found.len() < rows {
        assert!(Instant::now() < deadline, "only {} of {rows} rows came: {found:?}", found.len());
        match reader.next(Duration::from_millis(100))? {
            SourceEvent::Batch { batch, .. } => found.extend(lines(&batch)),
            SourceEvent::End => break,
            SourceEvent::Idle | SourceEvent::SplitEnd { .. } => {}
        }
    }
    Ok(found)
}

pub(super) fn read_all(table: &TableRef, context: &ConnectorContext) -> Result<Vec<String>> {
    let source = source(table, context);
    read(&mut *reader(&*source, &[]), usize::MAX)
}

/// Insertions of the given JSON rows in the table's columns.
pub(super) fn batch(table: &TableRef, rows: &[&str]) -> ChangeBatch {
    let schema = table.schema_of(&table.write_columns());
    let all: Vec<usize> = (0..schema.fields.len()).collect();
    let json = crate::format::find("json").unwrap();
    let mut decoder = json.decoder(&schema.fields, &all, &FormatOptions::default()).unwrap();
    for row in rows {
        decoder.push(row.as_bytes()).unwrap();
    }
    let columns = decoder.finish().unwrap().columns;
    ChangeBatch::inserts(RecordBatch::try_new(schema.to_arrow(), columns).unwrap())
}
