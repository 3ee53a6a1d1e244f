//! `/teams/{team}/sandbox-targets`, and what test runs have written there.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::{SandboxObjectId, SandboxTargetId};
use millrace_wire::page::Page;
use millrace_wire::sandbox_target::{
    ListSandboxOffers, SandboxObject, SandboxOffer, SandboxTarget, SandboxTargetDraft,
};

use super::extract::{Json, Path, Query};
use super::page::{ListQuery, whole};
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::{sandbox_object, sandbox_target};
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(State(app): State<Arc<App>>, caller: TeamCaller) -> Result<Json<Page<SandboxTarget>>> {
    Ok(Json(whole(sandbox_target::list(&app, caller.team).await?)))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(draft): Json<SandboxTargetDraft>,
) -> Result<Response> {
    let target = sandbox_target::create(&app, &caller, draft).await?;
    Ok((Extension(Change::new((), &target)), Json(target)).into_response())
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, SandboxTargetId)>,
    Json(draft): Json<SandboxTargetDraft>,
) -> Result<Response> {
    let edited = sandbox_target::update(&app, &caller, id, draft).await?;
    Ok((Extension(Change::new(&edited.before, &edited.after)), Json(edited.after)).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, SandboxTargetId)>,
) -> Result<Response> {
    let deleted = sandbox_target::delete(&app, &caller, id).await?;
    Ok((Extension(Change::new(deleted, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn offers(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<ListSandboxOffers>,
) -> Result<Json<Page<SandboxOffer>>> {
    Ok(Json(whole(sandbox_object::offers(&app, &caller, request).await?)))
}

pub(super) async fn objects(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<SandboxObject>>> {
    let objects = sandbox_object::list(&app, caller.team).await?;
    Ok(Json(query.cut(objects, |object| format!("{} {} {}", object.name, object.table, object.created_by))?))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, SandboxObjectId)>,
) -> Result<Response> {
    let removed = sandbox_object::remove(&app, &caller, id).await?;
    Ok((Extension(Change::new(removed, ())), StatusCode::NO_CONTENT).into_response())
}
