//! A job's log: pages, and a tail that resumes by `Last-Event-ID`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use millrace_wire::ids::JobId;
use millrace_wire::log::{LogLevel, LogPage};
use serde::Deserialize;
use tokio::time::Instant;

use super::extract::{Json, Path, Query};
use super::live::async_stream;
use crate::access::identity::TeamCaller;
use crate::app::run;
use crate::error::{Error, Result};
use crate::log::LogQuery;
use crate::state::App;

const DEFAULT_LINES: usize = 200;
const MOST_LINES: usize = 2_000;
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Rights are asked for again at least this often.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// A new run of the job shows in its tail after this at the latest.
const LOOK_FOR_NEW_RUN: Duration = Duration::from_secs(2);

#[derive(Debug, Deserialize)]
pub(super) struct LogsQuery {
    run: Option<String>,
    after: Option<u64>,
    before: Option<u64>,
    level: Option<String>,
    contains: Option<String>,
    limit: Option<usize>,
}

impl LogsQuery {
    fn query(&self) -> Result<LogQuery> {
        let level = self.level.as_deref().filter(|level| !level.is_empty());
        let level = level.map(str::parse::<LogLevel>).transpose();
        Ok(LogQuery {
            from: self.after.map(|after| after.saturating_add(1)),
            before: self.before,
            level: level.map_err(|_| Error::field("level", "Choose error, warn, info, debug or trace."))?,
            contains: self.contains.clone(),
            limit: self.limit.unwrap_or(DEFAULT_LINES).clamp(1, MOST_LINES),
        })
    }
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<LogsQuery>,
) -> Result<Json<LogPage>> {
    Ok(Json(run::logs(&app, caller.team, id, query.run.as_deref(), query.query()?).await?))
}

/// Lines after `after` (or `Last-Event-ID`) and then those that come; without either, from now on.
pub(super) async fn tail(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, JobId)>,
    Query(query): Query<LogsQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let resumed = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|id| id.parse().ok());
    let wanted = LogsQuery { after: resumed.or(query.after), ..query };
    let filter = wanted.query()?;
    let mut run = run::find(&app, caller.team, id, wanted.run.as_deref()).await?.map(|run| run.id);
    let mut next = match (filter.from, run) {
        (Some(from), _) => from,
        (None, Some(run)) => app.logs.page(run, LogQuery { limit: 1, ..LogQuery::default() }).await?.next_seq,
        (None, None) => 0,
    };
    let follow_newest = wanted.run.as_deref().is_none_or(str::is_empty);
    let stream = async_stream(move |mut out| async move {
        let end = Instant::now() + LONGEST;
        loop {
            if let Some(run) = run {
                let mut changed = app.logs.watch(run);
                changed.mark_unchanged();
                loop {
                    let query = LogQuery { from: Some(next), before: None, limit: MOST_LINES, ..filter.clone() };
                    let Ok(page) = app.logs.page(run, query).await else { return };
                    let caught_up = page.next_seq == next;
                    next = page.next_seq;
                    for line in page.lines {
                        let Ok(event) = Event::default().id(line.seq.to_string()).json_data(&line) else { return };
                        if !out.send(event).await {
                            return;
                        }
                    }
                    if caught_up {
                        break;
                    }
                }
                tokio::select! {
                    _ = changed.changed() => continue,
                    () = tokio::time::sleep(LOOK_FOR_NEW_RUN) => {}
                    () = app.shutdown.cancelled() => return,
                    () = tokio::time::sleep_until(end) => return,
                }
            } else {
                tokio::select! {
                    () = tokio::time::sleep(LOOK_FOR_NEW_RUN) => {}
                    () = app.shutdown.cancelled() => return,
                    () = tokio::time::sleep_until(end) => return,
                }
            }
            if follow_newest
                && let Ok(Some(newest)) = run::find(&app, caller.team, id, None).await
                && run != Some(newest.id)
            {
                (run, next) = (Some(newest.id), 0);
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")))
}
