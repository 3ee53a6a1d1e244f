//! `/teams/{team}/tables`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::connection::ConnectionTest;
use millrace_wire::ids::TableId;
use millrace_wire::page::Page;
use millrace_wire::table::{FetchSchema, FetchedSchema, Sample, Table, TableCheck, TableDraft, TableSummary};
use serde::Deserialize;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::table;
use crate::error::Result;
use crate::state::App;

const DEFAULT_SAMPLE: u32 = 20;

/// The usual list, of one database when it is given.
#[derive(Deserialize)]
pub(super) struct TablesQuery {
    cursor: Option<String>,
    limit: Option<usize>,
    q: Option<String>,
    database: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<TablesQuery>,
) -> Result<Json<Page<TableSummary>>> {
    let database = query.database.filter(|name| !name.is_empty());
    let tables = table::list(&app, caller.team, database.as_deref()).await?;
    let query = ListQuery { cursor: query.cursor, limit: query.limit, q: query.q };
    Ok(Json(query.cut(tables, |table| format!("{}.{} {}", table.database, table.name, table.comment))?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(draft): Json<TableDraft>,
) -> Result<Response> {
    let table = table::create(&app, &caller, draft).await?;
    Ok((Extension(Change::new((), &table.draft)), Json(table)).into_response())
}

pub(super) async fn check(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(draft): Json<TableDraft>,
) -> Result<Json<TableCheck>> {
    Ok(Json(table::check(&app, &caller, draft).await?))
}

pub(super) async fn test(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(draft): Json<TableDraft>,
) -> Result<Json<ConnectionTest>> {
    Ok(Json(table::test(&app, &caller, draft).await?))
}

pub(super) async fn fetch(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<FetchSchema>,
) -> Result<Json<FetchedSchema>> {
    Ok(Json(table::fetch(&app, &caller, request).await?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
) -> Result<Json<Table>> {
    Ok(Json(table::get(&app, caller.team, id).await?))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
    Json(draft): Json<TableDraft>,
) -> Result<Response> {
    let edited = table::update(&app, &caller, id, draft).await?;
    Ok((Extension(Change::new(&edited.before, &edited.after.draft)), Json(edited.after)).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
) -> Result<Response> {
    let deleted = table::delete(&app, &caller, id).await?;
    Ok((Extension(Change::new(deleted, ())), StatusCode::NO_CONTENT).into_response())
}

#[derive(Deserialize)]
pub(super) struct SampleQuery {
    limit: Option<u32>,
}

pub(super) async fn sample(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
    Query(query): Query<SampleQuery>,
) -> Result<Json<Sample>> {
    let limit = query.limit.unwrap_or(DEFAULT_SAMPLE);
    Ok(Json(table::sample(&app, &caller, id, limit).await?))
}
