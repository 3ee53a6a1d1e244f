//! What is to be seen of runs: history, events, graph, metrics, logs.

use std::str::FromStr;

use millrace_wire::graph::Graph;
use millrace_wire::ids::{JobId, RunId, TeamId};
use millrace_wire::log::LogPage;
use millrace_wire::metric::{Mark, MetricReport, MetricSeries};
use millrace_wire::page::Page;
use millrace_wire::run::{Run, RunEvent, RunEventKind};
use millrace_wire::sql::Validate;

use super::{job, sql};
use crate::access::sight::Sight;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::job::view;
use crate::log::LogQuery;
use crate::state::App;
use crate::store;
use crate::store::run::RunRow;

const MOST_RUNS: u32 = 1_000;
const MOST_EVENTS: u32 = 500;
const DEFAULT_EVENTS: u32 = 100;
const DEFAULT_SPAN_MS: i64 = 30 * 60 * 1000;
const DEFAULT_POINTS: u32 = 200;

/// Newest first.
pub async fn list(app: &App, team: TeamId, id: JobId) -> Result<Vec<Run>> {
    job::row(app, team, id).await?;
    let runs = store::run::list(&app.store, id, MOST_RUNS).await?;
    let mut approvals = store::approval::of_runs(&app.store, id).await?;
    let shown = runs.into_iter().map(|run| Run { approval: approvals.remove(&run.id), ..view::run(run) });
    Ok(shown.collect())
}

/// Newest first; the cursor is the id of the last event of the page before.
pub async fn events(
    app: &App,
    team: TeamId,
    id: JobId,
    cursor: Option<&str>,
    limit: Option<u32>,
) -> Result<Page<RunEvent>> {
    job::row(app, team, id).await?;
    let limit = limit.unwrap_or(DEFAULT_EVENTS).clamp(1, MOST_EVENTS);
    let cursor = cursor.filter(|cursor| !cursor.is_empty());
    if cursor.is_some_and(|cursor| uuid::Uuid::from_str(cursor).is_err()) {
        return Err(Error::bad_request("The cursor is not valid."));
    }
    let mut found = store::job_event::list(&app.store, id, cursor, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|(id, _)| id.clone());
    let total = store::job_event::count(&app.store, id).await?;
    Ok(Page { items: found.into_iter().map(|(_, event)| event).collect(), next, total })
}

/// Of the run that is live; else of the draft; else, when that is not valid, of the newest version.
pub async fn graph(app: &App, sight: &Sight, id: JobId) -> Result<Graph> {
    let row = job::row(app, sight.team, id).await?;
    if let Some(run) = store::run::newest(&app.store, id).await?.filter(|run| !run.state.is_terminal()) {
        if let Some(graph) = run.graph {
            return Ok(graph);
        }
        if let Some(version) = store::version::get(&app.store, id, run.version_number).await? {
            return Ok(version.graph);
        }
    }
    let request = Validate { sql: row.draft.sql, parallelism: Some(row.draft.settings.parallelism) };
    if let Some(graph) = sql::validate(app, sight, Some(id), request).await?.graph {
        return Ok(graph);
    }
    let newest = store::version::newest(&app.store, id).await?;
    Ok(newest.map_or(Graph { nodes: Vec::new(), edges: Vec::new() }, |version| version.graph))
}

/// Which part of a job's history a chart shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub points: Option<u32>,
}

pub async fn metrics(app: &App, team: TeamId, id: JobId, window: Window) -> Result<MetricSeries> {
    job::row(app, team, id).await?;
    let to = window.to.unwrap_or_else(now_ms);
    let from = window.from.unwrap_or_else(|| to.saturating_sub(DEFAULT_SPAN_MS));
    if from >= to {
        return Err(Error::field("from", "The span must begin before it ends."));
    }
    let mut series = app.metrics.series(id, from, to, window.points.unwrap_or(DEFAULT_POINTS)).await?;
    series.marks = store::job_event::between(&app.store, id, from, to).await?.iter().map(mark).collect();
    Ok(series)
}

fn mark(event: &RunEvent) -> Mark {
    let kind = match (event.kind, event.attempt) {
        (RunEventKind::Attempt, 0 | 1) => "version",
        (RunEventKind::Attempt, _) => "restart",
        _ => "state",
    };
    Mark { at: event.at, label: event.message.clone(), kind: kind.to_owned() }
}

pub async fn figures(app: &App, team: TeamId, id: JobId) -> Result<MetricReport> {
    job::row(app, team, id).await?;
    app.metrics.report(id).ok_or_else(|| Error::not_found("report yet"))
}

/// `run`: its id or its number; the newest one when absent. `None` when the job never ran.
pub async fn find(app: &App, team: TeamId, id: JobId, run: Option<&str>) -> Result<Option<RunRow>> {
    job::row(app, team, id).await?;
    let Some(wanted) = run.filter(|run| !run.is_empty()) else { return store::run::newest(&app.store, id).await };
    let found = match (RunId::from_str(wanted), wanted.parse::<u32>()) {
        (Ok(run), _) => store::run::get(&app.store, run).await?.filter(|run| run.job == id),
        (Err(_), Ok(number)) => store::run::by_number(&app.store, id, number).await?,
        (Err(_), Err(_)) => None,
    };
    found.map(Some).ok_or_else(|| Error::not_found("run"))
}

pub async fn logs(app: &App, team: TeamId, id: JobId, run: Option<&str>, query: LogQuery) -> Result<LogPage> {
    match find(app, team, id, run).await? {
        Some(run) => app.logs.page(run.id, query).await,
        None => Ok(LogPage { lines: Vec::new(), more_before: false, next_seq: 0 }),
    }
}
