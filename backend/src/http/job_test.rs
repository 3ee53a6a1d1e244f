//! `/teams/{team}/jobs/{job}/tests` and the gates.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::{JobId, JobTestId};
use millrace_wire::job_test::{JobTests, RunTests, SetTestGate, TestDraft, TestReport};

use super::extract::{Json, Path};
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::job_test;
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job)): Path<(String, JobId)>,
) -> Result<Json<JobTests>> {
    Ok(Json(job_test::list(&app, caller.team, job).await?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job)): Path<(String, JobId)>,
    Json(draft): Json<TestDraft>,
) -> Result<Response> {
    let test = job_test::create(&app, &caller, job, draft).await?;
    Ok((Extension(Change::new((), &test)), Json(test)).into_response())
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job, test)): Path<(String, JobId, JobTestId)>,
    Json(draft): Json<TestDraft>,
) -> Result<Response> {
    let (before, after) = job_test::change(&app, &caller, job, test, draft).await?;
    Ok((Extension(Change::new(before, &after)), Json(after)).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job, test)): Path<(String, JobId, JobTestId)>,
) -> Result<Response> {
    let before = job_test::delete(&app, &caller, job, test).await?;
    Ok((Extension(Change::new(before, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn run(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job)): Path<(String, JobId)>,
    Json(request): Json<RunTests>,
) -> Result<Json<TestReport>> {
    Ok(Json(job_test::run(&app, &caller, job, request).await?))
}

pub(super) async fn set_gate(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job)): Path<(String, JobId)>,
    Json(request): Json<SetTestGate>,
) -> Result<Response> {
    let wanted = request.clone();
    let gate = job_test::set_gate(&app, &caller, Some(job), request).await?;
    Ok((Extension(Change::new((), wanted)), Json(gate)).into_response())
}

pub(super) async fn set_team_gate(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<SetTestGate>,
) -> Result<Response> {
    let wanted = request.clone();
    let gate = job_test::set_gate(&app, &caller, None, request).await?;
    Ok((Extension(Change::new((), wanted)), Json(gate)).into_response())
}
