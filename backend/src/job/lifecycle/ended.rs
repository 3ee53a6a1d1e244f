//! `stopped`, `finished`, `failed`: nothing follows. A process that is still there is killed; its token is void anyway.

use super::{Decision, Facts, Process};

pub(super) fn next(facts: &Facts) -> Decision {
    if facts.process == Process::Alive { Decision::Kill } else { Decision::Stay }
}
