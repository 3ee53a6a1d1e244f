//! The state of a job as one badge: what is observed, since when, and what was asked for where that differs.

use leptos::prelude::*;
use millrace_wire::job::{CurrentRun, DesiredState};
use millrace_wire::run::RunState;

use crate::ui::state_badge::StateBadge;

/// The word of the state: `draft` before the first run, `stale` when nothing was heard for too long.
pub fn word(current: Option<&CurrentRun>) -> &'static str {
    match current {
        None => "draft",
        Some(run) if run.stale && !run.state.is_terminal() => "stale",
        Some(run) => run.state.as_str(),
    }
}

/// A healthy job shows when it was last seen, any other since when it is so.
pub fn at(current: Option<&CurrentRun>) -> Option<i64> {
    current.map(|run| match run.state {
        RunState::Running => run.last_seen_at.unwrap_or(run.since),
        _ if run.stale => run.last_seen_at.unwrap_or(run.since),
        _ => run.since,
    })
}

/// What was asked for, where it is not what is, nor on its way.
pub fn wanted(desired: DesiredState, current: Option<&CurrentRun>) -> Option<&'static str> {
    let state = current?.state;
    match desired {
        DesiredState::Running if matches!(state, RunState::Failed | RunState::Stopped) => Some(desired.as_str()),
        DesiredState::Stopped if !state.is_terminal() => Some(desired.as_str()),
        _ => None,
    }
}

/// Lags beyond these are worth a colour, on every page the same. Targets per table come with alerts.
const LATE_MS: u64 = 30_000;
const VERY_LATE_MS: u64 = 60_000;

pub fn lag_tone(ms: u64) -> &'static str {
    match ms {
        ..LATE_MS => "",
        LATE_MS..VERY_LATE_MS => "warn medium",
        _ => "bad medium",
    }
}

#[component]
pub fn JobState(
    #[prop(into)] desired: Signal<DesiredState>,
    #[prop(into)] current: Signal<Option<CurrentRun>>,
    #[prop(optional)] pill: bool,
) -> impl IntoView {
    let state = Memo::new(move |_| current.with(|run| word(run.as_ref()).to_owned()));
    let at = Memo::new(move |_| current.with(|run| at(run.as_ref())));
    let wanted = Memo::new(move |_| current.with(|run| wanted(desired.get(), run.as_ref()).map(str::to_owned)));
    let reason = Signal::derive(move || {
        current.with(|run| run.as_ref().map(|run| run.reason.clone()).filter(|reason| !reason.is_empty()))
    });
    view! { <StateBadge state at wanted title=reason pill/> }.into_any()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn run(state: RunState, stale: bool) -> CurrentRun {
        CurrentRun {
            run: "0198f3a2-1c00-7000-8000-000000000001".parse().unwrap(),
            number: 1,
            version: 1,
            attempt: 1,
            state,
            reason: String::new(),
            since: 100,
            last_seen_at: Some(200),
            stale,
            restarts: 0,
            guarantee: None,
            figures: None,
        }
    }

    #[test]
    fn stale_wins_over_what_was_last_known_but_not_over_an_end() {
        assert_eq!(word(None), "draft");
        assert_eq!(word(Some(&run(RunState::Running, false))), "running");
        assert_eq!(word(Some(&run(RunState::Running, true))), "stale");
        assert_eq!(word(Some(&run(RunState::Failed, true))), "failed");
    }

    #[test]
    fn a_bad_state_has_the_age_of_its_begin() {
        assert_eq!(at(Some(&run(RunState::Running, false))), Some(200));
        assert_eq!(at(Some(&run(RunState::Failed, false))), Some(100));
        assert_eq!(at(None), None);
    }

    #[test]
    fn lateness_has_two_steps() {
        assert_eq!([29_999, 30_000, 60_000].map(lag_tone), ["", "warn medium", "bad medium"]);
    }

    #[test]
    fn the_wish_shows_only_where_it_differs() {
        assert_eq!(wanted(DesiredState::Running, Some(&run(RunState::Failed, false))), Some("running"));
        assert_eq!(wanted(DesiredState::Running, Some(&run(RunState::Starting, false))), None);
        assert_eq!(wanted(DesiredState::Stopped, Some(&run(RunState::Recovering, false))), Some("stopped"));
        assert_eq!(wanted(DesiredState::Stopped, None), None);
    }
}
