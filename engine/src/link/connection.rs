//! The WebSocket: opened again for ever, reports out, commands in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use millrace_wire::link::{Command, FromWorker, Hello, LINK_VERSION, Report, ToWorker};
use rand::Rng;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::lease::Lease;
use super::outbox::Outbox;
use super::servers::Servers;

const HEARTBEAT: Duration = Duration::from_secs(3);
const FLUSH_LINES: Duration = Duration::from_millis(300);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// The server acknowledges every heartbeat; without a word for so long the link is dead.
const SILENT: Duration = Duration::from_secs(30);

pub(super) struct Connection {
    pub(super) servers: Servers,
    /// Without the state, which is filled in each time.
    pub(super) hello: Hello,
    pub(super) outbox: Arc<Outbox>,
    pub(super) lease: Arc<Lease>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Connection {
    /// Never ends by itself.
    pub(super) async fn keep(self) {
        let mut pause = FIRST_PAUSE;
        let mut failed = 0;
        loop {
            let url = self.servers.current();
            let mut reached = true;
            match tokio::time::timeout(CONNECT_WITHIN, connect_async(&url)).await {
                Ok(Ok((socket, _))) => {
                    let since = Instant::now();
                    let why = self.talk(socket).await;
                    tracing::debug!(why, "the link to the server was lost");
                    if since.elapsed() > LONGEST_PAUSE {
                        pause = FIRST_PAUSE;
                    }
                }
                Ok(Err(error)) => {
                    reached = false;
                    tracing::debug!(%error, url, "the server cannot be reached");
                }
                Err(_) => {
                    reached = false;
                    tracing::debug!(url, "the server does not answer");
                }
            }
            if !reached {
                self.servers.next();
                failed += 1;
                if failed % self.servers.count() != 0 {
                    continue;
                }
            }
            let jitter = rand::rng().random_range(0.5..1.0);
            tokio::time::sleep(pause.mul_f64(jitter)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn talk(&self, mut socket: Socket) -> &'static str {
        let hello = Hello { state: self.outbox.state(), ..self.hello.clone() };
        let hello = FromWorker { v: LINK_VERSION, seq: 0, report: Report::Hello(hello) };
        if !send(&mut socket, &hello).await {
            return "hello could not be sent";
        }
        let mut sent = 0;
        let mut heard = Instant::now();
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let mut flush = tokio::time::interval(FLUSH_LINES);
        loop {
            for frame in self.outbox.after(sent) {
                sent = frame.seq;
                if !send(&mut socket, &frame).await {
                    return "a report could not be sent";
                }
            }
            tokio::select! {
                () = self.outbox.changed() => {}
                _ = flush.tick() => self.outbox.flush_lines(),
                _ = heartbeat.tick() => {
                    if heard.elapsed() > SILENT {
                        return "the server is silent";
                    }
                    for frame in self.outbox.heartbeat(chrono::Utc::now().timestamp_millis(), sent) {
                        sent = frame.seq;
                        if !send(&mut socket, &frame).await {
                            return "a heartbeat could not be sent";
                        }
                    }
                }
                message = socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.command(&text),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return "closed",
                        Some(Ok(_)) => {}
                    }
                }
            }
        }
    }

    fn command(&self, text: &str) {
        let frame: ToWorker = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::warn!(%error, "the server sent something that cannot be read");
                return;
            }
        };
        if frame.v != LINK_VERSION {
            tracing::warn!(version = frame.v, "the server speaks another version of the link");
            return;
        }
        match frame.command {
            Command::Ack { seq, lease_ms } => {
                self.lease.renew(Instant::now(), Duration::from_millis(lease_ms));
                self.outbox.acknowledge(seq);
            }
            Command::Servers { links } => self.servers.known(links),
            Command::GoTo { link } => self.servers.go_to(link),
            // A refused hello cannot know the attempt.
            fence @ Command::Fence { .. } if frame.attempt == self.hello.attempt || frame.attempt == 0 => {
                let _ = self.commands.send(fence);
            }
            command if frame.attempt == self.hello.attempt => {
                let _ = self.commands.send(command);
            }
            _ => tracing::debug!(attempt = frame.attempt, "a command was meant for another attempt"),
        }
    }
}

async fn send(socket: &mut Socket, frame: &FromWorker) -> bool {
    match serde_json::to_string(frame) {
        Ok(text) => socket.send(Message::text(text)).await.is_ok(),
        Err(error) => {
            tracing::error!(%error, "a report cannot be written as JSON");
            true
        }
    }
}
