//! The server's own log lines, as a layer of `tracing`: info and above go to the mirror and into the log index.

use millrace_engine::link::Said;
use millrace_wire::log::LogLine;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::Mirror;
use crate::clock::now_ms;
use crate::log::search::LogSearch;

pub struct ServerLog {
    pub mirror: Mirror,
    pub search: LogSearch,
}

impl<S: Subscriber> Layer<S> for ServerLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() > Level::INFO {
            return;
        }
        let Said { level, target, message } = Said::by(event);
        // Clients of the broker report its absence: that must not be sent to the broker.
        let is_of_broker = target.starts_with("rdkafka") || target.starts_with("librdkafka");
        let line = LogLine {
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
        };
        if !is_of_broker && self.mirror.is_connected() {
            self.mirror.log(&line);
        }
        self.search.own_line(line);
    }
}
