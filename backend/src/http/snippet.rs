//! `/teams/{team}/snippets`, and `/templates`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::SnippetId;
use millrace_wire::page::Page;
use millrace_wire::snippet::{ScriptTemplate, Snippet, SnippetDraft};

use super::extract::{Json, Path, Query};
use super::page::{ListQuery, whole};
use crate::access::audit::Change;
use crate::access::identity::{Caller, TeamCaller};
use crate::app::{snippet, template};
use crate::error::Result;
use crate::state::App;

pub(super) async fn templates(_caller: Caller) -> Json<Page<ScriptTemplate>> {
    Json(whole(template::all()))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Snippet>>> {
    let snippets = snippet::list(&app, caller.team).await?;
    Ok(Json(query.cut(snippets, |snippet| format!("{} {}", snippet.name, snippet.description))?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(draft): Json<SnippetDraft>,
) -> Result<Response> {
    let snippet = snippet::create(&app, &caller, draft).await?;
    Ok((Extension(Change::new((), &snippet)), Json(snippet)).into_response())
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, SnippetId)>,
) -> Result<Json<Snippet>> {
    Ok(Json(snippet::get(&app, caller.team, id).await?))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, SnippetId)>,
    Json(draft): Json<SnippetDraft>,
) -> Result<Response> {
    let edited = snippet::update(&app, &caller, id, draft).await?;
    Ok((Extension(Change::new(&edited.before, &edited.after)), Json(edited.after)).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, SnippetId)>,
) -> Result<Response> {
    let deleted = snippet::delete(&app, &caller, id).await?;
    Ok((Extension(Change::new(deleted, ())), StatusCode::NO_CONTENT).into_response())
}
