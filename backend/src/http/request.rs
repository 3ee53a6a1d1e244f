//! `/catalogue`, `/requests`, `/ingestion-requests`, and deciding below a table or a team; `/notices`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::{RequestId, TableId};
use millrace_wire::page::Page;
use millrace_wire::request::{AskForAccess, AskForIngestion, CatalogueEntry, Decision, Inbox, Requests};

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::{Caller, TeamCaller};
use crate::app::request::{self, Decided};
use crate::error::Result;
use crate::state::App;

/// What `q` looks into: names, words and columns.
fn words(entry: &CatalogueEntry) -> String {
    let columns = entry.columns.iter().map(|column| format!("{} {}", column.name, column.comment));
    let columns = columns.collect::<Vec<_>>().join(" ");
    format!("{} {} {}.{} {} {columns}", entry.team_slug, entry.team_name, entry.database, entry.name, entry.description)
}

pub(super) async fn catalogue(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<CatalogueEntry>>> {
    Ok(Json(query.cut(request::catalogue(&app, &caller).await?, words)?))
}

pub(super) async fn ask_for_access(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(table): Path<TableId>,
    Json(asked): Json<AskForAccess>,
) -> Result<Response> {
    let what = Change::new((), &asked);
    request::ask_for_access(&app, &caller, table, asked).await?;
    Ok((Extension(what), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn ask_for_ingestion(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(asked): Json<AskForIngestion>,
) -> Result<Response> {
    let what = Change::new((), &asked);
    request::ask_for_ingestion(&app, &caller, asked).await?;
    Ok((Extension(what), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Requests>> {
    Ok(Json(request::list(&app, &caller).await?))
}

fn answer(decided: Decided) -> Response {
    (Extension(Change::new(&decided.before, &decided.after)), Json(decided.after)).into_response()
}

pub(super) async fn decide_access(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, table, id)): Path<(String, TableId, RequestId)>,
    Json(decision): Json<Decision>,
) -> Result<Response> {
    Ok(answer(request::decide(&app, &caller, Some(table), id, decision).await?))
}

pub(super) async fn decide_ingestion(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, RequestId)>,
    Json(decision): Json<Decision>,
) -> Result<Response> {
    Ok(answer(request::decide(&app, &caller, None, id, decision).await?))
}

pub(super) async fn inbox(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Inbox>> {
    Ok(Json(request::inbox(&app, &caller).await?))
}

pub(super) async fn mark_read(State(app): State<Arc<App>>, caller: Caller) -> Result<StatusCode> {
    request::mark_read(&app, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
