//! Finds out who leads which partition, and keeps a conversation with each leader.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::types::RDKafkaRespErr;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::conversation::{Ended, Event, Followed, Setup, converse};
use super::link::Address;

/// Answers of a broker that wait for the reader, or are being read, at most. It works on the next one meanwhile.
const AHEAD: usize = 2;
const LOOK_UP: Duration = Duration::from_secs(5);
/// After a conversation was lost; doubled each time it was short.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// A conversation of this length was a good one.
const LONG: Duration = Duration::from_secs(10);
/// A topic may be unknown to a broker for a while after it was made, or after the broker came up.
const UNKNOWN_FOR: Duration = Duration::from_secs(30);

pub(super) struct Pilot {
    setup: Arc<Setup>,
    /// Each conversation, and each wait for another one, is a task; it gives back what it was about.
    tasks: JoinSet<Leg>,
    slots: HashMap<Address, Arc<Semaphore>>,
    unknown_since: HashMap<String, Instant>,
}

/// What ended, and how long to wait the next time.
struct Leg {
    followed: Vec<Arc<Followed>>,
    next: Next,
}

enum Next {
    /// Look up the leaders; wait for so long if that leads to nothing.
    LookUp(Duration),
    Wait(Duration),
    Over,
}

impl Pilot {
    /// Follows the partitions until it is dropped or nothing of them is left.
    pub(super) async fn follow(setup: Arc<Setup>, followed: Vec<Arc<Followed>>) {
        let mut pilot = Pilot { setup, tasks: JoinSet::new(), slots: HashMap::new(), unknown_since: HashMap::new() };
        pilot.look_up(followed, SHORTEST_WAIT).await;
        while let Some(ended) = pilot.tasks.join_next().await {
            let leg = match ended {
                Ok(leg) => leg,
                Err(error) => {
                    tracing::error!(%error, "fetching from a broker ended by itself");
                    let _ = pilot.setup.events.send(Event::Unsupported("fetching failed"));
                    return;
                }
            };
            match leg.next {
                Next::LookUp(wait) => pilot.look_up(leg.followed, wait).await,
                Next::Wait(wait) => pilot.wait(leg.followed, wait),
                Next::Over => {}
            }
        }
    }

    fn wait(&mut self, followed: Vec<Arc<Followed>>, wait: Duration) {
        self.tasks.spawn(async move {
            tokio::time::sleep(wait).await;
            Leg { followed, next: Next::LookUp((wait * 2).min(LONGEST_WAIT)) }
        });
    }

    async fn look_up(&mut self, mut followed: Vec<Arc<Followed>>, wait: Duration) {
        followed.retain(|followed| !followed.done.load(Ordering::Relaxed));
        let mut by_topic: BTreeMap<String, Vec<Arc<Followed>>> = BTreeMap::new();
        for followed in followed {
            by_topic.entry(followed.partition.topic.clone()).or_default().push(followed);
        }
        let mut by_leader: BTreeMap<Address, Vec<Arc<Followed>>> = BTreeMap::new();
        let mut leaderless = Vec::new();
        for (topic, followed) in by_topic {
            let (setup, name) = (Arc::clone(&self.setup), topic.clone());
            let asked = tokio::task::spawn_blocking(move || setup.consumer.fetch_metadata(Some(&name), LOOK_UP)).await;
            let Ok(asked) = asked else { return };
            let leaders = self.leaders(&topic, asked);
            for followed in followed {
                match leaders.get(&followed.partition.number) {
                    Some(address) => by_leader.entry(address.clone()).or_default().push(followed),
                    None => leaderless.push(followed),
                }
            }
        }
        for (address, followed) in by_leader {
            self.converse(address, followed, wait);
        }
        if !leaderless.is_empty() {
            self.wait(leaderless, wait);
        }
    }

    fn leaders(&mut self, topic: &str, asked: KafkaResult<Metadata>) -> HashMap<i32, Address> {
        let metadata = match asked {
            Ok(metadata) => metadata,
            Err(error) => {
                tracing::debug!(topic, %error, "leaders cannot be looked up now");
                return HashMap::new();
            }
        };
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let unknown = found.is_none_or(|found| {
            found.error() == Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
                || found.partitions().is_empty()
        });
        let Some(found) = found.filter(|_| !unknown) else {
            self.tell_unknown(topic);
            return HashMap::new();
        };
        self.unknown_since.remove(topic);
        let leader = |id: i32| metadata.brokers().iter().find(|broker| broker.id() == id);
        let address = |partition: &rdkafka::metadata::MetadataPartition| {
            let broker = leader(partition.leader())?;
            let port = u16::try_from(broker.port()).ok()?;
            Some((partition.id(), Address { host: broker.host().to_owned(), port }))
        };
        found.partitions().iter().filter_map(address).collect()
    }

    fn tell_unknown(&mut self, topic: &str) {
        let since = *self.unknown_since.entry(topic.to_owned()).or_insert_with(Instant::now);
        if since.elapsed() >= UNKNOWN_FOR {
            let code = RDKafkaErrorCode::UnknownTopicOrPartition;
            let _ = self.setup.events.send(Event::Refused { split: topic.into(), code });
        }
    }

    fn converse(&mut self, address: Address, followed: Vec<Arc<Followed>>, wait: Duration) {
        let slots = self.slots.entry(address.clone()).or_insert_with(|| Arc::new(Semaphore::new(AHEAD)));
        let (setup, slots) = (Arc::clone(&self.setup), Arc::clone(slots));
        self.tasks.spawn(async move {
            let since = Instant::now();
            let next = match converse(&setup, &address, slots, followed.clone()).await {
                Ended::Over => Next::Over,
                Ended::Lost(why) => {
                    tracing::debug!(host = address.host, port = address.port, why, "fetching from a broker ended");
                    let was_long = since.elapsed() >= LONG;
                    Next::Wait(if was_long { SHORTEST_WAIT } else { wait })
                }
            };
            Leg { followed, next }
        });
    }
}
