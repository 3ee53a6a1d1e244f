//! Reports that wait to be stored by the server.

use std::collections::VecDeque;

use millrace_wire::link::{FromWorker, LINK_VERSION, Report, WorkerState};
use millrace_wire::log::LogLine;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Log lines that wait for the link at most; beyond it the oldest go.
const LINES: usize = 20_000;
/// Log lines in one report.
const LINES_PER_REPORT: usize = 500;
/// Reports of figures and of lines that wait at most; what happened is kept without limit.
const PASSING: usize = 120;
/// Reports of bad records that wait at most, each of about a megabyte.
const BAD_RECORDS: usize = 4;

/// Numbered reports until they are acknowledged. Figures and lines may be dropped when the link is away for long; states
/// and checkpoints never are.
#[derive(Default)]
pub struct Outbox {
    inner: Mutex<Inner>,
    /// For the one who sends: remembers a call that came while it was busy.
    changed: Notify,
    /// For the one who waits for acknowledgements.
    acknowledged: Notify,
}

#[derive(Default)]
struct Inner {
    last: u64,
    waiting: VecDeque<FromWorker>,
    acknowledged: u64,
    lines: VecDeque<LogLine>,
    dropped_lines: u64,
    line_number: u64,
    state: Option<WorkerState>,
}

impl Outbox {
    /// Numbers a report and keeps it. Returns its number.
    pub fn report(&self, report: Report) -> u64 {
        let mut inner = self.inner.lock();
        if let Report::State(state) = &report {
            inner.state = Some(state.clone());
        }
        inner.push(report);
        let number = inner.last;
        drop(inner);
        self.changed.notify_one();
        number
    }

    /// Whether there is room for another report of bad records.
    pub(super) fn takes_bad_records(&self) -> bool {
        let inner = self.inner.lock();
        let waiting = inner.waiting.iter().filter(|frame| matches!(frame.report, Report::BadRecords(_)));
        waiting.count() < BAD_RECORDS
    }

    /// The state that was reported last.
    pub fn state(&self) -> WorkerState {
        self.inner.lock().state.clone().unwrap_or(WorkerState::Waiting)
    }

    pub(super) fn log(&self, mut line: LogLine) {
        let mut inner = self.inner.lock();
        inner.line_number += 1;
        line.seq = inner.line_number;
        inner.lines.push_back(line);
        if inner.lines.len() > LINES {
            inner.lines.pop_front();
            inner.dropped_lines += 1;
        }
    }

    /// Puts waiting lines into reports.
    pub(super) fn flush_lines(&self) {
        let mut inner = self.inner.lock();
        let mut flushed = false;
        while !inner.lines.is_empty() {
            let count = inner.lines.len().min(LINES_PER_REPORT);
            let mut lines: Vec<LogLine> = inner.lines.drain(..count).collect();
            if inner.dropped_lines > 0
                && let Some(first) = lines.first_mut()
            {
                first.message =
                    format!("[{} lines before this one were dropped] {}", inner.dropped_lines, first.message);
                inner.dropped_lines = 0;
            }
            inner.push(Report::Logs { lines });
            flushed = true;
        }
        drop(inner);
        if flushed {
            self.changed.notify_one();
        }
    }

    /// Everything after `sent` that is not acknowledged.
    pub(super) fn after(&self, sent: u64) -> Vec<FromWorker> {
        self.inner.lock().waiting.iter().filter(|frame| frame.seq > sent).cloned().collect()
    }

    /// A heartbeat, which is not kept, behind everything after `sent`: its acknowledgement must not cover a report that
    /// was numbered before it and not sent yet.
    pub(super) fn heartbeat(&self, at: i64, sent: u64) -> Vec<FromWorker> {
        let mut inner = self.inner.lock();
        inner.last += 1;
        let beat = FromWorker { v: LINK_VERSION, seq: inner.last, report: Report::Heartbeat { at } };
        let before = inner.waiting.iter().filter(|frame| frame.seq > sent).cloned();
        before.chain([beat]).collect()
    }

    pub(super) fn acknowledge(&self, seq: u64) {
        let mut inner = self.inner.lock();
        inner.acknowledged = inner.acknowledged.max(seq);
        inner.waiting.retain(|frame| frame.seq > seq);
        drop(inner);
        self.acknowledged.notify_one();
    }

    /// Resolves when something was added since this last resolved.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Resolves when the server has stored the report.
    pub(super) async fn acknowledged(&self, seq: u64) {
        while self.inner.lock().acknowledged < seq {
            self.acknowledged.notified().await;
        }
    }
}

impl Inner {
    fn push(&mut self, report: Report) {
        self.last += 1;
        self.waiting.push_back(FromWorker { v: LINK_VERSION, seq: self.last, report });
        let passing = |frame: &FromWorker| matches!(frame.report, Report::Metrics(_) | Report::Logs { .. });
        if self.waiting.iter().filter(|frame| passing(frame)).count() > PASSING
            && let Some(oldest) = self.waiting.iter().position(passing)
        {
            self.waiting.remove(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_bad_records_are_few_until_they_are_acknowledged() {
        let outbox = Outbox::default();
        let numbers: Vec<u64> = (0..BAD_RECORDS)
            .map(|_| {
                assert!(outbox.takes_bad_records());
                outbox.report(Report::BadRecords(millrace_wire::bad_record::BadRecordReport::default()))
            })
            .collect();
        assert!(!outbox.takes_bad_records());
        outbox.acknowledge(numbers.first().copied().unwrap_or_default());
        assert!(outbox.takes_bad_records());
    }

    #[test]
    fn a_heartbeat_never_overtakes_a_report() {
        let outbox = Outbox::default();
        let first = outbox.report(Report::State(WorkerState::Waiting));
        let frames = outbox.heartbeat(0, 0);
        let numbers: Vec<u64> = frames.iter().map(|frame| frame.seq).collect();
        assert_eq!(numbers, [first, first + 1]);
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again_and_states_are_never_dropped() {
        let outbox = Outbox::default();
        let state = outbox.report(Report::State(WorkerState::Finished));
        for _ in 0..1000 {
            outbox.report(Report::Logs { lines: Vec::new() });
        }
        let waiting = outbox.after(0);
        assert!(waiting.len() <= PASSING + 1, "{}", waiting.len());
        assert_eq!(waiting.first().map(|frame| frame.seq), Some(state));
        outbox.acknowledge(state);
        assert!(outbox.after(0).iter().all(|frame| frame.seq > state));
    }
}
