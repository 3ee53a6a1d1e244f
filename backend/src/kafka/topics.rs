//! Topics: the list, one with its partitions, and making one.

use std::time::{Duration, Instant};

use millrace_wire::connection::{PartitionDetail, Topic};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::Consumer;
use rdkafka::metadata::MetadataTopic;
use rdkafka::types::RDKafkaErrorCode;

use super::cluster::{ASK, Client, Cluster, settings_problem, unreachable_broker};
use crate::error::{Code, Error, Result};

/// Message counts stop to be asked for after this; the rest of the list says zero rather than hold up the page.
const COUNT_FOR: Duration = Duration::from_secs(4);
const WATERMARK: Duration = Duration::from_secs(2);
pub const MOST_PARTITIONS: u32 = 1000;

pub async fn list(cluster: &Cluster) -> Result<Vec<Topic>> {
    cluster
        .ask("millrace-console", |client| {
            let metadata = client.fetch_metadata(None, ASK).map_err(|cause| unreachable_broker(&cause))?;
            let deadline = Instant::now() + COUNT_FOR;
            let mut topics: Vec<Topic> = metadata
                .topics()
                .iter()
                .map(|topic| Topic {
                    name: topic.name().to_owned(),
                    partitions: u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX),
                    messages: message_count(client, topic, deadline),
                    internal: topic.name().starts_with("__"),
                    tables: Vec::new(),
                })
                .collect();
            topics.sort_by(|left, right| left.name.cmp(&right.name));
            Ok(topics)
        })
        .await
}

fn message_count(client: &Client, topic: &MetadataTopic, deadline: Instant) -> u64 {
    topic
        .partitions()
        .iter()
        .take_while(|_| Instant::now() < deadline)
        .filter_map(|partition| client.fetch_watermarks(topic.name(), partition.id(), WATERMARK).ok())
        .map(|(low, high)| u64::try_from(high - low).unwrap_or(0))
        .sum()
}

/// Partitions with their bounds, by number; 404 for a topic that is not there.
pub async fn partitions(cluster: &Cluster, topic: &str) -> Result<Vec<PartitionDetail>> {
    let topic = topic.to_owned();
    cluster.ask("millrace-console", move |client| partitions_of(client, &topic)).await
}

pub(super) fn partitions_of(client: &Client, topic: &str) -> Result<Vec<PartitionDetail>> {
    // All topics, since asking for one by name may create it on brokers set up that way.
    let metadata = client.fetch_metadata(None, ASK).map_err(|cause| unreachable_broker(&cause))?;
    let found =
        metadata.topics().iter().find(|found| found.name() == topic).ok_or_else(|| Error::not_found("topic"))?;
    let mut partitions = Vec::new();
    for partition in found.partitions() {
        let (low, high) =
            client.fetch_watermarks(topic, partition.id(), ASK).map_err(|cause| unreachable_broker(&cause))?;
        partitions.push(PartitionDetail {
            partition: partition.id(),
            low,
            high,
            leader: partition.leader(),
            replicas: u32::try_from(partition.replicas().len()).unwrap_or(0),
        });
    }
    partitions.sort_by_key(|partition| partition.partition);
    Ok(partitions)
}

pub async fn create(cluster: &Cluster, name: &str, partitions: u32) -> Result<()> {
    let count = i32::try_from(partitions).ok().filter(|_| (1..=MOST_PARTITIONS).contains(&partitions));
    let count =
        count.ok_or_else(|| Error::field("partitions", format!("Choose 1 to {MOST_PARTITIONS} partitions.")))?;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > 249 || name == "." || name == ".." || !name.chars().all(legal) {
        return Err(Error::field("name", "Use letters, digits, dots, dashes and underscores, at most 249."));
    }
    // Also checks what the brokers announce, before the admin client connects to them.
    let (wanted, exists) = (name.to_owned(), name.to_owned());
    let there = cluster
        .ask("millrace-console", move |client| {
            let metadata = client.fetch_metadata(None, ASK).map_err(|cause| unreachable_broker(&cause))?;
            Ok(metadata.topics().iter().any(|topic| topic.name() == wanted))
        })
        .await?;
    let taken = || Error::conflict(Code::NameTaken, format!("A topic '{exists}' exists.")).at("name");
    if there {
        return Err(taken());
    }
    let admin: AdminClient<DefaultClientContext> =
        cluster.config().create().map_err(|cause| settings_problem(&cause))?;
    let topic = NewTopic::new(name, count, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(ASK)).request_timeout(Some(ASK));
    let results = admin.create_topics([&topic], &options).await.map_err(|cause| unreachable_broker(&cause))?;
    match results.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Err(taken()),
        Some(Err((_, code))) => Err(Error::external(format!("The broker did not make the topic: {code}."))),
        Some(Ok(_)) | None => Ok(()),
    }
}
