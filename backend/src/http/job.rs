//! `/teams/{team}/jobs` and their drafts.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::JobId;
use millrace_wire::job::{JobChange, NewJob, SaveDraft};

use super::etag;
use super::extract::{Json, Path};
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::job::{self, Maker};
use crate::error::Result;
use crate::state::App;

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<NewJob>,
) -> Result<Response> {
    let job = job::create(&app, Maker::person(&caller), request).await?;
    Ok((Extension(Change::new((), &job)), Json(job)).into_response())
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Response> {
    let job = job::get(&app, &caller.sight(), id).await?;
    app.live.look_at(caller.team, id);
    // Without the run, whose figures are others with each reading: what people set has not changed by them.
    let set = (&job.name, &job.description, &job.owner, &job.tags, job.kind, &job.draft, &job.latest_version);
    Ok(([(header::ETAG, etag::of(&set)?)], Json(job)).into_response())
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<JobChange>,
) -> Result<Response> {
    let what = request.clone();
    let job = job::change(&app, &caller, id, request).await?;
    Ok((Extension(Change::new((), what)), Json(job)).into_response())
}

pub(super) async fn save_draft(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<SaveDraft>,
) -> Result<Response> {
    let before = job::get(&app, &caller.sight(), id).await?.draft;
    let job = job::save_draft(&app, &caller, id, request).await?;
    Ok((Extension(Change::new(before, &job.draft)), Json(job)).into_response())
}
