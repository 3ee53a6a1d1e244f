//! The figures beside each other.

use super::{Own, Time};
use crate::say;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// As Markdown. What is compared is CPU time, which others on the machine disturb least.
pub(super) fn print(own: &[Own], theirs: &[(&str, BTreeMap<String, Time>)]) {
    let mut head = "| query | k records/s per core | seconds | peak MB | checksum |".to_owned();
    let mut rule = "|---|---|---|---|---|".to_owned();
    for (backend, _) in theirs {
        let _ = write!(head, " Flink {backend} k/s per core | seconds | CPU ratio | time ratio |");
        rule.push_str("---|---|---|---|");
    }
    say::note(head);
    say::note(rule);
    for own in own {
        let rate = |time: Time| own.thousands / time.cpu.max(f64::MIN_POSITIVE);
        let mut line = format!(
            "| {} | {:.0} | {:.2} | {} | `{}` |",
            own.name,
            rate(own.time),
            own.time.seconds,
            own.peak_mb,
            own.checksum
        );
        for (_, times) in theirs {
            let _ = match times.get(&own.name) {
                Some(other) => write!(
                    line,
                    " {:.0} | {:.2} | {:.1} | {:.1} |",
                    rate(*other),
                    other.seconds,
                    other.cpu / own.time.cpu,
                    other.seconds / own.time.seconds
                ),
                None => write!(line, " | | | |"),
            };
        }
        say::note(line);
    }
    for (backend, times) in theirs {
        let pairs = || own.iter().filter_map(|own| Some((times.get(&own.name)?, own)));
        let mean = |ratio: fn((&Time, &Own)) -> f64| {
            let logs: Vec<f64> = pairs().map(|pair| ratio(pair).ln()).collect();
            (logs.iter().sum::<f64>() / logs.len().max(1) as f64).exp()
        };
        say::note(format!(
            "geometric mean over {} queries, Flink {backend}: {:.2} times less CPU, {:.2} times less time",
            pairs().count(),
            mean(|(other, own)| other.cpu / own.time.cpu),
            mean(|(other, own)| other.seconds / own.time.seconds)
        ));
    }
}
