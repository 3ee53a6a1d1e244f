//! `…/jobs/{job}/savepoint-schedule` and until when what was taken is of use.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::JobId;
use millrace_wire::page::Page;
use millrace_wire::savepoint::{JobSavepointSchedule, RestorablePoint, SavepointSchedule};

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::{restorable as app_restorable, savepoint_schedule};
use crate::error::Result;
use crate::state::App;

pub(super) async fn schedule(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Json<JobSavepointSchedule>> {
    Ok(Json(savepoint_schedule::get(&app, caller.team, id).await?))
}

pub(super) async fn set_schedule(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<SavepointSchedule>,
) -> Result<Response> {
    let before = savepoint_schedule::get(&app, caller.team, id).await?.schedule;
    let after = savepoint_schedule::set(&app, &caller, id, request).await?;
    Ok((Extension(Change::new(before, &after.schedule)), Json(after)).into_response())
}

pub(super) async fn delete_schedule(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Response> {
    let before = savepoint_schedule::get(&app, caller.team, id).await?.schedule;
    savepoint_schedule::delete(&app, caller.team, id).await?;
    Ok((Extension(Change::new(before, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn restorable(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<RestorablePoint>>> {
    let points = app_restorable::of_job(&app, &caller.sight(), id).await?;
    Ok(Json(query.cut(points, |point| format!("{} {}", point.kind, point.number))?))
}
