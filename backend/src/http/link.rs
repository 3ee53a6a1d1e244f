//! `/link`: the WebSocket that workers open. Who they are stands in their first frame; `job::link` checks it.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;

use crate::job::link::Frames;
use crate::state::App;

/// A report of log lines or figures stays far below.
const LARGEST_FRAME: usize = 8 * 1024 * 1024;
/// Frames read but not stored yet: more are left in the socket, which holds the worker back.
const READ_AHEAD: usize = 4;
/// Of a link, which most of the time has one small report to carry: the library's 128 KB would be a quarter of a gigabyte
/// for two thousand workers.
const BUFFER: usize = 8 * 1024;
const TO_SEND: usize = 16;

pub(super) async fn open(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    upgrade.max_message_size(LARGEST_FRAME).max_frame_size(LARGEST_FRAME).on_upgrade(move |socket| serve(app, socket))
}

async fn serve(app: Arc<App>, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let (to_server, incoming) = mpsc::channel(READ_AHEAD);
    let (outgoing, mut to_worker) = mpsc::channel::<String>(TO_SEND);
    let reading = async move {
        while let Some(Ok(message)) = stream.next().await {
            match message {
                Message::Text(text) => {
                    if to_server.send(text.as_str().to_owned()).await.is_err() {
                        return;
                    }
                }
                Message::Close(_) => return,
                // Answered by the library.
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Binary(_) => return,
            }
        }
    };
    let writing = async move {
        while let Some(text) = to_worker.recv().await {
            if sink.send(Message::Text(text.into())).await.is_err() {
                return;
            }
        }
        // The other side may be gone already.
        let _ = sink.close().await;
    };
    let serving = app.jobs.serve_link(Frames { incoming, outgoing });
    tokio::pin!(serving);
    let writing = tokio::spawn(writing);
    tokio::select! {
        () = &mut serving => {}
        // What was read before the end is still stored: the channel hands it out first.
        () = reading => serving.await,
    }
    // Ends when the last frame is out: its channel has no sender any more.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), writing).await;
}
