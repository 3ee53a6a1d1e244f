//! What this server process has seen of a run's current attempt: the newest report, the link, the process, and when.
//!
//! Promise: whatever names an earlier attempt, or a link that was replaced, changes nothing.

use std::time::{Duration, Instant};

use millrace_wire::job::StopMode;
use millrace_wire::run::RunState;

use super::lifecycle::{Facts, Limits, Phase, Process, Report};

/// Tells one link of an attempt from the next one after a reconnection.
pub(crate) type LinkNumber = u64;

#[derive(Debug)]
pub(crate) struct Observed {
    attempt: u32,
    report: Report,
    link: Option<LinkNumber>,
    asked: Option<StopMode>,
    process: Process,
    process_end: String,
    heard: Instant,
    launched: Instant,
    state_since: Instant,
}

/// The part of the facts that is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) state: RunState,
    pub(crate) phase: Phase,
    pub(crate) stop: Option<StopMode>,
    pub(crate) restarts: u32,
    pub(crate) restart_limit: u32,
    pub(crate) back_off: Duration,
    pub(crate) limits: Limits,
}

impl Observed {
    pub(crate) fn new(attempt: u32, now: Instant) -> Observed {
        Observed {
            attempt,
            report: Report::Nothing,
            link: None,
            asked: None,
            process: Process::Unknown,
            process_end: String::new(),
            heard: now,
            launched: now,
            state_since: now,
        }
    }

    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.link.is_some()
    }

    pub(crate) fn silent_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }

    pub(crate) fn new_attempt(&mut self, attempt: u32, now: Instant) {
        let state_since = self.state_since;
        *self = Observed { state_since, ..Observed::new(attempt, now) };
    }

    pub(crate) fn new_state(&mut self, now: Instant) {
        self.state_since = now;
        self.asked = None;
    }

    /// False when the link belongs to another attempt.
    pub(crate) fn linked(&mut self, attempt: u32, link: LinkNumber, now: Instant) -> bool {
        if attempt != self.attempt {
            return false;
        }
        self.link = Some(link);
        self.asked = None;
        self.process = Process::Alive;
        self.heard = now;
        true
    }

    /// Only the link that is in use can be lost: the close of the one before it comes late.
    pub(crate) fn unlinked(&mut self, link: LinkNumber) -> bool {
        let in_use = self.link == Some(link);
        if in_use {
            self.link = None;
        }
        in_use
    }

    /// False when the report is of another attempt and was ignored.
    pub(crate) fn reported(&mut self, attempt: u32, report: Report, now: Instant) -> bool {
        if !self.heard_of(attempt, now) {
            return false;
        }
        let had_ended = matches!(self.report, Report::Stopped { .. } | Report::Finished | Report::Failed(_));
        if !had_ended {
            self.report = report;
        }
        true
    }

    pub(crate) fn heard_of(&mut self, attempt: u32, now: Instant) -> bool {
        let ours = attempt == self.attempt;
        if ours {
            self.heard = now;
        }
        ours
    }

    pub(crate) fn process_is(&mut self, attempt: u32, process: Process) {
        if attempt == self.attempt {
            self.process = process;
        }
    }

    /// Why it ended, once that is known. The process table alone cannot say.
    pub(crate) fn process_ended(&mut self, attempt: u32, why: String) {
        if attempt == self.attempt {
            self.process = Process::Gone;
            self.process_end = why;
        }
    }

    pub(crate) fn was_asked(&mut self, mode: StopMode) {
        self.asked = Some(mode);
    }

    pub(crate) fn facts(&self, stored: &Stored, now: Instant) -> Facts {
        // What an ended process sent last may still be on its way through the link: wait for the link's end.
        let process = match self.process {
            Process::Gone if self.is_linked() => Process::Unknown,
            process => process,
        };
        Facts {
            state: stored.state,
            phase: stored.phase,
            stop: stored.stop,
            report: self.report.clone(),
            process,
            process_end: self.process_end.clone(),
            linked: self.is_linked(),
            asked: self.asked,
            in_state: now.saturating_duration_since(self.state_since),
            since_launch: now.saturating_duration_since(self.launched),
            silent_for: self.silent_for(now),
            restarts: stored.restarts,
            restart_limit: stored.restart_limit,
            back_off: stored.back_off,
            limits: stored.limits,
        }
    }
}
