//! `stopping`: somebody asked the run to end, and it ends. Next: `stopped`, or `finished` when the input ended first.
//!
//! Escalation: the mode that was asked for has its time, then the worker is told to cancel, then it is killed, then the
//! attempt is declared over and fenced. Whatever the worker does, this state is left.

use std::time::Duration;

use millrace_wire::job::StopMode;
use millrace_wire::run::RunState;

use super::{Decision, Facts, Phase, Process, Report, process_gone};

pub(super) const KILL_PATIENCE: Duration = Duration::from_secs(10);
const CANCEL_PATIENCE: Duration = Duration::from_secs(15);

/// How long the asked-for way of stopping may take.
pub(super) const fn patience(mode: StopMode) -> Duration {
    match mode {
        StopMode::Savepoint => Duration::from_secs(120),
        StopMode::Drain => Duration::from_secs(300),
        StopMode::Cancel => CANCEL_PATIENCE,
    }
}

pub(super) fn next(facts: &Facts) -> Decision {
    let mode = facts.stop.unwrap_or(StopMode::Cancel);
    match &facts.report {
        Report::Stopped { savepoint } => return Decision::end(RunState::Stopped, stopped_reason(mode, *savepoint)),
        Report::Finished if mode == StopMode::Drain => {
            return Decision::end(RunState::Stopped, "Stopped after draining.");
        }
        Report::Finished => return Decision::end(RunState::Finished, "All sources have ended."),
        Report::Failed(failure) => {
            return Decision::end(RunState::Stopped, format!("It failed while stopping: {}", failure.message));
        }
        Report::Nothing | Report::Starting | Report::Running | Report::Stopping => {}
    }
    if facts.phase == Phase::Over || facts.process == Process::Gone {
        let reason = format!("{} The last checkpoint remains.", process_gone(facts));
        return Decision::end(RunState::Stopped, reason);
    }
    escalate(facts, mode)
}

fn escalate(facts: &Facts, asked_for: StopMode) -> Decision {
    // What never ran has nothing to save or to drain.
    let never_ran = matches!(facts.report, Report::Nothing | Report::Starting);
    let mode = if never_ran { StopMode::Cancel } else { asked_for };
    let cancel_at = patience(mode);
    let kill_at = cancel_at + if mode == StopMode::Cancel { Duration::ZERO } else { CANCEL_PATIENCE };
    let give_up_at = kill_at + KILL_PATIENCE;
    if facts.in_state >= give_up_at {
        let reason = "The worker did not end in time; it is fenced. The last checkpoint remains.";
        return Decision::end(RunState::Stopped, reason);
    }
    if facts.in_state >= kill_at {
        return if facts.process == Process::Alive { Decision::Kill } else { Decision::Stay };
    }
    let wanted = if facts.in_state >= cancel_at { StopMode::Cancel } else { mode };
    if facts.linked && facts.asked != Some(wanted) { Decision::Ask(wanted) } else { Decision::Stay }
}

fn stopped_reason(mode: StopMode, savepoint: Option<u64>) -> String {
    match (mode, savepoint) {
        (_, Some(number)) => format!("Stopped with savepoint {number}."),
        (StopMode::Savepoint, None) => "Stopped without a savepoint; the last checkpoint remains.".to_owned(),
        (StopMode::Drain, None) => "Stopped after draining.".to_owned(),
        (StopMode::Cancel, None) => "Cancelled; the last checkpoint remains.".to_owned(),
    }
}
