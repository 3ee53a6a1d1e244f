//! Positions of partitions, and the offsets that options and times stand for.

use std::collections::BTreeMap;

use rdkafka::consumer::Consumer as _;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::json;

use super::super::SplitPosition;
use super::client::{ASK, Consumer, failed};
use super::startup::{Bounded, Startup};
use crate::error::{EngineError, Result};

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Partition {
    pub(super) topic: String,
    pub(super) number: i32,
}

impl Partition {
    pub(super) fn of_split(split: &str) -> Result<Self> {
        let parts = split.rsplit_once('/').and_then(|(topic, number)| Some((topic.to_owned(), number.parse().ok()?)));
        let (topic, number) =
            parts.ok_or_else(|| EngineError::internal("a split names no partition").with_detail(split))?;
        Ok(Partition { topic, number })
    }

    pub(super) fn split(&self) -> String {
        format!("{}/{}", self.topic, self.number)
    }
}

/// The next offset to read, with the cluster so that positions of other clusters are told apart.
pub(super) fn position(offset: i64, cluster: &str) -> SplitPosition {
    SplitPosition(json!({ "offset": offset, "cluster": cluster }))
}

/// The same with where reading ends, which stays what it was when the range was opened.
pub(super) fn position_until(offset: i64, cluster: &str, end: i64, bounded: &Bounded) -> SplitPosition {
    SplitPosition(json!({ "offset": offset, "cluster": cluster, "end": end, "until": format!("{bounded:?}") }))
}

/// The stored end, unless the options name another one by now.
pub(super) fn end_of(position: &SplitPosition, bounded: &Bounded) -> Option<i64> {
    let until = position.0.get("until").and_then(serde_json::Value::as_str)?;
    let end = position.0.get("end").and_then(serde_json::Value::as_i64)?;
    (until == format!("{bounded:?}")).then_some(end)
}

pub(super) fn offset_of(position: &SplitPosition) -> Option<i64> {
    position.0.get("offset").and_then(serde_json::Value::as_i64)
}

pub(super) fn cluster_of(position: &SplitPosition) -> Option<&str> {
    position.0.get("cluster").and_then(serde_json::Value::as_str)
}

/// First and last offset (exclusive) of a partition.
pub(super) fn bounds(consumer: &Consumer, partition: &Partition) -> Result<(i64, i64)> {
    let asked = consumer.fetch_watermarks(&partition.topic, partition.number, ASK);
    asked.map_err(|error| failed(&format!("The offsets of {} cannot be found.", partition.split()), &error))
}

/// The offsets where reading starts.
pub(super) fn starts(
    consumer: &Consumer,
    startup: &Startup,
    partitions: &[Partition],
    reset: Option<&str>,
) -> Result<BTreeMap<Partition, i64>> {
    match startup {
        Startup::Earliest => each(partitions, |partition| Ok(bounds(consumer, partition)?.0)),
        Startup::Latest => each(partitions, |partition| Ok(bounds(consumer, partition)?.1)),
        Startup::Timestamp(at) => at_time(consumer, *at, partitions),
        Startup::Specific(offsets) => each(partitions, |partition| match offsets.get(&partition.number) {
            Some(offset) => Ok(*offset),
            None => Ok(bounds(consumer, partition)?.0),
        }),
        Startup::Group => {
            let committed = committed(consumer, partitions)?;
            each(partitions, |partition| match (committed.get(partition), reset) {
                (Some(offset), _) => Ok(*offset),
                (None, Some("latest" | "largest" | "end")) => Ok(bounds(consumer, partition)?.1),
                (None, Some("none" | "error")) => {
                    let message = format!("The group has no offset for {}.", partition.split());
                    Err(EngineError::user("no_group_offset", message))
                }
                (None, _) => Ok(bounds(consumer, partition)?.0),
            })
        }
    }
}

/// The offsets (exclusive) where reading ends; `None` without end.
pub(super) fn ends(
    consumer: &Consumer,
    bounded: &Bounded,
    partitions: &[Partition],
) -> Result<Option<BTreeMap<Partition, i64>>> {
    let found = match bounded {
        Bounded::Unbounded => return Ok(None),
        Bounded::Latest => each(partitions, |partition| Ok(bounds(consumer, partition)?.1)),
        Bounded::Timestamp(at) => at_time(consumer, *at, partitions),
        Bounded::Group => {
            let committed = committed(consumer, partitions)?;
            each(partitions, |partition| {
                committed.get(partition).copied().ok_or_else(|| {
                    let message = format!(
                        "Reading ends at the group's offsets, and the group has none for {}.",
                        partition.split()
                    );
                    EngineError::user("no_group_offset", message)
                })
            })
        }
        Bounded::Specific(offsets) => each(partitions, |partition| match offsets.get(&partition.number) {
            Some(offset) => Ok(*offset),
            None => Ok(bounds(consumer, partition)?.1),
        }),
    };
    found.map(Some)
}

/// At most so many records of a range, its last ones or its first ones.
pub(super) fn limited(start: i64, end: i64, most: u64, newest: bool) -> (i64, i64) {
    let (end, most) = (end.max(start), i64::try_from(most).unwrap_or(i64::MAX));
    if newest { (start.max(end.saturating_sub(most)), end) } else { (start, end.min(start.saturating_add(most))) }
}

fn each(partitions: &[Partition], offset: impl Fn(&Partition) -> Result<i64>) -> Result<BTreeMap<Partition, i64>> {
    partitions.iter().map(|partition| Ok((partition.clone(), offset(partition)?))).collect()
}

/// The first offset whose record is not older; the end where there is none.
fn at_time(consumer: &Consumer, at: i64, partitions: &[Partition]) -> Result<BTreeMap<Partition, i64>> {
    // Of more tasks than partitions some have none, and the client refuses to ask about none.
    if partitions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut asked = TopicPartitionList::new();
    for partition in partitions {
        let added = asked.add_partition_offset(&partition.topic, partition.number, Offset::Offset(at));
        added.map_err(|error| failed("A time cannot be turned into offsets.", &error))?;
    }
    let found = consumer.offsets_for_times(asked, ASK);
    let found = found.map_err(|error| failed("A time cannot be turned into offsets.", &error))?;
    each(partitions, |partition| {
        let element = found.find_partition(&partition.topic, partition.number);
        match element.map(|element| element.offset()) {
            Some(Offset::Offset(offset)) => Ok(offset),
            _ => Ok(bounds(consumer, partition)?.1),
        }
    })
}

/// Offsets of the consumer's group, where it has any.
pub(super) fn committed(consumer: &Consumer, partitions: &[Partition]) -> Result<BTreeMap<Partition, i64>> {
    let found = consumer.committed_offsets(list(partitions), ASK);
    let found = found.map_err(|error| failed("The offsets of the group cannot be read.", &error))?;
    let known = partitions.iter().filter_map(|partition| {
        match found.find_partition(&partition.topic, partition.number)?.offset() {
            Offset::Offset(offset) => Some((partition.clone(), offset)),
            _ => None,
        }
    });
    Ok(known.collect())
}

fn list(partitions: &[Partition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition(&partition.topic, partition.number);
    }
    list
}

/// A list with the next offset to read of each partition.
pub(super) fn offset_list<'a>(offsets: impl Iterator<Item = (&'a Partition, i64)>) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        let added = list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(offset));
        added.map_err(|error| EngineError::internal("an offset cannot be used").with_detail(error))?;
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::limited;

    #[test]
    fn a_range_is_cut_at_either_end() {
        assert_eq!(limited(10, 100, 5, false), (10, 15));
        assert_eq!(limited(10, 100, 5, true), (95, 100));
        assert_eq!(limited(10, 12, 5, true), (10, 12));
        // Reading would begin behind the end: nothing is read.
        assert_eq!(limited(50, 40, 5, false), (50, 50));
        assert_eq!(limited(0, i64::MAX, u64::MAX, false), (0, i64::MAX));
    }
}
