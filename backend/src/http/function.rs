//! `/teams/{team}/functions`.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use millrace_wire::ids::FunctionId;
use millrace_wire::page::Page;
use millrace_wire::user_function::{
    FunctionChange, FunctionTest, MacroCheck, ModuleContent, NewMacro, TestFunction, UserFunction, UserFunctionSummary,
};
use serde::Deserialize;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::function::{self, NewModule, Saved};
use crate::app::function_test;
use crate::error::{Error, Result};
use crate::module;
use crate::state::App;

const CONTENT_TYPE: &str = "application/wasm";
/// What is too large is read on for so long, so that a client that only sends hears why it was refused.
const READ_ON: usize = 4 * module::LARGEST;

/// The bytes of an uploaded module.
pub(super) struct Module(Bytes);

impl<S: Send + Sync> FromRequest<S> for Module {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if kind.is_none_or(|kind| kind.split(';').next().map(str::trim) != Some(CONTENT_TYPE)) {
            let message = format!("The body must be the module itself, with the header Content-Type: {CONTENT_TYPE}.");
            return Err(Error::bad_request(message));
        }
        Ok(Module(read(request.into_body()).await?))
    }
}

async fn read(body: Body) -> Result<Bytes> {
    let mut pieces = body.into_data_stream();
    let mut module = BytesMut::new();
    let mut length = 0_usize;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|cause| Error::bad_request("The upload broke off.").because(cause))?;
        length = length.saturating_add(piece.len());
        if length > READ_ON {
            break;
        }
        if length <= module::LARGEST {
            module.extend_from_slice(&piece);
        } else {
            module = BytesMut::new();
        }
    }
    if length > module::LARGEST { Err(module::too_large()) } else { Ok(module.freeze()) }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<UserFunctionSummary>>> {
    let functions = function::list(&app, &caller.sight()).await?;
    Ok(Json(query.cut(functions, |function| format!("{} {}", function.signature, function.remark))?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<NewMacro>,
) -> Result<Response> {
    Ok(saved(function::create_macro(&app, &caller, request).await?))
}

#[derive(Deserialize)]
pub(super) struct ModuleQuery {
    name: String,
    entry: String,
    #[serde(default)]
    remark: String,
    #[serde(default)]
    overwrite: bool,
}

pub(super) async fn upload(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ModuleQuery>,
    Module(module): Module,
) -> Result<Response> {
    let ModuleQuery { name, entry, remark, overwrite } = query;
    let request = NewModule { name, entry, remark, overwrite };
    Ok(saved(function::create_from_module(&app, &caller, request, module).await?))
}

/// The trail says which version came, with the module's hash, and which one it followed.
fn saved(saved: Saved) -> Response {
    let change = Change::new(saved.before, saved.after.versions.first());
    (Extension(change), Json(saved.after)).into_response()
}

pub(super) async fn inspect(
    State(app): State<Arc<App>>,
    _caller: TeamCaller,
    Module(module): Module,
) -> Result<Json<ModuleContent>> {
    Ok(Json(function::inspect(&app, module).await?))
}

pub(super) async fn check(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<NewMacro>,
) -> Result<Json<MacroCheck>> {
    Ok(Json(function::check_macro(&app, &caller, request).await?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, FunctionId)>,
) -> Result<Json<UserFunction>> {
    Ok(Json(function::get(&app, &caller.sight(), id).await?))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, FunctionId)>,
    Json(request): Json<FunctionChange>,
) -> Result<Response> {
    let (before, after) = function::change(&app, &caller, id, request).await?;
    Ok((Extension(Change::new(before, &after.remark)), Json(after)).into_response())
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, FunctionId)>,
) -> Result<Response> {
    let deleted = function::delete(&app, &caller, id).await?;
    Ok((Extension(Change::new(deleted, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn module_bytes(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, FunctionId)>,
) -> Result<Response> {
    let module = function::module_bytes(&app, caller.team, id).await?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], module).into_response())
}

pub(super) async fn test(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, FunctionId)>,
    Json(request): Json<TestFunction>,
) -> Result<Json<FunctionTest>> {
    Ok(Json(function_test::test(&app, &caller, id, request).await?))
}
