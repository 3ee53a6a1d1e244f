//! `…/permissions` and `…/grants` of a job or a table, and `/teams/{team}/shared`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use millrace_wire::access::{NewGrant, Permissions, PermissionsChange, SharedObject};
use millrace_wire::ids::{GrantId, JobId, TableId};
use millrace_wire::page::Page;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::access::sight::Object;
use crate::app::permission::{self, Changed};
use crate::error::Result;
use crate::state::App;

fn answer(changed: Changed) -> Response {
    (Extension(Change::new(&changed.before, &changed.after)), Json(changed.after)).into_response()
}

pub(super) async fn shared(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<SharedObject>>> {
    let shared = permission::shared(&app, &caller).await?;
    Ok(Json(query.cut(shared, |object| format!("{} {} {}", object.name, object.team_slug, object.description))?))
}

pub(super) async fn of_job(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Json<Permissions>> {
    Ok(Json(permission::get(&app, &caller, Object::Job(id)).await?))
}

pub(super) async fn change_job(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<PermissionsChange>,
) -> Result<Response> {
    Ok(answer(permission::change(&app, &caller, Object::Job(id), request).await?))
}

pub(super) async fn grant_job(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<NewGrant>,
) -> Result<Response> {
    Ok(answer(permission::grant(&app, &caller, Object::Job(id), request).await?))
}

pub(super) async fn withdraw_job(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id, grant)): Path<(String, JobId, GrantId)>,
) -> Result<Response> {
    Ok(answer(permission::withdraw(&app, &caller, Object::Job(id), grant).await?))
}

pub(super) async fn of_table(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
) -> Result<Json<Permissions>> {
    Ok(Json(permission::get(&app, &caller, Object::Table(id)).await?))
}

pub(super) async fn change_table(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
    Json(request): Json<PermissionsChange>,
) -> Result<Response> {
    Ok(answer(permission::change(&app, &caller, Object::Table(id), request).await?))
}

pub(super) async fn grant_table(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
    Json(request): Json<NewGrant>,
) -> Result<Response> {
    Ok(answer(permission::grant(&app, &caller, Object::Table(id), request).await?))
}

pub(super) async fn withdraw_table(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id, grant)): Path<(String, TableId, GrantId)>,
) -> Result<Response> {
    Ok(answer(permission::withdraw(&app, &caller, Object::Table(id), grant).await?))
}
