//! `/teams/{team}/jobs/{job}/shadow-runs`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use millrace_wire::ids::{JobId, ShadowRunId};
use millrace_wire::page::Page;
use millrace_wire::shadow_run::{ShadowRun, ShadowRunSummary, StartShadowRun};

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::identity::TeamCaller;
use crate::app::shadow_run;
use crate::error::Result;
use crate::state::App;

pub(super) async fn start(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job)): Path<(String, JobId)>,
    Json(request): Json<StartShadowRun>,
) -> Result<Json<ShadowRun>> {
    Ok(Json(shadow_run::start(&app, &caller, job, request).await?))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job)): Path<(String, JobId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<ShadowRunSummary>>> {
    let runs = shadow_run::list(&app, &caller, job).await?;
    Ok(Json(query.cut(runs, |run| format!("{} {}", run.started_by, run.state))?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job, run)): Path<(String, JobId, ShadowRunId)>,
) -> Result<Json<ShadowRun>> {
    Ok(Json(shadow_run::get(&app, &caller, job, run).await?))
}

pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job, run)): Path<(String, JobId, ShadowRunId)>,
) -> Result<StatusCode> {
    shadow_run::cancel(&app, &caller, job, run).await?;
    Ok(StatusCode::NO_CONTENT)
}
