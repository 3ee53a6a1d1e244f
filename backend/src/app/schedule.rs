//! Schedules of batch jobs: kept, looked at every second, fired once whatever the number of servers, tried again after
//! a failure.

use millrace_wire::ids::{JobId, TeamId};
use millrace_wire::job::{JobKind, Start, StartFrom};
use millrace_wire::run::RunCause;
use millrace_wire::schedule::{CatchUp, CheckSchedule, Fire, FireOutcome, JobSchedule, Schedule, ScheduleTimes};

use super::job;
use super::start::{self, Starter};
use crate::access::identity::TeamCaller;
use crate::access::sight::Sight;
use crate::clock::now_ms;
use crate::error::{Code, Error, Result};
use crate::job::cron::{Times, Wrong, due};
use crate::state::App;
use crate::store;
use crate::store::schedule::{FireKey, ScheduleRow, WaitingFire};
use crate::transact;

/// Times shown in the form.
const SHOWN: usize = 5;
const MOST_FIRES: u32 = 200;
const MOST_RETRIES: u32 = 100;
const MOST_CAUGHT_UP: u32 = 1_000;
const LONGEST_DELAY_MS: u64 = 7 * 24 * 3_600_000;
/// Who starts what is due, as the history names them.
const SCHEDULE: &str = "the schedule";

fn times(cron: &str, zone: &str) -> Result<Times> {
    Times::parse(cron, zone).map_err(|Wrong { field, message }| Error::field(field, message))
}

pub fn check(request: &CheckSchedule, now: i64) -> Result<ScheduleTimes> {
    let times = times(&request.cron, &request.zone)?;
    let next = times.some_after(now, SHOWN);
    if next.is_empty() {
        return Err(Error::field("cron", "Such a time never comes."));
    }
    Ok(ScheduleTimes { words: times.words(), next })
}

pub async fn get(app: &App, team: TeamId, id: JobId) -> Result<JobSchedule> {
    job::row(app, team, id).await?;
    let Some(row) = store::schedule::get(&app.store, id).await? else {
        return Ok(JobSchedule { schedule: None, next: Vec::new(), updated_by: String::new(), updated_at: None });
    };
    let next = match (row.schedule.enabled, row.next_at) {
        (true, Some(next_at)) => times(&row.schedule.cron, &row.schedule.zone)?.some_after(next_at - 1, SHOWN),
        _ => Vec::new(),
    };
    Ok(JobSchedule { schedule: Some(row.schedule), next, updated_by: row.updated_by, updated_at: Some(row.updated_at) })
}

pub async fn set(app: &App, caller: &TeamCaller, id: JobId, schedule: Schedule) -> Result<JobSchedule> {
    let row = job::row(app, caller.team, id).await?;
    if row.kind != JobKind::Batch {
        let message = "Only a batch job has a schedule: a stream runs until somebody stops it.";
        return Err(Error::conflict(Code::WrongState, message).hint("Change the kind of the job in its settings."));
    }
    let (now, asked) = (now_ms(), CheckSchedule { cron: schedule.cron.clone(), zone: schedule.zone.clone() });
    let next = check(&asked, now)?.next;
    limits(&schedule)?;
    let row = ScheduleRow {
        job: id,
        team: caller.team,
        next_at: next.first().copied().filter(|_| schedule.enabled),
        schedule,
        updated_by: caller.caller.name.clone(),
        updated_at: now,
    };
    transact!(app.store, tx => { store::schedule::put(tx, &row).await })?;
    get(app, caller.team, id).await
}

fn limits(schedule: &Schedule) -> Result<()> {
    if schedule.catch_up == CatchUp::All && !(1..=MOST_CAUGHT_UP).contains(&schedule.catch_up_most) {
        return Err(Error::field("catch_up_most", format!("Choose 1 to {MOST_CAUGHT_UP}.")));
    }
    if schedule.retry_attempts > MOST_RETRIES {
        return Err(Error::field("retry_attempts", format!("Choose 0 to {MOST_RETRIES}.")));
    }
    if schedule.retry_delay_ms > LONGEST_DELAY_MS {
        return Err(Error::field("retry_delay_ms", "Choose at most a week."));
    }
    Ok(())
}

pub async fn delete(app: &App, team: TeamId, id: JobId) -> Result<()> {
    job::row(app, team, id).await?;
    let deleted = store::schedule::delete(&app.store, id).await?;
    if deleted { Ok(()) } else { Err(Error::not_found("schedule")) }
}

/// The first time after `now`; none where the job has no schedule, or one that is switched off.
pub(super) async fn next_time(app: &App, id: JobId, now: i64) -> Result<Option<i64>> {
    match store::schedule::get(&app.store, id).await?.filter(|row| row.schedule.enabled) {
        Some(row) => Ok(times(&row.schedule.cron, &row.schedule.zone)?.next(now)),
        None => Ok(None),
    }
}

/// Newest first.
pub async fn fires(app: &App, team: TeamId, id: JobId) -> Result<Vec<Fire>> {
    job::row(app, team, id).await?;
    store::schedule::fires(&app.store, id, MOST_FIRES).await
}

/// Does what is due at `now`. Called every second, by every server.
pub async fn tick(app: &App, now: i64) -> Result<()> {
    take_times(app, now).await?;
    try_again(app, now).await?;
    start_waiting(app, now).await
}

/// Notes the times that have come, so that they are started whatever happens to this server.
async fn take_times(app: &App, now: i64) -> Result<()> {
    for row in store::schedule::due(&app.store, now).await? {
        let Some(next_at) = row.next_at else { continue };
        let found = match Times::parse(&row.schedule.cron, &row.schedule.zone) {
            Ok(times) => due(&row.schedule, &times, next_at, now),
            Err(wrong) => {
                // A time zone may go from the list that this version knows.
                tracing::warn!(job.id = %row.job, problem = wrong.message, "a schedule cannot be followed");
                continue;
            }
        };
        let key = |due_at: i64| FireKey { job: row.job, due_at, attempt: 0 };
        transact!(app.store, tx => {
            if !store::schedule::advance(tx, row.job, next_at, found.next).await? {
                return Ok(());
            }
            for time in &found.missed {
                let detail = "No server was there at that time.";
                store::schedule::note(tx, key(*time), now, FireOutcome::Missed, detail).await?;
            }
            for time in &found.fires {
                store::schedule::note(tx, key(*time), now, FireOutcome::Waiting, "").await?;
            }
            Ok(())
        })?;
        store::schedule::trim(&app.store, row.job).await?;
    }
    Ok(())
}

/// A run that failed is tried again after the delay, unless the job has run since.
async fn try_again(app: &App, now: i64) -> Result<()> {
    for failed in store::schedule::failed(&app.store).await? {
        let schedule = store::schedule::get(&app.store, failed.key.job).await?.map(|row| row.schedule);
        let again = schedule
            .filter(|schedule| schedule.enabled && !failed.superseded && failed.key.attempt < schedule.retry_attempts);
        let delay = again.as_ref().map_or(0, |schedule| i64::try_from(schedule.retry_delay_ms).unwrap_or(i64::MAX));
        let at = failed.ended_at.saturating_add(delay);
        let next = FireKey { attempt: failed.key.attempt.saturating_add(1), ..failed.key };
        transact!(app.store, tx => {
            if store::schedule::mark_retried(tx, failed.key).await? && again.is_some() {
                store::schedule::note(tx, next, at.max(now), FireOutcome::Waiting, "").await?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

async fn start_waiting(app: &App, now: i64) -> Result<()> {
    let mut last = None;
    for fire in store::schedule::waiting(&app.store, now).await? {
        // One of each job at a time, the oldest first.
        let follows = last.replace(fire.key.job) == Some(fire.key.job);
        let schedule = store::schedule::get(&app.store, fire.key.job).await?.map(|row| row.schedule);
        let makes_up = schedule.is_some_and(|schedule| schedule.catch_up == CatchUp::All);
        if follows || fire.job_runs {
            if !makes_up {
                let detail = "The run before it was still going.";
                settle(app, &fire, now, FireOutcome::Skipped, detail).await?;
            }
            continue;
        }
        start_one(app, &fire, now).await?;
    }
    Ok(())
}

/// The newest version, from the beginning of its inputs. Starting and noting that it was started are one transaction.
async fn start_one(app: &App, fire: &WaitingFire, now: i64) -> Result<()> {
    let Some(version) = store::version::newest(&app.store, fire.key.job).await? else {
        let detail = "The job has no version yet. Save one in the editor.";
        return settle(app, fire, now, FireOutcome::Refused, detail).await;
    };
    let cause = if fire.key.attempt == 0 { RunCause::Schedule } else { RunCause::Retry };
    let starter = Starter { sight: Sight::platform(fire.team), name: SCHEDULE, cause };
    let request = Start { version: Some(version.summary.number), from: StartFrom::Fresh, savepoint: None, at_ms: None };
    match start::start_due(app, starter, fire.key, request).await {
        Ok(()) => Ok(()),
        // Started by another server, or by a person in this moment: what that means is seen at the next look.
        Err(error) if error.code() == Code::WrongState => Ok(()),
        Err(error) if error.cause().is_some() => {
            // Not for a reason of the job: the next look tries again, and the jobs after it do not wait for it.
            tracing::warn!(job.id = %fire.key.job, %error, "what is due is not started yet");
            Ok(())
        }
        Err(error) => settle(app, fire, now, FireOutcome::Refused, error.message()).await,
    }
}

async fn settle(app: &App, fire: &WaitingFire, now: i64, outcome: FireOutcome, detail: &str) -> Result<()> {
    transact!(app.store, tx => {
        store::schedule::settle(tx, fire.key, now, outcome, detail, None).await.map(drop)
    })
}
