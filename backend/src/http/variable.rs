//! `/teams/{team}/variables`, and what a script uses of them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::VariableId;
use millrace_wire::page::Page;
use millrace_wire::variable::{ListParameters, ScriptParameter, Variable, VariableDraft, VariableUses};

use super::extract::{Json, Path, Query};
use super::page::{ListQuery, whole};
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::{script, variable};
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Variable>>> {
    let variables = variable::list(&app, caller.team).await?;
    // A team has some dozens, and whoever looks for one looks at all of them.
    let query = ListQuery { limit: query.limit.or(Some(1000)), ..query };
    Ok(Json(query.cut(variables, |variable| format!("{} {}", variable.name, variable.description))?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(draft): Json<VariableDraft>,
) -> Result<Response> {
    let variable = variable::create(&app, &caller, draft).await?;
    Ok((Extension(Change::new((), &variable)), Json(variable)).into_response())
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, VariableId)>,
) -> Result<Json<Variable>> {
    Ok(Json(variable::get(&app, caller.team, id).await?))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, VariableId)>,
    Json(draft): Json<VariableDraft>,
) -> Result<Response> {
    let edited = variable::update(&app, &caller, id, draft).await?;
    Ok((Extension(Change::new(&edited.before, &edited.after)), Json(edited.after)).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, VariableId)>,
) -> Result<Response> {
    let deleted = variable::delete(&app, &caller, id).await?;
    Ok((Extension(Change::new(deleted, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn uses(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, VariableId)>,
) -> Result<Json<VariableUses>> {
    Ok(Json(variable::uses(&app, &caller, id).await?))
}

pub(super) async fn parameters(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<ListParameters>,
) -> Result<Json<Page<ScriptParameter>>> {
    Ok(Json(whole(script::parameters(&app, caller.team, &request.sql).await?)))
}
