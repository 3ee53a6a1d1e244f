//! The server's own log lines, as a layer of `tracing`: info and above go to the mirror.

use millrace_engine::link::Said;
use millrace_wire::log::LogLine;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::Mirror;
use crate::clock::now_ms;

pub struct ServerLog {
    pub mirror: Mirror,
}

impl<S: Subscriber> Layer<S> for ServerLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() > Level::INFO || !self.mirror.is_connected() {
            return;
        }
        let Said { level, target, message } = Said::by(event);
        // Clients of the broker report its absence: that must not be sent to the broker.
        if target.starts_with("rdkafka") || target.starts_with("librdkafka") {
            return;
        }
        self.mirror.log(&LogLine {
            seq: 0,
            at: now_ms(),
            level,
            target,
            message,
            job: None,
            job_name: String::new(),
            run: None,
            attempt: 0,
            worker: "server".to_owned(),
            team: String::new(),
        });
    }
}
