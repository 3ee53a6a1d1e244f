//! A script run here and now, without a server: `millrace run script.sql`.
//!
//! A script is either INSERTs, which run as one job until their sources end or the caller stops them, or SELECTs, whose
//! rows are handed out as a changelog.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use millrace_wire::graph::{Graph, Guarantee};

use crate::catalog::CatalogText;
use crate::change::{ChangeBatch, RowKind};
use crate::collect::{CollectSink, RowWriter, column_type};
use crate::connector::ConnectorContext;
use crate::error::{EngineError, Result};
use crate::plan::dataflow::{Dataflow, plan};
use crate::plan::logical::{BoundScript, SinkTarget};
use crate::plan::settings::Settings;
use crate::runtime::{ConnectorEndpoints, Outcome, Run, RunCommitters, RunHandle, RunOptions};
use crate::sql::{Problem, bind};
use crate::state::StateOptions;

/// Rows per batch of sources.
pub const BATCH_ROWS: usize = 8192;

/// How often sinks make their output visible when the script does not say.
const COMMIT_EVERY: Duration = Duration::from_secs(5);

pub struct LocalOptions {
    pub catalog: CatalogText,
    pub settings: Settings,
    /// Where file connectors may go; empty: anywhere.
    pub file_roots: Vec<PathBuf>,
    pub batch_rows: usize,
    /// For connectors with asynchronous clients.
    pub runtime: tokio::runtime::Handle,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    /// As SQL writes it.
    pub ty: String,
}

/// One row of a SELECT, in the notation of [`crate::collect`].
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub kind: RowKind,
    pub values: Vec<serde_json::Value>,
}

#[derive(Debug)]
pub enum LocalError {
    /// The script is wrong.
    Problems(Vec<Problem>),
    /// It failed while running.
    Run(EngineError),
}

impl From<EngineError> for LocalError {
    fn from(error: EngineError) -> Self {
        LocalError::Run(error)
    }
}

/// A script that is planned and can be run once.
pub struct Prepared {
    dataflow: Dataflow,
    committers: Arc<RunCommitters>,
    batch_rows: usize,
    /// Columns of the SELECTs, in order; empty for INSERTs.
    pub columns: Vec<Vec<Column>>,
}

/// Gets the rows of the SELECT, on a thread of the run. An error ends the run.
pub type Receive = dyn Fn(Row) -> Result<()> + Send + Sync;

/// Plans a script. Several SELECTs give their rows to the same receiver.
pub fn prepare(sql: &str, options: LocalOptions, receive: Arc<Receive>) -> Result<Prepared, LocalError> {
    let catalog = CatalogText { function_roots: Some(options.file_roots.clone()), ..options.catalog };
    let script = bind(sql, &catalog).map_err(LocalError::Problems)?;
    let columns = select_columns(&script);
    if columns.len() > 1 {
        return Err(LocalError::Run(EngineError::user(
            "unsupported",
            "A script may hold one SELECT; run the others by themselves.",
        )));
    }
    let committers = Arc::new(RunCommitters::default());
    let writer = first_select(&script).map(RowWriter::new);
    let collect = CollectSink::new(move |batch: &ChangeBatch| {
        let Some(writer) = &writer else { return Ok(()) };
        (0..batch.len()).try_for_each(|row| receive(Row { kind: batch.kind(row), values: writer.row(batch, row) }))
    });
    let endpoints = ConnectorEndpoints {
        context: ConnectorContext {
            file_roots: options.file_roots,
            identity: format!("local-{}", uuid::Uuid::now_v7()),
            start_at_ms: None,
            committers: Arc::clone(&committers) as Arc<_>,
            read_only: false,
            bad_records: None,
            batch_rows: options.batch_rows,
            runtime: options.runtime,
        },
        collect: Some(Arc::new(collect)),
    };
    let mut settings = options.settings;
    settings.checkpoint_interval.get_or_insert(COMMIT_EVERY);
    let dataflow = plan(&script, &settings, &endpoints).map_err(LocalError::Problems)?;
    Ok(Prepared { dataflow, committers, batch_rows: options.batch_rows, columns })
}

/// A run that was started, to be watched and stopped from another thread.
pub struct Started {
    run: Run,
    pub handle: RunHandle,
}

impl Prepared {
    pub fn graph(&self) -> Graph {
        self.dataflow.to_wire()
    }

    pub fn guarantee(&self) -> &Guarantee {
        &self.dataflow.guarantee
    }

    /// All its sources end by themselves.
    pub fn bounded(&self) -> bool {
        self.dataflow.bounded()
    }

    pub fn start(self) -> Result<Started> {
        let run = Run::new(&self.dataflow, run_options(self.committers, self.batch_rows))?;
        Ok(Started { handle: run.handle(), run })
    }

    /// On the caller's thread, every row worked through before the next is read.
    pub fn run_inline(self) -> Result<Outcome> {
        Run::inline(&self.dataflow, run_options(self.committers, self.batch_rows))?.run()
    }
}

impl Started {
    /// Returns when the run has ended.
    pub fn finish(self) -> Result<Outcome> {
        self.run.run()
    }
}

fn run_options(committers: Arc<RunCommitters>, batch_rows: usize) -> RunOptions {
    RunOptions {
        store: None,
        run: "local".to_owned(),
        kept: 1,
        committers,
        restored: None,
        next_checkpoint: 1,
        batch_rows,
        state: StateOptions::within(0),
    }
}

fn first_select(script: &BoundScript) -> Option<&crate::types::Schema> {
    let select = script.sinks.iter().find(|sink| matches!(sink.target, SinkTarget::Collect));
    select.map(|sink| &sink.query.schema)
}

fn select_columns(script: &BoundScript) -> Vec<Vec<Column>> {
    let selects = script.sinks.iter().filter(|sink| matches!(sink.target, SinkTarget::Collect));
    let columns = |schema: &crate::types::Schema| {
        let column =
            |field: &crate::types::Field| Column { name: field.name.clone(), ty: column_type(&field.ty.logical) };
        schema.fields.iter().map(column).collect()
    };
    selects.map(|sink| columns(&sink.query.schema)).collect()
}
