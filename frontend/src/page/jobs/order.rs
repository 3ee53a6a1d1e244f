//! Which jobs are shown, in which order, and how many there are of each state.

use millrace_wire::ids::JobId;
use millrace_wire::job::{DesiredState, JobSummary};
use millrace_wire::run::RunState;

use crate::format::text::matches;
use crate::ui::order::by_words;

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

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filter {
    pub(super) words: String,
    pub(super) state: String,
    pub(super) tag: String,
    pub(super) owner: String,
}

impl Filter {
    pub(super) fn admits(&self, job: &JobSummary) -> bool {
        self.admits_but_state(job) && (self.state.is_empty() || self.state == state_word(job))
    }

    fn admits_but_state(&self, job: &JobSummary) -> bool {
        let text = format!("{} {} {} {}", job.name, job.description, job.tags.join(" "), job.owner);
        matches(&text, &self.words)
            && (self.tag.is_empty() || job.tags.contains(&self.tag))
            && (self.owner.is_empty() || job.owner == self.owner)
    }
}

/// In the order in which the counters stand.
pub(super) const STATES: [&str; 10] =
    ["running", "pending", "starting", "recovering", "failed", "stale", "stopping", "stopped", "finished", "draft"];

/// Jobs of each state under the rest of the filter; states without a job are left out, unless one is chosen.
pub(super) fn counts(jobs: &[JobSummary], filter: &Filter) -> Vec<(&'static str, usize)> {
    STATES
        .into_iter()
        .map(|state| {
            let count = jobs.iter().filter(|job| filter.admits_but_state(job) && state_word(job) == state).count();
            (state, count)
        })
        .filter(|(state, count)| *count > 0 || filter.state == *state)
        .collect()
}

/// Columns to sort by, as the address names them.
pub(super) const BY_NAME: &str = "name";
pub(super) const BY_RATE: &str = "rate";
pub(super) const BY_LAG: &str = "lag";
pub(super) const BY_CHANGED: &str = "changed";

/// The jobs in this order: what is not right first, then the most late, unless a column is chosen. Ties go by name, so
/// that the same figures give the same order.
pub(super) fn sorted(jobs: &[JobSummary], chosen: Option<(&str, bool)>) -> Vec<JobId> {
    let mut order: Vec<&JobSummary> = jobs.iter().collect();
    let worst = |a: &JobSummary, b: &JobSummary| trouble(b).cmp(&trouble(a)).then_with(|| lag(b).cmp(&lag(a)));
    order.sort_by(|a, b| {
        let by_figure = match chosen {
            None => worst(a, b),
            Some((column, reversed)) => {
                let usual = match column {
                    BY_NAME => by_words(&a.name, &b.name),
                    BY_RATE => rate(b).total_cmp(&rate(a)),
                    BY_LAG => lag(b).cmp(&lag(a)),
                    BY_CHANGED => b.updated_at.cmp(&a.updated_at),
                    _ => worst(a, b),
                };
                if reversed { usual.reverse() } else { usual }
            }
        };
        by_figure.then_with(|| a.name.cmp(&b.name))
    });
    order.into_iter().map(|job| job.id).collect()
}

fn trouble(job: &JobSummary) -> u8 {
    match state_word(job) {
        "failed" => 4,
        "recovering" => 3,
        "stale" => 2,
        "draft" | "stopped" | "finished" => 0,
        _ => 1,
    }
}

pub(super) fn lag(job: &JobSummary) -> Option<u64> {
    job.current.as_ref()?.figures.as_ref()?.lag_ms
}

pub(super) fn rate(job: &JobSummary) -> f64 {
    job.current.as_ref().and_then(|current| current.figures.as_ref()).map_or(0.0, |figures| figures.records_in_per_s)
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
