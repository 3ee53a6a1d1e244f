//! `/teams/{team}/approval-mode` and `…/jobs/{job}/approvals`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use millrace_wire::approval::{
    ApprovalDecision, ApprovalNeed, ApprovalSetting, AskForApproval, SetApprovalMode, StartApproval,
};
use millrace_wire::ids::{ApprovalId, JobId};
use millrace_wire::page::Page;
use millrace_wire::report::DeploymentReport;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use super::report::ReportQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::approval::{self, Decided};
use crate::app::{approval_mode, report as reports};
use crate::error::Result;
use crate::state::App;

pub(super) async fn mode(State(app): State<Arc<App>>, caller: TeamCaller) -> Result<Json<ApprovalSetting>> {
    Ok(Json(approval_mode::get(&app, caller.team).await?))
}

pub(super) async fn set_mode(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<SetApprovalMode>,
) -> Result<Response> {
    let changed = approval_mode::set(&app, &caller, request).await?;
    Ok((Extension(Change::new(&changed.before, &changed.after)), Json(changed.after)).into_response())
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job)): Path<(String, JobId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<StartApproval>>> {
    let found = approval::list(&app, &caller, job).await?;
    Ok(Json(query.cut(found, |known| format!("v{} {} {} {}", known.version, known.asker, known.state, known.reason))?))
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job)): Path<(String, JobId)>,
    Json(asked): Json<AskForApproval>,
) -> Result<Response> {
    let made = approval::ask(&app, &caller, job, asked).await?;
    Ok((Extension(Change::new((), &made)), Json(made)).into_response())
}

pub(super) async fn needed(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job)): Path<(String, JobId)>,
    Query(query): Query<ReportQuery>,
) -> Result<Json<ApprovalNeed>> {
    Ok(Json(approval::need(&app, &caller, job, &query.start()).await?))
}

fn answer(decided: Decided) -> Response {
    (Extension(Change::new(&decided.before, &decided.after)), Json(decided.after)).into_response()
}

pub(super) async fn decide(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job, id)): Path<(String, JobId, ApprovalId)>,
    Json(decision): Json<ApprovalDecision>,
) -> Result<Response> {
    Ok(answer(approval::decide(&app, &caller, job, id, decision).await?))
}

pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job, id)): Path<(String, JobId, ApprovalId)>,
) -> Result<Response> {
    Ok(answer(approval::withdraw(&app, &caller, job, id).await?))
}

pub(super) async fn report(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, job, id)): Path<(String, JobId, ApprovalId)>,
) -> Result<Json<DeploymentReport>> {
    Ok(Json(reports::of_approval(&app, &caller.sight(), job, id).await?))
}
