//! `/teams/{team}/test-runs`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use millrace_wire::ids::{JobId, TestRunId};
use millrace_wire::page::Page;
use millrace_wire::test_run::{ResultView, SinkRows, StartTestRun, TestRun, TestRunComparison, TestRunSummary};
use serde::Deserialize;

use super::extract::{Json, Path, Query};
use super::live::async_stream;
use super::page::ListQuery;
use crate::access::identity::TeamCaller;
use crate::app::test_run;
use crate::error::Result;
use crate::state::App;

const HEARTBEAT: Duration = Duration::from_secs(5);
const ROWS_PER_PAGE: usize = 500;
const MOST_PER_PAGE: usize = 10_000;

pub(super) async fn start(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<StartTestRun>,
) -> Result<Json<TestRun>> {
    Ok(Json(test_run::start(&app, &caller, request).await?))
}

#[derive(Debug, Deserialize)]
pub(super) struct OfJob {
    job: Option<JobId>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
    Query(filter): Query<OfJob>,
) -> Result<Json<Page<TestRunSummary>>> {
    let runs = test_run::list(&app, &caller, filter.job).await?;
    Ok(Json(query.cut(runs, |run| format!("{} {} {}", run.job_name, run.started_by, run.state))?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TestRunId)>,
) -> Result<Json<TestRun>> {
    Ok(Json(test_run::get(&app, &caller, id).await?))
}

/// From the start, or after `Last-Event-ID`; the stream ends with the run.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TestRunId)>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|id| id.parse().ok());
    let mut reader = test_run::read(&app, &caller, id).await?.after(seen);
    let shutdown = app.shutdown.clone();
    let stream = async_stream(move |mut out| async move {
        loop {
            let event = tokio::select! {
                event = reader.next() => event,
                () = shutdown.cancelled() => return,
            };
            let Some((number, json)) = event else { return };
            if !out.send(Event::default().id(number.to_string()).data(&*json)).await {
                return;
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")))
}

#[derive(Debug, Deserialize)]
pub(super) struct RowsQuery {
    view: Option<ResultView>,
    offset: Option<usize>,
    limit: Option<usize>,
}

pub(super) async fn rows(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id, table)): Path<(String, TestRunId, String)>,
    Query(query): Query<RowsQuery>,
) -> Result<Json<SinkRows>> {
    let view = query.view.unwrap_or(ResultView::Changelog);
    let page = (query.offset.unwrap_or(0), query.limit.unwrap_or(ROWS_PER_PAGE).clamp(1, MOST_PER_PAGE));
    Ok(Json(test_run::rows(&app, &caller, id, &table, view, page).await?))
}

pub(super) async fn compare(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id, other)): Path<(String, TestRunId, TestRunId)>,
) -> Result<Json<TestRunComparison>> {
    Ok(Json(test_run::compare(&app, &caller, id, other).await?))
}

pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TestRunId)>,
) -> Result<StatusCode> {
    test_run::cancel(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
