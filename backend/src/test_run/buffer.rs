//! What one test run has said: as events, so that a late reader sees them from the start, and put together.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_wire::test_run::{InputRange, TestRunEvent};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::store::test_run::{Captured, Outcome};

/// What rows may take, as JSON. Beyond it changes are counted only.
const MOST_BYTES: usize = 8 * 1024 * 1024;

pub(super) struct Buffer {
    inner: Mutex<Inner>,
    /// Number of events so far; changes wake readers.
    length: watch::Sender<usize>,
    planned: watch::Sender<bool>,
}

#[derive(Default)]
struct Inner {
    events: Vec<Arc<str>>,
    bytes: usize,
    outcome: Outcome,
    captured: Captured,
    /// What is read of each table, where that was settled. Not stored: a folder may hold very many files.
    ranges: BTreeMap<String, InputRange>,
    over: bool,
}

impl Default for Buffer {
    fn default() -> Self {
        Buffer { inner: Mutex::default(), length: watch::Sender::new(0), planned: watch::Sender::new(false) }
    }
}

impl Buffer {
    pub(super) fn push(&self, event: &TestRunEvent) {
        let Ok(json) = serde_json::to_string(event) else { return };
        let mut inner = self.inner.lock();
        if inner.over || !inner.take(event, json.len()) {
            return;
        }
        inner.over = is_last(event);
        inner.events.push(json.into());
        let length = inner.events.len();
        drop(inner);
        if is_last(event) || matches!(event, TestRunEvent::Planned { .. }) {
            self.planned.send_replace(true);
        }
        self.length.send_replace(length);
    }

    /// Returns also when it ended without a plan.
    pub(super) async fn planned(&self) {
        let _ = self.planned.subscribe().wait_for(|planned| *planned).await;
    }

    pub(super) fn is_over(&self) -> bool {
        self.inner.lock().over
    }

    pub(super) fn content(&self) -> (Outcome, Captured) {
        let inner = self.inner.lock();
        (inner.outcome.clone(), inner.captured.clone())
    }

    pub(super) fn ranges(&self) -> BTreeMap<String, InputRange> {
        self.inner.lock().ranges.clone()
    }

    pub(super) fn read(self: &Arc<Self>) -> Reader {
        Reader { buffer: self.clone(), next: 0, length: self.length.subscribe() }
    }
}

impl Inner {
    /// False when nobody is told: there is no room for the event's rows, or it is not for readers.
    fn take(&mut self, event: &TestRunEvent, bytes: usize) -> bool {
        match event {
            // For the run that is to read the same; nothing for those who watch.
            TestRunEvent::Settled { ranges } => {
                self.ranges.clone_from(ranges);
                return false;
            }
            TestRunEvent::Planned { sinks, sources } => {
                self.captured.rows = vec![Vec::new(); sinks.len()];
                (self.outcome.sinks, self.outcome.sources) = (sinks.clone(), sources.clone());
            }
            TestRunEvent::Rows { sink, rows } => {
                if self.bytes + bytes > MOST_BYTES {
                    return false;
                }
                self.bytes += bytes;
                let at = *sink as usize;
                let (Some(kept), Some(facts)) = (self.captured.rows.get_mut(at), self.outcome.sinks.get_mut(at)) else {
                    return false;
                };
                kept.extend(rows.iter().cloned());
                facts.kept = kept.len() as u64;
                facts.changes = facts.changes.max(facts.kept);
            }
            TestRunEvent::Inputs { rows } => {
                if self.bytes + bytes > MOST_BYTES {
                    return false;
                }
                self.bytes += bytes;
                self.captured.inputs.clone_from(rows);
            }
            TestRunEvent::Progress { progress } | TestRunEvent::End { progress, .. } => {
                self.outcome.records_read = progress.records_read;
                for (sink, changes) in self.outcome.sinks.iter_mut().zip(&progress.changes) {
                    sink.changes = *changes;
                }
            }
            TestRunEvent::Failed { diagnostic } => self.outcome.diagnostic = Some(diagnostic.clone()),
        }
        true
    }
}

/// The last event of every test run is one of these.
pub(super) fn is_last(event: &TestRunEvent) -> bool {
    matches!(event, TestRunEvent::End { .. } | TestRunEvent::Failed { .. })
}

/// One browser that reads a test run.
pub struct Reader {
    buffer: Arc<Buffer>,
    next: usize,
    length: watch::Receiver<usize>,
}

impl Reader {
    /// Goes on after the event with this number.
    #[must_use]
    pub fn after(mut self, seen: Option<usize>) -> Reader {
        self.next = seen.map_or(0, |seen| seen.saturating_add(1));
        self
    }

    /// Number and JSON of the next event; `None` after the last one.
    pub async fn next(&mut self) -> Option<(usize, Arc<str>)> {
        loop {
            let over = {
                let inner = self.buffer.inner.lock();
                if let Some(event) = inner.events.get(self.next) {
                    let number = self.next;
                    self.next += 1;
                    return Some((number, event.clone()));
                }
                inner.over
            };
            if over || self.length.changed().await.is_err() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use millrace_wire::preview::{PreviewRow, RowKind};
    use millrace_wire::test_run::{TestRunProgress, TestRunSink};

    use super::*;

    fn planned() -> TestRunEvent {
        let sink = TestRunSink {
            table: "main.out".to_owned(),
            connector: "kafka".to_owned(),
            columns: Vec::new(),
            words: String::new(),
            changes: 0,
            kept: 0,
            target: None,
        };
        TestRunEvent::Planned { sinks: vec![sink], sources: Vec::new() }
    }

    fn rows(value: &str) -> TestRunEvent {
        let row = PreviewRow { kind: RowKind::Insert, values: vec![value.into()] };
        TestRunEvent::Rows { sink: 0, rows: vec![row] }
    }

    fn end(changes: u64) -> TestRunEvent {
        let progress =
            TestRunProgress { elapsed_ms: 1, records_read: 9, changes: vec![changes], waiting_for: String::new() };
        TestRunEvent::End { reason: "finished".to_owned(), progress }
    }

    #[tokio::test]
    async fn a_late_reader_sees_all_and_the_counts_go_beyond_what_is_kept() {
        let buffer = Arc::new(Buffer::default());
        for event in [planned(), rows("a"), rows("b"), end(7), rows("never")] {
            buffer.push(&event);
        }
        let mut reader = buffer.read().after(Some(0));
        let mut seen = 0;
        while reader.next().await.is_some() {
            seen += 1;
        }
        assert_eq!(seen, 3);
        let (outcome, captured) = buffer.content();
        assert_eq!((outcome.sinks[0].kept, outcome.sinks[0].changes, outcome.records_read), (2, 7, 9));
        assert_eq!(captured.rows[0].len(), 2);
    }

    #[test]
    fn beyond_its_bytes_rows_are_left_out() {
        let buffer = Buffer::default();
        buffer.push(&planned());
        buffer.push(&rows(&"x".repeat(MOST_BYTES)));
        buffer.push(&rows("small"));
        buffer.push(&end(2));
        let (outcome, captured) = buffer.content();
        assert_eq!((captured.rows[0].len(), outcome.sinks[0].changes), (1, 2));
    }
}
