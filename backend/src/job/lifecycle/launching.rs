//! What `starting` and `recovering` have in common: an attempt was launched and has to come to run.
//!
//! Deadlines: `Limits::link` until the worker says hello, `Limits::start` until it runs.

use millrace_wire::run::RunState;

use super::{Decision, Facts, Process, Report, attempt_failed, attempt_lost, process_gone};

pub(super) fn next(facts: &Facts) -> Decision {
    match &facts.report {
        Report::Running => return Decision::go(RunState::Running, ""),
        Report::Finished => return Decision::end(RunState::Finished, "All sources have ended."),
        Report::Failed(failure) => return attempt_failed(facts, failure),
        Report::Stopped { .. } => return attempt_lost(facts, "The worker stopped without being asked."),
        Report::Nothing | Report::Starting | Report::Stopping => {}
    }
    if facts.process == Process::Gone {
        return attempt_lost(facts, &process_gone(facts));
    }
    let deadline = if facts.linked { facts.limits.start } else { facts.limits.link };
    if facts.since_launch < deadline {
        return Decision::Stay;
    }
    if facts.process == Process::Alive {
        return Decision::Kill;
    }
    attempt_lost(facts, "The worker did not report in time.")
}
