//! `/teams/{team}/jobs/bin`, and what a deletion would leave without input.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::JobId;
use millrace_wire::job_life::{BinnedJob, Dependents, RestoreJob};
use millrace_wire::page::Page;
use serde::Deserialize;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::bin;
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<BinnedJob>>> {
    let jobs = bin::list(&app, &caller.sight()).await?;
    Ok(Json(query.cut(jobs, |job| format!("{} {} {} {}", job.name, job.description, job.owner, job.deleted_by))?))
}

pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Response> {
    let before = bin::put(&app, &caller, id).await?;
    Ok((Extension(Change::new(before, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn restore(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<RestoreJob>,
) -> Result<Response> {
    let job = bin::restore(&app, &caller, id, request).await?;
    Ok((Extension(Change::new((), &job)), Json(job)).into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct NameQuery {
    name: Option<String>,
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<NameQuery>,
) -> Result<Response> {
    let name = bin::delete(&app, &caller, id, query.name.as_deref()).await?;
    Ok((Extension(Change::new(name, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn dependents(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Json<Dependents>> {
    Ok(Json(bin::dependents(&app, &caller.sight(), id).await?))
}
