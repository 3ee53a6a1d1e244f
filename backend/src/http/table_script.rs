//! `/teams/{team}/tables/import` and `…/script`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::TableId;
use millrace_wire::table_script::{ExportedTables, ImportTables};
use serde::Deserialize;

use super::extract::{Json, Query};
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::table_script;
use crate::error::Result;
use crate::state::App;

pub(super) async fn import(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<ImportTables>,
) -> Result<Response> {
    let accepts_breaking = request.accept_breaking;
    let report = table_script::import(&app, &caller, request).await?;
    // The script itself may hold passwords: it is not kept.
    let tables: Vec<String> = report.tables.iter().map(|table| format!("{} {}", table.verdict, table.name)).collect();
    let done = serde_json::json!({ "applied": report.applied, "accept_breaking": accepts_breaking, "tables": tables });
    Ok((Extension(Change::new((), done)), Json(report)).into_response())
}

#[derive(Deserialize)]
pub(super) struct ScriptQuery {
    #[serde(default)]
    database: String,
    table: Option<TableId>,
}

pub(super) async fn export(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ScriptQuery>,
) -> Result<Json<ExportedTables>> {
    Ok(Json(table_script::export(&app, &caller, &query.database, query.table).await?))
}
