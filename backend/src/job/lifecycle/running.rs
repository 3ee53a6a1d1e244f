//! `running`: the worker processes data. Next: `stopping`, `recovering`, `finished` or `failed`.
//!
//! Silence makes the run stale for the reader, not failed. Only after `Limits::silence` a worker that is known to live is
//! taken for hung and killed; one whose process cannot be looked at is left alone until its lease has surely run out. A worker on a machine that is
//! gone is replaced after `Limits::elsewhere`: if it lives after all, its token and its transactional ids fence it.

use std::time::Duration;

use millrace_wire::run::RunState;

use super::{Decision, Facts, LEASE, Process, Report, attempt_failed, attempt_lost, in_words, process_gone};

const LEASE_MARGIN: Duration = Duration::from_secs(60);

pub(super) fn next(facts: &Facts) -> Decision {
    match &facts.report {
        Report::Finished => return Decision::end(RunState::Finished, "All sources have ended."),
        Report::Failed(failure) if facts.stop.is_none() => return attempt_failed(facts, failure),
        Report::Failed(failure) => {
            return Decision::end(RunState::Stopped, format!("It failed before it could stop: {}", failure.message));
        }
        Report::Stopped { .. } if facts.stop.is_none() => {
            return attempt_lost(facts, "The worker stopped without being asked.");
        }
        Report::Stopped { .. } | Report::Nothing | Report::Starting | Report::Running | Report::Stopping => {}
    }
    if let Some(mode) = facts.stop {
        return Decision::go(RunState::Stopping, format!("Asked to stop {}.", in_words(mode)));
    }
    match facts.process {
        Process::Gone => attempt_lost(facts, &process_gone(facts)),
        Process::Alive if facts.silent_for >= facts.limits.silence => Decision::Kill,
        Process::Unknown if facts.silent_for >= LEASE + LEASE_MARGIN => {
            attempt_lost(facts, "Nothing was heard of the worker until its lease ran out.")
        }
        Process::Elsewhere if facts.silent_for >= facts.limits.elsewhere => {
            attempt_lost(facts, "Nothing was heard of the worker, and its machine is gone.")
        }
        Process::Alive | Process::Unknown | Process::Elsewhere => Decision::Stay,
    }
}
