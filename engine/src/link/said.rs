//! What an event of `tracing` says, as a log line tells it; for the worker's lines and for the server's own.

use std::fmt::Write as _;

use millrace_wire::log::LogLevel;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

pub struct Said {
    pub level: LogLevel,
    /// Of a record that came through the `log` crate: the one it was given there.
    pub target: String,
    /// With the fields behind it.
    pub message: String,
}

impl Said {
    pub fn by(event: &Event<'_>) -> Said {
        let mut text = Text::default();
        event.record(&mut text);
        Said {
            level: level(*event.metadata().level()),
            target: text.target.unwrap_or_else(|| event.metadata().target().to_owned()),
            message: text.message + &text.fields,
        }
    }
}

const fn level(level: Level) -> LogLevel {
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
    target: Option<String>,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            "log.target" => self.target = Some(value.to_owned()),
            name if name.starts_with("log.") => {}
            name => {
                // Writing to a string cannot fail.
                let _ = write!(self.fields, " {name}={value}");
            }
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing::Subscriber;
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::{Context, SubscriberExt as _};

    use super::*;

    struct Listener(Arc<Mutex<Vec<Said>>>);

    impl<S: Subscriber> Layer<S> for Listener {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().push(Said::by(event));
        }
    }

    #[test]
    fn fields_follow_the_message_and_records_of_log_keep_their_target() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Listener(Arc::clone(&heard)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(topic = "orders", partition = 3, "cannot be read");
            tracing::info!(log.target = "librdkafka", log.line = 7, "broker is away");
        });
        let heard = heard.lock();
        let said: Vec<_> = heard.iter().map(|said| (said.level, said.target.as_str(), said.message.as_str())).collect();
        assert_eq!(
            said,
            [
                (LogLevel::Warn, "millrace_engine::link::said::tests", "cannot be read topic=orders partition=3"),
                (LogLevel::Info, "librdkafka", "broker is away"),
            ]
        );
    }
}
