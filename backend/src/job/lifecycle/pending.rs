//! `pending`: the run is written down, no attempt was made. Next: `starting`, or `stopped` when nobody wants it any more.

use millrace_wire::run::RunState;

use super::{Decision, Facts};

pub(super) fn next(facts: &Facts) -> Decision {
    if facts.stop.is_some() {
        return Decision::end(RunState::Stopped, "Stopped before it was started.");
    }
    Decision::Launch
}
