//! Reads the partitions of one source task.
//!
//! All partitions are forwarded to one queue, which is drained in batches; messages are put in order of their partition,
//! so that each batch is of one split. Memory is bounded by the client's own prefetch limits and one drained batch.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;

use super::super::{SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart};
use super::client::{self, Consumer, failed};
use super::native::{MessageQueue, NativeMessage, cached_end};
use super::offset::{self, Partition};
use super::record::RecordRows;
use super::source::Shared;
use super::startup::Startup;
use crate::error::{EngineError, Result};
use crate::format::bad_record::BadRecords;

/// Messages taken from the client at once.
const DRAIN: usize = 8192;
/// A batch ends after so many bytes.
const BATCH_BYTES: u64 = 8 << 20;
/// No message and no end of a partition for so long: the cluster is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(60);

pub(super) struct KafkaReader {
    shared: Arc<Shared>,
    // Messages die before the queue, the queue before the consumer.
    messages: VecDeque<NativeMessage>,
    drained: Vec<NativeMessage>,
    queue: MessageQueue,
    consumer: Arc<Consumer>,
    partitions: BTreeMap<SplitId, Reading>,
    ended: VecDeque<SplitId>,
    rows: RecordRows,
    bad: BadRecords,
    /// Time of the newest record.
    newest: Option<i64>,
    last_sign: Instant,
}

struct Reading {
    partition: Partition,
    next: i64,
    /// Exclusive.
    end: Option<i64>,
    done: bool,
    /// The end was queued to be told.
    told: bool,
}

impl KafkaReader {
    pub(super) fn new(shared: Arc<Shared>, splits: Vec<SplitStart>) -> Result<Self> {
        let consumer = client::consumer(&shared.config, &shared.group)?;
        let mut reader = KafkaReader {
            messages: VecDeque::new(),
            drained: Vec::new(),
            queue: MessageQueue::new(Arc::clone(&consumer))?,
            consumer,
            partitions: BTreeMap::new(),
            ended: VecDeque::new(),
            rows: shared.format.rows(&shared.layout)?,
            bad: shared.format.bad_records()?,
            newest: None,
            last_sign: Instant::now(),
            shared,
        };
        let startup = reader.shared.startup.clone();
        reader.open(splits, &startup)?;
        Ok(reader)
    }

    fn open(&mut self, splits: Vec<SplitStart>, startup: &Startup) -> Result<()> {
        let mut fresh = Vec::new();
        let mut restored = BTreeMap::new();
        for start in &splits {
            let partition = Partition::of_split(&start.split)?;
            match &start.position {
                None => fresh.push(partition),
                Some(position) => {
                    let offset = offset::offset_of(position);
                    let offset = offset.ok_or_else(|| EngineError::internal("a stored offset cannot be read"))?;
                    restored.insert(partition, offset);
                }
            }
        }
        let reset = self.shared.reset.as_deref();
        let mut starts = offset::starts(&self.consumer, startup, &fresh, reset)?;
        starts.append(&mut restored);
        let all: Vec<Partition> = starts.keys().cloned().collect();
        let ends = offset::ends(&self.consumer, &self.shared.bounded, &all)?;
        for (partition, next) in starts {
            let end = ends.as_ref().map(|ends| ends.get(&partition).copied().unwrap_or(0));
            let split = SplitId::from(partition.split());
            let done = end.is_some_and(|end| next >= end);
            if done {
                self.ended.push_back(Arc::clone(&split));
            }
            self.queue.forward(&partition.topic, partition.number)?;
            self.partitions.insert(split, Reading { partition, next, end, done, told: done });
        }
        self.assign()
    }

    /// Tells the client what to fetch, from where we are.
    fn assign(&mut self) -> Result<()> {
        let open = self.partitions.values().filter(|reading| !reading.done);
        let list = offset::offset_list(open.map(|reading| (&reading.partition, reading.next)))?;
        self.consumer.assign(&list).map_err(|error| failed("The partitions cannot be read.", &error))
    }

    fn drain(&mut self, wait: Duration) -> Result<()> {
        // Serves the client's events; messages come through our own queue.
        if let Some(Err(error)) = self.consumer.poll(Duration::ZERO) {
            tracing::debug!(%error, "the Kafka client reported an error");
        }
        if let Some((code, reason)) = self.consumer.client().fatal_error() {
            return Err(
                EngineError::external("kafka_failed", format!("The Kafka client gave up: {code}.")).with_detail(reason)
            );
        }
        self.queue.drain(wait, DRAIN, &mut self.drained);
        if !self.drained.is_empty() {
            self.last_sign = Instant::now();
        } else if self.last_sign.elapsed() > SILENCE {
            self.ask_for_a_sign()?;
        }
        // Stable, so that the order within a partition stays. Names are compared only where topics differ.
        self.drained.sort_by(|left, right| {
            let topics = match left.topic_object() == right.topic_object() {
                true => Ordering::Equal,
                false => left.topic().cmp(right.topic()),
            };
            topics.then(left.partition().cmp(&right.partition()))
        });
        self.messages.extend(self.drained.drain(..));
        Ok(())
    }

    fn ask_for_a_sign(&mut self) -> Result<()> {
        let topic = self.partitions.values().next().map(|reading| reading.partition.topic.clone());
        let asked = self.consumer.fetch_metadata(topic.as_deref(), Duration::from_secs(5));
        asked.map_err(|error| failed("Nothing can be read.", &error))?;
        self.last_sign = Instant::now();
        Ok(())
    }

    /// The next run of messages of one partition, as a batch.
    fn batch(&mut self) -> Result<Option<SourceEvent>> {
        while let Some(first) = self.messages.front() {
            let split = SplitId::from(format!("{}/{}", first.topic(), first.partition()));
            let topic_object = first.topic_object();
            let Some(reading) = self.partitions.get_mut(&split) else {
                self.messages.pop_front();
                continue;
            };
            let bad_before = self.bad.count();
            let mut last = None;
            while self.rows.len() < self.shared.batch_rows && self.rows.bytes() < BATCH_BYTES {
                let same = |message: &NativeMessage| {
                    message.partition() == reading.partition.number
                        && (message.topic_object() == topic_object || message.topic() == reading.partition.topic)
                };
                let Some(message) = self.messages.pop_front_if(|message| same(message)) else { break };
                if let Some(code) = message.error() {
                    partition_error(code, reading, &split)?;
                    continue;
                }
                // After an assignment a fetch that was under way may bring older ones again.
                if reading.done || message.offset() < reading.next {
                    continue;
                }
                if reading.end.is_some_and(|end| message.offset() >= end) {
                    reading.done = true;
                    continue;
                }
                self.rows.push(&message, &split, &mut self.bad)?;
                reading.next = message.offset() + 1;
                reading.done = reading.end.is_some_and(|end| reading.next >= end);
                last = Some(message);
            }
            // -1 where the record has none.
            let at = last.map(|message| message.timestamp().0).filter(|at| *at > 0);
            self.newest = self.newest.max(at);
            if reading.done && !reading.told {
                reading.told = true;
                self.ended.push_back(Arc::clone(&split));
            }
            if self.bad.count() > bad_before {
                self.bad.flush()?;
            }
            if self.rows.len() > 0 {
                let bytes = self.rows.bytes();
                let batch = self.rows.finish(&self.shared.layout)?;
                return Ok(Some(SourceEvent::Batch { split, batch, bytes }));
            }
        }
        Ok(None)
    }
}

/// What the client says about a partition instead of a message.
fn partition_error(code: RDKafkaErrorCode, reading: &mut Reading, split: &str) -> Result<()> {
    match code {
        // All that was there when the end was fixed has been read, also where the last records are no rows
        // (marks of transactions, aborted records).
        RDKafkaErrorCode::PartitionEOF => reading.done |= reading.end.is_some(),
        RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::NoOffset => {
            let message = format!(
                "Offset {} of {split} is no longer there: the topic was cut or made anew. Start without state, or from another position.",
                reading.next
            );
            return Err(EngineError::user("offset_lost", message));
        }
        RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownPartition
        | RDKafkaErrorCode::UnknownTopic => {
            let message = format!("The partition {split} does not exist any more.");
            return Err(EngineError::external("topic_not_found", message).without_retry());
        }
        RDKafkaErrorCode::TopicAuthorizationFailed => {
            let message = format!("The broker does not permit reading {split}.");
            return Err(EngineError::external("broker_refused", message).without_retry());
        }
        other => tracing::debug!(split, error = %other, "the Kafka client goes on after an error"),
    }
    Ok(())
}

impl SourceReader for KafkaReader {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent> {
        for wait in [Duration::ZERO, wait] {
            if let Some(event) = self.batch()? {
                return Ok(event);
            }
            if let Some(split) = self.ended.pop_front() {
                return Ok(SourceEvent::SplitEnd { split });
            }
            let over = self.partitions.values().all(|reading| reading.done);
            if over && self.shared.bounded != super::startup::Bounded::Unbounded {
                return Ok(SourceEvent::End);
            }
            self.drain(wait)?;
        }
        Ok(self.batch()?.unwrap_or(SourceEvent::Idle))
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        let position = |(split, reading): (&SplitId, &Reading)| {
            (Arc::clone(split), offset::position(reading.next, &self.shared.cluster))
        };
        self.partitions.iter().map(position).collect()
    }

    /// New partitions are read from their beginning, whatever the options say: nothing of them was seen.
    fn add_splits(&mut self, splits: Vec<SplitStart>) -> Result<()> {
        if splits.is_empty() {
            return Ok(());
        }
        // Messages that wait here stay: those fetched once more are told by their offsets.
        self.open(splits, &Startup::Earliest)
    }

    fn checkpoint_complete(&mut self, positions: &[(SplitId, SplitPosition)]) -> Result<()> {
        if self.shared.read_only {
            return Ok(());
        }
        let mine = positions.iter().filter_map(|(split, position)| {
            let reading = self.partitions.get(split)?;
            Some((&reading.partition, offset::offset_of(position)?))
        });
        let list = offset::offset_list(mine)?;
        if list.count() > 0
            && let Err(error) = self.consumer.commit(&list, CommitMode::Async)
        {
            // Only for those who look at the group; the checkpoint is what counts.
            tracing::debug!(%error, "group offsets cannot be committed");
        }
        Ok(())
    }

    fn lag(&mut self) -> Vec<SplitLag> {
        let lag = |(split, reading): (&SplitId, &Reading)| {
            let end = cached_end(&self.consumer, &reading.partition.topic, reading.partition.number);
            SplitLag { split: Arc::clone(split), position: reading.next, end: end.map(|end| end.max(reading.next)) }
        };
        self.partitions.iter().map(lag).collect()
    }

    fn bad_records(&self) -> u64 {
        self.bad.count()
    }

    fn newest_record(&self) -> Option<i64> {
        self.newest
    }
}
