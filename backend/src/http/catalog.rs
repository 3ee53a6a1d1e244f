//! `/connectors` and `/functions`: what the engine can do, and `…/sql/*`: what the editor asks.

use std::sync::Arc;

use axum::extract::State;
use millrace_wire::connector::ConnectorCatalog;
use millrace_wire::function::FunctionInfo;
use millrace_wire::page::Page;
use millrace_wire::sql::{Complete, CompletionItem, Format, Formatted, Validate, Validation};

use super::extract::{Json, Query};
use super::page::{ListQuery, whole};
use crate::access::identity::{Caller, TeamCaller};
use crate::app::sql;
use crate::error::Result;
use crate::state::App;

pub(super) async fn connectors(State(app): State<Arc<App>>, _caller: Caller) -> Json<ConnectorCatalog> {
    Json(app.engine.connectors())
}

pub(super) async fn functions(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<FunctionInfo>>> {
    let functions = app.engine.functions();
    // A few hundred short entries, and the page shows all of them.
    let query = ListQuery { limit: query.limit.or(Some(1000)), ..query };
    Ok(Json(query.cut(functions, |function| format!("{} {}", function.name, function.summary))?))
}

pub(super) async fn validate(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<Validate>,
) -> Result<Json<Validation>> {
    Ok(Json(sql::validate(&app, &caller.sight(), None, request).await?))
}

pub(super) async fn complete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<Complete>,
) -> Result<Json<Page<CompletionItem>>> {
    Ok(Json(whole(sql::complete(&app, &caller.sight(), request).await?)))
}

pub(super) async fn format(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<Format>,
) -> Result<Json<Formatted>> {
    Ok(Json(sql::format(&app, caller.team, request).await?))
}
