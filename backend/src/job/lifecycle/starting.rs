//! `starting`: the first attempt is on its way. Next: `running`, `recovering`, `stopping`, or an end.

use millrace_wire::job::StopMode;
use millrace_wire::run::RunState;

use super::{Decision, Facts, Phase, Process, Report, attempt_lost, in_words, launching};

pub(super) fn next(facts: &Facts) -> Decision {
    let ended_by_itself = matches!(facts.report, Report::Finished | Report::Failed(_));
    if facts.stop.is_some() && !ended_by_itself {
        return stop(facts);
    }
    if facts.phase == Phase::Over {
        return attempt_lost(facts, "The attempt ended before it was started.");
    }
    launching::next(facts)
}

/// There is nothing to save yet, so a start is cancelled whatever mode was asked for.
fn stop(facts: &Facts) -> Decision {
    let nothing_runs = facts.process == Process::Gone || facts.phase == Phase::Over;
    if nothing_runs {
        return Decision::end(RunState::Stopped, "Stopped while it was starting.");
    }
    let mode = facts.stop.unwrap_or(StopMode::Cancel);
    Decision::go(RunState::Stopping, format!("Asked to stop {} while it was starting.", in_words(mode)))
}
