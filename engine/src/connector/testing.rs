//! Tables and surroundings for the tests of connectors.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use arrow::array::{RecordBatch, UInt32Array};
use async_trait::async_trait;
use millrace_wire::connection::ConnectionTest;
use millrace_wire::connector::{ConnectorSchema, OptionKind};
use millrace_wire::graph::Guarantee;
use millrace_wire::table::FetchedSchema;
use parking_lot::Mutex;

use super::option::Options;
use super::{
    Committer, Committers, Connector, ConnectorContext, Found, Lookup, LookupColumns, Sink, Source, SourceEvent,
    SourceReader, SplitId, SplitPosition, SplitStart, TableUse, registry,
};
use crate::catalog::{CatalogText, ColumnDef, ColumnKind, TableDef, TableRef};
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::json::JsonEncoder;
use crate::format::{self, Encoder, FormatOptions, Slab};
use crate::local::{LocalOptions, prepare};
use crate::plan::settings::Settings;
use crate::runtime::Outcome;
use crate::state::KeyEncoder;
use crate::types::{Field, LogicalType, Type};

/// Runs a script to its end, and gives what it guarantees.
pub(super) fn run_script(sql: &str, batch_rows: usize, runtime: &tokio::runtime::Runtime) -> Guarantee {
    let options = LocalOptions {
        catalog: CatalogText::default(),
        settings: Settings::default(),
        file_roots: Vec::new(),
        batch_rows,
        runtime: runtime.handle().clone(),
    };
    let prepared = prepare(sql, options, Arc::new(|_| Ok(()))).unwrap();
    let guarantee = prepared.guarantee().clone();
    assert_eq!(prepared.start().unwrap().finish().unwrap(), Outcome::Finished);
    guarantee
}

pub(super) fn field(name: &str, ty: LogicalType) -> Field {
    Field::new(name, Type::nullable(ty))
}

/// A table of physical columns.
pub(crate) fn table(columns: &[(&str, LogicalType)], options: &[(&str, &str)]) -> TableRef {
    Arc::new(TableDef {
        name: "test.t".to_owned(),
        columns: columns.iter().map(|(name, ty)| column(name, ty.clone(), ColumnKind::Physical)).collect(),
        watermark: None,
        primary_key: Vec::new(),
        partition_keys: Vec::new(),
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

pub(crate) fn with_options(table: &TableRef, options: &[(&str, &str)]) -> TableRef {
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
    context_on(runtime.handle().clone(), identity)
}

pub(crate) fn context_on(runtime: tokio::runtime::Handle, identity: &str) -> ConnectorContext {
    ConnectorContext {
        file_roots: Vec::<PathBuf>::new(),
        identity: identity.to_owned(),
        start_at_ms: None,
        committers: Arc::new(TestCommitters::default()),
        read_only: false,
        bad_records: None,
        batch_rows: 100,
        runtime,
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

/// A table for lookup joins whose rows stand in its option `rows`, one JSON object a line. `fails` and `misses` are how
/// many requests fail or find nothing before the first good one; `delay` is how long each takes.
pub(crate) struct TestLookup;

struct TestRows {
    rows: RecordBatch,
    keys: Vec<usize>,
    delay: Duration,
    fails: AtomicU64,
    misses: AtomicU64,
}

#[async_trait]
impl Connector for TestLookup {
    fn schema(&self) -> ConnectorSchema {
        let option = |name: &str, kind| format::defaulted(name, name, "", kind, "");
        ConnectorSchema {
            name: "test-lookup".to_owned(),
            title: "Test".to_owned(),
            summary: String::new(),
            connection: None,
            takes: Vec::new(),
            source: false,
            sink: false,
            lookup: true,
            bounded: false,
            formats: Vec::new(),
            options: vec![
                option("rows", OptionKind::Text),
                option("delay", OptionKind::Duration),
                option("fails", OptionKind::Integer),
                option("misses", OptionKind::Integer),
            ],
            fixed_columns: Vec::new(),
            fetches_schema: false,
        }
    }

    fn sink(&self, _table: &TableRef, _context: &ConnectorContext) -> Result<Box<dyn Sink>> {
        Err(EngineError::internal("only looked up"))
    }

    fn lookup(
        &self,
        table: &TableRef,
        columns: &LookupColumns,
        _context: &ConnectorContext,
    ) -> Result<Arc<dyn Lookup>> {
        let options = Options(&table.options);
        let lines: Vec<&str> = options.text("rows").unwrap_or_default().lines().collect();
        let place = |key: &usize| columns.columns.iter().position(|column| column == key).unwrap();
        Ok(Arc::new(TestRows {
            rows: batch(table, &lines).rows.project(&columns.columns).unwrap(),
            keys: columns.keys.iter().map(place).collect(),
            delay: options.duration("delay")?.unwrap_or_default(),
            fails: AtomicU64::new(options.count("fails")?.unwrap_or(0)),
            misses: AtomicU64::new(options.count("misses")?.unwrap_or(0)),
        }))
    }

    async fn fetch(&self, _options: &BTreeMap<String, String>, _context: &ConnectorContext) -> Result<FetchedSchema> {
        Err(EngineError::internal("only looked up"))
    }

    async fn test(&self, _table: &TableRef, _context: &ConnectorContext) -> ConnectionTest {
        ConnectionTest { ok: true, steps: Vec::new() }
    }
}

/// Takes one of so many.
fn take_one(left: &AtomicU64) -> bool {
    left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Lookup for TestRows {
    async fn find(&self, keys: RecordBatch) -> Result<Found> {
        tokio::time::sleep(self.delay).await;
        if take_one(&self.fails) {
            return Err(EngineError::external("test", "The test wants this request to fail."));
        }
        if take_one(&self.misses) {
            return Ok(Found { rows: self.rows.slice(0, 0), key_of: Vec::new() });
        }
        let all: Vec<usize> = (0..keys.num_columns()).collect();
        let asked = KeyEncoder::new(&keys.schema(), &all)?.encode(&keys)?;
        let own = KeyEncoder::new(&self.rows.schema(), &self.keys)?.encode(&self.rows)?;
        let (mut found, mut key_of) = (Vec::new(), Vec::new());
        for row in 0..self.rows.num_rows() {
            if let Some(key) = (0..keys.num_rows()).find(|key| asked.key(*key) == own.key(row)) {
                found.push(row as u32);
                key_of.push(key as u32);
            }
        }
        let rows = arrow::compute::take_record_batch(&self.rows, &UInt32Array::from(found))?;
        Ok(Found { rows, key_of })
    }

    async fn load(&self, take: &mut (dyn FnMut(RecordBatch) -> Result<()> + Send)) -> Result<()> {
        tokio::time::sleep(self.delay).await;
        take(self.rows.clone())
    }

    fn keys_per_request(&self) -> usize {
        2
    }
}

#[tokio::test]
async fn a_table_that_is_looked_up_answers_by_key() {
    let rows = "{\"k\": 1, \"v\": \"a\"}\n{\"k\": 2, \"v\": \"b\"}\n{\"k\": 1, \"v\": \"c\"}";
    let table = table(
        &[("k", LogicalType::BigInt), ("v", LogicalType::String)],
        &[("connector", "test-lookup"), ("rows", rows), ("lookup.cache", "PARTIAL")],
    );
    assert_eq!(registry::problems(&table, TableUse::Lookup), []);
    assert_eq!(registry::problems(&table, TableUse::Read)[0].problem.code, "unsupported");
    let columns = LookupColumns { keys: vec![0], columns: vec![0, 1] };
    let context = context_on(tokio::runtime::Handle::current(), "lookup");
    let lookup = TestLookup.lookup(&table, &columns, &context).unwrap();
    let found = lookup.find(batch(&table, &["{\"k\": 7}", "{\"k\": 1}"]).rows.project(&[0]).unwrap()).await.unwrap();
    assert_eq!(lines(&ChangeBatch::inserts(found.rows)), ["+I{\"k\":1,\"v\":\"a\"}", "+I{\"k\":1,\"v\":\"c\"}"]);
    assert_eq!(found.key_of, [1, 1]);
}
