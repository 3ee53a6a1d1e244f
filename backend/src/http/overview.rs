//! `/teams/{team}/overview`

use std::sync::Arc;

use axum::extract::State;
use millrace_wire::overview::Overview;

use super::extract::Json;
use crate::access::identity::TeamCaller;
use crate::app::overview;
use crate::error::Result;
use crate::state::App;

pub(super) async fn show(State(app): State<Arc<App>>, caller: TeamCaller) -> Result<Json<Overview>> {
    Ok(Json(overview::overview(&app, &caller.sight()).await?))
}
