//! What the list asks the server for: filter and order as they stand in the address; and how a row reads.

use millrace_wire::job::{DesiredState, JobSummary};
use millrace_wire::job_life::{JobCounts, JobFilter};
use millrace_wire::run::RunState;

use crate::api::path::with_query;

/// The state as the list knows it: `draft` for what never ran, `stale` before any other.
pub(super) fn state_word(job: &JobSummary) -> &'static str {
    match &job.current {
        None => "draft",
        Some(current) if current.stale && !current.state.is_terminal() => "stale",
        Some(current) => current.state.as_str(),
    }
}

/// What somebody asked for, where it is not what is.
pub(super) fn wanted(job: &JobSummary) -> Option<&'static str> {
    let state = job.current.as_ref().map(|current| current.state)?;
    match (job.desired, state) {
        (DesiredState::Running, RunState::Stopped | RunState::Failed) => Some("running"),
        (DesiredState::Stopped, RunState::Running | RunState::Recovering | RunState::Starting) => Some("stopped"),
        _ => None,
    }
}

/// The parts of a filter, as the address names them.
pub(super) const PARTS: [&str; 6] = ["q", "state", "tag", "owner", "kind", "folder"];

/// In the order in which the counters stand.
const STATES: [&str; 9] =
    ["running", "pending", "starting", "recovering", "failed", "stopping", "stopped", "finished", "draft"];

/// States to filter by, with their jobs; those without a job are left out, unless one is chosen.
pub(super) fn shown_counts(counts: &JobCounts, chosen: &str) -> Vec<(&'static str, u64)> {
    let count = |state: &str| counts.states.iter().filter(|known| known.state == state).map(|known| known.jobs).sum();
    let all = STATES.iter().map(|state| (*state, count(state)));
    all.filter(|(state, count)| *count > 0 || *state == chosen).collect()
}

/// Columns to sort by, as the address names them.
pub(super) const BY_NAME: &str = "name";
pub(super) const BY_RATE: &str = "rate";
pub(super) const BY_LAG: &str = "lag";
pub(super) const BY_CHANGED: &str = "changed";

/// The query of the filter, without what pages and sorts.
pub(super) fn query(path: &str, filter: &JobFilter, more: &[(&str, &str)]) -> String {
    let mut pairs = vec![
        ("q", filter.q.trim()),
        ("state", filter.state.as_str()),
        ("tag", filter.tag.as_str()),
        ("owner", filter.owner.as_str()),
        ("kind", filter.kind.as_str()),
        ("folder", filter.folder.as_str()),
    ];
    pairs.extend_from_slice(more);
    with_query(path, &pairs)
}

pub(super) fn lag(job: &JobSummary) -> Option<u64> {
    job.current.as_ref()?.figures.as_ref()?.lag_ms
}

pub(super) fn rate(job: &JobSummary) -> f64 {
    job.current.as_ref().and_then(|current| current.figures.as_ref()).map_or(0.0, |figures| figures.records_in_per_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_wire::overview::StateCount;

    #[test]
    fn only_states_with_jobs_and_the_chosen_one_are_counted() {
        let count = |state: &str, jobs| StateCount { state: state.to_owned(), jobs };
        let counts = JobCounts { states: vec![count("draft", 2), count("running", 3)], total: 5 };
        assert_eq!(shown_counts(&counts, ""), [("running", 3), ("draft", 2)]);
        assert_eq!(shown_counts(&counts, "failed"), [("running", 3), ("failed", 0), ("draft", 2)]);
    }

    #[test]
    fn an_empty_filter_asks_for_everything() {
        let filter = JobFilter { q: " a b ".to_owned(), tag: "x&y".to_owned(), ..JobFilter::default() };
        assert_eq!(query("/jobs", &JobFilter::default(), &[("sort", "")]), "/jobs");
        assert_eq!(query("/jobs", &filter, &[("sort", "-name")]), "/jobs?q=a%20b&tag=x%26y&sort=-name");
    }
}
