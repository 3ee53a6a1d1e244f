//! `…/jobs/{job}/schedule` and what became of its times.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::JobId;
use millrace_wire::page::Page;
use millrace_wire::schedule::{CheckSchedule, Fire, JobSchedule, Schedule, ScheduleTimes};

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::{job, schedule};
use crate::clock::now_ms;
use crate::error::Result;
use crate::state::App;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Json<JobSchedule>> {
    Ok(Json(schedule::get(&app, caller.team, id).await?))
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<Schedule>,
) -> Result<Response> {
    let before = schedule::get(&app, caller.team, id).await?.schedule;
    let after = schedule::set(&app, &caller, id, request).await?;
    Ok((Extension(Change::new(before, &after.schedule)), Json(after)).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Response> {
    let before = schedule::get(&app, caller.team, id).await?.schedule;
    schedule::delete(&app, caller.team, id).await?;
    Ok((Extension(Change::new(before, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn check(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<CheckSchedule>,
) -> Result<Json<ScheduleTimes>> {
    job::get(&app, &caller.sight(), id).await?;
    Ok(Json(schedule::check(&request, now_ms())?))
}

pub(super) async fn fires(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Fire>>> {
    let fires = schedule::fires(&app, caller.team, id).await?;
    Ok(Json(query.cut(fires, |fire| format!("{} {}", fire.outcome, fire.detail))?))
}
