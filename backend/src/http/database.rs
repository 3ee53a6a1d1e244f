//! `/teams/{team}/databases`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::page::Page;
use millrace_wire::table::{Database, NewDatabase};

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::database;
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Database>>> {
    let databases = database::list(&app, &caller).await?;
    Ok(Json(query.cut(databases, |database| format!("{} {}", database.name, database.description))?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<NewDatabase>,
) -> Result<Response> {
    let database = database::create(&app, &caller, request).await?;
    Ok((Extension(Change::new((), &database)), Json(database)).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, name)): Path<(String, String)>,
) -> Result<Response> {
    let deleted = database::delete(&app, &caller, &name).await?;
    Ok((Extension(Change::new(deleted, ())), StatusCode::NO_CONTENT).into_response())
}
