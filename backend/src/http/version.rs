//! `/teams/{team}/jobs/{job}/versions`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::JobId;
use millrace_wire::job::{NewVersion, Version, VersionSummary};
use millrace_wire::page::Page;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::version;
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<VersionSummary>>> {
    let versions = version::list(&app, caller.team, id).await?;
    Ok(Json(query.cut(versions, |version| format!("{} {}", version.created_by, version.comment))?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<NewVersion>,
) -> Result<Response> {
    let version = version::create(&app, &caller.sight(), &caller.caller.name, id, &request.comment).await?;
    Ok((Extension(Change::new((), &version.summary)), Json(version)).into_response())
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id, number)): Path<(String, JobId, u32)>,
) -> Result<Json<Version>> {
    Ok(Json(version::get(&app, caller.team, id, number).await?))
}
