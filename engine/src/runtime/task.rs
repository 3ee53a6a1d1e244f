//! One subtask of a chain.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::chain::{Fan, Link, SendBarrier};
use super::event::{Barrier, Control, TaskEvent};
use super::inbox::{Inbox, Message, Taken, cancelled};
use super::source_head::{Phase, SourceHead};
use crate::change::ChangeBatch;
use crate::checkpoint::Part;
use crate::error::Result;
use crate::time::watermark::{Advance, InputWatermarks};

/// How often state is looked through for what has expired.
const EXPIRE_AFTER: Duration = Duration::from_secs(1);

/// How often answers from outside are looked for while rows wait for them.
const POLL: Duration = Duration::from_millis(1);

pub(super) struct Task {
    pub(super) index: usize,
    /// Number among the subtasks of its chain.
    pub(super) subtask: usize,
    pub(super) name: String,
    pub(super) head: Head,
    pub(super) inbox: Arc<Inbox>,
    pub(super) events: Sender<TaskEvent>,
    /// When state was looked through last. Operators learn the time before their first row.
    pub(super) expired: Option<Instant>,
    pub(super) closed: bool,
}

// One per task, never moved about: the size of the variants does not matter.
#[allow(clippy::large_enum_variant)]
pub(super) enum Head {
    Source { source: SourceHead, next: Fan },
    Queues(Queues),
}

/// The receiving side of a task.
pub(super) struct Queues {
    pub(super) first: Box<Link>,
    /// Logical input of each queue.
    pub(super) input_of: Vec<usize>,
    pub(super) watermarks: InputWatermarks,
    pub(super) state: Vec<QueueState>,
    /// A barrier that was announced or has come in some queue.
    pub(super) barrier: Option<Barrier>,
    /// The checkpoint that was snapshotted last.
    pub(super) snapshotted: u64,
    pub(super) end_sent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueueState {
    Open,
    /// Its barrier came.
    Aligned,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Worked,
    Nothing,
    Closed,
}

impl Task {
    /// Does one piece of work, waiting for it at most `wait`.
    pub(super) fn step(&mut self, wait: Duration) -> Result<Progress> {
        if self.closed {
            return Ok(Progress::Closed);
        }
        if self.inbox.is_cancelled() {
            return Err(cancelled());
        }
        self.expire()?;
        match &self.head {
            Head::Source { source, .. } => {
                let phase = source.phase;
                self.step_source(phase, wait)
            }
            Head::Queues(_) => self.step_queues(wait),
        }
    }

    pub(super) fn is_source(&self) -> bool {
        matches!(self.head, Head::Source { .. })
    }

    fn step_source(&mut self, phase: Phase, wait: Duration) -> Result<Progress> {
        let control = if phase == Phase::Reading { self.inbox.take_control() } else { self.inbox.wait_control(wait) };
        if let Some(control) = control {
            return self.control(control);
        }
        let Head::Source { source, next } = &mut self.head else { return Ok(Progress::Nothing) };
        if phase != Phase::Reading {
            return Ok(Progress::Nothing);
        }
        let worked = source.read(wait, next)?;
        if !worked {
            next.quiet()?;
        }
        if source.phase == Phase::Ended {
            self.report_end();
        }
        Ok(if worked { Progress::Worked } else { Progress::Nothing })
    }

    fn step_queues(&mut self, wait: Duration) -> Result<Progress> {
        match self.inbox.take(Duration::ZERO)? {
            Taken::Nothing => {}
            taken => return self.taken(taken),
        }
        let mut waits = false;
        if let Head::Queues(queues) = &mut self.head {
            waits = queues.first.poll()?;
            queues.first.quiet()?;
        }
        let taken = self.inbox.take(if waits { POLL } else { wait })?;
        match self.taken(taken)? {
            // What is awaited from outside is work as well.
            Progress::Nothing if waits => Ok(Progress::Worked),
            progress => Ok(progress),
        }
    }

    fn taken(&mut self, taken: Taken) -> Result<Progress> {
        match taken {
            Taken::Nothing => Ok(Progress::Nothing),
            Taken::Control(control) => self.control(control),
            Taken::Message { queue, message } => {
                self.message(queue, message)?;
                Ok(Progress::Worked)
            }
        }
    }

    fn message(&mut self, queue: usize, message: Message) -> Result<()> {
        let Head::Queues(queues) = &mut self.head else { return Ok(()) };
        match message {
            Message::Data(batch) => queues.rows(queue, batch),
            Message::Watermark(watermark) => {
                let advance = queues.watermarks.watermark(queue, watermark);
                queues.advance(advance)
            }
            Message::Idle => {
                let advance = queues.watermarks.idle(queue);
                queues.advance(advance)
            }
            Message::Barrier(barrier) => {
                queues.barrier = Some(barrier);
                queues.set(queue, QueueState::Aligned);
                self.inbox.hold(queue);
                self.align()
            }
            Message::End => {
                let advance = queues.watermarks.end(queue);
                queues.advance(advance)?;
                queues.set(queue, QueueState::Ended);
                let ended = queues.all_ended();
                self.align()?;
                if ended {
                    if let Head::Queues(queues) = &mut self.head {
                        queues.end_sent = true;
                        queues.first.end()?;
                    }
                    self.report_end();
                }
                Ok(())
            }
        }
    }

    /// Snapshots when every queue has delivered its barrier or ended.
    fn align(&mut self) -> Result<()> {
        let Head::Queues(queues) = &mut self.head else { return Ok(()) };
        let Some(barrier) = queues.barrier else { return Ok(()) };
        if queues.state.contains(&QueueState::Open) {
            return Ok(());
        }
        let send = if queues.end_sent { SendBarrier::No } else { SendBarrier::Yes };
        queues.barrier = None;
        queues.snapshotted = barrier.checkpoint;
        queues
            .state
            .iter_mut()
            .filter(|state| **state == QueueState::Aligned)
            .for_each(|state| *state = QueueState::Open);
        let mut parts = Vec::new();
        queues.first.barrier(barrier, send, self.subtask, &mut parts)?;
        self.inbox.release_all();
        self.report_snapshot(barrier, parts, Vec::new());
        Ok(())
    }

    fn control(&mut self, control: Control) -> Result<Progress> {
        match control {
            Control::Barrier(barrier) => self.barrier(barrier)?,
            Control::Complete(checkpoint) => {
                if let Head::Source { source, .. } = &mut self.head {
                    source.complete(checkpoint)?;
                }
                self.commit(checkpoint)?;
            }
            Control::Drain => {
                if let Head::Source { source, next } = &mut self.head
                    && source.phase == Phase::Reading
                {
                    source.end(next)?;
                    self.report_end();
                }
            }
            Control::Close => {
                self.close()?;
                self.closed = true;
                let _ = self.events.send(TaskEvent::Closed { task: self.index });
                return Ok(Progress::Closed);
            }
        }
        Ok(Progress::Worked)
    }

    fn barrier(&mut self, barrier: Barrier) -> Result<()> {
        match &mut self.head {
            Head::Source { source, next } => {
                let send = if source.phase == Phase::Ended { SendBarrier::No } else { SendBarrier::Yes };
                let part = source.snapshot(barrier);
                let positions =
                    part.splits.iter().map(|(split, position, _)| (split.clone(), position.clone())).collect();
                let (node, task) = (Arc::clone(&source.id), self.subtask);
                let mut parts =
                    vec![Part { node, task, state: None, segments: Vec::new(), sink: None, source: Some(part) }];
                next.barrier(barrier, send, self.subtask, &mut parts)?;
                self.report_snapshot(barrier, parts, positions);
                Ok(())
            }
            // Where some queue is open the barrier comes with the rows; where none is, this is the only word of it.
            Head::Queues(queues) if barrier.checkpoint > queues.snapshotted => {
                queues.barrier = Some(barrier);
                self.align()
            }
            Head::Queues(_) => Ok(()),
        }
    }

    fn commit(&mut self, checkpoint: u64) -> Result<()> {
        match &mut self.head {
            Head::Source { next, .. } => next.commit(checkpoint),
            Head::Queues(queues) => {
                let id = Arc::clone(&queues.first.id);
                queues.first.operator.commit(checkpoint).map_err(|error| error.in_operator(&id))?;
                queues.first.next.commit(checkpoint)
            }
        }
    }

    fn close(&mut self) -> Result<()> {
        match &mut self.head {
            Head::Source { next, .. } => next.close(),
            Head::Queues(queues) => {
                let id = Arc::clone(&queues.first.id);
                queues.first.operator.close().map_err(|error| error.in_operator(&id))?;
                queues.first.next.close()
            }
        }
    }

    fn expire(&mut self) -> Result<()> {
        if self.expired.is_some_and(|expired| expired.elapsed() < EXPIRE_AFTER) {
            return Ok(());
        }
        self.expired = Some(Instant::now());
        let now_ms = chrono::Utc::now().timestamp_millis();
        match &mut self.head {
            Head::Source { next, .. } => next.expire(now_ms),
            Head::Queues(queues) => queues.first.expire_all(now_ms),
        }
    }

    fn report_snapshot(
        &self,
        barrier: Barrier,
        parts: Vec<Part>,
        positions: Vec<(crate::connector::SplitId, crate::connector::SplitPosition)>,
    ) {
        // The coordinator outlives its tasks; when it is gone there is nobody to tell.
        let _ = self.events.send(TaskEvent::Snapshot {
            task: self.index,
            checkpoint: barrier.checkpoint,
            parts,
            positions,
        });
    }

    fn report_end(&self) {
        let _ = self.events.send(TaskEvent::Ended { task: self.index });
    }
}

impl Queues {
    fn rows(&mut self, queue: usize, batch: ChangeBatch) -> Result<()> {
        let input = self.input_of.get(queue).copied().unwrap_or(0);
        self.first.process(input, batch)
    }

    fn advance(&mut self, advance: Advance) -> Result<()> {
        match advance {
            Advance::Nothing => Ok(()),
            Advance::To(watermark) => self.first.watermark(watermark),
            Advance::Idle => self.first.idle_input(),
        }
    }

    fn set(&mut self, queue: usize, state: QueueState) {
        if let Some(held) = self.state.get_mut(queue) {
            *held = state;
        }
    }

    fn all_ended(&self) -> bool {
        self.state.iter().all(|state| *state == QueueState::Ended)
    }
}
