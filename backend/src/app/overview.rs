//! A team at a glance: how many jobs are in which state, how much flows, what is most late, what happened.

use std::collections::BTreeMap;

use millrace_wire::ids::TeamId;
use millrace_wire::job::{JobFigures, JobSummary};
use millrace_wire::overview::{Overview, StateCount};

use super::job;
use crate::error::Result;
use crate::state::App;
use crate::store;

const MOST_LATE: usize = 10;
const NEWEST_EVENTS: u32 = 20;

pub async fn overview(app: &App, team: TeamId) -> Result<Overview> {
    let jobs = job::summaries(app, team).await?;
    let count = jobs.len() as u64;
    let states = states(&jobs);
    // From zero: the sum of nothing is -0.0.
    let sum =
        |figure: fn(&JobFigures) -> f64| jobs.iter().filter_map(figures).map(figure).fold(0.0, |all, one| all + one);
    let (records_in_per_s, records_out_per_s) =
        (sum(|figures| figures.records_in_per_s), sum(|figures| figures.records_out_per_s));
    Ok(Overview {
        states,
        records_in_per_s,
        records_out_per_s,
        latest: most_late(jobs),
        events: store::job_event::newest_in_team(&app.store, team, NEWEST_EVENTS).await?,
        tables: store::table::count(&app.store, team).await?,
        connections: store::connection::count(&app.store, team).await?,
        jobs: count,
    })
}

fn figures(job: &JobSummary) -> Option<&JobFigures> {
    job.current.as_ref().and_then(|run| run.figures.as_ref())
}

fn states(jobs: &[JobSummary]) -> Vec<StateCount> {
    let mut counts = BTreeMap::new();
    for job in jobs {
        let state = job.current.as_ref().map_or("draft", |run| run.state.as_str());
        *counts.entry(state).or_insert(0) += 1;
    }
    counts.into_iter().map(|(state, jobs)| StateCount { state: state.to_owned(), jobs }).collect()
}

/// Live jobs, those that are furthest behind first; unknown lag comes last.
fn most_late(mut jobs: Vec<JobSummary>) -> Vec<JobSummary> {
    jobs.retain(|job| job.current.as_ref().is_some_and(|run| !run.state.is_terminal()));
    let lag = |job: &JobSummary| figures(job).map(|figures| (figures.lag_ms, figures.lag_records));
    jobs.sort_by(|left, right| lag(right).cmp(&lag(left)).then_with(|| left.name.cmp(&right.name)));
    jobs.truncate(MOST_LATE);
    jobs
}
