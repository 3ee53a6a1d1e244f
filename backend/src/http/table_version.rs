//! `/teams/{team}/tables/{table}/versions`, `…/diff`, and what belongs to a table beside its schema.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::TableId;
use millrace_wire::page::Page;
use millrace_wire::table_version::{SchemaDiff, SchemaVersion, SchemaVersionSummary, TableChange};
use serde::Deserialize;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::table_version;
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<SchemaVersionSummary>>> {
    let versions = table_version::list(&app, caller.team, id).await?;
    Ok(Json(query.cut(versions, |version| format!("{} {}", version.created_by, version.comment))?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id, number)): Path<(String, TableId, u32)>,
) -> Result<Json<SchemaVersion>> {
    Ok(Json(table_version::get(&app, caller.team, id, number).await?))
}

/// The newest version with the one before it, unless others are named.
#[derive(Deserialize)]
pub(super) struct DiffQuery {
    from: Option<u32>,
    to: Option<u32>,
}

pub(super) async fn diff(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
    Query(query): Query<DiffQuery>,
) -> Result<Json<SchemaDiff>> {
    Ok(Json(table_version::diff(&app, caller.team, id, query.from, query.to).await?))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
    Json(request): Json<TableChange>,
) -> Result<Response> {
    let changed = table_version::change(&app, &caller, id, request).await?;
    Ok((Extension(Change::new(&changed.before, &changed.after)), Json(changed.after)).into_response())
}
