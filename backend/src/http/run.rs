//! What is to be seen of a job's runs: history, events, graph, figures.

use std::sync::Arc;

use axum::extract::State;
use millrace_wire::graph::Graph;
use millrace_wire::ids::JobId;
use millrace_wire::metric::{MetricReport, MetricSeries};
use millrace_wire::page::Page;
use millrace_wire::run::{Run, RunEvent};
use serde::Deserialize;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::identity::TeamCaller;
use crate::app::run::{self, Window};
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Run>>> {
    let runs = run::list(&app, caller.team, id).await?;
    Ok(Json(query.cut(runs, |run| format!("{} {} {}", run.number, run.started_by, run.state))?))
}

#[derive(Debug, Deserialize)]
pub(super) struct EventsQuery {
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Page<RunEvent>>> {
    Ok(Json(run::events(&app, caller.team, id, query.cursor.as_deref(), query.limit).await?))
}

pub(super) async fn graph(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Json<Graph>> {
    Ok(Json(run::graph(&app, &caller.sight(), id).await?))
}

#[derive(Debug, Deserialize)]
pub(super) struct MetricsQuery {
    from: Option<i64>,
    to: Option<i64>,
    points: Option<u32>,
}

pub(super) async fn metrics(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<MetricsQuery>,
) -> Result<Json<MetricSeries>> {
    let window = Window { from: query.from, to: query.to, points: query.points };
    Ok(Json(run::metrics(&app, caller.team, id, window).await?))
}

pub(super) async fn figures(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Json<MetricReport>> {
    Ok(Json(run::figures(&app, caller.team, id).await?))
}
