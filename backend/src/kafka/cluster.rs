//! A cluster one can look into: the client settings of a connection, checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use tokio::sync::Semaphore;

use super::dialer;
use crate::error::{Error, Result};

/// How long one question to a broker may take.
pub const ASK: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 8;

static PERMITS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Whose addresses these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The administrator's own broker.
    Own,
    /// A user named it; local addresses are denied.
    Named,
    /// A user named it, and the administrator allows local addresses.
    NamedAnywhere,
}

/// Cheap to clone. Holds secrets: it is not printed.
#[derive(Clone)]
pub struct Cluster {
    settings: Arc<BTreeMap<String, String>>,
    trust: Trust,
}

/// Swallows the library's own log: what matters comes back as an error.
pub struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}
    fn error(&self, _: KafkaError, _: &str) {}
}
impl ConsumerContext for Quiet {}

pub type Client = BaseConsumer<Quiet>;

impl Cluster {
    /// `settings`: client settings by their Kafka names, secrets included. Names of users' brokers are resolved here.
    pub async fn new(mut settings: BTreeMap<String, String>, trust: Trust) -> Result<Cluster> {
        let bootstrap = settings.get("bootstrap.servers").cloned().unwrap_or_default();
        if bootstrap.is_empty() {
            return Err(Error::external("The broker's address is not known yet. It may still be starting."));
        }
        if trust != Trust::Own {
            let checked = dialer::check_bootstrap(&bootstrap, trust == Trust::NamedAnywhere).await?;
            settings.insert("bootstrap.servers".to_owned(), checked);
        }
        Ok(Cluster { settings: Arc::new(settings), trust })
    }

    /// Runs blocking work with a client that belongs to `group` in name only; it never joins.
    pub async fn ask<T: Send + 'static>(
        &self,
        group: &str,
        work: impl FnOnce(&Client) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = PERMITS.acquire().await.map_err(Error::internal)?;
        let (cluster, group) = (self.clone(), group.to_owned());
        let outcome = tokio::task::spawn_blocking(move || {
            let client = cluster.client(&group)?;
            cluster.check_announced(&client)?;
            work(&client)
        });
        let outcome = outcome.await.map_err(Error::internal)?;
        drop(permit);
        outcome
    }

    /// A consumer that commits nothing.
    fn client(&self, group: &str) -> Result<Client> {
        let mut config = self.config();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "error")
            .set("allow.auto.create.topics", "false")
            .set("queued.max.messages.kbytes", "16384")
            .set("fetch.message.max.bytes", "1048576");
        BaseConsumer::from_config_and_context(&config, Quiet).map_err(|cause| settings_problem(&cause))
    }

    pub(super) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in self.settings.iter() {
            config.set(name, value);
        }
        config
            .set("client.id", "millrace")
            .set("socket.connection.setup.timeout.ms", "4000")
            .set("socket.timeout.ms", "10000")
            .set("log_level", "0");
        config
    }

    /// Brokers tell clients where else to connect; those addresses follow the same rule.
    fn check_announced(&self, client: &Client) -> Result<()> {
        if self.trust != Trust::Named {
            return Ok(());
        }
        let metadata = client.fetch_metadata(None, ASK).map_err(|cause| unreachable_broker(&cause))?;
        let handle = tokio::runtime::Handle::current();
        for broker in metadata.brokers() {
            let port = u16::try_from(broker.port()).unwrap_or(0);
            handle.block_on(dialer::check_announced(broker.host(), port, false))?;
        }
        Ok(())
    }
}

/// What the client library says about its settings; holds names, not values.
pub(super) fn settings_problem(cause: &KafkaError) -> Error {
    let text = match cause {
        KafkaError::ClientConfig(_, why, name, _) => format!("The setting '{name}' is not accepted: {why}."),
        other => format!("The Kafka client cannot be set up: {other}."),
    };
    Error::external(text)
}

pub(super) fn unreachable_broker(cause: &KafkaError) -> Error {
    let why = cause.rdkafka_error_code().map_or_else(|| cause.to_string(), |code| code.to_string());
    Error::external(format!("The broker does not answer: {why}.")).hint("Check the address, and that the broker runs.")
}
