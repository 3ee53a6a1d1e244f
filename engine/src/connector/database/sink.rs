//! A table as a sink: rows are inserted, or with a primary key replaced and deleted by it.
//!
//! `at-least-once` writes what was kept back every so often and at each barrier, see [`super::writer`]. With a primary key
//! doing it again does no harm.
//!
//! `exactly-once` writes the rows of a checkpoint in one transaction together with a row that says so, see
//! [`super::exact`].

use std::sync::Arc;
use std::time::Duration;

use millrace_wire::graph::{DeliveryGuarantee, Guarantee};

use super::super::option::Options;
use super::super::{Accepts, ConnectorContext, Sink, SinkWriter};
use super::exact::ExactWriter;
use super::fault::Faults;
use super::journal;
use super::target::{Flavour, Target};
use super::writer::BufferedWriter;
use crate::catalog::{TableDef, TableRef};
use crate::error::{EngineError, Result};
use crate::types::Field;

#[derive(Clone, Copy, Debug)]
pub(super) struct SinkOptions {
    pub(super) exactly_once: bool,
    /// `None`: only the time counts.
    pub(super) max_rows: Option<usize>,
    /// `None`: only the number of rows counts.
    pub(super) interval: Option<Duration>,
    pub(super) retries: u32,
}

impl SinkOptions {
    pub(super) fn of_table(table: &TableDef) -> Result<Self> {
        let options = Options(&table.options);
        let max_rows = options.count("sink.buffer-flush.max-rows")?.unwrap_or(1000);
        let interval = options.duration("sink.buffer-flush.interval")?.unwrap_or(Duration::from_secs(1));
        let retries = options.count("sink.max-retries")?.unwrap_or(3);
        Ok(SinkOptions {
            exactly_once: options.text("sink.delivery-guarantee") == Some("exactly-once"),
            max_rows: usize::try_from(max_rows).ok().filter(|rows| *rows > 0),
            interval: (!interval.is_zero()).then_some(interval),
            retries: u32::try_from(retries).unwrap_or(u32::MAX),
        })
    }
}

pub(super) struct DatabaseSink {
    pub(super) shape: Arc<SinkShape>,
}

/// What all writers of a sink share.
#[derive(Clone)]
pub(super) struct SinkShape {
    pub(super) target: Target,
    /// The columns that are written, in order.
    pub(super) fields: Vec<Field>,
    /// Positions of the primary key among them.
    pub(super) key: Vec<usize>,
    pub(super) options: SinkOptions,
    /// The same for all attempts of a job.
    pub(super) identity: String,
    /// Another one for each attempt.
    pub(super) attempt: String,
    pub(super) faults: Faults,
    pub(super) runtime: tokio::runtime::Handle,
}

impl DatabaseSink {
    pub(super) fn new(flavour: Flavour, table: &TableRef, context: &ConnectorContext) -> Result<Self> {
        if context.read_only {
            return Err(EngineError::internal("a preview must not open a sink"));
        }
        let columns = table.write_columns();
        let key = table.primary_key.iter().filter_map(|column| columns.iter().position(|written| written == column));
        let shape = SinkShape {
            target: Target::of_table(flavour, &table.options, context)?,
            key: key.collect(),
            fields: table.schema_of(&columns).fields,
            options: SinkOptions::of_table(table)?,
            identity: journal::job_name(&context.identity),
            attempt: journal::attempt().to_owned(),
            faults: Faults::default(),
            runtime: context.runtime.clone(),
        };
        Ok(DatabaseSink { shape: Arc::new(shape) })
    }
}

impl Sink for DatabaseSink {
    fn accepts(&self) -> Accepts {
        if self.shape.key.is_empty() { Accepts::Append } else { Accepts::Upsert }
    }

    fn guarantee(&self) -> Guarantee {
        let (level, reason) = if self.shape.options.exactly_once {
            let reason = "The rows of a checkpoint are written in one transaction that also says which one it was.";
            (DeliveryGuarantee::ExactlyOnce, reason)
        } else if self.shape.key.is_empty() {
            (DeliveryGuarantee::AtLeastOnce, "Rows are inserted as they come: after a restart they can be there twice.")
        } else {
            let reason =
                "Rows are replaced by their key as they come: after a restart older ones can be seen for a while.";
            (DeliveryGuarantee::AtLeastOnce, reason)
        };
        Guarantee { level, reason: reason.to_owned() }
    }

    fn writer(&self, task: usize, _tasks: usize, restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        let shape = Arc::clone(&self.shape);
        if self.shape.options.exactly_once {
            Ok(Box::new(ExactWriter::open(shape, task, &restored)?))
        } else {
            Ok(Box::new(BufferedWriter::new(shape)))
        }
    }
}
