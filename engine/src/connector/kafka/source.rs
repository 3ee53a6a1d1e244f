//! The partitions of a table's topics as splits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::consumer::Consumer as _;
use tokio::runtime::Handle;

use super::super::layout::{ReadLayout, UPSERT_KAFKA};
use super::super::option::Options;
use super::super::{ConnectorContext, RangeLimit, Source, SourceReader, SplitId, SplitStart};
use super::client::{self, ASK, Consumer, Reach, failed};
use super::offset::{self, Partition};
use super::reader::KafkaReader;
use super::record::RecordFormat;
use super::startup::{Bounded, Startup};
use crate::catalog::TableRef;
use crate::error::{EngineError, Result};

/// What a source's readers share.
pub(super) struct Shared {
    pub(super) config: ClientConfig,
    pub(super) cluster: String,
    pub(super) group: String,
    pub(super) startup: Startup,
    pub(super) bounded: Bounded,
    /// `properties.auto.offset.reset`, for a group without offsets.
    pub(super) reset: Option<String>,
    pub(super) layout: ReadLayout,
    pub(super) format: RecordFormat,
    pub(super) batch_rows: usize,
    pub(super) read_only: bool,
    pub(super) reach: Reach,
    pub(super) runtime: Handle,
}

pub(super) struct KafkaSource {
    topics: Vec<String>,
    discovery: Option<Duration>,
    asker: Mutex<Option<Arc<Consumer>>>,
    known: Mutex<Option<(Instant, Vec<SplitId>)>>,
    shared: Arc<Shared>,
}

impl KafkaSource {
    pub(super) fn new(table: &TableRef, columns: &[usize], context: &ConnectorContext) -> Result<Self> {
        let options = Options(&table.options);
        let layout = ReadLayout::new(table, columns)?;
        let startup = match context.start_at_ms {
            Some(at) => Startup::Timestamp(at),
            // The newest record of a key may be its oldest.
            None if table.connector() == UPSERT_KAFKA => Startup::Earliest,
            None => Startup::of_options(&options)?,
        };
        let topics = options.required("topic")?.split(';').map(str::trim).filter(|topic| !topic.is_empty());
        let config = client::properties(&table.options)?;
        let group = options.text("properties.group.id").filter(|_| !context.read_only);
        let discovery =
            options.duration("scan.topic-partition-discovery.interval")?.unwrap_or(Duration::from_secs(300));
        let shared = Shared {
            format: RecordFormat::new(table, &layout, context)?,
            cluster: client::cluster_key(&table.options),
            group: group.unwrap_or(&context.identity).to_owned(),
            startup,
            bounded: Bounded::of_options(&options)?,
            reset: config.get("auto.offset.reset").map(str::to_owned),
            config,
            layout,
            batch_rows: context.batch_rows.max(1),
            read_only: context.read_only,
            reach: Reach::of(&table.options),
            runtime: context.runtime.clone(),
        };
        Ok(KafkaSource {
            topics: topics.map(str::to_owned).collect(),
            discovery: (!discovery.is_zero()).then_some(discovery),
            asker: Mutex::new(None),
            known: Mutex::new(None),
            shared: Arc::new(shared),
        })
    }

    fn asker(&self) -> Result<Arc<Consumer>> {
        let mut asker = self.asker.lock();
        if let Some(there) = &*asker {
            return Ok(Arc::clone(there));
        }
        let made = client::consumer(&self.shared.config, &self.shared.group)?;
        *asker = Some(Arc::clone(&made));
        Ok(made)
    }

    fn ask(&self) -> Result<Vec<SplitId>> {
        let consumer = self.asker()?;
        // Serves the client's own events.
        drop(consumer.poll(Duration::ZERO));
        self.shared.reach.check(&consumer)?;
        let mut splits = Vec::new();
        for topic in &self.topics {
            splits.extend(partitions(&consumer, topic)?.iter().map(|partition| SplitId::from(partition.split())));
        }
        Ok(splits)
    }
}

/// All partitions of a topic in order.
pub(super) fn partitions(consumer: &Consumer, topic: &str) -> Result<Vec<Partition>> {
    let what = format!("The topic '{topic}' cannot be looked up.");
    let metadata = consumer.fetch_metadata(Some(topic), ASK).map_err(|error| failed(&what, &error))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let missing =
        || EngineError::external("topic_not_found", format!("The topic '{topic}' does not exist.")).without_retry();
    let found = found.ok_or_else(missing)?;
    if let Some(error) = found.error() {
        let error = rdkafka::error::KafkaError::MetadataFetch(error.into());
        return Err(failed(&what, &error));
    }
    let mut numbers: Vec<i32> = found.partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect();
    numbers.sort_unstable();
    if numbers.is_empty() {
        return Err(missing());
    }
    Ok(numbers.into_iter().map(|number| Partition { topic: topic.to_owned(), number }).collect())
}

impl Source for KafkaSource {
    fn bounded(&self) -> bool {
        self.shared.bounded != Bounded::Unbounded
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.shared.layout.schema)
    }

    fn changelog(&self) -> bool {
        self.shared.format.changelog()
    }

    fn upserts(&self) -> bool {
        self.shared.format.upserts()
    }

    fn replayable(&self) -> bool {
        true
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        let mut known = self.known.lock();
        let fresh = |at: &Instant| self.discovery.is_none_or(|interval| at.elapsed() < interval);
        if let Some((_, splits)) = known.as_ref().filter(|(at, _)| fresh(at)) {
            return Ok(splits.clone());
        }
        let splits = match (self.ask(), known.as_ref()) {
            (Ok(splits), _) => splits,
            // New partitions can wait; readers notice by themselves when the cluster is away for long.
            (Err(error), Some((_, splits))) => {
                tracing::warn!(%error, "partitions cannot be looked up now");
                splits.clone()
            }
            (Err(error), None) => return Err(error),
        };
        *known = Some((Instant::now(), splits.clone()));
        Ok(splits)
    }

    fn settled(&self, limit: RangeLimit) -> Result<Option<Vec<SplitStart>>> {
        let splits = self.splits()?;
        let partitions: Vec<Partition> =
            splits.iter().map(|split| Partition::of_split(split)).collect::<Result<_>>()?;
        let (consumer, shared) = (self.asker()?, &self.shared);
        let Some(ends) = offset::ends(&consumer, &shared.bounded, &partitions)? else { return Ok(None) };
        let starts = offset::starts(&consumer, &shared.startup, &partitions, shared.reset.as_deref())?;
        let share = limit.most.div_ceil(partitions.len().max(1) as u64);
        // The newest record of a key may be its oldest: such a topic is read from where it begins.
        let newest = limit.newest && !self.upserts();
        let settled = splits.into_iter().zip(partitions).map(|(split, partition)| {
            let of = |offsets: &BTreeMap<Partition, i64>| offsets.get(&partition).copied().unwrap_or(0);
            let (start, end) = offset::limited(of(&starts), of(&ends), share, newest);
            let position = offset::position_until(start, &shared.cluster, end, &shared.bounded);
            SplitStart { split, position: Some(position) }
        });
        Ok(Some(settled.collect()))
    }

    fn reader(&self, splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(KafkaReader::new(Arc::clone(&self.shared), splits)?))
    }
}
