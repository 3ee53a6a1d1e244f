//! `/teams/{team}/search?q=`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::answers;
use super::extract::Query;
use super::page::{ListQuery, whole};
use crate::access::identity::TeamCaller;
use crate::app::search;
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let q = query.q.unwrap_or_default();
    let hits = async { Ok(whole(search::search(&app, &caller, &q).await?)) };
    answers::json(&app, &caller.sight(), ("search", &q), hits).await
}
