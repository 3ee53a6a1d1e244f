//! Consumer groups and how far they are behind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use millrace_wire::connection::{ConsumerGroup, GroupPartition};
use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};

use super::cluster::{ASK, Client, Cluster, unreachable_broker};
use crate::error::Result;

/// Each group is asked with a client of its own: more would take too long for a page.
const MOST_GROUPS: usize = 50;
const MOST_PARTITIONS: usize = 500;
const WATERMARK: Duration = Duration::from_secs(2);
const ASK_FOR: Duration = Duration::from_secs(8);

type Ends = BTreeMap<(String, i32), i64>;

struct Found {
    group: String,
    state: String,
    members: u32,
}

/// `topic`: only groups that have committed there, and only its partitions.
pub async fn list(cluster: &Cluster, topic: Option<String>) -> Result<Vec<ConsumerGroup>> {
    let deadline = Instant::now() + ASK_FOR;
    let (found, ends) = cluster
        .ask("millrace-console", move |client| Ok((groups(client)?, ends(client, topic.as_deref(), deadline)?)))
        .await?;
    let mut groups = Vec::new();
    for group in found {
        if Instant::now() >= deadline {
            break;
        }
        let positions = ends.clone();
        let committed = cluster.ask(&group.group, move |client| committed(client, &positions)).await?;
        if committed.is_empty() {
            continue;
        }
        groups.push(ConsumerGroup {
            lag: committed.iter().map(|partition| partition.lag).sum(),
            group: group.group,
            state: group.state,
            members: group.members,
            partitions: committed,
            job: None,
        });
    }
    groups.sort_by(|left, right| left.group.cmp(&right.group));
    Ok(groups)
}

fn groups(client: &Client) -> Result<Vec<Found>> {
    let list = client.fetch_group_list(None, ASK).map_err(|cause| unreachable_broker(&cause))?;
    let found = list.groups().iter().take(MOST_GROUPS).map(|group| Found {
        group: group.name().to_owned(),
        state: group.state().to_owned(),
        members: u32::try_from(group.members().len()).unwrap_or(u32::MAX),
    });
    Ok(found.collect())
}

/// The end of every partition that may be asked about.
fn ends(client: &Client, topic: Option<&str>, deadline: Instant) -> Result<Ends> {
    let metadata = client.fetch_metadata(None, ASK).map_err(|cause| unreachable_broker(&cause))?;
    let wanted = metadata.topics().iter().filter(|found| match topic {
        Some(topic) => found.name() == topic,
        None => !found.name().starts_with("__"),
    });
    let partitions = wanted.flat_map(|topic| topic.partitions().iter().map(|partition| (topic.name(), partition.id())));
    let mut ends = Ends::new();
    for (topic, partition) in partitions.take(MOST_PARTITIONS) {
        if Instant::now() >= deadline {
            break;
        }
        if let Ok((_, high)) = client.fetch_watermarks(topic, partition, WATERMARK) {
            ends.insert((topic.to_owned(), partition), high);
        }
    }
    Ok(ends)
}

/// Where the client's group stands; partitions it has never committed are left out.
fn committed(client: &Client, ends: &Ends) -> Result<Vec<GroupPartition>> {
    let mut asked = TopicPartitionList::new();
    for (topic, partition) in ends.keys() {
        asked.add_partition(topic, *partition);
    }
    let answer = client.committed_offsets(asked, ASK).map_err(|cause| unreachable_broker(&cause))?;
    let mut partitions = Vec::new();
    for element in answer.elements() {
        let Offset::Offset(committed) = element.offset() else { continue };
        let Some(high) = ends.get(&(element.topic().to_owned(), element.partition())).copied() else { continue };
        partitions.push(GroupPartition {
            topic: element.topic().to_owned(),
            partition: element.partition(),
            committed,
            high,
            lag: u64::try_from(high - committed).unwrap_or(0),
        });
    }
    Ok(partitions)
}
