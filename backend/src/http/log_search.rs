//! `/teams/{team}/logs`: searching the lines of a team's jobs; `/logs`: those of the server, by the same handlers.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use bytes::Bytes;
use futures::stream::Stream;
use millrace_wire::ids::JobId;
use millrace_wire::log_search::{LogContext, LogCounts, LogDownload, LogGroup, LogHit, LogHits, LogOrder};
use millrace_wire::overview::OverviewEvent;
use millrace_wire::page::Page;
use serde::Deserialize;
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use super::extract::{Json, Path, Query};
use super::live::async_stream;
use super::page::limit_of;
use crate::access::identity::TeamCaller;
use crate::app::log_search::{self, Asked, PageAsked, Whose};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::live::Numbered;
use crate::state::App;

const BUCKETS: usize = 60;
const MOST_BUCKETS: usize = 500;
const AROUND: usize = 20;
const MOST_AROUND: usize = 500;
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Rights are asked for again at least this often, and whenever they change.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// A part of a download.
const PART_BYTES: usize = 256 << 10;
const PARTS_AHEAD: usize = 2;

#[derive(Debug, Deserialize)]
pub(super) struct LogsQuery {
    q: Option<String>,
    from: Option<i64>,
    to: Option<i64>,
    order: Option<LogOrder>,
    cursor: Option<String>,
    limit: Option<usize>,
    buckets: Option<usize>,
    job: Option<JobId>,
    before: Option<usize>,
    after: Option<usize>,
    format: Option<LogDownload>,
}

impl LogsQuery {
    fn asked(&self) -> Asked {
        Asked { q: self.q.clone().unwrap_or_default(), from: self.from, to: self.to }
    }

    fn newest_first(&self) -> bool {
        self.order.unwrap_or(LogOrder::Newest) == LogOrder::Newest
    }
}

/// Whose lines a route is about: those of the team in its path, else the server's. The guard has judged the caller.
pub(super) struct Asker {
    whose: Whose,
    team: Option<TeamCaller>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let team = parts.extensions.get::<TeamCaller>().cloned();
        let whose = team.as_ref().map_or(Whose::Server, |caller| Whose::Team(caller.sight()));
        Ok(Asker { whose, team })
    }
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    asker: Asker,
    Query(query): Query<LogsQuery>,
) -> Result<Json<LogHits>> {
    let page = PageAsked {
        newest_first: query.newest_first(),
        limit: limit_of(query.limit),
        cursor: query.cursor.clone().filter(|cursor| !cursor.is_empty()),
    };
    Ok(Json(log_search::page(&app, &asker.whose, &query.asked(), page).await?))
}

pub(super) async fn counts(
    State(app): State<Arc<App>>,
    asker: Asker,
    Query(query): Query<LogsQuery>,
) -> Result<Json<LogCounts>> {
    let buckets = query.buckets.unwrap_or(BUCKETS).clamp(1, MOST_BUCKETS);
    Ok(Json(log_search::counts(&app, &asker.whose, &query.asked(), buckets).await?))
}

pub(super) async fn groups(
    State(app): State<Arc<App>>,
    asker: Asker,
    Query(query): Query<LogsQuery>,
) -> Result<Json<Page<LogGroup>>> {
    let items = log_search::groups(&app, &asker.whose, &query.asked()).await?;
    Ok(Json(Page { total: items.len() as u64, next: None, items }))
}

pub(super) async fn context_of_team(
    state: State<Arc<App>>,
    asker: Asker,
    Path((_, line)): Path<(String, String)>,
    query: Query<LogsQuery>,
) -> Result<Json<LogContext>> {
    context(state, asker, Path(line), query).await
}

pub(super) async fn context(
    State(app): State<Arc<App>>,
    asker: Asker,
    Path(line): Path<String>,
    Query(query): Query<LogsQuery>,
) -> Result<Json<LogContext>> {
    let around = |asked: Option<usize>| asked.unwrap_or(AROUND).min(MOST_AROUND);
    Ok(Json(log_search::context(&app, &asker.whose, &line, around(query.before), around(query.after)).await?))
}

/// What happened to jobs in a span of time; the last day where none is given.
pub(super) async fn marks(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<LogsQuery>,
) -> Result<Json<Page<OverviewEvent>>> {
    const DAY_MS: i64 = 24 * 3600 * 1000;
    let to = query.to.unwrap_or_else(now_ms);
    let from = query.from.unwrap_or_else(|| to.saturating_sub(DAY_MS));
    let items = log_search::marks(&app, &caller.sight(), query.job, from, to).await?;
    Ok(Json(Page { total: items.len() as u64, next: None, items }))
}

/// Lines as they come. The stream ends when rights change, so that the reader is asked again who it is.
pub(super) async fn tail(
    State(app): State<Arc<App>>,
    asker: Asker,
    Query(query): Query<LogsQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    // Begun before the question is judged, so that no change of rights is missed in between.
    let rights = asker.team.as_ref().map(|caller| app.live.subscribe(caller.team, None).receiver);
    let tail = log_search::tail(&app, &asker.whose, &query.asked()).await?;
    let stream = async_stream(move |mut out| async move {
        // As a whole: it watches for as long as all of it is there.
        let (mut tail, mut rights) = (tail, rights);
        let end = Instant::now() + LONGEST;
        loop {
            let line = tokio::select! {
                line = tail.lines.recv() => line,
                () = changed(&mut rights) => return,
                () = app.shutdown.cancelled() => return,
                () = tokio::time::sleep_until(end) => return,
            };
            // None: it came to more than this reader takes.
            let Some(line) = line else { return };
            let Ok(event) = Event::default().id(line.id.clone()).json_data(&line) else { return };
            if !out.send(event).await {
                return;
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")))
}

/// Comes back when rights may have changed, or when that cannot be known any more.
async fn changed(rights: &mut Option<broadcast::Receiver<Numbered>>) {
    let Some(receiver) = rights else { return std::future::pending().await };
    while let Ok(event) = receiver.recv().await {
        if event.reset {
            return;
        }
    }
}

pub(super) async fn download(
    State(app): State<Arc<App>>,
    asker: Asker,
    Query(query): Query<LogsQuery>,
) -> Result<Response> {
    let format = query.format.unwrap_or(LogDownload::Text);
    let newest_first = query.order == Some(LogOrder::Newest);
    let found = log_search::export(&app, &asker.whose, &query.asked(), newest_first).await?;
    let (parts, ahead) = mpsc::channel::<Result<Bytes>>(PARTS_AHEAD);
    tokio::task::spawn_blocking(move || write_parts(found, format, &parts));
    let name = asker.team.as_ref().map_or("server", |caller| caller.slug.as_str());
    let (kind, ending) = match format {
        LogDownload::Text => ("text/plain; charset=utf-8", "log"),
        LogDownload::JsonLines => ("application/x-ndjson", "jsonl"),
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=logs-{name}.{ending}")),
    ];
    Ok((headers, Body::from_stream(ReceiverStream::new(ahead))).into_response())
}

/// Ends early when nobody reads any more.
fn write_parts(
    found: impl Iterator<Item = millrace_logs::Result<millrace_logs::Hit>>,
    format: LogDownload,
    parts: &mpsc::Sender<Result<Bytes>>,
) {
    let mut text = String::new();
    for hit in found {
        let hit = match hit {
            Ok(hit) => log_search::hit(hit),
            Err(error) => {
                let _ = parts.blocking_send(Err(crate::log::search::shown(error)));
                return;
            }
        };
        write_line(&mut text, &hit, format);
        if text.len() >= PART_BYTES && parts.blocking_send(Ok(std::mem::take(&mut text).into())).is_err() {
            return;
        }
    }
    let _ = parts.blocking_send(Ok(text.into()));
}

fn write_line(text: &mut String, hit: &LogHit, format: LogDownload) {
    match format {
        LogDownload::JsonLines => {
            if let Ok(line) = serde_json::to_string(hit) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        LogDownload::Text => {
            let at = chrono::DateTime::from_timestamp_millis(hit.at).unwrap_or_default();
            let at = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            let LogHit { level, job_name, worker, target, message, .. } = hit;
            // Writing into a text cannot fail.
            let _ = writeln!(text, "{at} {level:5} {job_name} {worker} {target}: {message}");
        }
    }
}
