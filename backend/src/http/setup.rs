//! `/setup`: the first run.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use millrace_wire::session::{FirstRun, SetupStatus};

use super::extract::Json;
use super::guard::ClientAddress;
use super::session::{cookie_of, opened};
use crate::app::account;
use crate::error::Result;
use crate::state::App;

pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<SetupStatus>> {
    let cookie = cookie_of(&headers, app.config.is_https());
    Ok(Json(account::setup_status(&app, cookie.as_deref()).await?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    Json(request): Json<FirstRun>,
) -> Result<Response> {
    let opening = account::first_run(&app, request, address).await?;
    Ok(opened(&app, opening))
}
