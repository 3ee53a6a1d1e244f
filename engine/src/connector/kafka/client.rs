//! librdkafka clients from a table's options, and its errors in our words.

use std::collections::BTreeMap;
use std::net::ToSocketAddrs as _;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientContext, Statistics};

use super::super::{NO_LOCAL, is_local};
use crate::error::{EngineError, Result};

const PREFIX: &str = "properties.";

/// For questions to the cluster: metadata, offsets.
pub(super) const ASK: Duration = Duration::from_secs(15);

/// Names of Java's client that mean nothing here; scripts from Flink carry them.
const JAVA_ONLY: [&str; 6] = [
    "key.serializer",
    "value.serializer",
    "key.deserializer",
    "value.deserializer",
    "max.poll.records",
    "partition.discovery.interval.ms",
];

/// What the engine decides itself.
const OURS: [&str; 6] = [
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "transactional.id",
    "partition.assignment.strategy",
    "group.protocol",
];

/// The client properties of a table, checked by the client library's own rules.
pub(super) fn properties(options: &BTreeMap<String, String>) -> Result<ClientConfig> {
    let mut config = ClientConfig::new();
    config.set_log_level(RDKafkaLogLevel::Warning);
    config.set("client.id", "millrace").set("socket.nagle.disable", "true").set("broker.address.ttl", "10000");
    // Reconnecting must not take longer the longer a broker was away.
    config.set("reconnect.backoff.max.ms", "2000");
    for (name, value) in options {
        let Some(name) = name.strip_prefix(PREFIX).filter(|_| name != NO_LOCAL) else { continue };
        if OURS.contains(&name) {
            return Err(EngineError::user("bad_option", format!("'{PREFIX}{name}' is set by the engine itself.")));
        }
        if !JAVA_ONLY.contains(&name) {
            config.set(name, value);
        }
    }
    config.create_native_config().map_err(|error| match error {
        KafkaError::ClientConfig(_, reason, name, _) => EngineError::user(
            "bad_option",
            format!("'{PREFIX}{name}' is refused by the Kafka client: {}.", reason.trim_end_matches('.')),
        ),
        other => failed("The Kafka client cannot be set up.", &other).without_retry(),
    })?;
    Ok(config)
}

/// What a cluster may announce to this table's clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Anywhere,
    /// See [`NO_LOCAL`].
    NotLocal,
}

impl Reach {
    pub(super) fn of(options: &BTreeMap<String, String>) -> Self {
        if options.contains_key(NO_LOCAL) { Reach::NotLocal } else { Reach::Anywhere }
    }

    /// Brokers tell clients where else to connect. To be asked before anything else is.
    pub(super) fn check(self, consumer: &Consumer) -> Result<()> {
        if self == Reach::Anywhere {
            return Ok(());
        }
        let metadata = consumer.fetch_metadata(None, ASK);
        let metadata = metadata.map_err(|error| failed("The cluster cannot be asked.", &error))?;
        for broker in metadata.brokers() {
            let port = u16::try_from(broker.port()).unwrap_or(0);
            // A name that does not resolve leads nowhere.
            let addresses = (broker.host(), port).to_socket_addrs().into_iter().flatten();
            if addresses.into_iter().any(|address| is_local(address.ip())) {
                let message = format!(
                    "The cluster announces a broker at {}:{port}, which leads to this machine or to a local-only address.",
                    broker.host()
                );
                return Err(EngineError::user("broker_refused", message));
            }
        }
        Ok(())
    }

    /// As `check`, for those who have no consumer.
    pub(super) fn check_with(self, config: &ClientConfig, group: &str) -> Result<()> {
        match self {
            Reach::Anywhere => Ok(()),
            Reach::NotLocal => self.check(&*consumer(config, group)?),
        }
    }
}

/// Who calls, and how: sinks with one transaction have to agree on it.
pub(super) fn credentials(config: &ClientConfig) -> BTreeMap<String, String> {
    let decides = |name: &str| ["security.", "sasl.", "ssl."].iter().any(|prefix| name.starts_with(prefix));
    let all = config.config_map().into_iter().filter(|(name, _)| decides(name));
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Which cluster a table is in. Tables with the same servers share a transactional producer.
pub(super) fn cluster_key(options: &BTreeMap<String, String>) -> String {
    let servers = options.get("properties.bootstrap.servers").map(String::as_str).unwrap_or_default();
    let mut servers: Vec<&str> = servers.split(',').map(str::trim).filter(|server| !server.is_empty()).collect();
    servers.sort_unstable();
    servers.join(",")
}

/// Passes the client's own words on to the log.
#[derive(Default)]
pub(super) struct Watch;

impl ClientContext for Watch {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::warn!(facility, "{message}");
            }
            _ => tracing::debug!(facility, "{message}"),
        }
    }

    fn stats(&self, _statistics: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "the Kafka client reported an error");
    }
}

impl ConsumerContext for Watch {}

pub(super) type Consumer = BaseConsumer<Watch>;

/// A consumer that reads only what it is told to and commits nothing by itself.
pub(super) fn consumer(config: &ClientConfig, group: &str) -> Result<Arc<Consumer>> {
    let mut config = config.clone();
    config.set("group.id", group);
    config.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
    config.set("enable.partition.eof", "true");
    if config.get("isolation.level").is_none() {
        config.set("isolation.level", "read_committed");
    }
    // A lost offset is an error to be decided on, never a silent jump.
    config.set("auto.offset.reset", "error");
    // Said of tables that are written; a consumer would warn that it means nothing to it.
    config.remove("linger.ms");
    // A full queue is looked at again this soon. The client's own second would be most of the time of a reader that
    // empties it in a tenth of that.
    if config.get("fetch.queue.backoff.ms").is_none() {
        config.set("fetch.queue.backoff.ms", "5");
    }
    let consumer = config.create_with_context(Watch);
    consumer.map(Arc::new).map_err(|error| failed("The Kafka client cannot be set up.", &error).without_retry())
}

/// A failed question to the cluster.
pub(super) fn failed(what: &str, error: &KafkaError) -> EngineError {
    let unreachable = matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::MessageTimedOut
                | RDKafkaErrorCode::Resolve
        )
    );
    if unreachable {
        return EngineError::external("broker_unreachable", format!("{what} No Kafka broker can be reached."))
            .with_detail(error);
    }
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed) => {
            EngineError::external("broker_refused", format!("{what} The broker refuses the credentials."))
                .without_retry()
        }
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed,
        ) => EngineError::external("broker_refused", format!("{what} The broker does not permit it.")).without_retry(),
        Some(
            RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition,
        ) => EngineError::external("topic_not_found", format!("{what} The topic does not exist.")).without_retry(),
        _ => EngineError::external("kafka_failed", what.to_owned()),
    }
    .with_detail(error)
}
