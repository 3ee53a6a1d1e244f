//! The lines at hand: a page from the server, what the tail brings, and what is dropped so that a day of tailing
//! does not fill the browser.

use millrace_wire::log::{LogLevel, LogLine};

/// Lines kept; older ones can be loaded again.
const MOST: usize = 5_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lines {
    pub(super) all: Vec<LogLine>,
    /// Older lines exist on the server.
    pub(super) more_before: bool,
}

impl Lines {
    /// Adds a line of the tail. Lines that are there already are left out: a stream that comes back repeats some.
    pub(super) fn push(&mut self, line: LogLine) {
        if self.all.last().is_some_and(|last| line.seq <= last.seq && line.run == last.run) {
            return;
        }
        self.all.push(line);
        if self.all.len() > MOST {
            let too_many = self.all.len() - MOST * 9 / 10;
            self.all.drain(..too_many);
            self.more_before = true;
        }
    }

    /// Adds a page of older lines.
    pub(super) fn prepend(&mut self, mut older: Vec<LogLine>, more_before: bool) {
        if let Some(first) = self.all.first() {
            older.retain(|line| line.seq < first.seq);
        }
        older.append(&mut self.all);
        self.all = older;
        self.more_before = more_before;
    }
}

/// What is asked for: at least this severe, and with this text in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filter {
    pub(super) level: Option<LogLevel>,
    pub(super) contains: String,
}

impl Filter {
    pub(super) fn admits(&self, line: &LogLine) -> bool {
        let severe = self.level.is_none_or(|level| line.level <= level);
        let wanted = self.contains.trim().to_lowercase();
        severe && (wanted.is_empty() || line.message.to_lowercase().contains(&wanted))
    }
}

/// The message in parts; every second one is what was looked for.
pub(super) fn parts<'a>(message: &'a str, wanted: &str) -> Vec<&'a str> {
    let wanted = wanted.trim();
    // Lower case may have another length in other alphabets, so only plain letters are looked for without case.
    if wanted.is_empty() || !wanted.is_ascii() || !message.is_ascii() {
        return vec![message];
    }
    let (lower, wanted) = (message.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, _) in lower.match_indices(&wanted) {
        parts.push(message.get(from..at).unwrap_or_default());
        parts.push(message.get(at..at + wanted.len()).unwrap_or_default());
        from = at + wanted.len();
    }
    parts.push(message.get(from..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seq: u64, level: LogLevel, message: &str) -> LogLine {
        LogLine {
            seq,
            at: 0,
            level,
            target: String::new(),
            message: message.into(),
            job: None,
            job_name: String::new(),
            run: None,
            attempt: 1,
            worker: String::new(),
            team: String::new(),
        }
    }

    #[test]
    fn a_repeated_line_is_shown_once() {
        let mut lines = Lines::default();
        for seq in [1, 2, 2, 1, 3] {
            lines.push(line(seq, LogLevel::Info, "x"));
        }
        let numbers: Vec<u64> = lines.all.iter().map(|line| line.seq).collect();
        assert_eq!(numbers, [1, 2, 3]);
    }

    #[test]
    fn a_long_tail_drops_its_oldest_lines() {
        let mut lines = Lines::default();
        for seq in 0..12_000 {
            lines.push(line(seq, LogLevel::Info, "x"));
        }
        assert!(lines.all.len() <= MOST);
        assert!(lines.more_before);
        assert_eq!(lines.all.last().map(|line| line.seq), Some(11_999));
    }

    #[test]
    fn older_lines_come_before_and_only_once() {
        let mut lines = Lines::default();
        lines.push(line(5, LogLevel::Info, "x"));
        lines.prepend(vec![line(3, LogLevel::Info, "x"), line(5, LogLevel::Info, "x")], false);
        let numbers: Vec<u64> = lines.all.iter().map(|line| line.seq).collect();
        assert_eq!(numbers, [3, 5]);
    }

    #[test]
    fn a_level_admits_what_is_worse() {
        let filter = Filter { level: Some(LogLevel::Warn), contains: "BROKER ".into() };
        assert!(filter.admits(&line(1, LogLevel::Error, "no broker")));
        assert!(!filter.admits(&line(1, LogLevel::Info, "broker up")));
        assert!(!filter.admits(&line(1, LogLevel::Warn, "slow")));
        assert!(Filter::default().admits(&line(1, LogLevel::Trace, "")));
    }

    #[test]
    fn hits_are_every_second_part() {
        assert_eq!(parts("No Broker, no broker", "broker"), ["No ", "Broker", ", no ", "broker", ""]);
        assert_eq!(parts("text", " "), ["text"]);
        assert_eq!(parts("Größe", "GRÖSSE"), ["Größe"]);
    }
}
