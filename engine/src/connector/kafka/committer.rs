//! The one transactional producer of a run and cluster, whose commit is the truth about a checkpoint.
//!
//! `transactional.id` is the job's identity, the same for all attempts: `init_transactions` fences an older attempt and
//! resolves whatever it left open. Each commit carries offsets of the group `<identity>-commits`: the positions of the
//! sources of this cluster, and a mark on partition 0 of each sink's topic. The metadata string of all of them is
//! `<checkpoint>;<plan hash>`; reading the marks back after the fencing tells which checkpoint was committed last, also
//! when the job's SQL was changed and some sinks are new. A commit is
//! made for every checkpoint, also for one without records, so that the mark never lags behind the snapshots.
//!
//! All transactional calls run on a thread of their own, because the client may ignore their timeout when the coordinator
//! is away; whoever waits for them gives up by a deadline, and the run ends with an error that can be retried.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::{Condvar, Mutex};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::super::{CommittedCheckpoint, Committer, SplitId, SplitPosition};
use super::client::{self, ASK, Consumer, failed};
use super::offset::{self, Partition};
use super::produce::{self, Producer};
use crate::error::{EngineError, Result};

/// Given to each transactional call.
const CALL: Duration = Duration::from_secs(60);
/// When a call does not keep its own timeout.
const WATCHDOG: Duration = Duration::from_secs(90);

pub(super) struct KafkaCommitter {
    producer: Arc<Producer>,
    reader: Arc<Consumer>,
    cluster: String,
    credentials: BTreeMap<String, String>,
    marks: Mutex<BTreeSet<Partition>>,
    calls: Sender<Call>,
    /// A transaction is begun with the first record after a commit.
    begun: Mutex<bool>,
    /// Whether an older attempt was fenced.
    in_charge: Mutex<bool>,
    /// The last checkpoint that this process committed.
    committed: Mutex<Option<u64>>,
    changed: Condvar,
}

struct Call {
    work: Box<dyn FnOnce() -> Result<()> + Send>,
    done: Sender<Result<()>>,
}

impl KafkaCommitter {
    /// Makes the clients. The broker is asked only in `last_committed`, or with the first record.
    pub(super) fn connect(config: &ClientConfig, cluster: &str, identity: &str) -> Result<Self> {
        let producer = produce::producer(&produce::transactional_settings(config, identity))?;
        let mut reading = config.clone();
        reading.set("isolation.level", "read_committed");
        let (calls, inbox) = unbounded();
        let spawned = std::thread::Builder::new().name("kafka-commit".to_owned()).spawn(move || serve(&inbox));
        spawned.map_err(|error| EngineError::internal("a thread cannot be started").with_detail(error))?;
        Ok(KafkaCommitter {
            producer: Arc::new(producer),
            reader: client::consumer(&reading, &format!("{identity}-commits"))?,
            cluster: cluster.to_owned(),
            credentials: client::credentials(config),
            marks: Mutex::new(BTreeSet::new()),
            calls,
            begun: Mutex::new(false),
            in_charge: Mutex::new(false),
            committed: Mutex::new(None),
            changed: Condvar::new(),
        })
    }

    /// One producer writes for all sinks of a cluster: none may write with the rights of another one.
    pub(super) fn check_credentials(&self, config: &ClientConfig) -> Result<()> {
        if self.credentials == client::credentials(config) {
            return Ok(());
        }
        let message = "Exactly-once sinks of one cluster share a transaction and have to use the same connection.";
        Err(EngineError::user("bad_option", message))
    }

    /// A topic that is written: it carries a mark.
    pub(super) fn add_topic(&self, topic: &str) {
        self.marks.lock().insert(Partition { topic: topic.to_owned(), number: 0 });
    }

    pub(super) fn producer(&self) -> &Producer {
        &self.producer
    }

    pub(super) fn is_committed(&self, checkpoint: u64) -> bool {
        self.committed.lock().is_some_and(|committed| committed >= checkpoint)
    }

    pub(super) fn wait_for(&self, checkpoint: u64, deadline: Instant) -> Result<()> {
        let mut committed = self.committed.lock();
        while committed.is_none_or(|committed| committed < checkpoint) {
            if self.changed.wait_until(&mut committed, deadline).timed_out() {
                let message = format!("Checkpoint {checkpoint} was not committed in time.");
                return Err(EngineError::external("commit_timeout", message));
            }
        }
        Ok(())
    }

    /// Opens a transaction when none is open.
    pub(super) fn begin(&self) -> Result<()> {
        self.take_over()?;
        let mut begun = self.begun.lock();
        if !*begun {
            self.producer
                .begin_transaction()
                .map_err(|error| transaction_failed("A transaction cannot be begun.", &error))?;
            *begun = true;
        }
        Ok(())
    }

    /// Fences an older attempt, once.
    fn take_over(&self) -> Result<()> {
        let mut in_charge = self.in_charge.lock();
        if *in_charge {
            return Ok(());
        }
        let producer = Arc::clone(&self.producer);
        self.call(move || {
            let begun = producer.init_transactions(CALL);
            begun.map_err(|error| transaction_failed("Kafka transactions cannot be started.", &error))
        })?;
        *in_charge = true;
        Ok(())
    }

    fn call(&self, work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
        let (done, answer) = bounded(1);
        let gone = || EngineError::internal("the thread of the Kafka transactions has ended");
        self.calls.send(Call { work: Box::new(work), done }).map_err(|_| gone())?;
        match answer.recv_timeout(WATCHDOG) {
            Ok(result) => result,
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {
                Err(EngineError::external("commit_timeout", "The Kafka coordinator did not answer in time."))
            }
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => Err(gone()),
        }
    }

    /// Offsets of this cluster's sources, and the mark.
    fn offsets(
        &self,
        checkpoint: u64,
        plan_hash: &str,
        positions: &[(SplitId, SplitPosition)],
    ) -> Result<TopicPartitionList> {
        let mut offsets = BTreeMap::new();
        for (split, position) in positions {
            if offset::cluster_of(position) != Some(&self.cluster) {
                continue;
            }
            let Some(next) = offset::offset_of(position) else { continue };
            // A topic that is read twice counts as far as its slower reader is.
            let lowest = offsets.entry(Partition::of_split(split)?).or_insert(next);
            *lowest = next.min(*lowest);
        }
        for mark in &*self.marks.lock() {
            offsets.entry(mark.clone()).or_insert_with(|| i64::try_from(checkpoint).unwrap_or(0));
        }
        let metadata = format!("{checkpoint};{plan_hash}");
        let mut list = TopicPartitionList::new();
        for (partition, offset) in &offsets {
            let mut element = list.add_partition(&partition.topic, partition.number);
            let set = element.set_offset(Offset::Offset(*offset));
            set.map_err(|error| EngineError::internal("an offset cannot be used").with_detail(error))?;
            element.set_metadata(&metadata);
        }
        Ok(list)
    }
}

fn serve(inbox: &Receiver<Call>) {
    while let Ok(call) = inbox.recv() {
        let _ = call.done.send((call.work)());
    }
}

impl Committer for KafkaCommitter {
    fn last_committed(&self) -> Result<Option<CommittedCheckpoint>> {
        self.take_over()?;
        let mut asked = TopicPartitionList::new();
        for mark in &*self.marks.lock() {
            asked.add_partition(&mark.topic, mark.number);
        }
        let found = self.reader.committed_offsets(asked, ASK);
        let found = found.map_err(|error| failed("The last commit of the job cannot be read.", &error))?;
        let set = found.elements().into_iter().filter(|element| matches!(element.offset(), Offset::Offset(_)));
        let marks = set.map(|element| parse_mark(element.metadata())).collect::<Result<Vec<_>>>()?;
        Ok(marks.into_iter().max_by_key(|mark| mark.checkpoint))
    }

    fn commit(&self, checkpoint: u64, plan_hash: &str, offsets: &[(SplitId, SplitPosition)]) -> Result<()> {
        if self.is_committed(checkpoint) {
            return Ok(());
        }
        self.begin()?;
        let list = self.offsets(checkpoint, plan_hash, offsets)?;
        let (producer, reader) = (Arc::clone(&self.producer), Arc::clone(&self.reader));
        self.call(move || {
            produce::flush(&producer)?;
            let group = reader.group_metadata();
            let group = group.ok_or_else(|| EngineError::internal("the committing group has no metadata"))?;
            let sent = producer.send_offsets_to_transaction(&list, &group, CALL);
            sent.map_err(|error| transaction_failed("The checkpoint cannot be written to Kafka.", &error))?;
            commit_transaction(&producer)
        })?;
        *self.begun.lock() = false;
        *self.committed.lock() = Some(checkpoint);
        self.changed.notify_all();
        Ok(())
    }

    fn abort(&self) {
        if !std::mem::take(&mut *self.begun.lock()) {
            return;
        }
        let producer = Arc::clone(&self.producer);
        let aborted = self.call(move || {
            producer.purge(rdkafka::producer::PurgeConfig::default().queue().inflight());
            producer
                .abort_transaction(CALL)
                .map_err(|error| transaction_failed("A transaction cannot be aborted.", &error))
        });
        if let Err(error) = aborted {
            // The next attempt resolves it when it takes over.
            tracing::warn!(%error, detail = error.detail, "an open transaction was left behind");
        }
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// A commit whose answer was lost is asked for again: the broker knows whether it was done.
fn commit_transaction(producer: &Producer) -> Result<()> {
    let mut attempts = 0;
    loop {
        match producer.commit_transaction(CALL) {
            Ok(()) => return Ok(()),
            Err(KafkaError::Transaction(error)) if error.is_retriable() && attempts < 3 => attempts += 1,
            Err(error) => return Err(transaction_failed("The transaction cannot be committed.", &error)),
        }
    }
}

fn parse_mark(text: &str) -> Result<CommittedCheckpoint> {
    let parts = text.split_once(';').and_then(|(number, hash)| Some((number.parse().ok()?, hash.to_owned())));
    let (checkpoint, plan_hash) = parts.ok_or_else(|| {
        let message = "The group of the job's commits was written by something else; its metadata names no checkpoint.";
        EngineError::user("foreign_commit", message).with_detail(text)
    })?;
    Ok(CommittedCheckpoint { checkpoint, plan_hash })
}

fn transaction_failed(what: &str, error: &KafkaError) -> EngineError {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch) => {
            produce::fenced().with_detail(error)
        }
        Some(
            RDKafkaErrorCode::UnsupportedFeature
            | RDKafkaErrorCode::UnsupportedVersion
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed,
        ) => {
            let message =
                "This broker has no transactions for the job. Set 'sink.delivery-guarantee' to 'at-least-once'.";
            EngineError::user("no_transactions", message).with_detail(error)
        }
        Some(RDKafkaErrorCode::InvalidTransactionTimeout) => {
            let message = "The broker does not allow 'properties.transaction.timeout.ms' to be so long: its transaction.max.timeout.ms is lower.";
            EngineError::user("bad_option", message).with_detail(error)
        }
        _ => failed(what, error),
    }
}
