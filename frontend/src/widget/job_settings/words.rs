//! Settings of a job as text and back: `30 s`, `1 day`, `for ever`.

use millrace_wire::job::JobSettings;
use millrace_wire::report::NamedChange;

use crate::format::{bytes, number};
use crate::i18n::job as text;

/// Name and value of every setting, in the order of the form.
pub fn rows(settings: &JobSettings) -> Vec<(&'static str, String)> {
    vec![
        (text::parallelism(), number::grouped(u64::from(settings.parallelism))),
        (text::checkpoint_interval(), span(settings.checkpoint_interval_ms)),
        (text::checkpoints_kept(), number::grouped(u64::from(settings.checkpoints_kept))),
        (text::restart_attempts(), number::grouped(u64::from(settings.restart_attempts))),
        (text::restart_window(), span(settings.restart_window_ms)),
        (text::state_ttl(), ttl(settings.state_ttl_ms)),
        (text::memory_limit(), bytes::bytes(settings.memory_limit_mb.saturating_mul(1_000_000))),
    ]
}

/// Name, value before and value after of what differs.
pub fn changed(before: &JobSettings, after: &JobSettings) -> Vec<(&'static str, String, String)> {
    rows(before)
        .into_iter()
        .zip(rows(after))
        .filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| (name, old, new))
        .collect()
}

/// The same of what the server found, by the names of the settings on the wire.
pub fn changed_words(changes: &[NamedChange]) -> Vec<(&'static str, String, String)> {
    let with = |value: fn(&NamedChange) -> &String| {
        let mut all = serde_json::to_value(JobSettings::default()).unwrap_or_default();
        for change in changes {
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(value(change))
                && let Some(all) = all.as_object_mut()
            {
                all.insert(change.name.clone(), value);
            }
        }
        serde_json::from_value::<JobSettings>(all).unwrap_or_default()
    };
    changed(&with(|change| &change.from), &with(|change| &change.to))
}

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];

/// In the largest unit that leaves no rest, so that reading it back gives the same.
pub(super) fn span(ms: u64) -> String {
    if ms == 0 {
        return "0 s".to_owned();
    }
    let (unit, size) = UNITS.iter().find(|(_, size)| ms.is_multiple_of(*size)).copied().unwrap_or(("ms", 1));
    format!("{} {unit}", ms / size)
}

pub(super) fn ttl(ms: u64) -> String {
    if ms == 0 { text::for_ever().to_owned() } else { span(ms) }
}

/// Reads `30 s`, `5min`, `1 day`, `250 ms`; a bare number counts seconds.
pub(super) fn parse_span(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (figure, unit) = text.split_at(split);
    let figure: f64 = figure.parse().ok()?;
    let size = match unit.trim().to_lowercase().as_str() {
        "ms" => 1.0,
        "" | "s" | "sec" | "second" | "seconds" => 1_000.0,
        "m" | "min" | "minute" | "minutes" => 60_000.0,
        "h" | "hour" | "hours" => 3_600_000.0,
        "d" | "day" | "days" => 86_400_000.0,
        _ => return None,
    };
    let ms = figure * size;
    (0.0..=1e15).contains(&ms).then_some(ms.round() as u64)
}

pub(super) fn parse_ttl(text: &str) -> Option<u64> {
    let words = text.trim().to_lowercase();
    if matches!(words.as_str(), "" | "for ever" | "forever") { Some(0) } else { parse_span(&words) }
}

/// Reads `2 GB`, `512 MB`; a bare number counts megabytes.
pub(super) fn parse_memory_mb(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (figure, unit) = text.split_at(split);
    let figure: f64 = figure.parse().ok()?;
    let size = match unit.trim().to_lowercase().as_str() {
        "" | "mb" | "m" => 1.0,
        "gb" | "g" => 1_000.0,
        _ => return None,
    };
    let mb = (figure * size).round();
    (1.0..=1e9).contains(&mb).then_some(mb as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_come_back() {
        for ms in [1, 250, 1_000, 1_500, 30_000, 60_000, 90_000, 3_600_000, 86_400_000, 600_000] {
            assert_eq!(parse_span(&span(ms)), Some(ms), "{}", span(ms));
        }
        assert_eq!(span(600_000), "10 min");
        assert_eq!(parse_span(" 5min "), Some(300_000));
        assert_eq!(parse_span("1.5 h"), Some(5_400_000));
        assert_eq!(parse_span("10"), Some(10_000));
        for wrong in ["", "soon", "5 parsecs", "-3 s", "1e99 d"] {
            assert_eq!(parse_span(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn state_may_be_kept_for_ever() {
        assert_eq!(parse_ttl(&ttl(0)), Some(0));
        assert_eq!(parse_ttl("1 day"), Some(86_400_000));
    }

    #[test]
    fn memory_has_two_units() {
        assert_eq!(parse_memory_mb("2 GB"), Some(2_000));
        assert_eq!(parse_memory_mb("1.5gb"), Some(1_500));
        assert_eq!(parse_memory_mb("512"), Some(512));
        assert_eq!(parse_memory_mb("0"), None);
        assert_eq!(parse_memory_mb("much"), None);
    }

    #[test]
    fn only_what_differs_is_named() {
        let before = JobSettings::default();
        let after = JobSettings { parallelism: 4, state_ttl_ms: 86_400_000, ..JobSettings::default() };
        let found = changed(&before, &after);
        assert_eq!(found.len(), 2);
        assert_eq!(found.first().map(|(_, old, new)| (old.as_str(), new.as_str())), Some(("1", "4")));
        assert!(changed(&before, &before).is_empty());
    }

    #[test]
    fn what_the_server_found_reads_the_same() {
        let change = millrace_wire::report::ChangeKind::Changed;
        let (name, from, to) = ("state_ttl_ms".to_owned(), "0".to_owned(), "86400000".to_owned());
        let found = changed_words(&[NamedChange { change, name, from, to }]);
        assert_eq!(found, [(text::state_ttl(), "for ever".to_owned(), "1 d".to_owned())]);
    }
}
