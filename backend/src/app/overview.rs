//! A team at a glance: how many jobs are in which state, how much flows, what is most late, what happened.

use millrace_wire::job_life::JobFilter;
use millrace_wire::overview::Overview;

use super::job_list;
use crate::access::sight::Sight;
use crate::error::Result;
use crate::state::App;
use crate::store;

const MOST_LATE: u64 = 10;
const NEWEST_EVENTS: u32 = 20;

/// Reads sums and the few rows that are shown, whatever the number of jobs.
pub async fn overview(app: &App, sight: &Sight) -> Result<Overview> {
    let everything = JobFilter::default();
    let counts = job_list::counts(app, sight, &everything).await?;
    let (records_in_per_s, records_out_per_s) = store::job_list::rates(&app.store, sight).await?;
    let latest = store::job_list::most_late(&app.store, sight, MOST_LATE).await?;
    Ok(Overview {
        states: counts.states,
        records_in_per_s,
        records_out_per_s,
        latest: job_list::summaries(app, latest),
        events: store::job_event::newest_in_team(&app.store, sight, NEWEST_EVENTS).await?,
        tables: store::table::count(&app.store, sight).await?,
        connections: store::connection::count(&app.store, sight.team).await?,
        jobs: counts.total,
    })
}
