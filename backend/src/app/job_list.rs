//! The list of jobs: pages, counters, and the figures that it is sorted by.

use std::collections::HashMap;

use millrace_wire::ids::JobId;
use millrace_wire::job::JobSummary;
use millrace_wire::job_life::{JobCounts, JobFilter};
use millrace_wire::page::Page;

use crate::access::sight::Sight;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::store::job_list::{JobOrder, ListedJob, SortFigures};
use crate::transact;

/// Nobody turns so many pages; who needs more narrows the filter.
const FARTHEST: u64 = 100_000;
/// Jobs whose figures are written in one transaction: others wait for it.
const WRITTEN_AT_ONCE: usize = 200;

/// What a list can be sorted by, as its address says it: `-name` is the other way round.
fn order(word: Option<&str>) -> Result<(JobOrder, bool)> {
    let Some(word) = word.filter(|word| !word.is_empty()) else { return Ok((JobOrder::Trouble, false)) };
    let (name, reversed) = word.strip_prefix('-').map_or((word, false), |name| (name, true));
    let order = match name {
        "trouble" => JobOrder::Trouble,
        "name" => JobOrder::Name,
        "rate" => JobOrder::Rate,
        "lag" => JobOrder::Lag,
        "changed" => JobOrder::Changed,
        _ => {
            return Err(Error::field(
                "sort",
                "Sort by trouble, name, rate, lag or changed; - before it turns it round.",
            ));
        }
    };
    Ok((order, reversed))
}

/// Where a page begins and how much is on it.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub cursor: Option<&'a str>,
    pub limit: u64,
}

pub async fn page(
    app: &App,
    sight: &Sight,
    filter: &JobFilter,
    sort: Option<&str>,
    part: Part<'_>,
) -> Result<Page<JobSummary>> {
    let order = order(sort)?;
    let offset = match part.cursor {
        None | Some("") => 0,
        Some(cursor) => cursor.parse::<u64>().map_err(|_| Error::bad_request("The cursor is not valid."))?,
    };
    let total = total(&counts(app, sight, filter).await?, filter);
    if offset >= total.min(FARTHEST) {
        return Ok(Page { items: Vec::new(), next: None, total });
    }
    let jobs = store::job_list::page(&app.store, sight, filter, order, offset, part.limit).await?;
    let end = offset + jobs.len() as u64;
    let next = (end < total && end < FARTHEST && !jobs.is_empty()).then(|| end.to_string());
    Ok(Page { items: summaries(app, jobs), next, total })
}

fn total(counts: &JobCounts, filter: &JobFilter) -> u64 {
    if filter.state.is_empty() {
        return counts.total;
    }
    counts.states.iter().filter(|count| count.state == filter.state).map(|count| count.jobs).sum()
}

pub async fn counts(app: &App, sight: &Sight, filter: &JobFilter) -> Result<JobCounts> {
    let states = store::job_list::counts(&app.store, sight, filter).await?;
    let total = states.iter().map(|count| count.jobs).sum();
    Ok(JobCounts { states, total })
}

/// With how each looks now.
pub(super) fn summaries(app: &App, jobs: Vec<ListedJob>) -> Vec<JobSummary> {
    let now = now_ms();
    let summary = |job: ListedJob| JobSummary {
        current: job.run.as_ref().map(|run| app.jobs.current(run)),
        throughput: app.metrics.spark_line(job.id, now),
        id: job.id,
        name: job.name,
        description: job.description,
        owner: job.owner,
        tags: job.tags,
        folder: job.folder,
        kind: job.kind,
        desired: job.desired,
        restricted: job.restricted,
        shared: job.shared,
        updated_at: job.updated_at,
    };
    jobs.into_iter().map(summary).collect()
}

/// Writes down the figures that lists are sorted by, where they have changed since `written`. Called every few seconds.
pub async fn write_figures(app: &App, written: &mut HashMap<JobId, SortFigures>) -> Result<()> {
    let now: HashMap<JobId, SortFigures> = app
        .metrics
        .newest()
        .into_iter()
        .map(|(job, figures)| {
            let thousandths = |rate: f64| (rate * 1000.0) as i64;
            let lag_ms = figures.lag_ms.map_or(-1, |lag| i64::try_from(lag).unwrap_or(i64::MAX));
            let (rate_in, rate_out) = (thousandths(figures.records_in_per_s), thousandths(figures.records_out_per_s));
            (job, SortFigures { lag_ms, rate_in, rate_out })
        })
        .collect();
    let changed: Vec<(JobId, SortFigures)> = now
        .iter()
        .filter(|(job, figures)| written.get(job) != Some(figures))
        .map(|(job, figures)| (*job, *figures))
        .collect();
    for some in changed.chunks(WRITTEN_AT_ONCE) {
        transact!(app.store, tx => {
            for (job, figures) in some {
                store::job_list::set_figures(tx, *job, *figures).await?;
            }
            Ok(())
        })?;
    }
    *written = now;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_word_names_the_order() {
        assert_eq!(order(None).unwrap(), (JobOrder::Trouble, false));
        assert_eq!(order(Some("-name")).unwrap(), (JobOrder::Name, true));
        assert!(order(Some("name; DROP TABLE jobs")).is_err());
    }
}
