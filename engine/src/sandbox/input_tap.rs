//! The first rows of each source, kept while they pass: a test can be made of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use millrace_wire::test_run::SuppliedRow;
use parking_lot::Mutex;

use super::supplied::{read_schema, supplied_again};
use crate::catalog::TableRef;
use crate::change::ChangeBatch;
use crate::collect::RowWriter;
use crate::connector::{
    PartitionFilter, RangeLimit, RowFilter, Source, SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition,
    SplitStart,
};
use crate::error::Result;
use crate::types::Schema;

pub struct InputTap {
    most: usize,
    rows: Mutex<BTreeMap<String, Vec<SuppliedRow>>>,
}

impl InputTap {
    /// Keeps at most so many rows of each table.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(InputTap { most, rows: Mutex::default() })
    }

    pub fn rows(&self) -> BTreeMap<String, Vec<SuppliedRow>> {
        self.rows.lock().clone()
    }

    pub(super) fn on(self: &Arc<Self>, table: &TableRef, columns: &[usize], inner: Arc<dyn Source>) -> Arc<dyn Source> {
        let schema = read_schema(table, columns);
        let shape = Shape { table: table.name.clone(), writer: RowWriter::new(&schema), schema, tap: Arc::clone(self) };
        Arc::new(Tapped { inner, shape: Arc::new(shape) })
    }
}

struct Shape {
    table: String,
    schema: Schema,
    writer: RowWriter,
    tap: Arc<InputTap>,
}

impl Shape {
    /// False when there is room for no more.
    fn keep(&self, batch: &ChangeBatch) -> bool {
        let mut tables = self.tap.rows.lock();
        let kept = tables.entry(self.table.clone()).or_default();
        let room = self.tap.most.saturating_sub(kept.len());
        kept.extend((0..batch.len().min(room)).map(|row| supplied_again(&self.schema, &self.writer, batch, row)));
        kept.len() < self.tap.most
    }
}

struct Tapped {
    inner: Arc<dyn Source>,
    shape: Arc<Shape>,
}

impl Tapped {
    fn over(&self, inner: Arc<dyn Source>) -> Arc<dyn Source> {
        Arc::new(Tapped { inner, shape: Arc::clone(&self.shape) })
    }
}

impl Source for Tapped {
    fn bounded(&self) -> bool {
        self.inner.bounded()
    }

    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn changelog(&self) -> bool {
        self.inner.changelog()
    }

    fn upserts(&self) -> bool {
        self.inner.upserts()
    }

    fn restricted(&self, filter: Arc<dyn PartitionFilter>) -> Option<Arc<dyn Source>> {
        Some(self.over(self.inner.restricted(filter)?))
    }

    fn filtered(&self, filter: &RowFilter) -> Option<Arc<dyn Source>> {
        Some(self.over(self.inner.filtered(filter)?))
    }

    fn replayable(&self) -> bool {
        self.inner.replayable()
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        self.inner.splits()
    }

    fn settled(&self, limit: RangeLimit) -> Result<Option<Vec<SplitStart>>> {
        self.inner.settled(limit)
    }

    fn reader(&self, splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        let inner = self.inner.reader(splits)?;
        Ok(Box::new(TappedReader { inner, shape: Arc::clone(&self.shape), open: true }))
    }
}

struct TappedReader {
    inner: Box<dyn SourceReader>,
    shape: Arc<Shape>,
    open: bool,
}

impl SourceReader for TappedReader {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent> {
        let event = self.inner.next(wait)?;
        if let (true, SourceEvent::Batch { batch, .. }) = (self.open, &event) {
            self.open = self.shape.keep(batch);
        }
        Ok(event)
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        self.inner.positions()
    }

    fn add_splits(&mut self, splits: Vec<SplitStart>) -> Result<()> {
        self.inner.add_splits(splits)
    }

    fn checkpoint_complete(&mut self, positions: &[(SplitId, SplitPosition)]) -> Result<()> {
        self.inner.checkpoint_complete(positions)
    }

    fn lag(&mut self) -> Vec<SplitLag> {
        self.inner.lag()
    }

    fn bad_records(&self) -> u64 {
        self.inner.bad_records()
    }

    fn newest_record(&self) -> Option<i64> {
        self.inner.newest_record()
    }
}
