//! Starting, stopping, savepoints.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::JobId;
use millrace_wire::job::{Start, StartOptions, Stop};
use millrace_wire::page::Page;
use millrace_wire::run::RestorePoint;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::start::{self, Starter};
use crate::error::Result;
use crate::state::App;

pub(super) async fn options(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Json<StartOptions>> {
    Ok(Json(start::options(&app, &caller.sight(), id).await?))
}

pub(super) async fn start(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<Start>,
) -> Result<Response> {
    let what = request.clone();
    let job = start::start(&app, Starter::person(&caller), id, request).await?;
    Ok((Extension(Change::new((), what)), Json(job)).into_response())
}

pub(super) async fn stop(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<Stop>,
) -> Result<Response> {
    let what = request.clone();
    let job = start::stop(&app, Starter::person(&caller), id, request).await?;
    Ok((Extension(Change::new((), what)), Json(job)).into_response())
}

pub(super) async fn take_savepoint(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<StatusCode> {
    start::take_savepoint(&app, &caller, id).await?;
    Ok(StatusCode::ACCEPTED)
}

pub(super) async fn savepoints(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<RestorePoint>>> {
    let points = start::savepoints(&app, &caller.sight(), id).await?;
    Ok(Json(query.cut(points, |point| format!("{} {}", point.kind, point.number))?))
}
