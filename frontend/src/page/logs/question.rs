//! What the address asks for: the query, the time, and the way it is shown.

use leptos::prelude::*;

use crate::address::{Address, use_address};
use crate::api::path;
use crate::clock::now;

const MINUTE_MS: i64 = 60_000;
/// Spans that end now, as the words in the address.
pub(super) const SPANS: [(&str, i64); 5] = [
    ("15m", 15 * MINUTE_MS),
    ("1h", 60 * MINUTE_MS),
    ("24h", 24 * 60 * MINUTE_MS),
    ("7d", 7 * 24 * 60 * MINUTE_MS),
    ("30d", 30 * 24 * 60 * MINUTE_MS),
];
const USUAL_SPAN: &str = "24h";

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) q: String,
    pub(super) time: Time,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Time {
    /// One of [`SPANS`], ending now.
    Last(&'static str),
    Fixed(i64, i64),
}

impl Time {
    pub(super) fn bounds(&self) -> (i64, i64) {
        match self {
            Time::Fixed(from, to) => (*from, *to),
            Time::Last(word) => {
                let length = SPANS.iter().find(|(known, _)| known == word).map_or(MINUTE_MS, |(_, length)| *length);
                // Lines may come from clocks that go ahead a little.
                (now() - length, now() + MINUTE_MS)
            }
        }
    }
}

impl Question {
    pub(super) fn of_address() -> Memo<Question> {
        let address = use_address();
        let (q, span) = (address.query("q"), address.query("range"));
        let (from, to) = (address.query("from"), address.query("to"));
        Memo::new(move |_| {
            let instant = |text: Option<String>| text.and_then(|text| text.parse::<i64>().ok());
            let time = match (instant(from.get()), instant(to.get())) {
                (Some(from), Some(to)) if from < to => Time::Fixed(from, to),
                _ => {
                    let word = span.get().unwrap_or_default();
                    let known = SPANS.iter().find(|(known, _)| *known == word);
                    Time::Last(known.map_or(USUAL_SPAN, |(known, _)| *known))
                }
            };
            Question { q: q.get().unwrap_or_default(), time }
        })
    }

    /// Below the team's logs, with the question and more.
    pub(super) fn path(&self, team: &str, rest: &str, more: &[(&str, &str)]) -> String {
        let (from, to) = self.time.bounds();
        let (from, to) = (from.to_string(), to.to_string());
        let own = [("q", self.q.as_str()), ("from", from.as_str()), ("to", to.as_str())];
        path::with_query(&path::team(team, &format!("logs{rest}")), &[&own, more].concat())
    }
}

pub(super) fn ask(address: Address, q: &str) {
    address.set_query("q", Some(q));
}

pub(super) fn set_span(address: Address, word: &str) {
    address.set_query("from", None);
    address.set_query("to", None);
    address.set_query("range", Some(word).filter(|word| *word != USUAL_SPAN));
}

pub(super) fn set_bounds(address: Address, from: i64, to: i64) {
    address.set_query("from", Some(&from.to_string()));
    address.set_query("to", Some(&to.to_string()));
}
