//! How a run looks to people: what is stored, with what this server process knows on top.

use std::time::Instant;

use millrace_wire::job::{CurrentRun, JobFigures};
use millrace_wire::run::{Run, RunState};

use super::lifecycle::STALE_AFTER;
use crate::store::run::RunRow;

/// Kept by the actor of a live run.
#[derive(Clone, Debug)]
pub struct View {
    pub(crate) heard: Instant,
    pub(crate) heard_at: Option<i64>,
    pub(crate) restarts: u32,
    /// Whose run it is, as it stands on its log lines.
    pub(crate) job_name: String,
    pub(crate) team_slug: String,
}

impl View {
    pub(crate) fn is_stale(&self, state: RunState) -> bool {
        let expected = matches!(state, RunState::Running | RunState::Stopping | RunState::Starting);
        expected && self.heard.elapsed() > STALE_AFTER
    }
}

/// `view` is absent while nobody takes care of the run: a live one is stale then.
pub fn current_run(run: &RunRow, view: Option<&View>, figures: Option<JobFigures>) -> CurrentRun {
    let stale = !run.state.is_terminal() && view.is_none_or(|view| view.is_stale(run.state));
    CurrentRun {
        run: run.id,
        number: run.number,
        version: run.version_number,
        attempt: run.attempt,
        state: run.state,
        reason: run.reason.clone(),
        since: run.state_at,
        last_seen_at: view.and_then(|view| view.heard_at).or(run.last_seen_at),
        stale,
        restarts: view.map_or_else(|| run.attempt.saturating_sub(1), |view| view.restarts),
        guarantee: run.guarantee.clone(),
        figures: figures.filter(|_| !run.state.is_terminal()),
    }
}

/// A row of the run history.
pub fn run(run: RunRow) -> Run {
    Run {
        id: run.id,
        number: run.number,
        version: run.version_number,
        cause: run.cause,
        started_by: run.started_by,
        state: run.state,
        reason: run.reason,
        attempt: run.attempt,
        restored_from: run.restored_from,
        stop_mode: run.stop_mode,
        created_at: run.created_at,
        running_at: run.running_at,
        ended_at: run.ended_at,
        records_in: run.records_in,
        records_out: run.records_out,
        approval: None,
    }
}
