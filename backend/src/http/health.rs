//! `GET /health`: for load balancers and scripts; says that the store answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::error::{Error, Result};
use crate::state::App;

pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Json<serde_json::Value>> {
    if !app.store.answers().await {
        return Err(Error::unavailable("The metadata database does not answer."));
    }
    Ok(Json(serde_json::json!({ "status": "ok" })))
}
