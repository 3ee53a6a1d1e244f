//! One SQL test: supplied rows through the script, what comes out against what is expected. Nothing outside is touched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_wire::job_test::{DifferentRow, ExpectedSink, SinkDiff, TestDraft, TestResult};
use millrace_wire::preview::{PreviewRow, ResultColumn};
use millrace_wire::sql::Diagnostic;
use millrace_wire::test_run::{ResultView, SuppliedRow, TestRunSink};
use parking_lot::Mutex;

use super::compare::{Rules, compare};
use super::endpoints::{NoCommitters, Outside, SandboxEndpoints, captured_sinks};
use super::state::current_state;
use super::supplied::canonical;
use super::wire_kind;
use crate::catalog::{CatalogText, TableRef};
use crate::change::ChangeBatch;
use crate::collect::RowWriter;
use crate::error::{EngineError, Result};
use crate::link::diagnostic::{of_error, of_problem};
use crate::plan::dataflow::plan;
use crate::plan::logical::{BoundScript, SinkTarget};
use crate::plan::settings::Settings;
use crate::runtime::{Run, RunOptions};
use crate::sql::{Severity, bind_all};
use crate::state::StateOptions;

const TIME_LIMIT: Duration = Duration::from_secs(10);
const MEMORY: u64 = 256 << 20;
/// Changes of all sinks together.
const MOST_CHANGES: usize = 100_000;
/// Rows of a result that are given back.
const SHOWN: usize = 1_000;

pub struct TestRequest {
    pub sql: String,
    pub catalog: CatalogText,
    pub test: TestDraft,
    /// For lookups, which are asynchronous.
    pub runtime: tokio::runtime::Handle,
}

type Captured = Vec<Vec<PreviewRow>>;

pub fn run_test(request: &TestRequest) -> TestResult {
    let began = Instant::now();
    let outcome = attempt(request, began);
    let (sinks, error) = match outcome {
        Ok(sinks) => (sinks, None),
        Err(diagnostic) => (Vec::new(), Some(*diagnostic)),
    };
    TestResult {
        test: None,
        name: request.test.name.clone(),
        passed: error.is_none() && sinks.iter().all(|sink| sink.passed),
        ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        error,
        sinks,
    }
}

fn attempt(request: &TestRequest, began: Instant) -> Result<Vec<SinkDiff>, Box<Diagnostic>> {
    let failed = |error: EngineError| Box::new(of_error(&error));
    let bound = bind_all(&request.sql, &request.catalog);
    let wrong = |problem: &crate::sql::Problem| Box::new(of_problem(problem, &request.sql));
    if let Some(problem) = bound.problems.iter().find(|problem| problem.severity == Severity::Error) {
        return Err(wrong(problem));
    }
    let script = bound.script;
    let sinks = captured_sinks(&script);
    if sinks.is_empty() {
        return Err(failed(EngineError::user("unsupported", "The script has no INSERT to test.")));
    }
    let captured: Arc<Mutex<Captured>> = Arc::new(Mutex::new(vec![Vec::new(); sinks.len()]));
    let supplied: BTreeMap<String, Vec<SuppliedRow>> =
        request.test.inputs.iter().map(|input| (input.table.clone(), input.rows.clone())).collect();
    let endpoints = SandboxEndpoints::new(
        Outside::nothing(request.runtime.clone()),
        &script,
        &request.catalog.default_database,
        supplied,
        keep(&script, &sinks, &captured),
    );
    let settings = Settings { parallelism: request.test.parallelism.clamp(1, 16), ..Settings::default() };
    let dataflow = plan(&script, &settings, &endpoints).map_err(|problems| match problems.first() {
        Some(problem) => wrong(problem),
        None => failed(EngineError::internal("the script cannot be planned")),
    })?;
    let options = RunOptions {
        store: None,
        run: "test".to_owned(),
        kept: 1,
        committers: Arc::new(NoCommitters),
        restored: None,
        next_checkpoint: 1,
        batch_rows: 1,
        state: StateOptions::within(MEMORY),
    };
    let mut run = Run::inline(&dataflow, options).map_err(failed)?;
    while run.round().map_err(failed)?.is_none() {
        if began.elapsed() > TIME_LIMIT {
            let message = format!("The test took longer than {} s.", TIME_LIMIT.as_secs());
            return Err(failed(EngineError::user("time_limit", message)));
        }
        std::thread::yield_now();
    }
    let captured = captured.lock();
    let diff = |expected: &ExpectedSink| {
        let place = sinks.iter().position(|sink| is_named(&sink.table, &expected.table, &request.catalog));
        let found = place.and_then(|place| Some((sinks.get(place)?, captured.get(place)?)));
        let Some((sink, changes)) = found else { return Ok(unknown_sink(expected)) };
        let table = table_of(&script, &sink.table).ok_or_else(|| EngineError::internal("a sink has no table"))?;
        against(expected, &table, sink, changes)
    };
    request.test.expected.iter().map(diff).collect::<Result<_>>().map_err(failed)
}

fn is_named(table: &str, asked: &str, catalog: &CatalogText) -> bool {
    table == asked
        || table.strip_prefix(&catalog.default_database).and_then(|rest| rest.strip_prefix('.')) == Some(asked)
}

fn table_of(script: &BoundScript, name: &str) -> Option<TableRef> {
    script.sinks.iter().find_map(|sink| match &sink.target {
        SinkTarget::Table(table) if table.name == name => Some(Arc::clone(table)),
        _ => None,
    })
}

/// Collects changes in the notation of results, up to a limit.
fn keep(script: &BoundScript, sinks: &[TestRunSink], captured: &Arc<Mutex<Captured>>) -> super::Changes {
    let writer = |sink: &TestRunSink| {
        let table = table_of(script, &sink.table)?;
        Some(RowWriter::new(&table.schema_of(&table.write_columns())))
    };
    let writers: Vec<Option<RowWriter>> = sinks.iter().map(writer).collect();
    let captured = Arc::clone(captured);
    Arc::new(move |sink: usize, batch: &ChangeBatch| {
        let mut captured = captured.lock();
        let so_far: usize = captured.iter().map(Vec::len).sum();
        if so_far + batch.len() > MOST_CHANGES {
            let message = format!("The test gives more than {MOST_CHANGES} changes.");
            return Err(EngineError::user("too_many_rows", message));
        }
        let (Some(Some(writer)), Some(rows)) = (writers.get(sink), captured.get_mut(sink)) else { return Ok(0) };
        let row = |at| PreviewRow { kind: wire_kind(batch.kind(at)), values: writer.row(batch, at) };
        rows.extend((0..batch.len()).map(row));
        Ok(batch.len())
    })
}

fn against(expected: &ExpectedSink, table: &TableRef, sink: &TestRunSink, changes: &[PreviewRow]) -> Result<SinkDiff> {
    let mut wanted = canonical(table, &expected.rows)?;
    let actual = match expected.view {
        ResultView::Changelog => changes.to_vec(),
        ResultView::State => {
            wanted.iter_mut().for_each(|row| row.kind = millrace_wire::preview::RowKind::Insert);
            state_rows(changes, &sink.columns)
        }
    };
    for column in &expected.ignore {
        if !sink.columns.iter().any(|known| known.name == *column) {
            let message = format!("{} has no column {column} that could be left out of the comparison.", table.name);
            return Err(EngineError::user("unknown_column", message));
        }
    }
    let rules = Rules { order: expected.order, float_tolerance: expected.float_tolerance, ignore: &expected.ignore };
    let comparison = compare(&wanted, &actual, &sink.columns, &rules);
    let passed = comparison.passed();
    let note = if comparison.reordered { "The rows are the expected ones, in another order." } else { "" };
    let different = comparison.different.into_iter();
    Ok(SinkDiff {
        table: sink.table.clone(),
        columns: sink.columns.clone(),
        passed,
        note: note.to_owned(),
        matched: comparison.matched,
        missing: shown(comparison.missing),
        unexpected: shown(comparison.unexpected),
        different: different
            .take(SHOWN)
            .map(|(expected, actual, columns)| DifferentRow { expected, actual, columns })
            .collect(),
        actual: shown(actual),
    })
}

fn shown(mut rows: Vec<PreviewRow>) -> Vec<PreviewRow> {
    rows.truncate(SHOWN);
    rows
}

fn state_rows(changes: &[PreviewRow], columns: &[ResultColumn]) -> Vec<PreviewRow> {
    let keys = columns.iter().enumerate().filter(|(_, column)| column.key).map(|(index, _)| index);
    let rows = current_state(changes, &keys.collect::<Vec<_>>());
    rows.into_iter().map(|values| PreviewRow { kind: millrace_wire::preview::RowKind::Insert, values }).collect()
}

fn unknown_sink(expected: &ExpectedSink) -> SinkDiff {
    SinkDiff {
        table: expected.table.clone(),
        columns: Vec::new(),
        passed: false,
        note: format!("The script does not write {}.", expected.table),
        matched: 0,
        missing: Vec::new(),
        unexpected: Vec::new(),
        different: Vec::new(),
        actual: Vec::new(),
    }
}
