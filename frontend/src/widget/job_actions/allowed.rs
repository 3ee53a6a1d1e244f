//! What can be done with a job in its state, and why not.

use millrace_wire::run::RunState;

use crate::i18n::job_actions as text;

/// `None` stands for a job that never ran.
pub fn start_refusal(state: Option<RunState>) -> Option<&'static str> {
    match state {
        None | Some(RunState::Stopped | RunState::Finished | RunState::Failed) => None,
        Some(RunState::Stopping) => Some(text::still_stopping()),
        Some(RunState::Pending | RunState::Starting) => Some(text::starts_already()),
        Some(RunState::Running | RunState::Recovering) => Some(text::runs_already()),
    }
}

pub fn stop_refusal(state: Option<RunState>) -> Option<&'static str> {
    match state {
        None => Some(text::never_ran()),
        Some(RunState::Stopping) => Some(text::stops_already()),
        Some(RunState::Stopped | RunState::Finished | RunState::Failed) => Some(text::does_not_run()),
        Some(RunState::Pending | RunState::Starting | RunState::Running | RunState::Recovering) => None,
    }
}

pub fn savepoint_refusal(state: Option<RunState>) -> Option<&'static str> {
    match state {
        Some(RunState::Running) => None,
        _ => Some(text::savepoint_needs_running()),
    }
}

pub fn delete_refusal(state: Option<RunState>) -> Option<&'static str> {
    match state {
        Some(state) if !state.is_terminal() => Some(text::stop_first()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_can_be_started_or_stopped_but_not_both() {
        for state in RunState::ALL.iter().copied().map(Some).chain([None]) {
            let both = start_refusal(state).is_none() && stop_refusal(state).is_none();
            assert!(!both, "{state:?}");
        }
    }

    #[test]
    fn while_it_stops_nothing_can_be_done() {
        let state = Some(RunState::Stopping);
        assert!(start_refusal(state).is_some() && stop_refusal(state).is_some());
        assert!(savepoint_refusal(state).is_some() && delete_refusal(state).is_some());
    }

    #[test]
    fn an_ended_job_can_be_started_and_deleted() {
        for state in [None, Some(RunState::Failed), Some(RunState::Finished), Some(RunState::Stopped)] {
            assert_eq!(start_refusal(state), None);
            assert_eq!(delete_refusal(state), None);
        }
    }
}
