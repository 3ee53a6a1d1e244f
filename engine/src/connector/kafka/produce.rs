//! Producers: settings, delivery reports, dead letters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, NoCustomPartitioner, Producer as _, ProducerContext, ThreadedProducer};

use super::super::option::Options;
use super::super::waiting::rest;
use super::client::failed;
use crate::error::{EngineError, Result};
use crate::format::bad_record::{DeadLetters, RecordOrigin};

/// How long a broker may be away before a record counts as lost.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(120);
/// How often it is looked whether everything is acknowledged.
const ACKNOWLEDGED_AGAIN: Duration = Duration::from_millis(1);
/// A checkpoint may take so long by the coordinator's deadline, and a restart of the worker so long after it.
const CHECKPOINT_AND_RESTART: Duration = Duration::from_secs(600 + 120);
/// The highest that a broker allows without being configured.
const DEFAULT_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(900);

pub(super) type Producer = ThreadedProducer<Reports>;

/// What became of the records of one producer.
#[derive(Default)]
pub(super) struct Reports {
    shared: Arc<Mutex<Option<KafkaError>>>,
    delivered: AtomicU64,
}

impl Reports {
    /// The first record that could not be delivered, once.
    pub(super) fn failure(&self) -> Option<KafkaError> {
        self.shared.lock().take()
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, ?level, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "the Kafka producer reported an error");
    }
}

impl ProducerContext<NoCustomPartitioner> for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _opaque: ()) {
        match result {
            Ok(_) => {
                self.delivered.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, _)) => {
                self.shared.lock().get_or_insert_with(|| error.clone());
            }
        }
    }
}

/// Big batches, idempotence, Java's partitioner.
pub(super) fn settings(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    for name in ["group.id", "auto.offset.reset", "isolation.level", "enable.partition.eof", "fetch.wait.max.ms"] {
        config.remove(name);
    }
    let defaults = [
        ("linger.ms", "5"),
        ("batch.size", "524288"),
        ("batch.num.messages", "50000"),
        ("queue.buffering.max.messages", "500000"),
        ("queue.buffering.max.kbytes", "262144"),
        ("compression.type", "lz4"),
        ("partitioner", "murmur2_random"),
        ("enable.idempotence", "true"),
        ("message.max.bytes", "20971520"),
    ];
    for (name, value) in defaults {
        if config.get(name).is_none() {
            config.set(name, value);
        }
    }
    if config.get("delivery.timeout.ms").is_none() && config.get("message.timeout.ms").is_none() {
        config.set("message.timeout.ms", DELIVERY_TIMEOUT.as_millis().to_string());
    }
    config
}

/// Settings of the one transactional producer of a run.
pub(super) fn transactional_settings(config: &ClientConfig, transactional_id: &str) -> ClientConfig {
    let mut config = settings(config);
    config.set("transactional.id", transactional_id);
    if config.get("transaction.timeout.ms").is_none() {
        config.set("transaction.timeout.ms", DEFAULT_TRANSACTION_TIMEOUT.as_millis().to_string());
    }
    config
}

/// A transaction that the broker gives up during a checkpoint or a restart loses data: such settings are refused.
pub(super) fn transaction_timeout_problem(options: &Options<'_>) -> Option<String> {
    let name = "properties.transaction.timeout.ms";
    let timeout = Duration::from_millis(options.count(name).ok().flatten()?);
    (timeout < CHECKPOINT_AND_RESTART).then(|| {
        format!(
            "'{name}' has to be at least {}: a checkpoint and a restart may take so long, and the broker would drop what was written.",
            CHECKPOINT_AND_RESTART.as_millis()
        )
    })
}

/// Records are in a transaction from one checkpoint to the next: with rare checkpoints it must live longer.
pub(super) fn interval_problem(config: &ClientConfig, interval: Option<Duration>) -> Option<String> {
    let name = "transaction.timeout.ms";
    let set = config.get(name).and_then(|text| text.parse().ok()).map(Duration::from_millis);
    let (timeout, interval) = (set.unwrap_or(DEFAULT_TRANSACTION_TIMEOUT), interval?);
    let needed = interval + CHECKPOINT_AND_RESTART;
    (timeout < needed).then(|| {
        format!(
            "With a checkpoint every {} s, 'properties.{name}' has to be at least {}, not {}: until the next checkpoint \
             and through a restart the broker would else drop what was written. The broker's transaction.max.timeout.ms \
             has to allow it; or take checkpoints more often.",
            interval.as_secs(),
            needed.as_millis(),
            timeout.as_millis()
        )
    })
}

pub(super) fn producer(config: &ClientConfig) -> Result<Producer> {
    let made = config.create_with_context(Reports::default());
    made.map_err(|error| failed("The Kafka producer cannot be set up.", &error).without_retry())
}

/// Hands a record over, waiting while the producer's queue is full.
pub(super) fn send(producer: &Producer, mut record: BaseRecord<'_, [u8], [u8]>) -> Result<()> {
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                check_delivered(producer)?;
                record = back;
                rest(Duration::from_millis(5));
            }
            Err((error, _)) => return Err(write_failed(&error)),
        }
    }
}

/// Everything handed over is acknowledged when this returns.
///
/// The client's own waiting looks for reports that its other thread takes away, and so lasts a tenth of a second: too
/// long for something that happens at each checkpoint.
pub(super) fn flush(producer: &Producer) -> Result<()> {
    let deadline = Instant::now() + DELIVERY_TIMEOUT + Duration::from_secs(10);
    loop {
        let flushed = producer.flush(Duration::ZERO);
        match flushed {
            Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut)) if Instant::now() < deadline => {
                rest(ACKNOWLEDGED_AGAIN);
            }
            flushed => {
                check_delivered(producer)?;
                return flushed.map_err(|error| write_failed(&error));
            }
        }
    }
}

pub(super) fn check_delivered(producer: &Producer) -> Result<()> {
    if let Some((code, reason)) = producer.client().fatal_error() {
        return Err(fatal(code, &reason));
    }
    match producer.context().failure() {
        Some(error) => Err(write_failed(&error)),
        None => Ok(()),
    }
}

fn fatal(code: RDKafkaErrorCode, reason: &str) -> EngineError {
    let error = match code {
        RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch => {
            fenced()
        }
        _ => EngineError::external("kafka_failed", format!("The Kafka producer gave up: {code}.")),
    };
    error.with_detail(reason)
}

/// Another attempt of the same job took over: this one must end and not come back by itself.
pub(super) fn fenced() -> EngineError {
    EngineError::external("fenced", "Another run of this job took over its Kafka transactions.").without_retry()
}

pub(super) fn write_failed(error: &KafkaError) -> EngineError {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch) => {
            fenced().with_detail(error)
        }
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
            EngineError::user("record_too_large", "A record is larger than the topic or the producer allows.")
                .with_detail(error)
        }
        _ => failed("Records cannot be written.", error),
    }
}

/// Dead letters in a topic: the value as it came, the reason and the origin as headers.
pub(super) struct DeadLetterTopic {
    producer: Producer,
    topic: String,
}

impl DeadLetterTopic {
    pub(super) fn new(config: &ClientConfig, topic: &str) -> Result<Self> {
        Ok(DeadLetterTopic { producer: producer(&settings(config))?, topic: topic.to_owned() })
    }
}

impl DeadLetters for DeadLetterTopic {
    fn put(&mut self, origin: &RecordOrigin<'_>, reason: &str) -> Result<()> {
        let offset = origin.offset.to_string();
        let facts =
            [("millrace.reason", reason), ("millrace.split", origin.split), ("millrace.offset", offset.as_str())];
        let mut headers = OwnedHeaders::new();
        for (key, value) in facts {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let mut record =
            BaseRecord::<[u8], [u8]>::to(&self.topic).payload(origin.value.unwrap_or_default()).headers(headers);
        if let Some(key) = origin.key {
            record = record.key(key);
        }
        send(&self.producer, record)
    }

    fn flush(&mut self) -> Result<()> {
        flush(&self.producer)
    }
}
