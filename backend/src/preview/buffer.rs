//! The events of one preview, kept whole so that a late reader sees them from the start. Bounded by the row limit and
//! by bytes.

use std::sync::Arc;
use std::time::Instant;

use millrace_wire::preview::{PreviewEvent, PreviewProgress, ResultColumn};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::is_last;

/// What rows may take, as JSON. Beyond it the preview ends as if the row limit was reached.
const MOST_BYTES: usize = 32 * 1024 * 1024;

pub(super) struct Buffer {
    content: Mutex<Content>,
    /// Number of events so far; changes wake readers.
    length: watch::Sender<usize>,
    planned: watch::Sender<Option<(Vec<ResultColumn>, String)>>,
}

struct Content {
    events: Vec<Arc<str>>,
    bytes: usize,
    /// The newest report, for an end that the process does not tell itself.
    progress: Option<PreviewProgress>,
    over: bool,
    readers: usize,
    unread_since: Instant,
}

impl Default for Buffer {
    fn default() -> Self {
        Buffer {
            content: Mutex::new(Content {
                events: Vec::new(),
                bytes: 0,
                progress: None,
                over: false,
                readers: 0,
                unread_since: Instant::now(),
            }),
            length: watch::Sender::new(0),
            planned: watch::Sender::new(None),
        }
    }
}

impl Buffer {
    /// False when the buffer is full or over; the event was dropped then.
    pub(super) fn push(&self, event: &PreviewEvent) -> bool {
        let Ok(json) = serde_json::to_string(event) else { return false };
        let mut content = self.content.lock();
        let last = is_last(event);
        if content.over || (content.bytes + json.len() > MOST_BYTES && !last) {
            return false;
        }
        if let PreviewEvent::Progress { progress } = event {
            content.progress = Some(progress.clone());
        }
        content.bytes += json.len();
        content.over = last;
        content.events.push(json.into());
        let length = content.events.len();
        drop(content);
        if last {
            self.plan(Vec::new(), String::new());
        }
        self.length.send_replace(length);
        true
    }

    /// The first plan counts: an end without one only frees whoever waits.
    pub(super) fn plan(&self, columns: Vec<ResultColumn>, note: String) {
        self.planned.send_if_modified(|planned| {
            let first = planned.is_none();
            if first {
                *planned = Some((columns, note));
            }
            first
        });
    }

    pub(super) async fn planned(&self) -> (Vec<ResultColumn>, String) {
        let mut planned = self.planned.subscribe();
        match planned.wait_for(Option::is_some).await {
            Ok(found) => found.clone().unwrap_or_default(),
            Err(_) => Default::default(),
        }
    }

    pub(super) fn progress(&self) -> Option<PreviewProgress> {
        self.content.lock().progress.clone()
    }

    pub(super) fn events(&self) -> Vec<Arc<str>> {
        self.content.lock().events.clone()
    }

    pub(super) fn is_over(&self) -> bool {
        self.content.lock().over
    }

    /// How long nobody has been reading.
    pub(super) fn unread_for(&self) -> std::time::Duration {
        let content = self.content.lock();
        if content.readers > 0 { std::time::Duration::ZERO } else { content.unread_since.elapsed() }
    }

    pub(super) fn read(self: &Arc<Self>) -> Reader {
        self.content.lock().readers += 1;
        Reader { buffer: self.clone(), next: 0, length: self.length.subscribe() }
    }
}

/// One browser that reads a preview.
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
                let content = self.buffer.content.lock();
                if let Some(event) = content.events.get(self.next) {
                    let number = self.next;
                    self.next += 1;
                    return Some((number, event.clone()));
                }
                content.over
            };
            if over || self.length.changed().await.is_err() {
                return None;
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut content = self.buffer.content.lock();
        content.readers = content.readers.saturating_sub(1);
        content.unread_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use millrace_wire::preview::{PreviewRow, RowKind};

    fn rows(value: i64) -> PreviewEvent {
        PreviewEvent::Rows { rows: vec![PreviewRow { kind: RowKind::Insert, values: vec![value.into()] }] }
    }

    fn end() -> PreviewEvent {
        let progress = PreviewProgress { elapsed_ms: 1, records_read: 1, rows: 1, waiting_for: String::new() };
        PreviewEvent::End { reason: "finished".into(), progress }
    }

    #[tokio::test]
    async fn a_late_reader_sees_all_and_then_the_end() {
        let buffer = Arc::new(Buffer::default());
        assert!(buffer.push(&rows(1)));
        let mut early = buffer.read();
        assert!(early.next().await.unwrap().1.contains("[1]"));
        assert!(buffer.push(&rows(2)));
        assert!(buffer.push(&end()));
        assert!(!buffer.push(&rows(3)));
        for mut reader in [early, buffer.read().after(Some(0))] {
            assert!(reader.next().await.unwrap().1.contains("[2]"));
            assert!(reader.next().await.unwrap().1.contains("finished"));
            assert!(reader.next().await.is_none());
        }
    }

    #[tokio::test]
    async fn an_end_without_a_plan_frees_whoever_waits() {
        let buffer = Arc::new(Buffer::default());
        buffer.push(&end());
        assert_eq!(buffer.planned().await, (vec![], String::new()));
    }

    #[test]
    fn readers_are_counted() {
        let buffer = Arc::new(Buffer::default());
        let reader = buffer.read();
        assert_eq!(buffer.unread_for(), std::time::Duration::ZERO);
        drop(reader);
        std::thread::yield_now();
        assert!(buffer.unread_for() > std::time::Duration::ZERO);
    }
}
