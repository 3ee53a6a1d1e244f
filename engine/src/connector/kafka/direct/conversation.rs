//! Fetching from one broker, for as long as it leads the partitions asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::Sender;
use rdkafka::error::RDKafkaErrorCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::link::{Address, Link, LinkError};
use super::protocol::{self, FetchLimits, Fetched, Wanted};
use super::records::{BatchError, Records, next_batch};
use super::transactions::Transactions;
use crate::connector::SplitId;
use crate::connector::kafka::client::{Consumer, Reach};
use crate::connector::kafka::offset::Partition;

/// Beyond the time that the broker may wait for records.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all conversations of a reader have in common.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) consumer: Arc<Consumer>,
    pub(super) reach: Reach,
    pub(super) client: String,
    pub(super) limits: FetchLimits,
    pub(super) partition_bytes: i32,
    pub(super) events: Sender<Event>,
}

/// A partition that is read.
pub(super) struct Followed {
    pub(super) split: SplitId,
    pub(super) partition: Partition,
    /// The next offset to fetch: everything before it was given to the reader.
    pub(super) next: AtomicI64,
    /// The reader wants no more of it.
    pub(super) done: AtomicBool,
}

/// What the reader hears.
pub(super) enum Event {
    Chunk(Box<Chunk>),
    /// The partition cannot be read.
    Refused {
        split: SplitId,
        code: RDKafkaErrorCode,
    },
    /// This cluster is read by the client library instead.
    Unsupported(&'static str),
}

/// A piece of a partition's log, as one answer brought it.
pub(super) struct Chunk {
    pub(super) split: SplitId,
    pub(super) from: i64,
    /// After its last record; the next chunk begins here.
    pub(super) reached: i64,
    /// After the last record that may be read now.
    pub(super) end: i64,
    pub(super) high_watermark: i64,
    pub(super) log: Bytes,
    pub(super) transactions: Transactions,
    /// The batch that is being read.
    pub(super) open: Option<Records>,
    /// Makes room for another answer once all chunks of this one are read.
    _slot: Arc<OwnedSemaphorePermit>,
}

/// Why a conversation ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Leaders have to be looked up again, or the connection made anew.
    Lost(String),
    /// Nothing is left to be fetched, or nobody listens.
    Over,
}

/// Fetches until something changes. Each answer takes one of the slots until it is read.
pub(super) async fn converse(
    setup: &Setup,
    address: &Address,
    slots: Arc<Semaphore>,
    mut order: Vec<Arc<Followed>>,
) -> Ended {
    let mut link = match Link::open(address, &setup.client, setup.reach).await {
        Ok(link) => link,
        Err(error) => return ended_by(setup, &error),
    };
    let patience = PATIENCE + Duration::from_millis(u64::try_from(setup.limits.wait_ms).unwrap_or(0));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return Ended::Over };
        order.retain(|followed| !followed.done.load(Ordering::Relaxed));
        if order.is_empty() {
            return Ended::Over;
        }
        // The broker fills its answer in this order, so that each partition comes first in turn.
        order.rotate_left(1);
        let asked = link.ask(
            |correlation, client| {
                let wanted: Vec<Wanted<'_>> = order.iter().map(|followed| followed.wanted(setup)).collect();
                protocol::fetch_request(correlation, client, &setup.limits, &wanted)
            },
            patience,
        );
        let answer = asked.await.and_then(|answer| Ok(protocol::fetch_response(answer)?));
        let fetched = match answer {
            Ok((0, fetched)) => fetched,
            Ok((code, _)) => return Ended::Lost(format!("the broker answered with error {code}")),
            Err(error) => return ended_by(setup, &error),
        };
        let slot = Arc::new(slot);
        let mut moved = None;
        for fetched in fetched {
            let of = |followed: &&Arc<Followed>| {
                followed.partition.number == fetched.partition && followed.partition.topic == fetched.topic
            };
            let Some(followed) = order.iter().find(of) else { continue };
            match take(setup, followed, fetched, &slot) {
                Ok(()) => {}
                Err(Ended::Over) => return Ended::Over,
                // The others' records are good all the same.
                Err(lost) => moved = Some(lost),
            }
        }
        if let Some(moved) = moved {
            return moved;
        }
    }
}

impl Followed {
    fn wanted(&self, setup: &Setup) -> Wanted<'_> {
        Wanted {
            topic: &self.partition.topic,
            partition: self.partition.number,
            offset: self.next.load(Ordering::Relaxed),
            max_bytes: setup.partition_bytes,
        }
    }
}

fn ended_by(setup: &Setup, error: &LinkError) -> Ended {
    match error {
        LinkError::TooOld => {
            let _ = setup.events.send(Event::Unsupported("the broker is older than Kafka 2.1"));
            Ended::Over
        }
        other => Ended::Lost(other.to_string()),
    }
}

/// Hands the records of one partition to the reader, or tells why there are none.
fn take(setup: &Setup, followed: &Followed, fetched: Fetched, slot: &Arc<OwnedSemaphorePermit>) -> Result<(), Ended> {
    match fetched.error {
        0 => {}
        1 => return Err(refused(setup, followed, RDKafkaErrorCode::OffsetOutOfRange)),
        29 => return Err(refused(setup, followed, RDKafkaErrorCode::TopicAuthorizationFailed)),
        76 => return Err(unsupported(setup, "the records are compressed in a newer way")),
        code => return Err(Ended::Lost(format!("{} answered with error {code}", followed.split))),
    }
    let from = followed.next.load(Ordering::Relaxed);
    let reached = match reached(&fetched.records, from) {
        Ok(reached) => reached,
        Err(BatchError::OldFormat) => return Err(unsupported(setup, "the topic holds records of an old format")),
        Err(BatchError::UnknownCompression) => return Err(unsupported(setup, "the compression is not known")),
        Err(BatchError::Corrupt(what)) => {
            tracing::warn!(split = &*followed.split, from, "the broker gave {what}");
            return Err(refused(setup, followed, RDKafkaErrorCode::BadMessage));
        }
    };
    let limits = &setup.limits;
    let end = match fetched.last_stable {
        stable if limits.read_committed && stable >= 0 => stable,
        _ => fetched.high_watermark,
    };
    let transactions = match limits.read_committed {
        true => Transactions::committed_only(fetched.aborted),
        false => Transactions::all_visible(),
    };
    let chunk = Chunk {
        split: Arc::clone(&followed.split),
        from,
        reached,
        end,
        high_watermark: fetched.high_watermark,
        log: fetched.records,
        transactions,
        open: None,
        _slot: Arc::clone(slot),
    };
    // Given first and counted then, with nothing between that could be cut short: a chunk may come twice, never not.
    setup.events.send(Event::Chunk(Box::new(chunk))).map_err(|_| Ended::Over)?;
    followed.next.store(reached, Ordering::Relaxed);
    Ok(())
}

/// The offset after the last whole batch.
fn reached(log: &Bytes, from: i64) -> Result<i64, BatchError> {
    let mut log = log.clone();
    let mut reached = from;
    while let Some(batch) = next_batch(&mut log)? {
        reached = reached.max(batch.last_offset.saturating_add(1));
    }
    Ok(reached)
}

fn refused(setup: &Setup, followed: &Followed, code: RDKafkaErrorCode) -> Ended {
    let _ = setup.events.send(Event::Refused { split: Arc::clone(&followed.split), code });
    Ended::Over
}

fn unsupported(setup: &Setup, why: &'static str) -> Ended {
    let _ = setup.events.send(Event::Unsupported(why));
    Ended::Over
}
