//! The mending thread: builds damaged days again while the indexing thread goes on with the others.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Notice};
use crate::writer::Shared;

/// Before the next try after a failure.
const PAUSE: Duration = Duration::from_secs(10);

/// Wakes the mending thread.
#[derive(Default)]
pub(crate) struct Alarm {
    state: Mutex<AlarmState>,
    changed: Condvar,
}

#[derive(Default)]
struct AlarmState {
    raised: bool,
    closed: bool,
}

impl Alarm {
    pub(crate) fn raise(&self) {
        self.state.lock().raised = true;
        self.changed.notify_all();
    }

    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    fn wait(&self) {
        let mut state = self.state.lock();
        while !state.raised && !state.closed {
            self.changed.wait(&mut state);
        }
        state.raised = false;
    }

    fn pause(&self) {
        let mut state = self.state.lock();
        if !state.closed {
            self.changed.wait_for(&mut state, PAUSE);
        }
    }
}

pub(crate) fn run(shared: &Shared) {
    let alarm = &shared.alarm;
    while !alarm.is_closed() {
        let mut failed = false;
        // The newest first: they are asked for most.
        for day in shared.days.damaged().into_iter().rev() {
            match shared.days.rebuild(day, shared.day_memory(), &|| alarm.is_closed()) {
                Ok(()) => {}
                Err(Error::Closed) => return,
                Err(error) => {
                    failed = true;
                    shared.days.tell(Notice::WriterFailed { reason: format!("{day} cannot be built again: {error}") });
                }
            }
        }
        if failed {
            alarm.pause();
        } else {
            alarm.wait();
        }
    }
}
