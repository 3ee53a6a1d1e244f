//! A cluster one can look into: the client settings of a connection, checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millrace_engine::connector;
use rdkafka::ClientConfig;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::Semaphore;

use super::hearing::Hearing;
use super::{dialer, settings};
use crate::error::{Code, Error, Result};

/// How long one question to a broker may take.
pub const ASK: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 8;
/// What the client still has to say about a failure is waited for so long.
const SAY: Duration = Duration::from_millis(100);
const MOST_SAID: usize = 20;

/// The engine's mark on settings, see [`connector::NO_LOCAL`], by the name it has among client settings.
pub const NO_LOCAL: &str = match connector::NO_LOCAL.split_at_checked("properties.".len()) {
    Some((_, name)) => name,
    None => connector::NO_LOCAL,
};

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

pub type Client = BaseConsumer<Hearing>;

impl Cluster {
    /// `settings`: client settings by their Kafka names, secrets included. Names of users' brokers are resolved here.
    pub async fn new(mut settings: BTreeMap<String, String>, trust: Trust) -> Result<Cluster> {
        let trust = if settings.remove(NO_LOCAL).is_some() { Trust::Named } else { trust };
        let bootstrap = settings.get("bootstrap.servers").cloned().unwrap_or_default();
        if bootstrap.is_empty() {
            return Err(Error::external("The broker's address is not known yet. It may still be starting."));
        }
        if trust != Trust::Own {
            let checked = dialer::check_bootstrap(&bootstrap, trust == Trust::NamedAnywhere).await?;
            // A certificate is for a name: a broker that shows one is called by it.
            if !settings::is_encrypted(&settings) {
                settings.insert("bootstrap.servers".to_owned(), checked);
            }
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
            cluster.check_announced(&client).and_then(|()| work(&client)).map_err(|error| explained(&client, error))
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
        BaseConsumer::from_config_and_context(&config, Hearing::default()).map_err(|cause| settings_problem(&cause))
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
            // Errors: they tell why a connection fails.
            .set_log_level(RDKafkaLogLevel::Error);
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

/// The reason that the client gave in its own log, instead of the bare fact that no broker answers.
fn explained(client: &Client, error: Error) -> Error {
    if error.code() != Code::ExternalFailed {
        return error;
    }
    for _ in 0..MOST_SAID {
        if client.poll(SAY).is_none() {
            break;
        }
    }
    match client.context().reason() {
        Some((message, hint)) => Error::external(message).hint(hint).because(error),
        None => error,
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
    let silence = matches!(
        cause.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
        )
    );
    let message = match cause.rdkafka_error_code() {
        Some(code) if !silence => format!("The broker refuses the question: {code}."),
        _ => "The broker does not answer.".to_owned(),
    };
    Error::external(message)
        .hint("Check the address, that the broker runs, and whether the port expects TLS or a sign-in.")
        .because(anyhow::anyhow!("{cause}"))
}
