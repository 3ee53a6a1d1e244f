//! A topic as a sink.

use std::sync::Arc;
use std::time::Duration;

use millrace_wire::graph::{DeliveryGuarantee, Guarantee};
use rdkafka::ClientConfig;

use super::super::layout::{KEY, UPSERT_KAFKA, fields_of_format, key_fields};
use super::super::option::Options;
use super::super::{Accepts, Committers, ConnectorContext, Sink, SinkWriter};
use super::buffer::{BufferedWriter, Buffering};
use super::client::Reach;
use super::committer::KafkaCommitter;
use super::writer::{EncodedPart, KafkaWriter, Outlet};
use super::{client, produce};
use crate::catalog::{ColumnKind, TableRef};
use crate::error::{EngineError, Result};
use crate::format::{self, Format, FormatOptions};
use crate::plan::dataflow::key_positions;
use crate::types::Field;

pub(super) fn is_exactly_once(options: &Options<'_>) -> bool {
    options.text("sink.delivery-guarantee") == Some("exactly-once")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Partitioning {
    /// By hash of the key; without a key spread by the client.
    Default,
    /// Each task has one partition.
    Fixed,
    RoundRobin,
}

pub(super) struct KafkaSink {
    pub(super) shape: Arc<Shape>,
    guarantee: DeliveryGuarantee,
    committers: Arc<dyn Committers>,
}

/// What all writers of a sink share.
pub(super) struct Shape {
    pub(super) topic: String,
    pub(super) config: ClientConfig,
    pub(super) cluster: String,
    pub(super) reach: Reach,
    pub(super) identity: String,
    pub(super) value: PartShape,
    pub(super) key: Option<PartShape>,
    /// A row that is taken away is written as its key without a value.
    pub(super) upserts: bool,
    buffer: Option<Buffering>,
    /// Positions of metadata columns among the columns written.
    pub(super) timestamp: Option<usize>,
    pub(super) headers: Option<usize>,
    pub(super) partitioning: Partitioning,
}

impl Shape {
    /// Sinks with the same one share a transaction.
    fn transaction(&self) -> String {
        format!("kafka:{}", self.cluster)
    }
}

/// Columns and format of the key or the value.
pub(super) struct PartShape {
    format: &'static dyn Format,
    options: FormatOptions,
    fields: Vec<Field>,
    columns: Vec<usize>,
}

impl PartShape {
    pub(super) fn encoder(&self) -> Result<EncodedPart> {
        Ok(EncodedPart::new(self.format.encoder(&self.fields, &self.options)?, self.columns.clone()))
    }
}

impl KafkaSink {
    pub(super) fn new(table: &TableRef, context: &ConnectorContext) -> Result<Self> {
        if context.read_only {
            return Err(EngineError::internal("a preview must not open a sink"));
        }
        let options = Options(&table.options);
        let exactly_once = is_exactly_once(&options);
        if let Some(message) = produce::transaction_timeout_problem(&options).filter(|_| exactly_once) {
            return Err(EngineError::user("bad_option", message));
        }
        let partitioning = match options.text("sink.partitioner") {
            Some("fixed") => Partitioning::Fixed,
            Some("round-robin") => Partitioning::RoundRobin,
            _ => Partitioning::Default,
        };
        let (prefix, option) =
            if options.text("format").is_some() { ("", "format") } else { ("value.", "value.format") };
        let shape = Shape {
            topic: options.required("topic")?.to_owned(),
            config: client::properties(&table.options)?,
            cluster: client::cluster_key(&table.options),
            reach: Reach::of(&table.options),
            identity: context.identity.clone(),
            value: part(table, prefix, option)?,
            key: options.text("key.format").map(|_| part(table, KEY, "key.format")).transpose()?,
            upserts: table.connector() == UPSERT_KAFKA,
            buffer: Buffering::of_options(&options)?.map(|buffering| buffering.by(key_positions(table))),
            timestamp: metadata_column(table, "timestamp"),
            headers: metadata_column(table, "headers"),
            partitioning,
        };
        let guarantee = match options.text("sink.delivery-guarantee") {
            Some("exactly-once") => DeliveryGuarantee::ExactlyOnce,
            Some("none") => DeliveryGuarantee::BestEffort,
            _ => DeliveryGuarantee::AtLeastOnce,
        };
        Ok(KafkaSink { shape: Arc::new(shape), guarantee, committers: Arc::clone(&context.committers) })
    }
}

/// Columns of the key or the value, as positions among the columns that are written.
fn part(table: &TableRef, prefix: &str, option: &str) -> Result<PartShape> {
    let name = Options(&table.options).required(option)?;
    let format = format::find(name);
    let format = format.ok_or_else(|| EngineError::user("unknown_format", format!("There is no format '{name}'.")))?;
    let fields = fields_of_format(table, prefix);
    // Names of the table: the format of the key may know its fields by others.
    let names: Vec<&str> = match prefix {
        KEY => key_fields(table),
        _ => fields.iter().map(|field| field.name.as_str()).collect(),
    };
    let written = table.write_columns();
    let place = |name: &&str| written.iter().position(|index| is_physical(table, *index, name));
    let missing = || EngineError::internal("a column of the format is not written");
    let columns = names.iter().map(|name| place(name).ok_or_else(missing)).collect::<Result<_>>()?;
    let options = FormatOptions::of_table(&table.options, prefix, name);
    Ok(PartShape { format, options, fields, columns })
}

fn is_physical(table: &TableRef, index: usize, name: &str) -> bool {
    let column = table.columns.get(index).filter(|column| matches!(column.kind, ColumnKind::Physical));
    column.is_some_and(|column| column.name == name)
}

fn metadata_column(table: &TableRef, wanted: &str) -> Option<usize> {
    let columns = table.write_columns();
    columns.iter().position(|index| {
        let kind = table.columns.get(*index).map(|column| &column.kind);
        matches!(kind, Some(ColumnKind::Metadata { key, .. }) if key == wanted)
    })
}

impl Sink for KafkaSink {
    fn accepts(&self) -> Accepts {
        match self.shape.value.format.changelog() {
            _ if self.shape.upserts => Accepts::Upsert,
            true => Accepts::Retract,
            false => Accepts::Append,
        }
    }

    fn guarantee(&self) -> Guarantee {
        let reason = match self.guarantee {
            DeliveryGuarantee::ExactlyOnce => {
                "Written in Kafka transactions; readers need isolation.level=read_committed."
            }
            DeliveryGuarantee::AtLeastOnce => "Kafka without transactions: after a restart records can be there twice.",
            DeliveryGuarantee::BestEffort => "The table asks for no guarantee.",
        };
        Guarantee { level: self.guarantee, reason: reason.to_owned() }
    }

    fn transaction(&self) -> Option<String> {
        (self.guarantee == DeliveryGuarantee::ExactlyOnce).then(|| self.shape.transaction())
    }

    fn check(&self, checkpoint_interval: Option<Duration>) -> Result<()> {
        let transactional = self.guarantee == DeliveryGuarantee::ExactlyOnce;
        match produce::interval_problem(&self.shape.config, checkpoint_interval).filter(|_| transactional) {
            Some(message) => Err(EngineError::user("bad_option", message)),
            None => Ok(()),
        }
    }

    fn writer(&self, task: usize, _tasks: usize, _restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        self.shape.reach.check_with(&self.shape.config, &self.shape.identity)?;
        let outlet = if self.guarantee == DeliveryGuarantee::ExactlyOnce {
            let shape = Arc::clone(&self.shape);
            let committer = self.committers.get_or_insert(&self.shape.transaction(), &move || {
                let made = KafkaCommitter::connect(&shape.config, &shape.cluster, &shape.identity)?;
                Ok(Arc::new(made))
            })?;
            let committer = committer.as_any().downcast::<KafkaCommitter>();
            let other = |_| EngineError::internal("a committer of another kind has the key of Kafka's");
            let committer = committer.map_err(other)?;
            committer.check_credentials(&self.shape.config)?;
            committer.add_topic(&self.shape.topic);
            Outlet::Transaction(committer)
        } else {
            Outlet::Direct(Box::new(produce::producer(&produce::settings(&self.shape.config))?))
        };
        let writer = Box::new(KafkaWriter::new(Arc::clone(&self.shape), outlet, task, self.guarantee)?);
        Ok(match &self.shape.buffer {
            Some(buffering) => Box::new(BufferedWriter::new(writer, buffering.clone())),
            None => writer,
        })
    }
}
