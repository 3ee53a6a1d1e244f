//! `millrace-worker test-run`: all INSERTs of a script over real input, every sink replaced by a table of the sandbox, and
//! where that was asked for by an object of this run's own as well.
//!
//! Lines of JSON on standard output, `Planned` first. Closing standard input ends it. See [`crate::sandbox`] for why
//! nothing of production can be written.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use millrace_wire::job::StopMode;
use millrace_wire::link::TestRunAssignment;
use millrace_wire::preview::PreviewRow;
use millrace_wire::sql::Diagnostic;
use millrace_wire::test_run::{TestRunEvent, TestRunFrom, TestRunProgress};

use super::diagnostic::{of_error, of_problem};
use crate::catalog::CatalogText;
use crate::change::ChangeBatch;
use crate::collect::RowWriter;
use crate::connector::ConnectorContext;
use crate::error::{EngineError, Result};
use crate::plan::dataflow::plan;
use crate::plan::logical::{BoundScript, SinkTarget};
use crate::plan::settings::Settings;
use crate::runtime::{Outcome, Run, RunHandle, RunOptions, process_figures};
use crate::sandbox::{
    Changes, InputTap, NoCommitters, Outside, SandboxEndpoints, SandboxTargets, SettledInputs, captured_sinks, sources,
    wire_kind,
};
use crate::sql::{Problem, Severity, bind_all};
use crate::state::StateOptions;

const ROWS_PER_LINE: usize = 200;
const PROGRESS: Duration = Duration::from_millis(500);
/// Rows that wait to be written at most; then the dataflow waits.
const WAITING_ROWS: usize = 1000;
/// Partitions without rows must not keep windows from firing in the short life of a test run.
const IDLE: Duration = Duration::from_secs(3);
const BATCH_ROWS: usize = 1024;
/// How long sandbox targets may take for the last rows, once a limit is reached.
const HAND_OVER: Duration = Duration::from_secs(10);
/// Input rows that are kept of each table.
const INPUT_ROWS: usize = 100;

/// Reads the assignment from standard input and runs it.
pub fn run() -> ExitCode {
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line).is_err() {
        return ExitCode::from(2);
    }
    let assignment: TestRunAssignment = match serde_json::from_str(&line) {
        Ok(assignment) => assignment,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "millrace-worker: the assignment cannot be read: {error}");
            return ExitCode::from(2);
        }
    };
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() else {
        return ExitCode::from(2);
    };
    let (closed, input_closed) = bounded(1);
    // Ends with the process: a read of standard input cannot be called off.
    let _ = std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        let _ = closed.send(());
    });
    let out = |event: &TestRunEvent| say(event);
    if let Err(diagnostic) = test_run(&assignment, runtime.handle().clone(), &input_closed, &out) {
        say(&TestRunEvent::Failed { diagnostic: *diagnostic });
    }
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

/// Why it could not be planned, or did not end well.
pub type Failed = Box<Diagnostic>;

/// Plans and runs; every event but the failure goes to `out`.
pub fn test_run(
    assignment: &TestRunAssignment,
    runtime: tokio::runtime::Handle,
    closed: &Receiver<()>,
    out: &dyn Fn(&TestRunEvent),
) -> Result<(), Failed> {
    let catalog = CatalogText {
        default_database: assignment.default_database.clone(),
        tables: assignment.tables.clone(),
        functions: assignment.functions.clone(),
        function_roots: None,
        secrets: assignment.secrets.clone(),
    };
    let wrong = |problem: &Problem| Box::new(of_problem(problem, &assignment.sql));
    let failed = |error: EngineError| Box::new(of_error(&error));
    let bound = bind_all(&assignment.sql, &catalog);
    if let Some(problem) = bound.problems.iter().find(|problem| problem.severity == Severity::Error) {
        return Err(wrong(problem));
    }
    let script = bound.script;
    let mut sinks = captured_sinks(&script);
    if sinks.is_empty() {
        let message = "There is no INSERT here whose output could be tested. A SELECT can be previewed.";
        return Err(failed(EngineError::user("unsupported", message)));
    }
    let counts: Arc<[AtomicU64]> = sinks.iter().map(|_| AtomicU64::new(0)).collect();
    let (rows_in, rows) = bounded::<(usize, PreviewRow)>(WAITING_ROWS);
    let context = ConnectorContext {
        file_roots: assignment.file_roots.iter().map(PathBuf::from).collect(),
        identity: assignment.identity.clone(),
        start_at_ms: assignment.at_ms.filter(|_| assignment.from == TestRunFrom::Time),
        committers: Arc::new(NoCommitters),
        read_only: true,
        bad_records: None,
        batch_rows: BATCH_ROWS,
        runtime,
    };
    let targets =
        SandboxTargets::of(&script, &assignment.targets, &assignment.mark, context.clone()).map_err(failed)?;
    let targets = Arc::new(targets);
    targets.tell(&mut sinks, &script);
    let tap = InputTap::new(INPUT_ROWS);
    let endpoints = SandboxEndpoints::new(
        Outside::to_read(context),
        &script,
        &assignment.default_database,
        assignment.rows.clone(),
        capture(&script, u64::from(assignment.max_rows), Arc::clone(&counts), rows_in),
    )
    .beginning_at(assignment.from)
    .writing_to(Arc::clone(&targets))
    .with_tap(Arc::clone(&tap));
    let settled = assignment.settled.clone().map(SettledInputs::new);
    let endpoints = match &settled {
        Some(settled) => endpoints.settled_by(Arc::clone(settled)),
        None => endpoints,
    };
    // Input that ends by itself needs nobody's patience, and whose patience ran out would differ between two runs.
    let idle_timeout = if settled.is_some() { Duration::ZERO } else { IDLE };
    let settings = Settings { parallelism: assignment.parallelism.clamp(1, 128), idle_timeout, ..Settings::default() };
    let dataflow = plan(&script, &settings, &endpoints).map_err(|problems| match problems.first() {
        Some(problem) => wrong(problem),
        None => failed(EngineError::internal("the script cannot be planned")),
    })?;
    if let Some(settled) = &settled {
        out(&TestRunEvent::Settled { ranges: settled.settle().map_err(failed)? });
    }
    out(&TestRunEvent::Planned {
        sources: sources(&dataflow, &endpoints, assignment.from, &assignment.identity),
        sinks,
    });
    // Told before, so that whoever keeps the list of what there is to be removed misses nothing.
    targets.make().map_err(failed)?;
    let options = RunOptions {
        store: None,
        run: assignment.identity.clone(),
        kept: 1,
        committers: Arc::new(NoCommitters),
        restored: None,
        next_checkpoint: 1,
        batch_rows: BATCH_ROWS,
        state: StateOptions::within(assignment.memory_limit_mb << 20),
    };
    let run = Run::new(&dataflow, options).map_err(failed)?;
    // Only the dataflow's sinks hold the sending end of the rows from here on.
    drop(endpoints);
    let followed = follow(assignment, run, &rows, &counts, closed, out);
    out(&TestRunEvent::Inputs { rows: tap.rows() });
    let end = followed?;
    out(&end);
    Ok(())
}

/// Counts every change, and sends on the first ones of each sink.
fn capture(script: &BoundScript, most: u64, counts: Arc<[AtomicU64]>, rows: Sender<(usize, PreviewRow)>) -> Changes {
    let mut writers: BTreeMap<String, (usize, RowWriter)> = BTreeMap::new();
    for sink in &script.sinks {
        if let SinkTarget::Table(table) = &sink.target {
            let index = writers.len();
            let writer = RowWriter::new(&table.schema_of(&table.write_columns()));
            writers.entry(table.name.clone()).or_insert((index, writer));
        }
    }
    let mut by_index: Vec<(usize, RowWriter)> = writers.into_values().collect();
    by_index.sort_by_key(|(index, _)| *index);
    Arc::new(move |sink: usize, batch: &ChangeBatch| {
        let (Some((_, writer)), Some(count)) = (by_index.get(sink), counts.get(sink)) else { return Ok(0) };
        let before = count.fetch_add(batch.len() as u64, Relaxed);
        let room = usize::try_from(most.saturating_sub(before)).unwrap_or(usize::MAX);
        let kept = batch.len().min(room);
        for row in 0..kept {
            let row = PreviewRow { kind: wire_kind(batch.kind(row)), values: writer.row(batch, row) };
            // Nobody reads any more: the run is being left.
            if rows.send((sink, row)).is_err() {
                return Ok(0);
            }
        }
        Ok(kept)
    })
}

fn follow(
    assignment: &TestRunAssignment,
    run: Run,
    rows: &Receiver<(usize, PreviewRow)>,
    counts: &[AtomicU64],
    closed: &Receiver<()>,
    out: &dyn Fn(&TestRunEvent),
) -> Result<TestRunEvent, Failed> {
    let handle = run.handle();
    let (ended_in, ended) = bounded::<Result<Outcome>>(1);
    // Left behind when a limit is reached: the process ends soon after.
    let spawned = std::thread::Builder::new().name("run".to_owned()).spawn(move || {
        let _ = ended_in.send(run.run());
    });
    if spawned.is_err() {
        return Err(Box::new(of_error(&EngineError::external("no_thread", "No thread could be started."))));
    }
    let now = Instant::now();
    let waiting = counts.iter().map(|_| Vec::new()).collect();
    let mut teller = Teller { began: now, told: now, waiting, got: vec![0; counts.len()], counts, handle, out };
    let limit = Duration::from_secs(u64::from(assignment.max_seconds));
    let most = u64::from(assignment.max_rows);
    let reason = loop {
        match rows.recv_timeout(Duration::from_millis(50)) {
            Ok((sink, row)) => {
                teller.row(sink, row);
                if !rows.is_empty() {
                    continue;
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        if let Ok(result) = ended.try_recv() {
            while let Ok((sink, row)) = rows.try_recv() {
                teller.row(sink, row);
            }
            teller.flush();
            result.map_err(|error| Box::new(of_error(&error)))?;
            break "finished";
        }
        teller.flush();
        if teller.got.iter().all(|got| *got >= most) {
            break "row limit";
        }
        if closed.try_recv().is_ok() {
            break "cancelled";
        }
        if teller.began.elapsed() >= limit {
            break "time limit";
        }
        teller.progress();
        check_memory(assignment.memory_limit_mb)?;
    };
    if !assignment.targets.is_empty() && matches!(reason, "row limit" | "time limit") {
        hand_over(&mut teller, rows, &ended)?;
    }
    teller.handle.stop(StopMode::Cancel);
    Ok(TestRunEvent::End { reason: reason.to_owned(), progress: teller.now() })
}

/// A limit is reached: what was kept so far is written to the sandbox targets to the last row before the run is left.
fn hand_over(
    teller: &mut Teller<'_>,
    rows: &Receiver<(usize, PreviewRow)>,
    ended: &Receiver<Result<Outcome>>,
) -> Result<(), Failed> {
    teller.handle.stop(StopMode::Savepoint);
    let deadline = Instant::now() + HAND_OVER;
    loop {
        // Tasks wait while nobody takes their rows.
        if let Ok((sink, row)) = rows.recv_timeout(Duration::from_millis(20)) {
            teller.row(sink, row);
            continue;
        }
        if let Ok(result) = ended.try_recv() {
            teller.flush();
            return result.map(drop).map_err(|error| Box::new(of_error(&error)));
        }
        if Instant::now() > deadline {
            let message =
                "The sandbox targets did not take all rows in time: some of those that are kept may be missing there.";
            return Err(Box::new(of_error(&EngineError::external("sandbox_slow", message))));
        }
    }
}

struct Teller<'a> {
    began: Instant,
    told: Instant,
    /// By sink.
    waiting: Vec<Vec<PreviewRow>>,
    got: Vec<u64>,
    counts: &'a [AtomicU64],
    handle: RunHandle,
    out: &'a dyn Fn(&TestRunEvent),
}

impl Teller<'_> {
    fn row(&mut self, sink: usize, row: PreviewRow) {
        let (Some(waiting), Some(got)) = (self.waiting.get_mut(sink), self.got.get_mut(sink)) else { return };
        *got += 1;
        waiting.push(row);
        if waiting.len() >= ROWS_PER_LINE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        for (sink, waiting) in self.waiting.iter_mut().enumerate() {
            if !waiting.is_empty() {
                let sink = u32::try_from(sink).unwrap_or(u32::MAX);
                (self.out)(&TestRunEvent::Rows { sink, rows: std::mem::take(waiting) });
            }
        }
    }

    fn progress(&mut self) {
        if self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            (self.out)(&TestRunEvent::Progress { progress: self.now() });
        }
    }

    fn now(&self) -> TestRunProgress {
        let records_read = self.handle.metrics().map_or(0, |hub| hub.records_read());
        let changes: Vec<u64> = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        let waiting_for = match (changes.iter().sum::<u64>(), records_read) {
            (0, 0) => "No record has been read yet: the sources are empty, or nothing new has come.",
            (0, _) => {
                "Records are read, but none has given a row yet: a filter leaves them out, or a window waits for its end."
            }
            _ => "",
        };
        TestRunProgress {
            elapsed_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            records_read,
            changes,
            waiting_for: waiting_for.to_owned(),
        }
    }
}

fn check_memory(limit_mb: u64) -> Result<(), Failed> {
    let used = process_figures().memory_bytes >> 20;
    if limit_mb == 0 || used <= limit_mb {
        return Ok(());
    }
    let message = format!("The test run needs more than the {limit_mb} MB of memory that it may use.");
    Err(Box::new(of_error(&EngineError::user("memory_limit", message))))
}

/// One line; a closed standard output is noticed by the end of standard input.
fn say(event: &TestRunEvent) {
    if let Ok(text) = serde_json::to_string(event) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}");
        let _ = out.flush();
    }
}
