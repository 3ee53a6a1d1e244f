//! Runs one case and says what differs.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use millrace_engine::catalog::CatalogText;
use millrace_engine::change::ChangeBatch;
use millrace_engine::checkpoint::CheckpointStore;
use millrace_engine::collect::{CollectSink, RowWriter};
use millrace_engine::connector::ConnectorContext;
use millrace_engine::error::EngineError;
use millrace_engine::plan::dataflow::{Dataflow, plan};
use millrace_engine::plan::logical::SinkTarget;
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::{ConnectorEndpoints, Outcome, Run, RunCommitters, RunOptions};
use millrace_engine::sql::{Problem, bind};
use millrace_engine::state::StateOptions;
use millrace_engine::types::Schema;
use millrace_wire::job::StopMode;

use super::case::Case;
use super::compare::compare;
use super::gate::{Arrival, GatedEndpoints};

const DEADLINE: Duration = Duration::from_secs(20);

/// How a case is run: in one go, or stopped with a savepoint and started again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    pub(crate) parallelism: u32,
    /// Each is a stop after so many rounds, and the parallelism of the run that goes on.
    pub(crate) stops: Vec<(usize, u32)>,
    pub(crate) state: StateOptions,
}

impl Course {
    pub(crate) fn in_one_go() -> Self {
        Course { parallelism: 1, ..Course::default() }
    }
}

pub(crate) fn run_case(case: &Case, course: &Course) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| execute(case, course, folder.path())));
    let outcome = outcome.unwrap_or_else(|_| Err(Failure::Other("it panicked".to_owned())));
    match (&case.error, outcome) {
        (None, Ok(result)) => check(case, &result),
        (None, Err(failure)) => Err(failure.to_string()),
        (Some(wanted), Err(failure)) if failure.code() == *wanted => Ok(()),
        (Some(wanted), Err(failure)) => Err(format!("wanted {wanted}, got {failure}")),
        (Some(wanted), Ok(_)) => Err(format!("wanted {wanted}, but it ran")),
    }
}

struct RunResult {
    columns: Vec<(String, String)>,
    changes: Vec<String>,
}

enum Failure {
    Problems(Vec<Problem>),
    Runtime(String),
    Other(String),
}

impl Failure {
    fn code(&self) -> &str {
        match self {
            Failure::Problems(problems) => problems.first().map_or("none", |problem| problem.code),
            Failure::Runtime(_) => "runtime",
            Failure::Other(_) => "other",
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Problems(problems) => {
                let all: Vec<String> =
                    problems.iter().map(|problem| format!("{}: {}", problem.code, problem.message)).collect();
                write!(f, "refused: {}", all.join("; "))
            }
            Failure::Runtime(message) => write!(f, "failed while running: {message}"),
            Failure::Other(message) => f.write_str(message),
        }
    }
}

fn check(case: &Case, result: &RunResult) -> Result<(), String> {
    if result.columns != case.columns {
        return Err(format!("columns differ\n  got  {:?}\n  want {:?}", result.columns, case.columns));
    }
    compare(case, &result.changes)
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Failure::Runtime(format!("{} ({}) {:?}", error.message, error.code, error.detail))
    }
}

fn execute(case: &Case, course: &Course, folder: &Path) -> Result<RunResult, Failure> {
    let (script, names) = script(case, folder);
    let catalog = CatalogText {
        default_database: "default".to_owned(),
        function_roots: Some(Vec::new()),
        ..CatalogText::default()
    };
    let bound = bind(&script, &catalog);
    let bound = bound.map_err(Failure::Problems)?;
    let select = bound.sinks.iter().find(|sink| matches!(sink.target, SinkTarget::Collect));
    let schema = select.map(|sink| sink.query.schema.clone()).unwrap_or_default();
    let columns = schema.fields.iter().map(|field| (field.name.clone(), field.ty.to_string().replace(" NOT NULL", "")));
    let columns = columns.collect();
    let rows: Arc<Mutex<Vec<String>>> = Arc::default();
    let arrival = Arrival::new(arrival(case));
    let stops = course.stops.iter().map(|(rounds, _)| Some(*rounds)).chain([None]);
    let parallelisms = [course.parallelism].into_iter().chain(course.stops.iter().map(|(_, next)| *next));
    for (stop, parallelism) in stops.zip(parallelisms) {
        let committers = Arc::new(RunCommitters::default());
        let inner = ConnectorEndpoints {
            context: context(&committers),
            collect: Some(Arc::new(collect(&schema, Arc::clone(&rows)))),
        };
        let endpoints = GatedEndpoints { inner, names: names.clone(), arrival: Arc::clone(&arrival) };
        let settings = Settings { parallelism, ..Settings::default() };
        let dataflow = plan(&bound, &settings, &endpoints).map_err(Failure::Problems)?;
        if drive(&dataflow, options(course, folder, committers)?, stop)? == Outcome::Finished {
            break;
        }
    }
    let changes = rows.lock().unwrap().clone();
    Ok(RunResult { columns, changes })
}

fn collect(schema: &Schema, into: Arc<Mutex<Vec<String>>>) -> CollectSink {
    let writer = RowWriter::new(schema);
    CollectSink::new(move |batch: &ChangeBatch| {
        let mut rows = into.lock().unwrap();
        for row in 0..batch.len() {
            let values = serde_json::Value::Array(writer.row(batch, row));
            rows.push(format!("{}{values}", batch.kind(row).mark()));
        }
        Ok(())
    })
}

fn context(committers: &Arc<RunCommitters>) -> ConnectorContext {
    ConnectorContext {
        file_roots: Vec::new(),
        identity: "golden".to_owned(),
        start_at_ms: None,
        committers: committers.clone(),
        read_only: false,
        bad_records: None,
        batch_rows: 1,
        runtime: runtime(),
    }
}

fn options(course: &Course, folder: &Path, committers: Arc<RunCommitters>) -> Result<RunOptions, Failure> {
    let store = CheckpointStore::open(folder.join("checkpoints"))?;
    let restored = store.newest_whole(None)?.map(|(_, _, restored)| restored);
    Ok(RunOptions {
        run: "golden".to_owned(),
        kept: 1,
        committers,
        next_checkpoint: restored.as_ref().map_or(0, |restored| restored.number) + 1,
        restored,
        store: Some(store),
        batch_rows: 1,
        state: course.state.clone(),
    })
}

/// Until the end, or until a savepoint is taken after some rounds.
fn drive(dataflow: &Dataflow, options: RunOptions, stop: Option<usize>) -> Result<Outcome, Failure> {
    let mut run = Run::inline(dataflow, options)?;
    let since = Instant::now();
    let mut rounds = 0;
    loop {
        if stop == Some(rounds) {
            run.request_stop(StopMode::Savepoint)?;
        }
        if let Some(outcome) = run.round()? {
            return Ok(outcome);
        }
        rounds += 1;
        if since.elapsed() > DEADLINE {
            return Err(Failure::Other("it does not end".to_owned()));
        }
    }
}

/// The whole script, and which file is which input.
fn script(case: &Case, folder: &Path) -> (String, Vec<(String, String)>) {
    let mut tables = case.tables.clone();
    let mut names = Vec::new();
    for (name, rows) in &case.inputs {
        let path = folder.join(name);
        std::fs::write(&path, rows).unwrap();
        let path = path.to_string_lossy().into_owned();
        tables = tables.replace(&format!("${{input:{name}}}"), &path);
        names.push((path, name.clone()));
    }
    while let Some((before, after)) = tables.split_once("${output:") {
        let (name, rest) = after.split_once('}').unwrap();
        tables = format!("{before}{}{rest}", folder.join(format!("out-{name}")).display());
    }
    let mode = if case.batch { "batch" } else { "streaming" };
    let mut script = format!("SET 'execution.runtime-mode' = '{mode}';\n");
    for (key, value) in &case.config {
        script.push_str(&format!("SET '{key}' = '{value}';\n"));
    }
    script.push_str(&tables);
    script.push('\n');
    script.push_str(&case.query);
    script.push_str(";\n");
    (script, names)
}

fn arrival(case: &Case) -> Vec<String> {
    if let Some(arrival) = &case.arrival {
        return arrival.clone();
    }
    let rows = |(name, text): (&String, &String)| std::iter::repeat_n(name.clone(), text.lines().count() + 1);
    case.inputs.iter().flat_map(rows).collect()
}

fn runtime() -> tokio::runtime::Handle {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap())
        .handle()
        .clone()
}
