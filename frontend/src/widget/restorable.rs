//! Until when a savepoint or checkpoint can be started from, in words.

use millrace_wire::savepoint::{Restorability, Restorable};

use crate::clock::local;
use crate::format::number::grouped;
use crate::i18n::savepoints as text;

/// With the class of its colour.
pub fn restorable_words(restorable: &Restorable) -> (String, &'static str) {
    let Restorable { kind, until, missing, topic, reason } = restorable;
    match (kind, until) {
        (Restorability::Until, Some(until)) => {
            let words = text::until(local(*until).full());
            (if reason.is_empty() { words } else { format!("{words}. {reason}") }, "good")
        }
        (Restorability::Overdue, _) => (text::overdue(topic), "warn"),
        (Restorability::Gone, _) => (gone_words(*missing, topic, reason), "bad"),
        (Restorability::NoLimit, _) => (text::no_limit(reason), "muted"),
        (Restorability::Until | Restorability::Unknown, _) => (text::unknown(reason), "muted"),
    }
}

fn gone_words(missing: u64, topic: &str, reason: &str) -> String {
    match missing {
        0 => text::gone(reason),
        1 => text::one_gone(topic),
        _ => text::records_gone(grouped(missing), text::records(), topic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_counted() {
        assert_eq!(gone_words(1200, "x", ""), "No longer restorable: 1,200 records of topic x are gone");
        assert_eq!(gone_words(1, "x", ""), "No longer restorable: 1 record of topic x is gone");
        assert_eq!(gone_words(0, "x", "Topic x is not there."), "No longer restorable: Topic x is not there.");
    }
}
