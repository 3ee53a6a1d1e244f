//! `/tokens`: API tokens of the caller.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::TokenId;
use millrace_wire::page::Page;
use millrace_wire::token::{ApiToken, NewApiToken};

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::Caller;
use crate::app::token;
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<ApiToken>>> {
    let tokens = token::list(&app, &caller).await?;
    Ok(Json(query.cut(tokens, |token| token.name.clone())?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(request): Json<NewApiToken>,
) -> Result<Response> {
    let issued = token::issue(&app, &caller, request).await?;
    let change = Change::new((), &issued.token);
    Ok((Extension(change), Json(issued)).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(token): Path<TokenId>,
) -> Result<StatusCode> {
    token::revoke(&app, &caller, token).await?;
    Ok(StatusCode::NO_CONTENT)
}
