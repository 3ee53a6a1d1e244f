//! Splits of numbered rows, and sinks whose rows appear with their checkpoint.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::SchemaRef;
use millrace_engine::catalog::TableRef;
use millrace_engine::change::ChangeBatch;
use millrace_engine::collect::RowWriter;
use millrace_engine::connector::{
    Accepts, Sink, SinkWriter, Source, SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart,
};
use millrace_engine::error::{EngineError, Result};
use millrace_engine::plan::dataflow::Endpoints;
use millrace_wire::graph::{DeliveryGuarantee, Guarantee};

use super::Table;

const SPLITS: i64 = 4;
const ROWS: i64 = 400;

pub(crate) struct Memory {
    pub(crate) output: Arc<Mutex<Output>>,
}

/// What a sink does wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    DropOne,
    DoubleOne,
}

/// Committed changes by table, then by checkpoint and task, so that committing twice does no harm.
pub(crate) struct Output {
    committed: BTreeMap<(String, u64, usize), Vec<String>>,
    fault: Fault,
}

impl Output {
    pub(crate) fn new(fault: Fault) -> Self {
        Output { committed: BTreeMap::new(), fault }
    }

    /// An older checkpoint is restored because a newer one is damaged: its reader rolls back with it, as a database
    /// that keeps rows and position together does.
    pub(crate) fn forget_after(&mut self, checkpoint: u64) {
        self.committed.retain(|(_, number, _), _| *number <= checkpoint);
    }

    pub(crate) fn tables(&self) -> BTreeMap<String, Table> {
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        for ((name, _, _), changes) in &self.committed {
            let table = tables.entry(name.clone()).or_default();
            for change in changes {
                let (kind, row) = change.split_at(2);
                let count = table.entry(row.to_owned()).or_default();
                *count += if kind.starts_with('+') { 1 } else { -1 };
            }
        }
        tables.values_mut().for_each(|table| table.retain(|_, count| *count != 0));
        tables
    }
}

impl Endpoints for Memory {
    fn source(&self, table: &TableRef, columns: &[usize]) -> Result<Arc<dyn Source>> {
        let read = table.read_columns();
        let columns: Vec<usize> = columns.iter().map(|column| read[*column]).collect();
        Ok(Arc::new(Numbers { schema: table.schema_of(&columns).to_arrow(), upserts: table.name == "changes" }))
    }

    fn sink(&self, table: &TableRef) -> Result<Arc<dyn Sink>> {
        let writer = RowWriter::new(&table.schema_of(&table.write_columns()));
        Ok(Arc::new(Rows { name: table.name.clone(), writer, output: Arc::clone(&self.output) }))
    }

    fn collect(&self) -> Result<Arc<dyn Sink>> {
        Err(EngineError::internal("the script has no SELECT"))
    }
}

struct Numbers {
    schema: SchemaRef,
    upserts: bool,
}

impl Source for Numbers {
    fn bounded(&self) -> bool {
        true
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn changelog(&self) -> bool {
        false
    }

    fn upserts(&self) -> bool {
        self.upserts
    }

    fn replayable(&self) -> bool {
        true
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        Ok((0..SPLITS).map(|split| SplitId::from(split.to_string())).collect())
    }

    fn reader(&self, splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        let at = |position: &SplitPosition| position.0.as_i64().unwrap();
        let splits = splits.iter().map(|start| (start.split.clone(), start.position.as_ref().map_or(0, at)));
        Ok(Box::new(NumbersReader { schema: Arc::clone(&self.schema), splits: splits.collect() }))
    }
}

struct NumbersReader {
    schema: SchemaRef,
    /// Next row of each split; the front one is read next.
    splits: VecDeque<(SplitId, i64)>,
}

impl SourceReader for NumbersReader {
    fn next(&mut self, _wait: Duration) -> Result<SourceEvent> {
        let Some(at) = self.splits.iter().position(|(_, next)| *next < ROWS) else { return Ok(SourceEvent::End) };
        self.splits.rotate_left(at);
        let (split, next) = self.splits.pop_front().unwrap();
        let number: i64 = split.parse().unwrap();
        let end = ROWS.min(next + 1 + (next * 7 + number) % 9);
        let batch = rows(&self.schema, number, next..end);
        self.splits.push_back((split.clone(), end));
        Ok(SourceEvent::Batch { split, batch: ChangeBatch::inserts(batch), bytes: 0 })
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        self.splits.iter().map(|(split, next)| (split.clone(), SplitPosition((*next).into()))).collect()
    }

    fn add_splits(&mut self, _splits: Vec<SplitStart>) -> Result<()> {
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

/// Times rise within a split, with rows up to two seconds out of order.
fn rows(schema: &SchemaRef, split: i64, numbers: std::ops::Range<i64>) -> RecordBatch {
    let mix = |n: i64| (n * SPLITS + split).wrapping_mul(0x9e37_79b9).rem_euclid(1009);
    let column = |name: &str| -> ArrayRef {
        match name {
            "id" => Arc::new(Int64Array::from_iter_values(numbers.clone().map(|n| n * SPLITS + split))),
            "split" => Arc::new(Int64Array::from_iter_values(numbers.clone().map(|_| split))),
            "k" => Arc::new(StringArray::from_iter_values(numbers.clone().map(|n| format!("key {}", mix(n) % 11)))),
            "v" => Arc::new(Int64Array::from_iter_values(numbers.clone().map(|n| mix(n) % 100))),
            "ts" => Arc::new(TimestampMillisecondArray::from_iter_values(
                numbers.clone().map(|n| 1_600_000_000_000 + n * 500 + mix(n) % 2000),
            )),
            other => panic!("{other}"),
        }
    };
    let columns = schema.fields().iter().map(|field| column(field.name())).collect();
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

struct Rows {
    name: String,
    writer: RowWriter,
    output: Arc<Mutex<Output>>,
}

impl Sink for Rows {
    fn accepts(&self) -> Accepts {
        Accepts::Retract
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee { level: DeliveryGuarantee::ExactlyOnce, reason: "Rows appear with their checkpoint.".to_owned() }
    }

    fn writer(&self, task: usize, _tasks: usize, restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        for bytes in restored {
            let (checkpoint, task, changes): (u64, usize, Vec<String>) = serde_json::from_slice(&bytes).unwrap();
            self.output.lock().unwrap().committed.insert((self.name.clone(), checkpoint, task), changes);
        }
        Ok(Box::new(RowsWriter {
            name: self.name.clone(),
            task,
            writer: self.writer.clone(),
            output: Arc::clone(&self.output),
            open: Vec::new(),
            prepared: BTreeMap::new(),
            written: 0,
        }))
    }
}

struct RowsWriter {
    name: String,
    task: usize,
    writer: RowWriter,
    output: Arc<Mutex<Output>>,
    open: Vec<String>,
    prepared: BTreeMap<u64, Vec<String>>,
    written: u64,
}

impl SinkWriter for RowsWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        let fault = self.output.lock().unwrap().fault;
        for row in 0..batch.len() {
            let text = format!("{}{}", batch.kind(row).mark(), serde_json::Value::Array(self.writer.row(batch, row)));
            self.written += 1;
            let now = self.written == 17 && self.name == "passed";
            if now && fault == Fault::DropOne {
                continue;
            }
            if now && fault == Fault::DoubleOne {
                self.open.push(text.clone());
            }
            self.open.push(text);
        }
        Ok(())
    }

    fn poll(&mut self) -> Result<()> {
        Ok(())
    }

    fn prepare(&mut self, checkpoint: u64) -> Result<Vec<u8>> {
        let changes = std::mem::take(&mut self.open);
        let bytes = serde_json::to_vec(&(checkpoint, self.task, &changes)).unwrap();
        self.prepared.insert(checkpoint, changes);
        Ok(bytes)
    }

    fn commit(&mut self, checkpoint: u64) -> Result<()> {
        if let Some(changes) = self.prepared.remove(&checkpoint) {
            self.output.lock().unwrap().committed.insert((self.name.clone(), checkpoint, self.task), changes);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        assert!(self.open.is_empty() && self.prepared.is_empty(), "rows were left behind at the end");
        Ok(())
    }
}
