//! Test runs: what a child process may read, how much, and what is to be seen of it afterwards.

use std::collections::{BTreeMap, BTreeSet};

use millrace_wire::ids::{JobId, TestRunId};
use millrace_wire::link::{SettledInput, TestRunAssignment};
use millrace_wire::preview::{PreviewRow, ResultColumn};
use millrace_wire::test_run::{
    ResultView, SinkRows, StartTestRun, TestRun, TestRunComparison, TestRunFrom, TestRunLimits, TestRunSink,
    TestRunState, TestRunSummary,
};

use super::{catalog, job, sandbox_object, script, sql, variable, version};
use crate::access::identity::TeamCaller;
use crate::access::sight::Object;
use crate::clock::{new_id, now_ms};
use crate::error::{Error, Result};
use crate::parameter::Filled;
use crate::state::App;
use crate::store::sandbox_target::SandboxObjectRow;
use crate::store::test_run::{Captured, Outcome, Request, TestRunRow};
use crate::store::{self, Tx};
use crate::test_run::compare::{self, Side};
use crate::test_run::{MOST_MEMORY_MB, MOST_ROWS, MOST_SECONDS, Place, Reader};
use crate::transact;

const DEFAULT_ROWS: u32 = 1_000;
const DEFAULT_SECONDS: u32 = 60;
const DEFAULT_MEMORY_MB: u32 = 512;
const MOST_PARALLELISM: u32 = 8;
/// Over all tables.
const MOST_SUPPLIED: usize = 10_000;
pub(super) const KEPT_FOR_MS: i64 = 7 * 24 * 3_600_000;
/// Results of one team that are kept.
pub(super) const KEPT: u32 = 200;
/// After its time limit a run that is still called running was on a server that is gone.
const LOST_AFTER_MS: i64 = 60_000;

pub async fn start(app: &App, caller: &TeamCaller, request: StartTestRun) -> Result<TestRun> {
    app.limits.preview(caller.caller.user)?;
    let prepared = prepare(app, caller, request, None).await?;
    let id = prepared.row.id;
    transact!(app.store, tx => {
        sandbox_object::keep(tx, caller.team, &prepared.objects).await?;
        keep(tx, &prepared.row).await
    })?;
    let Prepared { place, filled, assignment, .. } = prepared;
    app.test_runs.start(place, id, filled, assignment).await?;
    get(app, caller, id).await
}

/// A test run that only has to be kept and started.
pub(super) struct Prepared {
    pub(super) place: Place,
    pub(super) row: TestRunRow,
    pub(super) filled: Filled,
    pub(super) assignment: TestRunAssignment,
    /// What it will make outside.
    pub(super) objects: Vec<SandboxObjectRow>,
}

/// Before anything is kept or started: all that can be refused is refused here.
pub(super) async fn prepare(
    app: &App,
    caller: &TeamCaller,
    request: StartTestRun,
    settled: Option<SettledInput>,
) -> Result<Prepared> {
    let limits = limits(&request)?;
    let parallelism = request.parallelism.unwrap_or(1);
    within("parallelism", parallelism, MOST_PARALLELISM)?;
    if request.from == TestRunFrom::Time && request.at_ms.is_none() {
        return Err(Error::field("at_ms", "Say from which time on."));
    }
    if request.rows.values().map(Vec::len).sum::<usize>() > MOST_SUPPLIED {
        return Err(Error::field("rows", format!("Supply at most {MOST_SUPPLIED} rows.")));
    }
    let (text, job_name) = text_of(app, caller, (request.sql.as_ref(), request.job, request.version)).await?;
    sql::check_length(&text)?;
    let place = app.test_runs.reserve(caller.team)?;
    // As for previews: credentials go along for the tables that the script names, and for no others.
    // Whatever the job may read: this reads what whoever starts it may.
    let sight = caller.sight();
    let filled = script::filled(app, caller.team, &text).await?;
    let validation = sql::validate_filled(app, &sight, None, &filled, Some(parallelism)).await?;
    sql::refuse_out_of_reach(&validation)?;
    let catalog = catalog::for_planning(app, &sight, None).await?.text;
    let named = validation.reads.into_iter().chain(validation.writes);
    let names: BTreeSet<String> = named.filter(|name| catalog.tables.contains_key(name)).collect();
    let mut tables = catalog.named_in(filled.text());
    tables.extend(catalog::for_running(app, caller.team, &names).await?);

    let (id, now) = (TestRunId(new_id()), now_ms());
    let chosen = sandbox_object::choose(app, caller, id, &filled, &request.sandbox_targets).await?;
    let row = TestRunRow {
        id,
        team: caller.team,
        job: request.job,
        job_name,
        version: request.version,
        user: caller.caller.user,
        started_by: caller.caller.name.clone(),
        started_at: now,
        ended_at: None,
        state: TestRunState::Running,
        reason: String::new(),
        sql: text,
        request: Request { from: request.from, at_ms: request.at_ms, limits: limits.clone() },
        outcome: Outcome::default(),
        kept_until: now + KEPT_FOR_MS,
    };
    let roots = app.config.file_roots.of_team(&caller.slug);
    let assignment = TestRunAssignment {
        sql: filled.text().to_owned(),
        tables,
        functions: catalog.functions,
        secrets: variable::opened_secrets(app, caller.team, filled.secrets()).await?,
        default_database: catalog.default_database,
        from: request.from,
        at_ms: request.at_ms,
        rows: request.rows,
        max_rows: limits.max_rows,
        max_seconds: limits.max_seconds,
        memory_limit_mb: u64::from(limits.memory_mb),
        parallelism,
        file_roots: roots.iter().map(|root| root.display().to_string()).collect(),
        identity: format!("millrace-test-{id}"),
        settled,
        targets: chosen.places,
        mark: sandbox_object::mark(id),
    };
    Ok(Prepared { place, row, filled, assignment, objects: chosen.objects })
}

/// Older results make room.
pub(super) async fn keep(tx: &mut Tx, row: &TestRunRow) -> Result<()> {
    store::test_run::trim(tx, row.team, KEPT, row.started_at).await?;
    store::test_run::insert(tx, row).await
}

pub(super) fn within(field: &str, value: u32, most: u32) -> Result<()> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::field(field, format!("Choose 1 to {most}.")))
}

fn limits(request: &StartTestRun) -> Result<TestRunLimits> {
    let max_rows = request.max_rows.unwrap_or(DEFAULT_ROWS);
    let max_seconds = request.max_seconds.unwrap_or(DEFAULT_SECONDS);
    let memory_mb = request.memory_mb.unwrap_or(DEFAULT_MEMORY_MB);
    within("max_rows", max_rows, MOST_ROWS)?;
    within("max_seconds", max_seconds, MOST_SECONDS)?;
    within("memory_mb", memory_mb, MOST_MEMORY_MB)?;
    Ok(TestRunLimits { max_rows, max_seconds, memory_mb })
}

/// The text that is tested, and the name of the job that it belongs to.
pub(super) async fn text_of(
    app: &App,
    caller: &TeamCaller,
    (sql, job, version): (Option<&String>, Option<JobId>, Option<u32>),
) -> Result<(String, String)> {
    let team = caller.team;
    let row = match job {
        Some(id) if sees_job(app, caller, id).await? => Some(job::row(app, team, id).await?),
        Some(_) => return Err(Error::not_found("job")),
        None => None,
    };
    let name = row.as_ref().map_or_else(String::new, |row| row.name.clone());
    match (sql, row, version) {
        (Some(_), _, Some(_)) => Err(Error::field("version", "Give the text or a version, not both.")),
        (Some(text), _, None) => Ok((text.clone(), name)),
        (None, Some(row), Some(number)) => Ok((version::get(app, team, row.id, number).await?.sql, name)),
        (None, Some(row), None) => Ok((row.draft.sql, name)),
        (None, None, _) => Err(Error::field("sql", "Give the text, or the job whose draft is tested.")),
    }
}

async fn sees_job(app: &App, caller: &TeamCaller, job: JobId) -> Result<bool> {
    let standing = store::grant::standing(&app.store, &caller.sight(), Object::Job(job)).await?;
    Ok(standing.is_some_and(|standing| standing.sees()))
}

/// Newest first: the caller's own, and those of jobs that the caller sees.
pub async fn list(app: &App, caller: &TeamCaller, job: Option<JobId>) -> Result<Vec<TestRunSummary>> {
    let rows = store::test_run::list(&app.store, caller.team, job).await?;
    let seen = store::job::visible_ids(&app.store, &caller.sight()).await?;
    let may_see = |row: &TestRunRow| row.user == caller.caller.user || row.job.is_some_and(|job| seen.contains(&job));
    // Those whose time is over go when the next one starts.
    let kept = rows.into_iter().filter(|row| row.kept_until > now_ms() && may_see(row));
    Ok(kept.map(|row| summary(app, row)).collect())
}

/// Whatever happens to its server, it is over then.
pub(super) fn over_by(row: &TestRunRow) -> i64 {
    row.started_at + i64::from(row.request.limits.max_seconds) * 1_000 + LOST_AFTER_MS
}

/// With what is known by now of one that is still running.
fn summary(app: &App, row: TestRunRow) -> TestRunSummary {
    let live = (row.ended_at.is_none()).then(|| app.test_runs.so_far(row.team, row.id)).flatten();
    let here = live.is_some();
    let lost_at = over_by(&row);
    let outcome = live.map_or(row.outcome, |(outcome, _)| outcome);
    let lost = row.ended_at.is_none() && !here && now_ms() > lost_at;
    let (state, reason) = match lost {
        true => (TestRunState::Failed, "The server that it ran on ended before it did.".to_owned()),
        false => (row.state, row.reason),
    };
    TestRunSummary {
        id: row.id,
        job: row.job,
        job_name: row.job_name,
        version: row.version,
        started_by: row.started_by,
        started_at: row.started_at,
        ended_at: row.ended_at.or(lost.then_some(lost_at)),
        state,
        reason,
        records_read: outcome.records_read,
        sinks: outcome.sinks,
    }
}

/// For whoever started it, and for those who see the job.
async fn row(app: &App, caller: &TeamCaller, id: TestRunId) -> Result<TestRunRow> {
    let row = store::test_run::get(&app.store, caller.team, id).await?.filter(|row| row.kept_until > now_ms());
    let row = row.ok_or_else(|| Error::not_found("test run"))?;
    let seen = match row.job {
        _ if row.user == caller.caller.user => true,
        Some(job) => sees_job(app, caller, job).await?,
        None => false,
    };
    if seen { Ok(row) } else { Err(Error::not_found("test run")) }
}

pub async fn get(app: &App, caller: &TeamCaller, id: TestRunId) -> Result<TestRun> {
    let row = row(app, caller, id).await?;
    let (outcome, captured) = content(app, &row).await?;
    Ok(TestRun {
        sql: row.sql.clone(),
        from: row.request.from,
        at_ms: row.request.at_ms,
        limits: row.request.limits.clone(),
        sources: outcome.sources,
        diagnostic: outcome.diagnostic,
        inputs: captured.inputs,
        kept_until: row.kept_until,
        summary: summary(app, row),
    })
}

/// What is stored, or what there is so far.
async fn content(app: &App, row: &TestRunRow) -> Result<(Outcome, Captured)> {
    if row.ended_at.is_none()
        && let Some(live) = app.test_runs.so_far(row.team, row.id)
    {
        return Ok(live);
    }
    let captured = store::test_run::captured(&app.store, row.team, row.id).await?;
    Ok((row.outcome.clone(), captured))
}

/// Its events, while it runs and for a minute after.
pub async fn read(app: &App, caller: &TeamCaller, id: TestRunId) -> Result<Reader> {
    row(app, caller, id).await?;
    let over = || Error::not_found("running test run").hint("It is over: ask for the run and its rows.");
    app.test_runs.read(caller.team, id).ok_or_else(over)
}

/// The page of a sink's rows from `offset` on.
pub async fn rows(
    app: &App,
    caller: &TeamCaller,
    id: TestRunId,
    table: &str,
    view: ResultView,
    page: (usize, usize),
) -> Result<SinkRows> {
    let row = row(app, caller, id).await?;
    let (outcome, mut captured) = content(app, &row).await?;
    let at = outcome.sinks.iter().position(|sink| sink.table == table).ok_or_else(|| Error::not_found("sink"))?;
    let sink = outcome.sinks.into_iter().nth(at).ok_or_else(|| Error::not_found("sink"))?;
    let changes = captured.rows.get_mut(at).map(std::mem::take).unwrap_or_default();
    let note = note(&sink, view, changes.len());
    let rows = viewed(changes, &sink.columns, view);
    let (offset, limit) = page;
    Ok(SinkRows {
        table: sink.table,
        columns: sink.columns,
        total: rows.len() as u64,
        rows: rows.into_iter().skip(offset).take(limit).collect(),
        changes: sink.changes,
        note,
    })
}

fn viewed(changes: Vec<PreviewRow>, columns: &[ResultColumn], view: ResultView) -> Vec<PreviewRow> {
    match view {
        ResultView::Changelog => changes,
        ResultView::State => compare::state(&changes, columns),
    }
}

fn note(sink: &TestRunSink, view: ResultView, kept: usize) -> String {
    if sink.changes <= kept as u64 {
        return String::new();
    }
    match view {
        ResultView::Changelog => format!("The first {kept} of {} changes.", sink.changes),
        ResultView::State => format!("As it was after the first {kept} of {} changes.", sink.changes),
    }
}

/// Current state against current state, sink by sink.
pub async fn compare(app: &App, caller: &TeamCaller, a: TestRunId, b: TestRunId) -> Result<TestRunComparison> {
    let (left, right) = (row(app, caller, a).await?, row(app, caller, b).await?);
    let (left, left_rows) = content(app, &left).await?;
    let (right, right_rows) = content(app, &right).await?;
    // Each is what it is: how they ended keeps nobody from comparing what came.
    let side = |outcome, captured: Captured| Side { sinks: outcome, rows: captured.rows, to_its_end: true };
    let (left, right) = (side(left.sinks, left_rows), side(right.sinks, right_rows));
    Ok(TestRunComparison { sinks: compare::sinks(&left, &right, &BTreeMap::new()) })
}

/// Ends the process. One that is over stays as it is.
pub async fn cancel(app: &App, caller: &TeamCaller, id: TestRunId) -> Result<()> {
    row(app, caller, id).await?;
    app.test_runs.cancel(caller.team, id);
    Ok(())
}
