//! Stack traces kept together: a line that continues the one before it belongs to the same event.
//!
//! Lines continue each other within one stream, one target and one attempt, at most five seconds apart: other lines may stand in
//! between, since many threads write. The first line of an error is held until the next line that begins something, or until a
//! commit, because its fingerprint takes in the frames that follow.

use std::collections::HashMap;
use std::sync::Arc;

use millrace_wire::log::LogLevel;

use crate::fingerprint::{fingerprint, frame, is_panic_place};
use crate::line::{Line, Stream};
use crate::source::Address;

/// Milliseconds between two lines of one event.
const PATIENCE: i64 = 5_000;
/// Lines of one event; what comes after begins a new one.
const MOST_LINES: usize = 1_000;
/// Events that are remembered at once.
const MOST_OPEN: usize = 20_000;

/// A line with its place among others.
pub(crate) struct Placed {
    pub(crate) line: Arc<Line>,
    /// `None` for a line that is in the index already.
    pub(crate) address: Option<Address>,
    pub(crate) event: Option<u64>,
    pub(crate) fingerprint: Option<u64>,
}

#[derive(Default)]
pub(crate) struct Assembler {
    open: HashMap<(Stream, String), Event>,
}

struct Event {
    head: u64,
    attempt: u32,
    last_at: i64,
    last_seq: u64,
    lines: usize,
    /// The last line says where a panic was; the next one says what.
    awaits_message: bool,
    held: Option<Held>,
}

struct Held {
    line: Arc<Line>,
    address: Option<Address>,
    following: Vec<Arc<Line>>,
}

impl Assembler {
    /// Takes the next line; what is ready goes to `out`. Gives the number of the line that this one continues.
    pub(crate) fn take(&mut self, line: &Arc<Line>, address: Option<Address>, out: &mut Vec<Placed>) -> Option<u64> {
        let key = (line.stream.clone(), line.target.clone());
        if let Some(event) = self.open.get_mut(&key).filter(|event| event.is_continued_by(line)) {
            event.last_at = line.at;
            event.last_seq = line.seq;
            event.lines += 1;
            event.awaits_message = false;
            if let Some(held) = &mut event.held {
                held.following.push(line.clone());
            }
            out.push(Placed { line: line.clone(), address, event: Some(event.head), fingerprint: None });
            return Some(event.head);
        }
        let held = may_be_an_error(line).then(|| Held { line: line.clone(), address, following: Vec::new() });
        if held.is_none() {
            out.push(Placed { line: line.clone(), address, event: None, fingerprint: None });
        }
        let event = Event {
            head: line.seq,
            attempt: line.attempt,
            last_at: line.at,
            last_seq: line.seq,
            lines: 1,
            awaits_message: line.message.lines().next_back().is_some_and(is_panic_place),
            held,
        };
        if let Some(held) = self.open.insert(key, event).and_then(|before| before.held) {
            out.push(held.placed());
        }
        if self.open.len() > MOST_OPEN {
            self.release(out);
            self.open.clear();
        }
        None
    }

    /// Gives out all lines that are held. Lines that come later still find the event they continue.
    pub(crate) fn release(&mut self, out: &mut Vec<Placed>) {
        out.extend(self.open.values_mut().filter_map(|event| event.held.take()).map(Held::placed));
    }
}

impl Event {
    fn is_continued_by(&self, line: &Line) -> bool {
        let near = line.attempt == self.attempt
            && line.seq > self.last_seq
            && (0..=PATIENCE).contains(&line.at.saturating_sub(self.last_at))
            && self.lines < MOST_LINES;
        near && (self.awaits_message || continues(&line.message))
    }
}

impl Held {
    fn placed(self) -> Placed {
        let following = self.following.iter().map(|line| line.message.as_str());
        let has_frames = self.line.message.lines().any(|line| frame(line).is_some())
            || self.following.iter().any(|line| frame(&line.message).is_some());
        let counts = self.line.level == LogLevel::Error || is_panic(&self.line.message) || has_frames;
        let fingerprint = if counts { fingerprint(&self.line.message, following) } else { None };
        Placed { line: self.line, address: self.address, event: None, fingerprint }
    }
}

fn may_be_an_error(line: &Line) -> bool {
    line.level <= LogLevel::Warn || is_panic(&line.message)
}

fn is_panic(message: &str) -> bool {
    message.lines().next().is_some_and(|line| line.contains("panicked at "))
}

/// Whether a text goes on with a stack trace, or is set in as such lines are.
fn continues(message: &str) -> bool {
    let set_in = message.starts_with([' ', '\t']) && !message.trim().is_empty();
    let text = message.trim_start();
    let is_frame = text.strip_prefix("at ").is_some_and(|rest| rest.contains('(') || rest.contains(".rs:"));
    let is_more = text.strip_prefix("... ").is_some_and(|rest| rest.ends_with(" more"));
    set_in
        || is_frame
        || is_more
        || [
            "Caused by:",
            "Suppressed:",
            "stack backtrace:",
            "note: run with `RUST_BACKTRACE",
            "note: Some details are omitted",
        ]
        .iter()
        .any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use millrace_wire::ids::RunId;

    use super::*;
    use crate::line::Source;

    fn line(seq: u64, target: &str, level: LogLevel, message: &str) -> Arc<Line> {
        Arc::new(Line {
            stream: Stream::Run(RunId(uuid::Uuid::nil())),
            seq,
            at: i64::try_from(seq).unwrap() * 10,
            level,
            source: Source::Worker,
            organisation: String::new(),
            team: "shop".into(),
            job: None,
            job_name: String::new(),
            attempt: 1,
            worker: String::new(),
            operator: String::new(),
            version: String::new(),
            target: target.into(),
            message: message.into(),
        })
    }

    /// Every line with the head it belongs to, in order of numbers, and the fingerprints of heads.
    fn place(lines: &[Arc<Line>]) -> Vec<(u64, Option<u64>, bool)> {
        let mut assembler = Assembler::default();
        let mut out = Vec::new();
        for line in lines {
            assembler.take(line, None, &mut out);
        }
        assembler.release(&mut out);
        let mut placed: Vec<_> =
            out.iter().map(|placed| (placed.line.seq, placed.event, placed.fingerprint.is_some())).collect();
        placed.sort_unstable();
        placed
    }

    #[test]
    fn a_java_exception_is_one_event_though_others_write_in_between() {
        let lines = [
            line(1, "stderr", LogLevel::Error, "java.io.IOException: no such topic"),
            line(2, "engine", LogLevel::Info, "checkpoint 7 begins"),
            line(3, "stderr", LogLevel::Error, "\tat org.a.B.c(B.java:12)"),
            line(4, "stderr", LogLevel::Error, "Caused by: java.net.SocketException"),
            line(5, "stderr", LogLevel::Error, "\t... 12 more"),
            line(6, "stderr", LogLevel::Error, "another error"),
        ];
        let placed = place(&lines);
        let heads: Vec<_> = placed.iter().map(|(_, head, _)| *head).collect();
        assert_eq!(heads, [None, None, Some(1), Some(1), Some(1), None]);
        let fingerprints: Vec<_> = placed.iter().map(|(_, _, has)| *has).collect();
        assert_eq!(fingerprints, [true, false, false, false, false, true]);
    }

    #[test]
    fn a_rust_panic_takes_its_message_and_backtrace() {
        let lines = [
            line(1, "stderr", LogLevel::Info, "thread 'main' panicked at src/main.rs:4:5:"),
            line(2, "stderr", LogLevel::Info, "index out of range"),
            line(3, "stderr", LogLevel::Info, "stack backtrace:"),
            line(4, "stderr", LogLevel::Info, "   0: app::run"),
            line(5, "stderr", LogLevel::Info, "             at ./src/main.rs:4:5"),
            line(6, "stderr", LogLevel::Info, "note: run with `RUST_BACKTRACE=1`"),
            line(7, "stderr", LogLevel::Info, "bye"),
        ];
        let heads: Vec<_> = place(&lines).iter().map(|(_, head, _)| *head).collect();
        assert_eq!(heads, [None, Some(1), Some(1), Some(1), Some(1), Some(1), None]);
        assert!(place(&lines)[0].2);
    }

    #[test]
    fn a_late_line_or_one_of_another_attempt_begins_anew() {
        let mut late = Line::clone(&line(2, "stderr", LogLevel::Error, "  at org.a.B.c(B.java:1)"));
        late.at = 10 + PATIENCE + 1;
        let head = line(1, "stderr", LogLevel::Error, "boom");
        assert_eq!(place(&[head.clone(), Arc::new(late.clone())])[1].1, None);
        late.at = 20;
        assert_eq!(place(&[head.clone(), Arc::new(late.clone())])[1].1, Some(1));
        late.attempt = 2;
        assert_eq!(place(&[head, Arc::new(late)])[1].1, None);
    }
}
