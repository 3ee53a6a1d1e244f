//! `/teams/{team}/overview`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::answers;
use crate::access::identity::TeamCaller;
use crate::app::overview;
use crate::error::Result;
use crate::state::App;

pub(super) async fn show(State(app): State<Arc<App>>, caller: TeamCaller) -> Result<Response> {
    let sight = caller.sight();
    answers::json(&app, &sight, "overview", overview::overview(&app, &sight)).await
}
