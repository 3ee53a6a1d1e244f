//! `/teams/{team}/live`: server-sent events with resume.
//!
//! A stream ends when the server stops, when its reader falls behind, or when the caller's right to it has gone; the
//! browser comes back by itself with `Last-Event-ID`, and is asked again who it is.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use millrace_wire::live::LiveEvent;
use tokio::time::Instant;
use uuid::Uuid;

use crate::access::identity::TeamCaller;
use crate::access::sight::Sight;
use crate::live::{LiveHub, Numbered, Subscription};
use crate::state::App;
use crate::store;

const HEARTBEAT: Duration = Duration::from_secs(15);
/// Rights are asked for again at least this often.
const LONGEST: Duration = Duration::from_secs(10 * 60);

pub(super) async fn stream(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let subscription = app.live.subscribe(caller.team, last);
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("alive");
    Sse::new(events(app, caller, subscription)).keep_alive(heartbeat)
}

fn events(
    app: Arc<App>,
    caller: TeamCaller,
    subscription: Subscription,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let Subscription { missed, reset, mut receiver } = subscription;
    let hub = app.live.clone();
    let shutdown = app.shutdown.clone();
    async_stream(move |mut out| async move {
        // Asked after the subscription began, so that nothing is hidden in between unheard.
        let Ok(mut hidden) = store::grant::hidden(&app.store, &caller.sight()).await else { return };
        if reset && !out.send(reset_event()).await {
            return;
        }
        for event in missed {
            if !is_hidden(&event, &hidden) && !out.send(event_of(&hub, &event)).await {
                return;
            }
        }
        let end = Instant::now() + LONGEST;
        loop {
            let event = tokio::select! {
                event = receiver.recv() => event,
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep_until(end) => return,
            };
            // Behind or closed: the browser comes back and resumes from the ring, or reloads.
            let Ok(event) = event else { return };
            if event.reset {
                let Some(sight) = sight_now(&app, &caller).await else { return };
                let Ok(now) = store::grant::hidden(&app.store, &sight).await else { return };
                hidden = now;
            }
            if is_hidden(&event, &hidden) {
                continue;
            }
            if !out.send(event_of(&hub, &event)).await {
                return;
            }
        }
    })
}

/// By the role that the caller has by now; `None` for who is no member any more.
async fn sight_now(app: &App, caller: &TeamCaller) -> Option<Sight> {
    let found = store::team::membership_or_none(&app.store, &caller.slug, caller.caller.user).await.ok()?;
    let (_, role) = found.filter(|(team, _)| *team == caller.team)?;
    let role = caller.caller.via.limit(role?);
    Some(TeamCaller { role: Some(role), ..caller.clone() }.sight())
}

fn is_hidden(event: &Numbered, hidden: &HashSet<Uuid>) -> bool {
    event.object.is_some_and(|object| hidden.contains(&object))
}

/// Without an id: what was missed before it is gone anyway.
fn reset_event() -> Event {
    Event::default().json_data(LiveEvent::Reset).unwrap_or_else(|_| Event::default().data("{\"type\":\"reset\"}"))
}

fn event_of(hub: &LiveHub, event: &Numbered) -> Event {
    Event::default().id(hub.id_of(event.seq)).data(event.json.as_str())
}

/// The writing end of a stream under construction.
pub(super) struct Out(tokio::sync::mpsc::Sender<Event>);

impl Out {
    /// False when nobody reads any more.
    pub(super) async fn send(&mut self, event: Event) -> bool {
        self.0.send(event).await.is_ok()
    }
}

/// A stream that is written by a task, which ends when the stream is dropped.
pub(super) fn async_stream<F, W>(write: W) -> impl Stream<Item = Result<Event, Infallible>>
where
    W: FnOnce(Out) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let closed = sender.clone();
    let writing = write(Out(sender));
    tokio::spawn(async move {
        tokio::select! {
            () = writing => {}
            () = closed.closed() => {}
        }
    });
    futures::StreamExt::map(tokio_stream::wrappers::ReceiverStream::new(receiver), Ok)
}
