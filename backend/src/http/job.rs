//! `/teams/{team}/jobs` and their drafts.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::JobId;
use millrace_wire::job::{Job, JobChange, JobSummary, NewJob, SaveDraft};
use millrace_wire::page::Page;
use serde::Deserialize;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::job::{self, Maker};
use crate::error::Result;
use crate::state::App;

/// Filters beside `q`; each takes one word.
#[derive(Debug, Deserialize)]
pub(super) struct JobFilter {
    /// A run state, or `draft` for jobs that never ran.
    state: Option<String>,
    tag: Option<String>,
    owner: Option<String>,
}

impl JobFilter {
    fn takes(&self, job: &JobSummary) -> bool {
        let fits = |wanted: &Option<String>, test: &dyn Fn(&str) -> bool| match wanted.as_deref() {
            None | Some("") => true,
            Some(wanted) => test(wanted),
        };
        fits(&self.state, &|state| job.current.as_ref().map_or("draft", |run| run.state.as_str()) == state)
            && fits(&self.tag, &|tag| job.tags.iter().any(|known| known == tag))
            && fits(&self.owner, &|owner| job.owner == owner)
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
    Query(filter): Query<JobFilter>,
) -> Result<Json<Page<JobSummary>>> {
    let mut jobs = job::summaries(&app, caller.team).await?;
    jobs.retain(|job| filter.takes(job));
    Ok(Json(query.cut(jobs, |job| format!("{} {} {} {}", job.name, job.description, job.owner, job.tags.join(" ")))?))
}

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
) -> Result<Json<Job>> {
    Ok(Json(job::get(&app, caller.team, id).await?))
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

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
) -> Result<Response> {
    let before = job::delete(&app, &caller, id).await?;
    Ok((Extension(Change::new(before, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn save_draft(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Json(request): Json<SaveDraft>,
) -> Result<Response> {
    let before = job::get(&app, caller.team, id).await?.draft;
    let job = job::save_draft(&app, &caller, id, request).await?;
    Ok((Extension(Change::new(before, &job.draft)), Json(job)).into_response())
}
