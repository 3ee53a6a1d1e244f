//! `millrace-worker preview`: a statement run for a while, its rows as lines of JSON on standard output.
//!
//! Nothing is written: an INSERT is previewed as the query below it, other INSERTs of the script are left out, and no
//! offsets are committed. Closing standard input ends it.

use std::io::{BufRead, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use millrace_wire::graph::ChangelogMode;
use millrace_wire::job::StopMode;
use millrace_wire::link::{PreviewAssignment, PreviewLine};
use millrace_wire::preview::{PreviewEvent, PreviewProgress, PreviewRow, ResultColumn};
use millrace_wire::sql::Diagnostic;

use super::diagnostic::{of_error, of_problem};
use crate::catalog::CatalogText;
use crate::change::ChangeBatch;
use crate::collect::{CollectSink, RowWriter, column_type};
use crate::connector::ConnectorContext;
use crate::error::{EngineError, Result};
use crate::plan::dataflow::{Dataflow, plan};
use crate::plan::logical::{BoundScript, SinkTarget};
use crate::plan::settings::Settings;
use crate::runtime::{ConnectorEndpoints, Outcome, Run, RunCommitters, RunHandle, RunOptions, process_figures};
use crate::sandbox::wire_kind;
use crate::sql::{Bound, Problem, Severity, bind_all};
use crate::state::StateOptions;

const ROWS_PER_LINE: usize = 200;
const PROGRESS: Duration = Duration::from_millis(500);
/// Rows that wait to be written at most; then the dataflow waits.
const WAITING_ROWS: usize = 1000;
/// Partitions without rows must not keep windows from firing in the short life of a preview.
const IDLE: Duration = Duration::from_secs(3);
const BATCH_ROWS: usize = 1024;

/// Reads the assignment from standard input and previews it.
pub fn run() -> ExitCode {
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line).is_err() {
        return ExitCode::from(2);
    }
    let assignment: PreviewAssignment = match serde_json::from_str(&line) {
        Ok(assignment) => assignment,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "millrace-worker: the assignment cannot be read: {error}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(_) => return ExitCode::from(2),
    };
    let (closed, input_closed) = bounded(1);
    // Ends with the process: a read of standard input cannot be called off.
    let _ = std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        let _ = closed.send(());
    });
    let result = preview(&assignment, runtime.handle().clone(), &input_closed);
    if let Err(diagnostic) = result {
        say(&PreviewLine::Event(PreviewEvent::Failed { diagnostic: *diagnostic }));
    }
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

type Failed = Box<Diagnostic>;

fn preview(
    assignment: &PreviewAssignment,
    runtime: tokio::runtime::Handle,
    closed: &Receiver<()>,
) -> Result<(), Failed> {
    let catalog = CatalogText {
        default_database: assignment.default_database.clone(),
        tables: assignment.tables.clone(),
        functions: assignment.functions.clone(),
        function_roots: None,
        secrets: assignment.secrets.clone(),
    };
    let wrong = |problems: &[Problem]| {
        let first = problems.iter().find(|problem| problem.severity == Severity::Error).or(problems.first());
        let none = || Box::new(of_error(&EngineError::internal("The statement cannot be previewed.")));
        first.map_or_else(none, |problem| Box::new(of_problem(problem, &assignment.sql)))
    };
    let failed = |error: EngineError| Box::new(of_error(&error));
    let bound = bind_all(&assignment.sql, &catalog);
    let chosen = choose(&bound, assignment.offset);
    let Chosen { script, columns, note } = match chosen {
        Some(chosen) => chosen,
        None if bound.problems.is_empty() => {
            let message = "There is no SELECT or INSERT here to preview.";
            return Err(failed(EngineError::user("unsupported", message)));
        }
        None => return Err(wrong(&bound.problems)),
    };
    if let Some(problem) = bound.problems.iter().find(|problem| problem.severity == Severity::Error) {
        return Err(wrong(std::slice::from_ref(problem)));
    }
    let schema = script.sinks.first().map(|sink| sink.query.schema.clone()).unwrap_or_default();
    let (rows_in, rows) = bounded::<PreviewRow>(WAITING_ROWS);
    let writer = RowWriter::new(&schema);
    let collect = CollectSink::new(move |batch: &ChangeBatch| {
        for row in 0..batch.len() {
            let row = PreviewRow { kind: wire_kind(batch.kind(row)), values: writer.row(batch, row) };
            // Nobody reads any more: the limit was reached.
            if rows_in.send(row).is_err() {
                return Ok(());
            }
        }
        Ok(())
    });
    let committers = Arc::new(RunCommitters::default());
    let endpoints = ConnectorEndpoints {
        context: ConnectorContext {
            file_roots: assignment.file_roots.iter().map(PathBuf::from).collect(),
            identity: assignment.identity.clone(),
            start_at_ms: None,
            committers: Arc::clone(&committers) as Arc<_>,
            read_only: true,
            bad_records: None,
            batch_rows: BATCH_ROWS,
            runtime,
        },
        collect: Some(Arc::new(collect)),
    };
    let settings =
        Settings { parallelism: assignment.parallelism.clamp(1, 128), idle_timeout: IDLE, ..Settings::default() };
    let dataflow = plan(&script, &settings, &endpoints).map_err(|problems| wrong(&problems))?;
    say(&PreviewLine::Started { columns, note: with_changes(note, &dataflow) });
    let options = RunOptions {
        store: None,
        run: assignment.identity.clone(),
        kept: 1,
        committers,
        restored: None,
        next_checkpoint: 1,
        batch_rows: BATCH_ROWS,
        state: StateOptions::within(assignment.memory_limit_mb << 20),
    };
    let run = Run::new(&dataflow, options).map_err(failed)?;
    follow(assignment, run, &rows, closed)
}

fn follow(
    assignment: &PreviewAssignment,
    run: Run,
    rows: &Receiver<PreviewRow>,
    closed: &Receiver<()>,
) -> Result<(), Failed> {
    let handle = run.handle();
    let (ended_in, ended) = bounded::<Result<Outcome>>(1);
    // Left behind when the limit is reached: the process ends soon after.
    let spawned = std::thread::Builder::new().name("run".to_owned()).spawn(move || {
        let _ = ended_in.send(run.run());
    });
    if spawned.is_err() {
        return Err(Box::new(of_error(&EngineError::external("no_thread", "No thread could be started."))));
    }
    let mut teller = Teller { began: Instant::now(), told: Instant::now(), rows: 0, waiting: Vec::new(), handle };
    let limit = Duration::from_secs(u64::from(assignment.max_seconds));
    let most = u64::from(assignment.max_rows);
    let reason = loop {
        match rows.recv_timeout(Duration::from_millis(50)) {
            Ok(row) => {
                teller.row(row);
                if teller.rows >= most {
                    break "row limit";
                }
                if teller.waiting.len() < ROWS_PER_LINE && !rows.is_empty() {
                    continue;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                // The dataflow has let go of its sink; how it ended is said next.
                if let Ok(result) = ended.recv() {
                    teller.flush();
                    result.map_err(|error| Box::new(of_error(&error)))?;
                    break "finished";
                }
            }
        }
        teller.flush();
        if let Ok(result) = ended.try_recv() {
            result.map_err(|error| Box::new(of_error(&error)))?;
            while let Ok(row) = rows.try_recv() {
                if teller.rows < most {
                    teller.row(row);
                }
            }
            break "finished";
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
    teller.flush();
    say(&PreviewLine::Event(PreviewEvent::End { reason: reason.to_owned(), progress: teller.now() }));
    teller.handle.stop(StopMode::Cancel);
    Ok(())
}

struct Teller {
    began: Instant,
    told: Instant,
    rows: u64,
    waiting: Vec<PreviewRow>,
    handle: RunHandle,
}

impl Teller {
    fn row(&mut self, row: PreviewRow) {
        self.rows += 1;
        self.waiting.push(row);
    }

    fn flush(&mut self) {
        if !self.waiting.is_empty() {
            say(&PreviewLine::Event(PreviewEvent::Rows { rows: std::mem::take(&mut self.waiting) }));
        }
    }

    fn progress(&mut self) {
        if self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            say(&PreviewLine::Event(PreviewEvent::Progress { progress: self.now() }));
        }
    }

    fn now(&self) -> PreviewProgress {
        let records_read = self.handle.metrics().map_or(0, |hub| hub.records_read());
        let waiting_for = match (self.rows, records_read) {
            (0, 0) => "No record has been read yet: the source is empty, or nothing new has come.",
            (0, _) => {
                "Records are read, but none has given a row yet: a filter leaves them out, or a window waits for its end."
            }
            _ => "",
        };
        PreviewProgress {
            elapsed_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            records_read,
            rows: self.rows,
            waiting_for: waiting_for.to_owned(),
        }
    }
}

struct Chosen {
    script: BoundScript,
    columns: Vec<ResultColumn>,
    note: String,
}

/// The statement at `offset`, else the last one that gives rows, with its rows collected.
fn choose(bound: &Bound, offset: Option<u32>) -> Option<Chosen> {
    let mut with_rows = bound.statements.iter().filter(|statement| statement.sink.is_some());
    let at = offset.map(|offset| offset as usize);
    // Behind the semicolon, or in the blanks after it, the caret still means the statement before it.
    let statement = match at {
        Some(at) => with_rows.clone().rfind(|statement| statement.span.start <= at).or_else(|| with_rows.next())?,
        None => with_rows.next_back()?,
    };
    let sink = bound.script.sinks.get(statement.sink?)?;
    let (note, key) = match &sink.target {
        SinkTarget::Collect => (String::new(), Vec::new()),
        SinkTarget::Table(table) => {
            let note = format!("Nothing is written: these are the rows that would go into {}.", table.name);
            let key =
                table.primary_key.iter().filter_map(|key| table.columns.get(*key)).map(|column| column.name.clone());
            (note, key.collect())
        }
    };
    let column = |field: &crate::types::Field| ResultColumn {
        name: field.name.clone(),
        data_type: column_type(&field.ty.logical),
        key: key.contains(&field.name),
    };
    let columns = sink.query.schema.fields.iter().map(column).collect();
    let mut chosen = sink.clone();
    chosen.target = SinkTarget::Collect;
    let script = BoundScript { sinks: vec![chosen], settings: bound.script.settings.clone() };
    Some(Chosen { script, columns, note })
}

fn with_changes(note: String, dataflow: &Dataflow) -> String {
    let changes = dataflow.nodes.last().is_some_and(|node| node.changelog != ChangelogMode::Append);
    let hint =
        if changes { "Rows change as more is read: -U takes one back, +U puts another in its place." } else { "" };
    [note.as_str(), hint].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

fn check_memory(limit_mb: u64) -> Result<(), Failed> {
    let used = process_figures().memory_bytes >> 20;
    if limit_mb == 0 || used <= limit_mb {
        return Ok(());
    }
    let message = format!("The preview needs more than the {limit_mb} MB of memory that it may use.");
    Err(Box::new(of_error(&EngineError::user("memory_limit", message))))
}

/// One line; a closed standard output is noticed by the end of standard input.
fn say(line: &PreviewLine) {
    if let Ok(text) = serde_json::to_string(line) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}");
        let _ = out.flush();
    }
}
