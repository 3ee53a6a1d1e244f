//! The server's own log lines, as a layer of `tracing`: info and above go to the mirror.

use std::fmt::Write as _;

use millrace_wire::log::{LogLevel, LogLine};
use tracing::field::{Field, Visit};
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
        let metadata = event.metadata();
        // Clients of the broker report its absence: that must not be sent to the broker.
        let about_the_broker = metadata.target().starts_with("rdkafka") || metadata.target().starts_with("librdkafka");
        if *metadata.level() > Level::INFO || about_the_broker || !self.mirror.is_connected() {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        self.mirror.log(&LogLine {
            seq: 0,
            at: now_ms(),
            level: level(*metadata.level()),
            target: metadata.target().to_owned(),
            message: text.message + &text.fields,
            job: None,
            job_name: String::new(),
            run: None,
            attempt: 0,
            worker: "server".to_owned(),
            team: String::new(),
        });
    }
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            let _ = write!(self.fields, " {}={value:?}", field.name());
        }
    }
}
