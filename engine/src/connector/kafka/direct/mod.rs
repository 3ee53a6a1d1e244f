//! Reads partitions straight from their leaders.
//!
//! The client library makes an object of each record and passes it from thread to thread, which costs more than decoding
//! the record does. Here an answer of the broker stays one piece of memory, and records are looked at where they lie.
//! It is for clusters that are reached without TLS and without credentials, and for settings that are known here; all
//! others, and whatever turns out not to be understood, are left to the client library, which also finds leaders and
//! offsets.
//!
//! Promises: chunks of a partition follow each other without a gap; memory is bounded by two answers for each broker.

mod conversation;
mod link;
mod pilot;
mod protocol;
mod records;
mod transactions;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use crossbeam_channel::Receiver;
use rdkafka::ClientConfig;
use rdkafka::error::RDKafkaErrorCode;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::super::SplitId;
use super::client::{Consumer, Reach};
use super::feed::{Details, Given, HeaderVisit, Message, Position, Take, Waited};
use crate::error::{EngineError, Result};
use conversation::{Chunk, Event, Followed, Setup};
use pilot::Pilot;
use protocol::FetchLimits;
use records::{BatchError, Record, next_batch};

/// Of one partition and of one answer.
const PARTITION_BYTES: i32 = 1 << 20;
const ANSWER_BYTES: i32 = 4 << 20;
const WAIT_MS: i32 = 500;

pub(super) struct Direct {
    setup: Arc<Setup>,
    runtime: Handle,
    events: Receiver<Event>,
    followed: HashMap<SplitId, Arc<Followed>>,
    high_watermarks: HashMap<SplitId, i64>,
    chunks: VecDeque<Chunk>,
    pilot: Option<AbortHandle>,
}

impl Direct {
    /// Nothing where the settings ask for what only the client library can do.
    pub(super) fn new(config: &ClientConfig, consumer: &Arc<Consumer>, reach: Reach, runtime: &Handle) -> Option<Self> {
        let limits = limits(config)?;
        let (sender, events) = crossbeam_channel::unbounded();
        let setup = Setup {
            consumer: Arc::clone(consumer),
            reach,
            client: config.get("client.id").unwrap_or("millrace").to_owned(),
            partition_bytes: number(
                config,
                &["max.partition.fetch.bytes", "fetch.message.max.bytes"],
                PARTITION_BYTES,
            )?,
            limits,
            events: sender,
        };
        Some(Direct {
            setup: Arc::new(setup),
            runtime: runtime.clone(),
            events,
            followed: HashMap::new(),
            high_watermarks: HashMap::new(),
            chunks: VecDeque::new(),
            pilot: None,
        })
    }
}

/// Settings that mean to reading what is done here, or nothing.
const UNDERSTOOD: [&str; 23] = [
    "acks",
    "auto.offset.reset",
    "batch.size",
    "bootstrap.servers",
    "broker.address.ttl",
    "client.id",
    "compression.type",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "isolation.level",
    "linger.ms",
    "max.partition.fetch.bytes",
    "reconnect.backoff.max.ms",
    "socket.nagle.disable",
    "transaction.timeout.ms",
];

fn limits(config: &ClientConfig) -> Option<FetchLimits> {
    let plain = |name: &str, value: &str| name == "security.protocol" && value.eq_ignore_ascii_case("plaintext");
    let settings = config.config_map();
    if !settings.iter().all(|(name, value)| UNDERSTOOD.contains(name) || plain(name, value)) {
        return None;
    }
    Some(FetchLimits {
        wait_ms: number(config, &["fetch.wait.max.ms"], WAIT_MS)?,
        min_bytes: number(config, &["fetch.min.bytes"], 1)?,
        max_bytes: number(config, &["fetch.max.bytes"], ANSWER_BYTES)?,
        read_committed: config.get("isolation.level") != Some("read_uncommitted"),
    })
}

/// The first of these settings that is there.
fn number(config: &ClientConfig, names: &[&str], default: i32) -> Option<i32> {
    match names.iter().find_map(|name| config.get(name)) {
        Some(value) => value.trim().parse().ok(),
        None => Some(default),
    }
}

impl Direct {
    /// Reads these from there on, and nothing else any more.
    pub(super) fn assign(&mut self, positions: Vec<Position>) {
        self.stop();
        let followed = |Position { split, partition, next }| {
            Arc::new(Followed { split, partition, next: AtomicI64::new(next), done: AtomicBool::new(false) })
        };
        let followed: Vec<Arc<Followed>> = positions.into_iter().map(followed).collect();
        self.followed = followed.iter().map(|followed| (Arc::clone(&followed.split), Arc::clone(followed))).collect();
        if !followed.is_empty() {
            let pilot = Pilot::follow(Arc::clone(&self.setup), followed);
            self.pilot = Some(self.runtime.spawn(pilot).abort_handle());
        }
    }

    fn stop(&mut self) {
        if let Some(pilot) = self.pilot.take() {
            pilot.abort();
        }
        // What the old one may still send is of no use, and comes through a channel that nobody hears any more.
        let (sender, events) = crossbeam_channel::unbounded();
        self.events = events;
        self.chunks.clear();
        self.setup = Arc::new(Setup { events: sender, ..(*self.setup).clone() });
    }

    pub(super) fn finish(&self, split: &str) {
        if let Some(followed) = self.followed.get(split) {
            followed.done.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until there is something to give.
    pub(super) fn wait(&mut self, wait: Duration) -> Waited {
        match self.events.recv_timeout(wait) {
            Ok(Event::Chunk(chunk)) => {
                self.high_watermarks.insert(Arc::clone(&chunk.split), chunk.high_watermark);
                self.chunks.push_back(*chunk);
                Waited::Something
            }
            Ok(Event::Refused { split, code }) => Waited::Refused(split, code),
            Ok(Event::Unsupported(why)) => Waited::Unsupported(why),
            // Time is over; the channel cannot end, since the setup keeps a sender.
            Err(_) => Waited::Nothing,
        }
    }

    pub(super) fn high_watermark(&self, split: &str) -> Option<i64> {
        self.high_watermarks.get(split).copied()
    }

    /// Whose records come next.
    pub(super) fn front(&self) -> Option<SplitId> {
        self.chunks.front().map(|chunk| Arc::clone(&chunk.split))
    }

    /// Gives what is there of the partition at the front, until enough was taken. `next` is what the reader expects.
    pub(super) fn give(&mut self, next: i64, take: &mut dyn FnMut(Given<'_>) -> Result<Take>) -> Result<()> {
        let Some(chunk) = self.chunks.front_mut() else { return Ok(()) };
        if chunk.from > next {
            let gap = format!("{} goes on at {} where {next} was expected", chunk.split, chunk.from);
            return Err(EngineError::internal("records of a partition are missing").with_detail(gap));
        }
        let split = Arc::clone(&chunk.split);
        let taken = give(chunk, take).map_err(|error| match error {
            Broken::Taker(error) => error,
            Broken::Batch(error) => unreadable(&split, &error),
        })?;
        if taken == Take::More {
            let (reached, is_end) = (chunk.reached, chunk.reached == chunk.end);
            self.chunks.pop_front();
            take(Given::Reached(reached))?;
            if is_end {
                take(Given::Failed(RDKafkaErrorCode::PartitionEOF))?;
            }
        }
        Ok(())
    }
}

enum Broken {
    Taker(EngineError),
    Batch(BatchError),
}

impl From<BatchError> for Broken {
    fn from(error: BatchError) -> Self {
        Broken::Batch(error)
    }
}

fn give(chunk: &mut Chunk, take: &mut dyn FnMut(Given<'_>) -> Result<Take>) -> Result<Take, Broken> {
    loop {
        while let Some(records) = &mut chunk.open {
            let Some(record) = records.next_record()? else {
                chunk.open = None;
                break;
            };
            let message = Message { offset: record.offset, key: record.key, value: record.value, details: &record };
            if take(Given::Record(message)).map_err(Broken::Taker)? == Take::Enough {
                return Ok(Take::Enough);
            }
        }
        let Some(batch) = next_batch(&mut chunk.log)? else { return Ok(Take::More) };
        if !chunk.transactions.hides(&batch)? {
            take(Given::Newest(batch.max_timestamp)).map_err(Broken::Taker)?;
            chunk.open = Some(batch.open()?);
        }
    }
}

fn unreadable(split: &str, error: &BatchError) -> EngineError {
    let what = match error {
        BatchError::OldFormat => "an old format",
        BatchError::UnknownCompression => "an unknown compression",
        BatchError::Corrupt(what) => what,
    };
    EngineError::external("records_unreadable", format!("Records of {split} cannot be read: {what}."))
}

impl Drop for Direct {
    fn drop(&mut self) {
        if let Some(pilot) = self.pilot.take() {
            pilot.abort();
        }
    }
}

impl Details for Record<'_> {
    fn timestamp(&self) -> (i64, &'static str) {
        match (self.timestamp, self.is_append_time) {
            (at @ ..0, _) => (at, "NoTimestampType"),
            (at, true) => (at, "LogAppendTime"),
            (at, false) => (at, "CreateTime"),
        }
    }

    fn each_header(&self, visit: HeaderVisit<'_>) {
        Record::each_header(self, visit);
    }

    fn leader_epoch(&self) -> Option<i32> {
        Some(self.leader_epoch).filter(|epoch| *epoch >= 0)
    }
}
