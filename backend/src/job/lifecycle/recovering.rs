//! `recovering`: the last attempt is over, or its successor is on its way. Next: `running`, `failed`, or `stopped`.
//!
//! The process of the last attempt is killed before another one is launched; where it cannot be looked at, the new
//! attempt's token fences it.

use millrace_wire::run::RunState;

use super::{Decision, Facts, Phase, Process, launching, stopping};

pub(super) fn next(facts: &Facts) -> Decision {
    if facts.stop.is_some() {
        return stop(facts);
    }
    if facts.phase != Phase::Over {
        return launching::next(facts);
    }
    if facts.process == Process::Alive {
        return Decision::Kill;
    }
    if facts.in_state < facts.back_off { Decision::Stay } else { Decision::Launch }
}

fn stop(facts: &Facts) -> Decision {
    match (facts.phase, facts.process) {
        // What an attempt that is over leaves behind cannot be asked, it holds no valid token.
        (Phase::Over, Process::Alive) if facts.in_state < stopping::KILL_PATIENCE => Decision::Kill,
        (Phase::Over, _) | (_, Process::Gone) => Decision::end(RunState::Stopped, "Stopped while it was recovering."),
        _ => Decision::go(RunState::Stopping, "Asked to stop while it was recovering."),
    }
}
