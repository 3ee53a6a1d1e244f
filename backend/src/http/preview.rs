//! `/teams/{team}/previews`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use millrace_wire::ids::PreviewId;
use millrace_wire::preview::{PreviewStarted, StartPreview};

use super::extract::{Json, Path};
use super::live::async_stream;
use crate::access::identity::TeamCaller;
use crate::app::preview;
use crate::error::Result;
use crate::state::App;

/// Also finds out that a browser has gone: the preview ends soon after.
const HEARTBEAT: Duration = Duration::from_secs(5);

pub(super) async fn start(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<StartPreview>,
) -> Result<Json<PreviewStarted>> {
    Ok(Json(preview::start(&app, &caller, request).await?))
}

/// From the start, or after `Last-Event-ID`; the stream ends with the preview.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, PreviewId)>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|id| id.parse().ok());
    let mut reader = preview::read(&app, &caller, id)?.after(seen);
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

pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, PreviewId)>,
) -> Result<StatusCode> {
    preview::cancel(&app, &caller, id)?;
    Ok(StatusCode::NO_CONTENT)
}
