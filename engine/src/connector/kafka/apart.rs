//! Topics of test runs: made with as many partitions as the one that they stand for, and deleted again.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::Consumer as _;
use rdkafka::types::RDKafkaErrorCode;

use super::super::option::Options;
use super::super::{Apart, ConnectorContext};
use super::client::{self, ASK, Reach, failed};
use crate::error::{EngineError, Result};

/// A new topic is not known to every broker at once.
const KNOWN_WITHIN: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(100);

/// How a topic lies in its cluster.
#[derive(Clone, Copy)]
struct Layout {
    partitions: i32,
    replicas: i32,
    /// Every partition has a leader.
    led: bool,
}

pub(super) async fn make(apart: &Apart, context: &ConnectorContext) -> Result<()> {
    let options = Options(&apart.table().options);
    let topic = options.required("topic")?.to_owned();
    let config = client::properties(&apart.table().options)?;
    let reach = Reach::of(&apart.table().options);
    let ask = async |topic: &str| layout(&config, reach, &context.identity, topic).await;
    if ask(&topic).await?.is_some() {
        return Err(taken(&topic));
    }
    let like = match apart.stands_for().option("topic") {
        Some(like) => ask(like).await?,
        None => None,
    };
    let like = like.unwrap_or(Layout { partitions: 1, replicas: 1, led: true });
    let wanted = NewTopic::new(&topic, like.partitions.max(1), TopicReplication::Fixed(like.replicas.max(1)));
    let made = admin(&config)?.create_topics([&wanted], &patience()).await;
    let made = made.map_err(|error| failed(&format!("The topic '{topic}' cannot be made."), &error))?;
    match made.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => return Err(taken(&topic)),
        Some(Err((_, code))) => return Err(refused("made", &topic, code)),
        Some(Ok(_)) | None => {}
    }
    let deadline = Instant::now() + KNOWN_WITHIN;
    while !ask(&topic).await?.is_some_and(|found| found.led) {
        if Instant::now() > deadline {
            let message = format!("The topic '{topic}' was made, but the cluster does not know it yet.");
            return Err(EngineError::external("topic_not_found", message));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

pub(super) async fn remove(apart: &Apart, context: &ConnectorContext) -> Result<()> {
    let options = Options(&apart.table().options);
    let topic = options.required("topic")?.to_owned();
    let config = client::properties(&apart.table().options)?;
    if layout(&config, Reach::of(&apart.table().options), &context.identity, &topic).await?.is_none() {
        return Ok(());
    }
    let removed = admin(&config)?.delete_topics(&[&topic], &patience()).await;
    let removed = removed.map_err(|error| failed(&format!("The topic '{topic}' cannot be deleted."), &error))?;
    match removed.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic))) => Ok(()),
        Some(Err((_, code))) => Err(refused("deleted", &topic, code)),
        Some(Ok(_)) | None => Ok(()),
    }
}

fn admin(config: &ClientConfig) -> Result<AdminClient<DefaultClientContext>> {
    let mut config = config.clone();
    // Said of tables that are read.
    config.remove("group.id");
    config.remove("isolation.level");
    config.create().map_err(|error| failed("The Kafka client cannot be set up.", &error).without_retry())
}

fn patience() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(ASK)).request_timeout(Some(ASK))
}

/// `None` for a topic that is not there. Asks for all topics: to ask for one may make it.
async fn layout(config: &ClientConfig, reach: Reach, group: &str, topic: &str) -> Result<Option<Layout>> {
    let (config, group, topic) = (config.clone(), group.to_owned(), topic.to_owned());
    let asked = tokio::task::spawn_blocking(move || {
        let consumer = client::consumer(&config, &group)?;
        reach.check(&consumer)?;
        let metadata = consumer.fetch_metadata(None, ASK);
        let metadata = metadata.map_err(|error| failed("The cluster cannot be asked for its topics.", &error))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let found = found.filter(|found| !found.partitions().is_empty());
        Ok(found.map(|found| {
            let replicas = found.partitions().first().map_or(1, |partition| partition.replicas().len());
            Layout {
                partitions: i32::try_from(found.partitions().len()).unwrap_or(i32::MAX),
                replicas: i32::try_from(replicas).unwrap_or(1),
                led: found.partitions().iter().all(|partition| partition.leader() >= 0),
            }
        }))
    });
    asked.await.map_err(|error| EngineError::internal("a question to Kafka broke off").with_detail(error))?
}

fn taken(topic: &str) -> EngineError {
    let message = format!("There is a topic '{topic}' already. A test run writes to topics that it makes itself.");
    EngineError::user("sandbox_refused", message)
}

fn refused(what: &str, topic: &str, code: RDKafkaErrorCode) -> EngineError {
    let permitted =
        !matches!(code, RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed);
    let message = if permitted {
        format!("The topic '{topic}' cannot be {what}. The broker says: {code}.")
    } else {
        format!(
            "The broker does not permit that the topic '{topic}' is {what}. The connection's user needs the right to \
             create, write and delete the topics of the team's sandbox target."
        )
    };
    EngineError::external("kafka_failed", message).without_retry()
}
