//! The ends of a dataflow in the sandbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_wire::preview::ResultColumn;
use millrace_wire::test_run::{SuppliedRow, TestRunFrom, TestRunSink};

use super::capture::{CaptureSink, Changes};
use super::input_tap::InputTap;
use super::settled::SettledInputs;
use super::supplied::{SuppliedLookup, SuppliedSource};
use super::targets::SandboxTargets;
use super::words;
use crate::catalog::{TableDef, TableRef};
use crate::collect::column_type;
use crate::connector::{
    Accepts, Committer, Committers, Connector, ConnectorContext, LookupColumns, OpenLookup, Sink, Source, registry,
};
use crate::error::{EngineError, Result};
use crate::plan::dataflow::Endpoints;
use crate::plan::logical::{BoundScript, SinkTarget};

/// What a sandbox can see of the world outside.
pub struct Outside {
    /// Read-only and without committers, whoever made it; `None`: nothing at all.
    context: Option<ConnectorContext>,
    runtime: tokio::runtime::Handle,
}

impl Outside {
    pub fn nothing(runtime: tokio::runtime::Handle) -> Self {
        Outside { context: None, runtime }
    }

    /// Sources and lookups are real. Whatever the context allowed, it allows no writing from here on.
    pub fn to_read(context: ConnectorContext) -> Self {
        let runtime = context.runtime.clone();
        let context = ConnectorContext { read_only: true, committers: Arc::new(NoCommitters), ..context };
        Outside { context: Some(context), runtime }
    }

    #[cfg(test)]
    pub(super) const fn connector_context(&self) -> Option<&ConnectorContext> {
        self.context.as_ref()
    }
}

/// For runs that commit nothing.
pub struct NoCommitters;

impl Committers for NoCommitters {
    fn all(&self) -> Vec<Arc<dyn Committer>> {
        Vec::new()
    }

    fn get_or_insert(&self, _key: &str, _make: &dyn Fn() -> Result<Arc<dyn Committer>>) -> Result<Arc<dyn Committer>> {
        Err(EngineError::internal("a sandbox commits nothing"))
    }
}

pub struct SandboxEndpoints {
    outside: Outside,
    default_database: String,
    supplied: BTreeMap<String, Vec<SuppliedRow>>,
    /// Names of the sinks, by the index that their changes come with.
    sinks: Vec<String>,
    changes: Changes,
    targets: Arc<SandboxTargets>,
    tap: Option<Arc<InputTap>>,
    settled: Option<Arc<SettledInputs>>,
    from: TestRunFrom,
}

impl SandboxEndpoints {
    /// `supplied` are rows by table; those tables are not read. Changes come with the index into [`captured_sinks`].
    pub fn new(
        outside: Outside,
        script: &BoundScript,
        default_database: &str,
        supplied: BTreeMap<String, Vec<SuppliedRow>>,
        changes: Changes,
    ) -> Self {
        SandboxEndpoints {
            outside,
            default_database: default_database.to_owned(),
            supplied,
            sinks: captured_sinks(script).into_iter().map(|sink| sink.table).collect(),
            changes,
            targets: Arc::default(),
            tap: None,
            settled: None,
            from: TestRunFrom::Table,
        }
    }

    /// Rows of sinks that have a target there are written to it as well.
    #[must_use]
    pub fn writing_to(mut self, targets: Arc<SandboxTargets>) -> Self {
        self.targets = targets;
        self
    }

    /// Where Kafka is read from, whatever the tables' options say. A time is for the context to know.
    #[must_use]
    pub fn beginning_at(mut self, from: TestRunFrom) -> Self {
        self.from = from;
        self
    }

    /// As it is read here.
    fn placed(&self, table: &TableRef) -> TableRef {
        let mode = match self.from {
            TestRunFrom::Earliest => Some("earliest-offset"),
            TestRunFrom::Latest => Some("latest-offset"),
            TestRunFrom::Table | TestRunFrom::Time => None,
        };
        let mut placed = TableDef::clone(table);
        if let (Some(mode), "kafka") = (mode, table.connector()) {
            placed.options.insert("scan.startup.mode".to_owned(), mode.to_owned());
        }
        if let Some(settled) = &self.settled {
            settled.bound(&mut placed);
        }
        Arc::new(placed)
    }

    /// Sources have an end, and ranges that can be settled and shared.
    #[must_use]
    pub fn settled_by(mut self, settled: Arc<SettledInputs>) -> Self {
        self.settled = Some(settled);
        self
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.settled.is_some()
    }

    /// Keeps the first rows that sources give.
    #[must_use]
    pub fn with_tap(mut self, tap: Arc<InputTap>) -> Self {
        self.tap = Some(tap);
        self
    }

    /// The rows that were supplied for this table, which may be named without the default database.
    pub fn supplied(&self, table: &str) -> Option<&Vec<SuppliedRow>> {
        let bare = || self.supplied.get(table.strip_prefix(&self.default_database)?.strip_prefix('.')?);
        self.supplied.get(table).or_else(bare)
    }

    fn context(&self, table: &TableRef) -> Result<&ConnectorContext> {
        self.outside.context.as_ref().ok_or_else(|| {
            let message = format!("The test gives no rows for {}, which the script reads.", table.name);
            EngineError::user("no_rows_supplied", message)
        })
    }
}

fn connector(table: &TableRef) -> Result<&'static dyn Connector> {
    registry::find(table.connector()).ok_or_else(|| {
        let message = format!("There is no connector '{}' (table {}).", table.connector(), table.name);
        EngineError::user("unknown-connector", message)
    })
}

impl Endpoints for SandboxEndpoints {
    fn source(&self, table: &TableRef, columns: &[usize]) -> Result<Arc<dyn Source>> {
        if let Some(rows) = self.supplied(&table.name) {
            return Ok(Arc::new(SuppliedSource::new(table, columns, rows)?));
        }
        let context = self.context(table)?;
        let placed = self.placed(table);
        let mut source: Arc<dyn Source> = Arc::from(connector(table)?.source(&placed, columns, context)?);
        if let Some(settled) = &self.settled {
            source = settled.on(&table.name, source);
        }
        Ok(match &self.tap {
            Some(tap) => tap.on(table, columns, source),
            None => source,
        })
    }

    /// The one place where a sandbox makes sinks.
    fn sink(&self, table: &TableRef) -> Result<Arc<dyn Sink>> {
        let index = self.sinks.iter().position(|name| *name == table.name);
        let index = index.ok_or_else(|| EngineError::internal("a sink of the sandbox is not known"))?;
        self.targets.with(table, CaptureSink::new(index, accepts(table), Arc::clone(&self.changes)))
    }

    fn lookup(&self, table: &TableRef, columns: &LookupColumns) -> Result<OpenLookup> {
        let runtime = self.outside.runtime.clone();
        if let Some(rows) = self.supplied(&table.name) {
            return Ok(OpenLookup { lookup: Arc::new(SuppliedLookup::new(table, columns, rows)?), runtime });
        }
        let context = self.context(table)?;
        Ok(OpenLookup { lookup: connector(table)?.lookup(table, columns, context)?, runtime })
    }

    fn collect(&self) -> Result<Arc<dyn Sink>> {
        Err(EngineError::user("unsupported", "A test run needs an INSERT; a bare SELECT can be previewed."))
    }
}

/// What the connector's sink would take. A connector that is not known takes everything: nothing is written anyway.
fn accepts(table: &TableRef) -> Accepts {
    connector(table).map_or(Accepts::Retract, |connector| connector.takes(table))
}

/// The tables that a script writes, each once, in the order of the script.
pub fn captured_sinks(script: &BoundScript) -> Vec<TestRunSink> {
    let mut sinks: Vec<TestRunSink> = Vec::new();
    for sink in &script.sinks {
        let SinkTarget::Table(table) = &sink.target else { continue };
        if sinks.iter().any(|known| known.table == table.name) {
            continue;
        }
        sinks.push(TestRunSink {
            table: table.name.clone(),
            connector: table.connector().to_owned(),
            columns: written_columns(table),
            words: words::sink(table),
            changes: 0,
            kept: 0,
            target: None,
        });
    }
    sinks
}

fn written_columns(table: &TableRef) -> Vec<ResultColumn> {
    let columns = table.write_columns().into_iter();
    let named = columns.filter_map(|index| Some((index, table.columns.get(index)?)));
    let shown = named.map(|(index, column)| ResultColumn {
        name: column.name.clone(),
        data_type: column_type(&column.ty.logical),
        key: table.primary_key.contains(&index),
    });
    shown.collect()
}
