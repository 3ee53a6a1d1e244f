//! `blackhole`: takes all rows and keeps none. For measuring and for trying a query out.

use std::collections::BTreeMap;

use async_trait::async_trait;
use millrace_wire::connection::ConnectionTest;
use millrace_wire::connector::ConnectorSchema;
use millrace_wire::graph::{DeliveryGuarantee, Guarantee};
use millrace_wire::table::FetchedSchema;

use super::{Accepts, Connector, ConnectorContext, Sink, SinkWriter};
use crate::catalog::TableRef;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};

pub struct Blackhole;

#[async_trait]
impl Connector for Blackhole {
    fn schema(&self) -> ConnectorSchema {
        ConnectorSchema {
            name: "blackhole".to_owned(),
            title: "Blackhole".to_owned(),
            summary: "Takes all rows and keeps none.".to_owned(),
            connection: None,
            takes: Vec::new(),
            source: false,
            sink: true,
            lookup: false,
            bounded: false,
            formats: Vec::new(),
            options: Vec::new(),
            fixed_columns: Vec::new(),
            fetches_schema: false,
        }
    }

    fn sink(&self, _table: &TableRef, _context: &ConnectorContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(BlackholeSink))
    }

    async fn fetch(&self, _options: &BTreeMap<String, String>, _context: &ConnectorContext) -> Result<FetchedSchema> {
        Err(EngineError::user("unsupported", "A blackhole has no columns of its own."))
    }

    async fn test(&self, _table: &TableRef, _context: &ConnectorContext) -> ConnectionTest {
        ConnectionTest { ok: true, steps: Vec::new() }
    }
}

struct BlackholeSink;

impl Sink for BlackholeSink {
    fn accepts(&self) -> Accepts {
        Accepts::Retract
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee { level: DeliveryGuarantee::ExactlyOnce, reason: "A blackhole keeps nothing.".to_owned() }
    }

    fn writer(&self, _task: usize, _tasks: usize, _restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(BlackholeWriter))
    }
}

struct BlackholeWriter;

impl SinkWriter for BlackholeWriter {
    fn write(&mut self, _batch: &ChangeBatch) -> Result<()> {
        Ok(())
    }
}
