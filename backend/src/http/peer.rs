//! `/peer/events`: what this server tells browsers, for the other servers of the installation.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;

use super::live::async_stream;
use crate::state::App;

const HEARTBEAT: Duration = Duration::from_secs(10);

pub(super) async fn events(State(app): State<Arc<App>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut told = app.live.told();
    let shutdown = app.shutdown.clone();
    let stream = async_stream(move |mut out| async move {
        loop {
            let told = tokio::select! {
                told = told.recv() => told,
                () = shutdown.cancelled() => return,
            };
            // A server that falls behind comes back, and has its browsers load anew.
            let Ok(told) = told else { return };
            let Ok(event) = Event::default().json_data(&told) else { continue };
            if !out.send(event).await {
                return;
            }
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive"))
}
