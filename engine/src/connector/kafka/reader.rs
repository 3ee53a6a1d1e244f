//! Reads the partitions of one source task: records become batches, each of one split.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;

use super::super::{SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart};
use super::client::{self, Consumer, failed};
use super::feed::{Feed, Given, Position, Take, Waited};
use super::offset::{self, Partition};
use super::record::RecordRows;
use super::source::Shared;
use super::startup::Startup;
use crate::error::{EngineError, Result};
use crate::format::bad_record::BadRecords;

/// A batch ends after so many bytes.
const BATCH_BYTES: u64 = 8 << 20;
/// No sign of a broker for so long: the cluster is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(60);

pub(super) struct KafkaReader {
    shared: Arc<Shared>,
    feed: Feed,
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

impl Reading {
    /// Everything before this offset is read.
    fn reached(&mut self, offset: i64) {
        self.next = self.next.max(offset.min(self.end.unwrap_or(i64::MAX)));
        self.done |= self.end.is_some_and(|end| self.next >= end);
    }
}

impl KafkaReader {
    pub(super) fn new(shared: Arc<Shared>, splits: Vec<SplitStart>) -> Result<Self> {
        let consumer = client::consumer(&shared.config, &shared.group)?;
        let mut reader = KafkaReader {
            feed: Feed::new(&shared.config, &consumer, shared.reach, &shared.runtime)?,
            consumer,
            partitions: BTreeMap::new(),
            ended: VecDeque::new(),
            rows: shared.format.rows()?,
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
        let mut known_ends = BTreeMap::new();
        for start in &splits {
            let partition = Partition::of_split(&start.split)?;
            match &start.position {
                None => fresh.push(partition),
                Some(position) => {
                    let offset = offset::offset_of(position);
                    let offset = offset.ok_or_else(|| EngineError::internal("a stored offset cannot be read"))?;
                    if let Some(end) = offset::end_of(position, &self.shared.bounded) {
                        known_ends.insert(partition.clone(), end);
                    }
                    restored.insert(partition, offset);
                }
            }
        }
        let reset = self.shared.reset.as_deref();
        let mut starts = offset::starts(&self.consumer, startup, &fresh, reset)?;
        starts.append(&mut restored);
        // A range that was opened before the restart ends where it was to end then.
        let open: Vec<Partition> = starts.keys().filter(|all| !known_ends.contains_key(*all)).cloned().collect();
        let mut ends = offset::ends(&self.consumer, &self.shared.bounded, &open)?;
        if let Some(ends) = &mut ends {
            ends.append(&mut known_ends);
        }
        for (partition, next) in starts {
            let end = ends.as_ref().map(|ends| ends.get(&partition).copied().unwrap_or(0));
            let split = SplitId::from(partition.split());
            let done = end.is_some_and(|end| next >= end);
            if done {
                self.ended.push_back(Arc::clone(&split));
            }
            self.partitions.insert(split, Reading { partition, next, end, done, told: done });
        }
        self.assign()
    }

    /// Tells what to fetch, from where we are.
    fn assign(&mut self) -> Result<()> {
        let open = self.partitions.iter().filter(|(_, reading)| !reading.done);
        let position = |(split, reading): (&SplitId, &Reading)| Position {
            split: Arc::clone(split),
            partition: reading.partition.clone(),
            next: reading.next,
        };
        self.feed.assign(open.map(position).collect())
    }

    fn wait(&mut self, wait: Duration) -> Result<()> {
        // Serves the client's events; records come through the feed.
        if let Some(Err(error)) = self.consumer.poll(Duration::ZERO) {
            tracing::debug!(%error, "the Kafka client reported an error");
        }
        if let Some((code, reason)) = self.consumer.client().fatal_error() {
            return Err(
                EngineError::external("kafka_failed", format!("The Kafka client gave up: {code}.")).with_detail(reason)
            );
        }
        match self.feed.wait(wait) {
            Waited::Something => self.last_sign = Instant::now(),
            Waited::Nothing if self.last_sign.elapsed() > SILENCE => self.ask_for_a_sign()?,
            Waited::Nothing => {}
            Waited::Refused(split, code) => partition_error(code, self.partitions.get_mut(&split), &split)?,
            Waited::Unsupported(why) => {
                tracing::info!(why, "the cluster is read by the client library");
                self.feed = Feed::library(&self.consumer)?;
                self.assign()?;
            }
        }
        Ok(())
    }

    fn ask_for_a_sign(&mut self) -> Result<()> {
        let topic = self.partitions.values().next().map(|reading| reading.partition.topic.clone());
        let asked = self.consumer.fetch_metadata(topic.as_deref(), Duration::from_secs(5));
        asked.map_err(|error| failed("Nothing can be read.", &error))?;
        self.last_sign = Instant::now();
        Ok(())
    }

    /// The next run of records of one partition, as a batch.
    fn batch(&mut self) -> Result<Option<SourceEvent>> {
        while let Some(split) = self.feed.front() {
            let Some(reading) = self.partitions.get_mut(&split) else {
                self.feed.give(i64::MAX, &mut |_| Ok(Take::More))?;
                continue;
            };
            let (shared, rows, bad, newest) = (&self.shared, &mut self.rows, &mut self.bad, &mut self.newest);
            let bad_before = bad.count();
            let expected = if reading.done { i64::MAX } else { reading.next };
            self.feed.give(expected, &mut |given| {
                match given {
                    // After an assignment a fetch that was under way may bring older ones again.
                    Given::Record(message) if reading.done || message.offset < reading.next => {}
                    Given::Record(message) if reading.end.is_some_and(|end| message.offset >= end) => {
                        reading.done = true;
                    }
                    Given::Record(message) => {
                        rows.push(&message, &reading.partition, bad)?;
                        reading.reached(message.offset + 1);
                    }
                    Given::Reached(offset) => reading.reached(offset),
                    // -1 where the record has none.
                    Given::Newest(at) => *newest = (*newest).max(Some(at).filter(|at| *at > 0)),
                    Given::Failed(code) => partition_error(code, Some(reading), &split)?,
                }
                let is_full = rows.len() >= shared.batch_rows || rows.bytes() >= BATCH_BYTES;
                Ok(if is_full { Take::Enough } else { Take::More })
            })?;
            if reading.done && !reading.told {
                reading.told = true;
                self.feed.finish(&split);
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

/// What is said about a partition instead of a record; of a whole topic nothing is being read under its name.
fn partition_error(code: RDKafkaErrorCode, reading: Option<&mut Reading>, split: &str) -> Result<()> {
    let next = reading.as_ref().map(|reading| reading.next).unwrap_or_default();
    match code {
        // All that was there when the end was fixed has been read, also where the last records are no rows
        // (marks of transactions, aborted records).
        RDKafkaErrorCode::PartitionEOF => {
            if let Some(reading) = reading {
                reading.done |= reading.end.is_some();
            }
        }
        RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::NoOffset => {
            let message = format!(
                "Offset {next} of {split} is no longer there: the topic was cut or made anew. Start without state, or from another position."
            );
            return Err(EngineError::user("offset_lost", message));
        }
        RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownPartition
        | RDKafkaErrorCode::UnknownTopic => {
            let message = format!("{split} does not exist any more.");
            return Err(EngineError::external("topic_not_found", message).without_retry());
        }
        RDKafkaErrorCode::BadMessage => {
            let message = format!("The broker's records of {split} at offset {next} are damaged.");
            return Err(EngineError::external("records_unreadable", message));
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
            self.wait(wait)?;
        }
        Ok(self.batch()?.unwrap_or(SourceEvent::Idle))
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        let position = |(split, reading): (&SplitId, &Reading)| {
            let (next, cluster) = (reading.next, &self.shared.cluster);
            let position = match reading.end {
                Some(end) => offset::position_until(next, cluster, end, &self.shared.bounded),
                None => offset::position(next, cluster),
            };
            (Arc::clone(split), position)
        };
        self.partitions.iter().map(position).collect()
    }

    /// New partitions are read from their beginning, whatever the options say: nothing of them was seen.
    fn add_splits(&mut self, splits: Vec<SplitStart>) -> Result<()> {
        if splits.is_empty() {
            return Ok(());
        }
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
            let end = self.feed.end(split, &reading.partition);
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
