//! What the client library says while it tries: its answers only tell that no broker could be reached, not why.

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

/// Why connections fail, most telling first. Parts of librdkafka's messages, which are not shown: they hold addresses
/// and internals.
const REASONS: &[(&str, &str, &str)] = &[
    (
        "certificate verify failed",
        "The broker's certificate cannot be verified.",
        "Give the certificate of the authority that signed it, and call the broker by a name that its certificate holds.",
    ),
    (
        "tls alert",
        "The broker refuses the TLS handshake.",
        "It may want a client certificate, or another one than it is shown.",
    ),
    ("peer might not be", "The broker does not speak TLS at this port.", "Check the port and the security protocol."),
    (
        "wrong version number",
        "The broker does not speak TLS at this port.",
        "Check the port and the security protocol.",
    ),
    ("SSL handshake failed", "The TLS handshake with the broker fails.", "Check the port and the security protocol."),
    (
        "SASL authentication error",
        "The broker refuses the user name or the password.",
        "Check both, and the mechanism that the user was made for.",
    ),
    ("mechanism handshake failed", "The broker does not offer this way to sign in.", "Choose another SASL mechanism."),
    (
        "Connection refused",
        "Nothing listens at the broker's address.",
        "Check host and port, and that the broker runs.",
    ),
    (
        "incorrect security.protocol",
        "The broker closes the connection: it expects another security protocol.",
        "Many brokers take TLS or a sign-in only at a port of its own.",
    ),
];

/// Keeps the most telling reason that was heard.
#[derive(Default)]
pub struct Hearing {
    heard: Mutex<Option<usize>>,
}

impl Hearing {
    fn hear(&self, message: &str) {
        let found = REASONS.iter().position(|(part, ..)| message.contains(part));
        let mut heard = self.heard.lock();
        *heard = match (*heard, found) {
            (Some(before), Some(now)) => Some(before.min(now)),
            (before, now) => before.or(now),
        };
    }

    /// What happened and what helps, when it was said.
    pub(super) fn reason(&self) -> Option<(&'static str, &'static str)> {
        let heard = *self.heard.lock();
        heard.and_then(|at| REASONS.get(at)).map(|(_, message, hint)| (*message, *hint))
    }
}

impl ClientContext for Hearing {
    fn log(&self, _: RDKafkaLogLevel, _: &str, message: &str) {
        self.hear(message);
    }

    fn error(&self, _: KafkaError, reason: &str) {
        self.hear(reason);
    }
}
impl ConsumerContext for Hearing {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_reason_is_kept() {
        let hearing = Hearing::default();
        assert_eq!(hearing.reason(), None);
        hearing.hear("ssl://b:1/bootstrap: SSL handshake failed: Disconnected");
        assert!(hearing.reason().is_some_and(|(message, _)| message.contains("handshake")));
        hearing
            .hear("SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate");
        hearing.hear("SSL handshake failed: Disconnected");
        hearing.hear("something else");
        assert!(hearing.reason().is_some_and(|(message, _)| message.contains("cannot be verified")));
    }
}
