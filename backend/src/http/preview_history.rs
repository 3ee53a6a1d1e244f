//! `/teams/{team}/preview-history`: of the caller, and of nobody else.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use millrace_wire::ids::PreviewId;
use millrace_wire::page::Page;
use millrace_wire::preview_history::{KeptPreview, PreviewComparison, PreviewSnapshot};

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::identity::TeamCaller;
use crate::app::preview_history;
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<KeptPreview>>> {
    let kept = preview_history::list(&app, &caller).await?;
    Ok(Json(query.cut(kept, |preview| preview.sql.clone())?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, PreviewId)>,
) -> Result<Json<PreviewSnapshot>> {
    Ok(Json(preview_history::get(&app, &caller, id).await?))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, PreviewId)>,
) -> Result<StatusCode> {
    preview_history::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn compare(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, a, b)): Path<(String, PreviewId, PreviewId)>,
) -> Result<Json<PreviewComparison>> {
    Ok(Json(preview_history::compare(&app, &caller, a, b).await?))
}
