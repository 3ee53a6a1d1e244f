//! All tasks on the caller's thread: every row is worked through to the sinks before the next one is read.
//!
//! Deterministic, hence for tests that compare changelogs row by row, and for simulation.

use std::time::Duration;

use super::coordinator::Outcome;
use super::event::Request;
use super::run::Run;
use super::task::Progress;
use crate::error::Result;

pub struct Inline {
    run: Run,
    /// The source task to ask next.
    turn: usize,
}

impl Inline {
    pub(super) fn new(run: Run) -> Self {
        Inline { run, turn: 0 }
    }

    pub fn request_checkpoint(&mut self) -> Result<()> {
        self.run.coordinator.request(Request::Checkpoint)
    }

    pub fn request_savepoint(&mut self) -> Result<()> {
        self.run.coordinator.request(Request::Savepoint)
    }

    pub fn request_stop(&mut self, mode: millrace_wire::job::StopMode) -> Result<()> {
        self.run.coordinator.request(Request::Stop(mode))
    }

    /// A checkpoint has begun and is not finished.
    pub fn checkpoint_under_way(&self) -> bool {
        self.run.coordinator.checkpoint_under_way()
    }

    /// Works until the run has ended.
    pub fn run(mut self) -> Result<Outcome> {
        loop {
            if let Some(outcome) = self.round()? {
                return Ok(outcome);
            }
        }
    }

    /// Works off all that waits, then lets one source give one batch.
    pub fn round(&mut self) -> Result<Option<Outcome>> {
        self.settle()?;
        self.run.coordinator.tick()?;
        self.settle()?;
        if let Some(outcome) = self.run.coordinator.outcome() {
            return Ok(Some(outcome.clone()));
        }
        let tasks = self.run.constructed.tasks.len();
        for step in 0..tasks {
            let at = (self.turn + step) % tasks;
            let task = &mut self.run.constructed.tasks[at];
            if task.is_source() && task.step(Duration::from_millis(1))? == Progress::Worked {
                self.turn = at + 1;
                break;
            }
        }
        self.settle()?;
        Ok(None)
    }

    /// Until nothing moves but the sources.
    fn settle(&mut self) -> Result<()> {
        loop {
            let mut worked = false;
            for task in self.run.constructed.tasks.iter_mut().filter(|task| !task.is_source()) {
                while task.step(Duration::ZERO)? == Progress::Worked {
                    worked = true;
                }
            }
            while let Ok(event) = self.run.events.try_recv() {
                self.run.coordinator.event(event)?;
                worked = true;
            }
            if !worked {
                return Ok(());
            }
        }
    }
}
