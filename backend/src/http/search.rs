//! `/teams/{team}/search?q=`

use std::sync::Arc;

use axum::extract::State;
use millrace_wire::page::Page;
use millrace_wire::search::SearchHit;

use super::extract::{Json, Query};
use super::page::{ListQuery, whole};
use crate::access::identity::TeamCaller;
use crate::app::search;
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<SearchHit>>> {
    let hits = search::search(&app, &caller, query.q.as_deref().unwrap_or_default()).await?;
    Ok(Json(whole(hits)))
}
