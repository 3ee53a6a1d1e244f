//! The bounded queues before a task.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow::array::Array;
use parking_lot::{Condvar, Mutex};

use super::event::{Barrier, Control};
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};

/// A queue takes another batch while it holds fewer rows and bytes than these.
const ROWS: usize = 16_384;
const BYTES: usize = 8 << 20;

/// Small batches that wait in one queue are joined up to this many rows.
const COALESCED_ROWS: usize = 8192;

pub(super) enum Message {
    Data(ChangeBatch),
    Watermark(i64),
    /// Do not wait for this sender's watermark until it sends one.
    Idle,
    Barrier(Barrier),
    End,
}

pub(super) enum Taken {
    Control(Control),
    Message { queue: usize, message: Message },
    Nothing,
}

/// Whether a sender waits for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pressure {
    Block,
    /// One thread runs all tasks: waiting would be for ever.
    Never,
}

/// All queues of one task. Control messages overtake data.
pub(super) struct Inbox {
    state: Mutex<State>,
    readable: Condvar,
    writable: Condvar,
    pressure: Pressure,
    cancelled: AtomicBool,
}

struct State {
    control: VecDeque<Control>,
    queues: Vec<Queue>,
    /// Where the search for the next message begins, so that no queue starves.
    next: usize,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Message>,
    rows: usize,
    bytes: usize,
    /// Its barrier came; the rest waits for the other queues.
    held: bool,
}

impl Inbox {
    pub(super) fn new(queues: usize, pressure: Pressure) -> Self {
        let queues = (0..queues).map(|_| Queue::default()).collect();
        Inbox {
            state: Mutex::new(State { control: VecDeque::new(), queues, next: 0 }),
            readable: Condvar::new(),
            writable: Condvar::new(),
            pressure,
            cancelled: AtomicBool::new(false),
        }
    }

    /// Puts a message into a queue and tells how long it had to wait for room. Only rows are bounded.
    pub(super) fn send(&self, queue: usize, message: Message) -> Result<Duration> {
        let mut waited = Duration::ZERO;
        let mut state = self.state.lock();
        if let Message::Data(batch) = &message {
            let bytes = batch_bytes(batch);
            let full =
                |state: &State| state.queues.get(queue).is_some_and(|queue| queue.rows >= ROWS || queue.bytes >= BYTES);
            if self.pressure == Pressure::Block && full(&state) {
                let since = Instant::now();
                while full(&state) && !self.is_cancelled() {
                    self.writable.wait_for(&mut state, Duration::from_millis(200));
                }
                waited = since.elapsed();
            }
            if let Some(queue) = state.queues.get_mut(queue) {
                queue.rows += batch.len();
                queue.bytes += bytes;
            }
        }
        if self.is_cancelled() {
            return Err(cancelled());
        }
        if let Some(queue) = state.queues.get_mut(queue) {
            queue.messages.push_back(message);
        }
        drop(state);
        self.readable.notify_one();
        Ok(waited)
    }

    pub(super) fn control(&self, control: Control) {
        self.state.lock().control.push_back(control);
        self.readable.notify_one();
    }

    pub(super) fn take_control(&self) -> Option<Control> {
        self.state.lock().control.pop_front()
    }

    /// The next control message or, from a queue that is not held, data. Waits at most `wait`.
    pub(super) fn take(&self, wait: Duration) -> Result<Taken> {
        let deadline = Instant::now() + wait;
        let mut state = self.state.lock();
        loop {
            if self.is_cancelled() {
                return Err(cancelled());
            }
            if let Some(control) = state.control.pop_front() {
                return Ok(Taken::Control(control));
            }
            if let Some((queue, message)) = state.pop(self.pressure == Pressure::Block)? {
                drop(state);
                self.writable.notify_all();
                return Ok(Taken::Message { queue, message });
            }
            if wait.is_zero() || self.readable.wait_until(&mut state, deadline).timed_out() {
                return Ok(Taken::Nothing);
            }
        }
    }

    /// Waits for a control message only.
    pub(super) fn wait_control(&self, wait: Duration) -> Option<Control> {
        let mut state = self.state.lock();
        if state.control.is_empty() && !wait.is_zero() && !self.is_cancelled() {
            self.readable.wait_for(&mut state, wait);
        }
        state.control.pop_front()
    }

    pub(super) fn hold(&self, queue: usize) {
        if let Some(queue) = self.state.lock().queues.get_mut(queue) {
            queue.held = true;
        }
    }

    pub(super) fn release_all(&self) {
        self.state.lock().queues.iter_mut().for_each(|queue| queue.held = false);
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        // Under the lock, so that nobody misses it between looking and waiting.
        let _state = self.state.lock();
        self.readable.notify_all();
        self.writable.notify_all();
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

impl State {
    fn pop(&mut self, coalesce: bool) -> Result<Option<(usize, Message)>> {
        let queues = self.queues.len();
        for step in 0..queues {
            let at = (self.next + step) % queues;
            let queue = &mut self.queues[at];
            if queue.held {
                continue;
            }
            let Some(message) = queue.messages.pop_front() else { continue };
            self.next = at + 1;
            let Message::Data(batch) = message else { return Ok(Some((at, message))) };
            queue.took(&batch);
            let batch = if coalesce { queue.joined(batch)? } else { batch };
            return Ok(Some((at, Message::Data(batch))));
        }
        Ok(None)
    }
}

impl Queue {
    fn took(&mut self, batch: &ChangeBatch) {
        self.rows = self.rows.saturating_sub(batch.len());
        self.bytes = self.bytes.saturating_sub(batch_bytes(batch));
    }

    /// `first` with the batches right behind it, while they stay small.
    fn joined(&mut self, first: ChangeBatch) -> Result<ChangeBatch> {
        let mut rows = first.len();
        let mut batches = vec![first];
        while let Some(Message::Data(next)) = self.messages.front() {
            if rows + next.len() > COALESCED_ROWS {
                break;
            }
            rows += next.len();
            if let Some(Message::Data(next)) = self.messages.pop_front() {
                self.took(&next);
                batches.push(next);
            }
        }
        if batches.len() == 1 {
            return batches.pop().ok_or_else(|| EngineError::internal("a batch went missing"));
        }
        let schema = batches[0].rows.schema();
        let joined = arrow::compute::concat_batches(&schema, batches.iter().map(|batch| &batch.rows))?;
        if batches.iter().all(|batch| batch.kinds.is_none()) {
            return Ok(ChangeBatch::inserts(joined));
        }
        let kinds = batches.iter().flat_map(|batch| (0..batch.len()).map(|row| batch.kind(row))).collect();
        Ok(ChangeBatch::with_kinds(joined, kinds))
    }
}

/// Bytes of the rows themselves, not of the buffers that they are slices of.
pub(super) fn batch_bytes(batch: &ChangeBatch) -> usize {
    let size = |column: &std::sync::Arc<dyn Array>| column.to_data().get_slice_memory_size().unwrap_or(0);
    batch.rows.columns().iter().map(size).sum::<usize>() + batch.kinds.as_ref().map_or(0, |kinds| kinds.len())
}

/// How a task learns that the run is over; never shown.
pub(super) fn cancelled() -> EngineError {
    EngineError { code: "cancelled", ..EngineError::internal("the run was cancelled") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_held_queue_waits_while_others_go_on() {
        let inbox = Inbox::new(2, Pressure::Never);
        inbox.send(0, Message::Watermark(1)).unwrap();
        inbox.send(1, Message::Watermark(2)).unwrap();
        inbox.hold(0);
        assert!(matches!(inbox.take(Duration::ZERO).unwrap(), Taken::Message { queue: 1, .. }));
        assert!(matches!(inbox.take(Duration::ZERO).unwrap(), Taken::Nothing));
        inbox.release_all();
        assert!(matches!(inbox.take(Duration::ZERO).unwrap(), Taken::Message { queue: 0, .. }));
    }

    #[test]
    fn cancelling_wakes_who_waits() {
        let inbox = std::sync::Arc::new(Inbox::new(1, Pressure::Block));
        let waiting = {
            let inbox = inbox.clone();
            std::thread::spawn(move || inbox.take(Duration::from_secs(60)).is_err())
        };
        inbox.cancel();
        assert!(waiting.join().unwrap());
    }
}
