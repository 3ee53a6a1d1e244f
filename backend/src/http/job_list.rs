//! `/teams/{team}/jobs` as a list, what is done with many jobs at once, and the filters that people keep.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::FilterId;
use millrace_wire::job_life::{BulkRequest, JobFilter, NewSavedFilter, SavedFilter};
use millrace_wire::page::Page;
use serde::Deserialize;

use super::answers;
use super::extract::{Json, Path, Query};
use super::page::{limit_of, whole};
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::job_list::{self, Part};
use crate::app::{bulk, saved_filter};
use crate::error::Result;
use crate::state::App;

#[derive(Debug, Deserialize)]
pub(super) struct PageQuery {
    cursor: Option<String>,
    limit: Option<usize>,
    sort: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<PageQuery>,
    Query(filter): Query<JobFilter>,
) -> Result<Response> {
    let part = Part { cursor: query.cursor.as_deref(), limit: limit_of(query.limit) as u64 };
    let (sight, sort) = (caller.sight(), query.sort.as_deref());
    answers::json(&app, &sight, ("jobs", &filter, sort, part), job_list::page(&app, &sight, &filter, sort, part)).await
}

pub(super) async fn counts(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(filter): Query<JobFilter>,
) -> Result<Response> {
    let sight = caller.sight();
    answers::json(&app, &sight, ("job counts", &filter), job_list::counts(&app, &sight, &filter)).await
}

pub(super) async fn bulk(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<BulkRequest>,
) -> Result<Response> {
    let what = request.clone();
    let report = bulk::run(&app, &caller, request).await?;
    Ok((Extension(Change::new(what, &report)), Json(report)).into_response())
}

pub(super) async fn filters(State(app): State<Arc<App>>, caller: TeamCaller) -> Result<Json<Page<SavedFilter>>> {
    Ok(Json(whole(saved_filter::list(&app, &caller).await?)))
}

pub(super) async fn save_filter(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<NewSavedFilter>,
) -> Result<Response> {
    let filter = saved_filter::save(&app, &caller, request).await?;
    Ok((Extension(Change::new((), &filter)), Json(filter)).into_response())
}

pub(super) async fn delete_filter(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, FilterId)>,
) -> Result<StatusCode> {
    saved_filter::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
