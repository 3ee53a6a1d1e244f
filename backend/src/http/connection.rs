//! `/teams/{team}/connections`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::connection::{Connection, ConnectionDraft, ConnectionTest, ExternalObject};
use millrace_wire::ids::ConnectionId;
use millrace_wire::page::Page;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::{connection, external};
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Connection>>> {
    let connections = connection::list(&app, caller.team).await?;
    Ok(Json(query.cut(connections, |connection| format!("{} {}", connection.name, connection.description))?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(draft): Json<ConnectionDraft>,
) -> Result<Response> {
    let connection = connection::create(&app, &caller, draft).await?;
    Ok((Extension(Change::new((), &connection)), Json(connection)).into_response())
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, ConnectionId)>,
) -> Result<Json<Connection>> {
    Ok(Json(connection::get(&app, caller.team, id).await?))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, ConnectionId)>,
    Json(draft): Json<ConnectionDraft>,
) -> Result<Response> {
    let edited = connection::update(&app, &caller, id, draft).await?;
    Ok((Extension(Change::new(&edited.before, &edited.after)), Json(edited.after)).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, ConnectionId)>,
) -> Result<Response> {
    let deleted = connection::delete(&app, &caller, id).await?;
    Ok((Extension(Change::new(deleted, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn objects(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, ConnectionId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<ExternalObject>>> {
    let found = external::objects(&app, caller.team, id).await?;
    Ok(Json(query.cut(found, |object| format!("{}.{} {}", object.schema, object.name, object.comment))?))
}

pub(super) async fn test_draft(
    State(app): State<Arc<App>>,
    _caller: TeamCaller,
    Json(draft): Json<ConnectionDraft>,
) -> Result<Json<ConnectionTest>> {
    Ok(Json(connection::test_draft(&app, draft).await?))
}

pub(super) async fn test_stored(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, ConnectionId)>,
) -> Result<Json<ConnectionTest>> {
    Ok(Json(connection::test_stored(&app, caller.team, id).await?))
}
