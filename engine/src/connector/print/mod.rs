//! `print`: writes each change as a line to the worker's standard output, as Flink does: `+I[1, text]`.
//!
//! `print-identifier` is put before each line, with the number of the task where there are several. With
//! `standard-error` the lines go there instead.

mod line;

use std::collections::BTreeMap;
use std::io::Write;

use async_trait::async_trait;
use millrace_wire::connection::ConnectionTest;
use millrace_wire::connector::{ConnectorSchema, OptionKind};
use millrace_wire::graph::{DeliveryGuarantee, Guarantee};
use millrace_wire::table::FetchedSchema;

use super::option::Options;
use super::{Accepts, Connector, ConnectorContext, Sink, SinkWriter};
use crate::catalog::TableRef;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::defaulted;

pub struct Print;

#[async_trait]
impl Connector for Print {
    fn schema(&self) -> ConnectorSchema {
        ConnectorSchema {
            name: "print".to_owned(),
            title: "Print".to_owned(),
            summary: "Writes each change as a line to the worker's output.".to_owned(),
            connection: None,
            takes: Vec::new(),
            source: false,
            sink: true,
            lookup: false,
            bounded: false,
            formats: Vec::new(),
            options: vec![
                defaulted("print-identifier", "Prefix", "Put before each line.", OptionKind::Text, ""),
                defaulted("standard-error", "Standard error", "Write there instead.", OptionKind::Boolean, "false"),
            ],
            fixed_columns: Vec::new(),
            fetches_schema: false,
        }
    }

    fn sink(&self, table: &TableRef, _context: &ConnectorContext) -> Result<Box<dyn Sink>> {
        let options = Options(&table.options);
        let prefix = options.text("print-identifier").unwrap_or_default().to_owned();
        Ok(Box::new(PrintSink { prefix, to_error: options.is_true("standard-error") }))
    }

    async fn fetch(&self, _options: &BTreeMap<String, String>, _context: &ConnectorContext) -> Result<FetchedSchema> {
        Err(EngineError::user("unsupported", "Print has no columns of its own."))
    }

    async fn test(&self, _table: &TableRef, _context: &ConnectorContext) -> ConnectionTest {
        ConnectionTest { ok: true, steps: Vec::new() }
    }
}

struct PrintSink {
    prefix: String,
    to_error: bool,
}

impl Sink for PrintSink {
    fn accepts(&self) -> Accepts {
        Accepts::Retract
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee {
            level: DeliveryGuarantee::AtLeastOnce,
            reason: "Lines are printed again after a restart.".to_owned(),
        }
    }

    fn writer(&self, task: usize, tasks: usize, _restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        let prefix = match (self.prefix.as_str(), tasks) {
            ("", 0 | 1) => String::new(),
            ("", _) => format!("{}> ", task + 1),
            (prefix, 0 | 1) => format!("{prefix}> "),
            (prefix, _) => format!("{prefix}:{}> ", task + 1),
        };
        let out: Box<dyn Write + Send> =
            if self.to_error { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
        Ok(Box::new(PrintWriter { prefix, out, lines: Vec::new() }))
    }
}

struct PrintWriter {
    prefix: String,
    out: Box<dyn Write + Send>,
    lines: Vec<u8>,
}

impl SinkWriter for PrintWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        self.lines.clear();
        for row in 0..batch.len() {
            self.lines.extend_from_slice(self.prefix.as_bytes());
            line::write_change(batch, row, &mut self.lines)?;
            self.lines.push(b'\n');
        }
        let written = self.out.write_all(&self.lines).and_then(|()| self.out.flush());
        written
            .map_err(|error| EngineError::external("print_failed", "The output cannot be written.").with_detail(error))
    }
}
