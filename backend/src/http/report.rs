//! `…/jobs/{job}/report`, `…/diff` and the way back to an older version.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::{JobId, SavepointId};
use millrace_wire::job::{Start, StartFrom};
use millrace_wire::report::{DeploymentReport, VersionDiff};
use serde::Deserialize;

use super::extract::{Json, Path, Query};
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::{report, version, version_diff};
use crate::error::Result;
use crate::state::App;

/// As of a start, from its latest state when nothing is said; the draft when no version is named.
#[derive(Debug, Deserialize)]
pub(super) struct ReportQuery {
    version: Option<u32>,
    from: Option<StartFrom>,
    savepoint: Option<SavepointId>,
    at_ms: Option<i64>,
}

impl ReportQuery {
    pub(super) fn start(&self) -> Start {
        let from = self.from.unwrap_or(StartFrom::Latest);
        Start { version: self.version, from, savepoint: self.savepoint, at_ms: self.at_ms }
    }
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<ReportQuery>,
) -> Result<Json<DeploymentReport>> {
    Ok(Json(report::make(&app, &caller.sight(), id, &query.start()).await?))
}

pub(super) async fn of_run(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id, number)): Path<(String, JobId, u32)>,
) -> Result<Json<DeploymentReport>> {
    Ok(Json(report::of_run(&app, &caller.sight(), id, number).await?))
}

#[derive(Debug, Deserialize)]
pub(super) struct DiffQuery {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

pub(super) async fn diff(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<DiffQuery>,
) -> Result<Json<VersionDiff>> {
    Ok(Json(version_diff::between(&app, &caller.sight(), id, &query.from, &query.to).await?))
}

pub(super) async fn roll_back(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id, number)): Path<(String, JobId, u32)>,
) -> Result<Response> {
    let version = version::roll_back(&app, &caller.sight(), &caller.caller.name, id, number).await?;
    Ok((Extension(Change::new(number, &version.summary)), Json(version)).into_response())
}
