//! Batches to records, into a producer of the task or the transaction of the run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use millrace_wire::graph::DeliveryGuarantee;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _};

use super::super::SinkWriter;
use super::client::{ASK, failed};
use super::committer::KafkaCommitter;
use super::produce::{self, Producer};
use super::sink::{Partitioning, Shape};
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::{Encoder, Slab};

/// Rows that wait for the commit of the checkpoint before them are kept up to this size, then the task waits.
const HELD_BYTES: usize = 32 << 20;
/// A commit that takes longer ends the run.
const COMMIT_DEADLINE: Duration = Duration::from_secs(600);

/// Where records go.
pub(super) enum Outlet {
    Direct(Box<Producer>),
    Transaction(Arc<KafkaCommitter>),
}

impl Outlet {
    fn producer(&self) -> &Producer {
        match self {
            Self::Direct(producer) => producer,
            Self::Transaction(committer) => committer.producer(),
        }
    }
}

/// The encoder of the key or the value, and what it wrote last.
pub(super) struct EncodedPart {
    encoder: Box<dyn Encoder>,
    columns: Vec<usize>,
    slab: Slab,
}

impl EncodedPart {
    pub(super) fn new(encoder: Box<dyn Encoder>, columns: Vec<usize>) -> Self {
        EncodedPart { encoder, columns, slab: Slab::default() }
    }

    fn encode(&mut self, batch: &ChangeBatch) -> Result<()> {
        self.slab.clear();
        let rows = batch.rows.project(&self.columns)?;
        self.encoder.encode(&rows, batch.kinds.as_deref(), &mut self.slab)
    }
}

pub(super) struct KafkaWriter {
    shape: Arc<Shape>,
    outlet: Outlet,
    value: EncodedPart,
    key: Option<EncodedPart>,
    guarantee: DeliveryGuarantee,
    /// The partition of each record with `fixed`, the next one with `round-robin`.
    next_partition: i32,
    partitions: i32,
    /// The checkpoint that was prepared and is not known to be committed.
    awaited: Option<u64>,
    held: Vec<ChangeBatch>,
    held_bytes: usize,
}

impl KafkaWriter {
    pub(super) fn new(shape: Arc<Shape>, outlet: Outlet, task: usize, guarantee: DeliveryGuarantee) -> Result<Self> {
        let partitions = partition_count(outlet.producer(), &shape.topic)?;
        let next_partition = i32::try_from(task).unwrap_or(0) % partitions;
        Ok(KafkaWriter {
            value: shape.value.encoder()?,
            key: shape.key.as_ref().map(super::sink::PartShape::encoder).transpose()?,
            shape,
            outlet,
            guarantee,
            next_partition,
            partitions,
            awaited: None,
            held: Vec::new(),
            held_bytes: 0,
        })
    }

    /// Whether rows may go out now: those after a barrier must not join the transaction before it.
    fn may_write(&mut self) -> bool {
        if let (Outlet::Transaction(committer), Some(awaited)) = (&self.outlet, self.awaited)
            && !committer.is_committed(awaited)
        {
            return false;
        }
        self.awaited = None;
        true
    }

    fn release(&mut self) -> Result<()> {
        self.held_bytes = 0;
        for batch in std::mem::take(&mut self.held) {
            self.write_now(&batch)?;
        }
        Ok(())
    }

    fn write_now(&mut self, batch: &ChangeBatch) -> Result<()> {
        self.value.encode(batch)?;
        if let Some(key) = &mut self.key {
            key.encode(batch)?;
        }
        let timestamps = self.shape.timestamp.and_then(|column| batch.rows.columns().get(column));
        let headers = self.shape.headers.and_then(|column| batch.rows.columns().get(column));
        let producer = self.outlet.producer();
        if let Outlet::Transaction(committer) = &self.outlet {
            committer.begin()?;
        }
        let mut keys = self.key.as_ref().map(|key| key.slab.records());
        for (row, value) in self.value.slab.records().enumerate() {
            let mut record = BaseRecord::<[u8], [u8]>::to(&self.shape.topic);
            if !self.shape.upserts || batch.kind(row).is_accumulate() {
                record = record.payload(value);
            }
            if let Some(key) = keys.as_mut().and_then(Iterator::next) {
                record = record.key(key);
            }
            if let Some(at) = timestamps.and_then(|column| timestamp(column, row)) {
                record = record.timestamp(at);
            }
            if let Some(headers) = headers.and_then(|column| headers_of(column, row)) {
                record = record.headers(headers);
            }
            if self.shape.partitioning != Partitioning::Default {
                record = record.partition(self.next_partition);
            }
            if self.shape.partitioning == Partitioning::RoundRobin {
                self.next_partition = (self.next_partition + 1) % self.partitions;
            }
            produce::send(producer, record)?;
        }
        produce::check_delivered(producer)
    }
}

impl SinkWriter for KafkaWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        if self.may_write() {
            self.release()?;
            return self.write_now(batch);
        }
        self.held.push(batch.clone());
        self.held_bytes += batch.bytes();
        if self.held_bytes > HELD_BYTES
            && let (Outlet::Transaction(committer), Some(awaited)) = (&self.outlet, self.awaited)
        {
            committer.wait_for(awaited, Instant::now() + COMMIT_DEADLINE)?;
            self.awaited = None;
            self.release()?;
        }
        Ok(())
    }

    fn poll(&mut self) -> Result<()> {
        if !self.held.is_empty() && self.may_write() {
            self.release()?;
        }
        produce::check_delivered(self.outlet.producer())
    }

    fn prepare(&mut self, checkpoint: u64) -> Result<Vec<u8>> {
        // Barriers come one after the other: the commit before this one is done or will be at once.
        if !self.held.is_empty() {
            if let (Outlet::Transaction(committer), Some(awaited)) = (&self.outlet, self.awaited) {
                committer.wait_for(awaited, Instant::now() + COMMIT_DEADLINE)?;
            }
            self.awaited = None;
            self.release()?;
        }
        if self.guarantee != DeliveryGuarantee::BestEffort {
            produce::flush(self.outlet.producer())?;
        }
        self.awaited = Some(checkpoint);
        Ok(Vec::new())
    }

    fn commit(&mut self, _checkpoint: u64) -> Result<()> {
        self.poll()
    }

    fn close(&mut self) -> Result<()> {
        if !self.held.is_empty() {
            return Err(EngineError::internal("rows were left behind at the end of a Kafka sink"));
        }
        produce::flush(self.outlet.producer())
    }
}

fn partition_count(producer: &Producer, topic: &str) -> Result<i32> {
    let what = format!("The topic '{topic}' cannot be looked up.");
    let metadata = producer.client().fetch_metadata(Some(topic), ASK).map_err(|error| failed(&what, &error))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let count = found.map_or(0, |found| found.partitions().len());
    if count == 0 {
        let message = format!("The topic '{topic}' does not exist.");
        return Err(EngineError::external("topic_not_found", message).without_retry());
    }
    Ok(i32::try_from(count).unwrap_or(i32::MAX))
}

/// Milliseconds; NULL lets the producer set the time.
fn timestamp(column: &ArrayRef, row: usize) -> Option<i64> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Some(column.as_primitive::<TimestampMillisecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Some(column.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1_000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Some(column.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000_000))
        }
        _ => None,
    }
}

fn headers_of(column: &ArrayRef, row: usize) -> Option<OwnedHeaders> {
    let map = column.as_map_opt().filter(|map| map.is_valid(row))?;
    let entries = map.value(row);
    let names = entries.column(0).as_string_opt::<i32>()?;
    let values = entries.column(1).as_binary_opt::<i32>()?;
    let mut headers = OwnedHeaders::new();
    for entry in 0..entries.len() {
        let value = values.is_valid(entry).then(|| values.value(entry));
        headers = headers.insert(Header { key: names.value(entry), value });
    }
    Some(headers)
}
