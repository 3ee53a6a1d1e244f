//! Reading a few messages of a topic: the newest, the oldest, from an offset, from a time; with a filter on text.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use millrace_wire::connection::{Message, PartitionDetail};
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use super::cluster::{ASK, Client, Cluster, unreachable_broker};
use super::topics::partitions_of;
use crate::error::{Error, Result};

pub const MOST: usize = 500;
/// With a filter, this many messages are looked at.
const LOOK_AT: i64 = 20_000;
const READ_FOR: Duration = Duration::from_secs(6);
const POLL: Duration = Duration::from_millis(100);
/// Longer keys and values are cut; `size` tells the whole length.
const SHOWN_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Newest,
    Oldest,
    /// In the partition that was asked for, or in each.
    Offset(i64),
    /// Milliseconds since 1970.
    Time(i64),
}

#[derive(Clone, Debug)]
pub struct Request {
    pub topic: String,
    pub from: From,
    pub partition: Option<i32>,
    pub limit: usize,
    /// Case matters not; looked for in key and value.
    pub contains: Option<String>,
}

pub async fn read(cluster: &Cluster, request: Request) -> Result<Vec<Message>> {
    cluster.ask("millrace-console", move |client| read_blocking(client, &request)).await
}

/// One partition's part: from `start` up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    start: i64,
    end: i64,
}

fn read_blocking(client: &Client, request: &Request) -> Result<Vec<Message>> {
    let mut partitions = partitions_of(client, &request.topic)?;
    if let Some(wanted) = request.partition {
        partitions.retain(|partition| partition.partition == wanted);
        if partitions.is_empty() {
            return Err(Error::not_found("partition"));
        }
    }
    let slices = slices(client, request, &partitions)?;
    let mut found = fetch(client, request, slices)?;
    match request.from {
        From::Newest => found.sort_by_key(|message| std::cmp::Reverse((message.timestamp, message.offset))),
        _ => found.sort_by_key(|message| (message.timestamp, message.partition, message.offset)),
    }
    found.truncate(request.limit);
    Ok(found)
}

fn slices(client: &Client, request: &Request, partitions: &[PartitionDetail]) -> Result<HashMap<i32, Slice>> {
    let by_time = match request.from {
        From::Time(at) => offsets_at(client, &request.topic, partitions, at)?,
        _ => HashMap::new(),
    };
    let most = if request.contains.is_some() {
        LOOK_AT / i64::try_from(partitions.len().max(1)).unwrap_or(1)
    } else {
        i64::try_from(request.limit).unwrap_or(i64::MAX)
    };
    let slice = |partition: &PartitionDetail| {
        let (low, high) = (partition.low, partition.high);
        let start = match request.from {
            From::Newest => high.saturating_sub(most).max(low),
            From::Oldest => low,
            From::Offset(offset) => offset.clamp(low, high),
            From::Time(_) => by_time.get(&partition.partition).copied().unwrap_or(high),
        };
        (partition.partition, Slice { start, end: high.min(start.saturating_add(most)) })
    };
    Ok(partitions.iter().map(slice).filter(|(_, slice)| slice.start < slice.end).collect())
}

fn offsets_at(client: &Client, topic: &str, partitions: &[PartitionDetail], at: i64) -> Result<HashMap<i32, i64>> {
    let mut times = TopicPartitionList::new();
    for partition in partitions {
        times
            .add_partition_offset(topic, partition.partition, Offset::Offset(at))
            .map_err(|_| Error::bad_request("The time is not valid."))?;
    }
    let found = client.offsets_for_times(times, ASK).map_err(|cause| unreachable_broker(&cause))?;
    let offset = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match element.offset() {
        Offset::Offset(offset) => Some((element.partition(), offset)),
        // Nothing that young.
        _ => None,
    };
    Ok(found.elements().iter().filter_map(offset).collect())
}

fn fetch(client: &Client, request: &Request, mut open: HashMap<i32, Slice>) -> Result<Vec<Message>> {
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let mut assignment = TopicPartitionList::new();
    for (partition, slice) in &open {
        assignment
            .add_partition_offset(&request.topic, *partition, Offset::Offset(slice.start))
            .map_err(|_| Error::bad_request("The offset is not valid."))?;
    }
    client.assign(&assignment).map_err(|cause| unreachable_broker(&cause))?;
    let needle = request.contains.as_ref().map(|text| text.to_lowercase());
    let deadline = Instant::now() + READ_FOR;
    let mut found = Vec::new();
    // Which matches come first is known when all slices are read; of one slice from the front, enough is enough.
    let enough_is_enough = request.from != From::Newest && open.len() == 1;
    while !open.is_empty() && Instant::now() < deadline {
        match client.poll(POLL) {
            None => {}
            Some(Ok(message)) => {
                let Some(slice) = open.get(&message.partition()).copied() else { continue };
                if message.offset() < slice.end {
                    let shown = show(&message);
                    if needle.as_ref().is_none_or(|needle| holds(&shown, needle)) {
                        found.push(shown);
                    }
                }
                // Slices end before the offset of the high watermark; control records may sit at the end.
                if message.offset() + 1 >= slice.end {
                    open.remove(&message.partition());
                }
                if enough_is_enough && found.len() >= request.limit {
                    break;
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            Some(Err(cause)) => {
                tracing::debug!("reading messages: {cause}");
            }
        }
    }
    let nothing = TopicPartitionList::new();
    if let Err(cause) = client.assign(&nothing) {
        tracing::debug!("leaving partitions: {cause}");
    }
    Ok(found)
}

fn holds(message: &Message, needle: &str) -> bool {
    let texts = [&message.key, &message.value];
    texts.into_iter().flatten().any(|text| text.to_lowercase().contains(needle))
}

fn show(message: &BorrowedMessage<'_>) -> Message {
    let (key, key_binary) = text_of(message.key());
    let (value, value_binary) = text_of(message.payload());
    let mut headers = BTreeMap::new();
    if let Some(given) = message.headers() {
        for header in given.iter() {
            headers.insert(header.key.to_owned(), text_of(header.value).0.unwrap_or_default());
        }
    }
    Message {
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis().unwrap_or(-1),
        key,
        value,
        binary: key_binary || value_binary,
        size: message.payload_len() as u64,
        headers,
    }
}

/// As text, or as hex when it is not UTF-8 (true).
fn text_of(bytes: Option<&[u8]>) -> (Option<String>, bool) {
    let Some(bytes) = bytes else { return (None, false) };
    let cut = bytes.get(..SHOWN_BYTES).unwrap_or(bytes);
    match std::str::from_utf8(cut) {
        Ok(text) => (Some(text.to_owned()), false),
        // Cut in the middle of a character: that is still text.
        Err(cause) if cause.error_len().is_none() && cut.len() < bytes.len() => {
            (Some(String::from_utf8_lossy(cut.get(..cause.valid_up_to()).unwrap_or_default()).into_owned()), false)
        }
        Err(_) => (Some(crate::access::secret::hex(cut)), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_text_or_as_hex() {
        assert_eq!(text_of(None), (None, false));
        assert_eq!(text_of(Some("ä".as_bytes())), (Some("ä".into()), false));
        assert_eq!(text_of(Some(&[0xff, 0x00])), (Some("ff00".into()), true));
        let long = "ä".repeat(SHOWN_BYTES);
        let (text, binary) = text_of(Some(format!("a{long}").as_bytes()));
        assert!(!binary);
        assert_eq!(text.map(|text| text.len()), Some(SHOWN_BYTES - 1));
    }
}
