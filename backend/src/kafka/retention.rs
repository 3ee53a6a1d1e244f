//! How long a topic keeps its records, and from when the records at certain offsets are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::cluster::{ASK, Client, Cluster, settings_problem, unreachable_broker};
use super::topics::partitions_of;
use crate::error::{Error, Result};

/// Records whose time is not known after this count as young as the savepoint is.
const READ_FOR: Duration = Duration::from_secs(4);
const POLL: Duration = Duration::from_millis(100);

/// What the broker says about when records of a topic go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Old records go, by age or by size.
    pub deletes: bool,
    /// None: their age does not matter.
    pub time_ms: Option<i64>,
    pub by_size: bool,
}

impl Rule {
    /// From the topic's settings, by their names.
    pub fn of(policy: &str, retention_ms: Option<i64>, retention_bytes: Option<i64>) -> Rule {
        Rule {
            deletes: policy.split(',').any(|word| word.trim() == "delete"),
            time_ms: retention_ms.filter(|ms| *ms >= 0),
            by_size: retention_bytes.is_some_and(|bytes| bytes >= 0),
        }
    }
}

/// What is known of a topic.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The first offset that is there and the next one, by partition.
    pub bounds: BTreeMap<i32, (i64, i64)>,
    /// Absent where the broker does not say.
    pub rule: Option<Rule>,
    /// When the records at these places were written: partition and offset.
    pub times: BTreeMap<(i32, i64), i64>,
}

/// `None` for a topic that is not there. `wanted`: partitions and offsets whose times matter.
pub async fn facts(cluster: &Cluster, topic: &str, wanted: BTreeSet<(i32, i64)>) -> Result<Option<Facts>> {
    let name = topic.to_owned();
    let found = cluster.ask("millrace-console", move |client| {
        let bounds: BTreeMap<i32, (i64, i64)> = match partitions_of(client, &name) {
            Ok(partitions) => partitions.into_iter().map(|part| (part.partition, (part.low, part.high))).collect(),
            Err(error) if error.code() == crate::error::Code::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_there = |(partition, offset): &(i32, i64)| {
            bounds.get(partition).is_some_and(|(low, high)| (low..high).contains(&offset))
        };
        let times = times_at(client, &name, wanted.into_iter().filter(is_there).collect())?;
        Ok(Some(Facts { bounds, rule: None, times }))
    });
    let Some(facts) = found.await? else { return Ok(None) };
    // What the brokers announce was checked by the question before.
    let rule = rule(cluster, topic).await.inspect_err(|error| tracing::debug!(topic, %error, "no settings of a topic"));
    Ok(Some(Facts { rule: rule.ok(), ..facts }))
}

async fn rule(cluster: &Cluster, topic: &str) -> Result<Rule> {
    let admin: AdminClient<DefaultClientContext> =
        cluster.config().create().map_err(|cause| settings_problem(&cause))?;
    let options = AdminOptions::new().request_timeout(Some(ASK));
    let asked = [ResourceSpecifier::Topic(topic)];
    let answers = admin.describe_configs(asked.iter(), &options).await.map_err(|cause| unreachable_broker(&cause))?;
    let answer = answers.into_iter().next();
    let settings = match answer {
        Some(Ok(settings)) => settings,
        Some(Err(code)) => {
            return Err(Error::external(format!("The broker does not tell a topic's settings: {code}.")));
        }
        None => return Err(Error::external("The broker does not tell a topic's settings.")),
    };
    let value = |name: &str| settings.get(name).and_then(|entry| entry.value.clone());
    let number = |name: &str| value(name).and_then(|text| text.trim().parse().ok());
    let (policy, time_ms) = (value("cleanup.policy"), number("retention.ms"));
    if policy.is_none() && time_ms.is_none() {
        return Err(Error::external("The broker does not tell the topic's retention."));
    }
    Ok(Rule::of(policy.as_deref().unwrap_or("delete"), time_ms, number("retention.bytes")))
}

/// Reads one record at each place, one place of each partition at a time.
fn times_at(client: &Client, topic: &str, mut open: BTreeSet<(i32, i64)>) -> Result<BTreeMap<(i32, i64), i64>> {
    let deadline = Instant::now() + READ_FOR;
    let mut times = BTreeMap::new();
    while !open.is_empty() && Instant::now() < deadline {
        let mut round = BTreeMap::new();
        for (partition, offset) in &open {
            round.entry(*partition).or_insert(*offset);
        }
        open.retain(|(partition, offset)| round.get(partition) != Some(offset));
        let mut assignment = TopicPartitionList::new();
        for (partition, offset) in &round {
            assignment
                .add_partition_offset(topic, *partition, Offset::Offset(*offset))
                .map_err(|_| Error::bad_request("The offset is not valid."))?;
        }
        client.assign(&assignment).map_err(|cause| unreachable_broker(&cause))?;
        while !round.is_empty() && Instant::now() < deadline {
            match client.poll(POLL) {
                // A compacted topic answers with the next record that is left.
                Some(Ok(message)) => {
                    let place = round.remove(&message.partition()).map(|offset| (message.partition(), offset));
                    times.extend(place.zip(message.timestamp().to_millis()));
                }
                // Nothing but marks of transactions from there on.
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    round.remove(&partition);
                }
                Some(Err(cause)) => tracing::debug!(topic, "reading times of records: {cause}"),
                None => {}
            }
        }
    }
    if let Err(cause) = client.assign(&TopicPartitionList::new()) {
        tracing::debug!("leaving partitions: {cause}");
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_from_the_topics_settings() {
        let week = 604_800_000;
        let rule = Rule::of("delete", Some(week), Some(-1));
        assert_eq!(rule, Rule { deletes: true, time_ms: Some(week), by_size: false });
        assert!(!Rule::of("compact", Some(week), None).deletes);
        assert!(Rule::of("compact, delete", Some(week), None).deletes);
        let by_size = Rule::of("delete", Some(-1), Some(1_000));
        assert_eq!(by_size, Rule { deletes: true, time_ms: None, by_size: true });
    }
}
