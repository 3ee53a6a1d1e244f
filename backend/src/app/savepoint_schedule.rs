//! Savepoints that running jobs take by themselves: looked at every second, asked for once whatever the number of
//! servers, and the older ones removed again.
//!
//! A time that passed while no server was there is not made up for: the next one comes. What came of a time is an event
//! of the job's newest run.

use std::path::Path;

use millrace_wire::ids::{JobId, TeamId};
use millrace_wire::live::LiveEvent;
use millrace_wire::run::{RunEvent, RunEventKind, RunState};
use millrace_wire::savepoint::{JobSavepointSchedule, SavepointSchedule};
use millrace_wire::schedule::CheckSchedule;

use super::{job, schedule, start};
use crate::access::identity::TeamCaller;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::job::SavepointBy;
use crate::job::cron::Times;
use crate::state::App;
use crate::store;
use crate::store::restore_point::RestorePointRow;
use crate::store::run::RunRow;
use crate::store::savepoint_schedule::SavepointScheduleRow;
use crate::transact;

/// Times shown in the form.
const SHOWN: usize = 5;
const MOST_KEPT: u32 = 100;
/// Savepoints closer than this would follow each other without pause.
const CLOSEST_MS: i64 = 60_000;
/// A time that is older has passed.
const ON_TIME_MS: i64 = 60_000;
/// So long a time is left to the server that takes care of the run.
const OTHER_SERVER_MS: i64 = 20_000;
/// What was asked for comes within this time, or failed.
const TAKEN_WITHIN_MS: i64 = 10 * 60_000;

pub async fn get(app: &App, team: TeamId, id: JobId) -> Result<JobSavepointSchedule> {
    job::row(app, team, id).await?;
    let Some(row) = store::savepoint_schedule::get(&app.store, id).await? else {
        let (next, updated_by) = (Vec::new(), String::new());
        return Ok(JobSavepointSchedule { schedule: None, next, updated_by, updated_at: None });
    };
    let next = match (row.schedule.enabled, row.next_at, Times::parse(&row.schedule.cron, &row.schedule.zone)) {
        (true, Some(next_at), Ok(times)) => times.some_after(next_at - 1, SHOWN),
        _ => Vec::new(),
    };
    let (updated_by, updated_at) = (row.updated_by, Some(row.updated_at));
    Ok(JobSavepointSchedule { schedule: Some(row.schedule), next, updated_by, updated_at })
}

pub async fn set(
    app: &App,
    caller: &TeamCaller,
    id: JobId,
    mut wanted: SavepointSchedule,
) -> Result<JobSavepointSchedule> {
    job::row(app, caller.team, id).await?;
    wanted.cron = wanted.cron.trim().to_owned();
    wanted.zone = wanted.zone.trim().to_owned();
    let asked = CheckSchedule { cron: wanted.cron.clone(), zone: wanted.zone.clone() };
    let now = now_ms();
    let next = schedule::check(&asked, now)?.next;
    if next.iter().zip(next.iter().skip(1)).any(|(one, after)| after - one < CLOSEST_MS) {
        return Err(Error::field("cron", "Savepoints are taken at most once a minute."));
    }
    if !(1..=MOST_KEPT).contains(&wanted.keep) {
        return Err(Error::field("keep", format!("Choose 1 to {MOST_KEPT}.")));
    }
    let row = SavepointScheduleRow {
        job: id,
        team: caller.team,
        next_at: next.first().copied().filter(|_| wanted.enabled),
        schedule: wanted,
        asked: None,
        updated_by: caller.caller.name.clone(),
        updated_at: now,
    };
    transact!(app.store, tx => { store::savepoint_schedule::put(tx, &row).await })?;
    get(app, caller.team, id).await
}

/// What it took stays.
pub async fn delete(app: &App, team: TeamId, id: JobId) -> Result<()> {
    job::row(app, team, id).await?;
    let deleted = store::savepoint_schedule::delete(&app.store, id).await?;
    if deleted { Ok(()) } else { Err(Error::not_found("schedule")) }
}

/// Does what is due at `now`. Called every second, by every server.
pub async fn tick(app: &App, now: i64) -> Result<()> {
    for row in store::savepoint_schedule::waiting(&app.store).await? {
        settle(app, &row, now).await?;
    }
    for row in store::savepoint_schedule::due(&app.store, now).await? {
        take_time(app, &row, now).await?;
    }
    Ok(())
}

async fn take_time(app: &App, row: &SavepointScheduleRow, now: i64) -> Result<()> {
    let Some(due_at) = row.next_at else { return Ok(()) };
    let times = match Times::parse(&row.schedule.cron, &row.schedule.zone) {
        Ok(times) => times,
        Err(wrong) => {
            // A time zone may go from the list that this version knows.
            tracing::warn!(job.id = %row.job, problem = wrong.message, "a schedule of savepoints cannot be followed");
            return Ok(());
        }
    };
    let late = now.saturating_sub(due_at);
    let run = store::run::newest(&app.store, row.job).await?;
    let live = run.as_ref().filter(|run| run.state == RunState::Running);
    if live.is_some_and(|run| !app.jobs.cares_for(run.id)) && late < OTHER_SERVER_MS {
        return Ok(());
    }
    let refusal = match live {
        None => Some("the job did not run."),
        Some(_) if row.asked.is_some() => Some("the one before it was still being taken."),
        Some(_) if late > ON_TIME_MS => Some("no server was there at that time."),
        Some(_) => None,
    };
    let asks = live.filter(|_| refusal.is_none());
    let mine = transact!(app.store, tx => {
        let mine = store::savepoint_schedule::advance(tx, row.job, due_at, times.next(now)).await?;
        if let (true, Some(run)) = (mine, asks) {
            store::savepoint_schedule::ask(tx, row.job, run.id, now).await?;
        }
        Ok(mine)
    })?;
    let Some(run) = run.as_ref().filter(|_| mine) else { return Ok(()) };
    let refusal = match refusal {
        Some(why) => Some(why),
        None if app.jobs.take_savepoint(run, SavepointBy::Schedule).await => None,
        None => {
            give_up(app, row.job).await?;
            Some("its worker was not linked, or a savepoint was being taken by hand.")
        }
    };
    match refusal {
        Some(why) => say_once(app, run, &format!("Scheduled savepoint skipped: {why}"), now).await,
        None => Ok(()),
    }
}

/// Nothing comes of what was noted a moment ago.
async fn give_up(app: &App, job: JobId) -> Result<()> {
    let row = store::savepoint_schedule::get(&app.store, job).await?;
    let Some(asked) = row.and_then(|row| row.asked) else { return Ok(()) };
    transact!(app.store, tx => { store::savepoint_schedule::settle(tx, job, asked).await.map(drop) })
}

/// Looks what became of the savepoint that was asked for.
async fn settle(app: &App, row: &SavepointScheduleRow, now: i64) -> Result<()> {
    let Some(asked) = row.asked else { return Ok(()) };
    let Some(run) = store::run::get(&app.store, asked.run).await? else { return Ok(()) };
    let taken = store::savepoint_schedule::is_taken(&app.store, asked).await?;
    let failure = match (taken, run.state.is_terminal(), now.saturating_sub(asked.at) > TAKEN_WITHIN_MS) {
        (true, _, _) => None,
        (false, true, _) => Some("the run ended before it was there."),
        (false, false, true) => Some("it was not there after ten minutes."),
        (false, false, false) => return Ok(()),
    };
    let mine = transact!(app.store, tx => { store::savepoint_schedule::settle(tx, row.job, asked).await })?;
    match failure {
        _ if !mine => Ok(()),
        Some(why) => say(app, &run, RunEventKind::Warning, format!("Scheduled savepoint failed: {why}"), now).await,
        None => remove_old(app, row, &run, now).await,
    }
}

/// Forgotten first: what is listed exists.
async fn remove_old(app: &App, row: &SavepointScheduleRow, run: &RunRow, now: i64) -> Result<()> {
    let keep = usize::try_from(row.schedule.keep).unwrap_or(usize::MAX).max(1);
    for point in store::savepoint_schedule::taken(&app.store, row.job).await?.into_iter().skip(keep) {
        let words = start::in_words(&point);
        let forgotten = transact!(app.store, tx => { store::savepoint_schedule::forget(tx, &point, &words).await })?;
        if forgotten {
            remove_files(&point).await;
            let RestorePointRow { number, run_number, .. } = point;
            let message =
                format!("Savepoint {number} of run {run_number} removed: the schedule keeps {}.", row.schedule.keep);
            say(app, run, RunEventKind::Savepoint, message, now).await?;
        }
    }
    Ok(())
}

async fn remove_files(point: &RestorePointRow) {
    match tokio::fs::remove_dir_all(Path::new(&point.path)).await {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(job.id = %point.job, folder = point.path, %cause, "the files of an old savepoint remain");
        }
        _ => {}
    }
}

/// A job that rests would say the same at each of its times.
async fn say_once(app: &App, run: &RunRow, message: &str, now: i64) -> Result<()> {
    let newest = store::job_event::list(&app.store, run.job, None, 1).await?;
    if newest.first().is_some_and(|(_, event)| event.message == message) {
        return Ok(());
    }
    say(app, run, RunEventKind::Warning, message.to_owned(), now).await
}

async fn say(app: &App, run: &RunRow, kind: RunEventKind, message: String, at: i64) -> Result<()> {
    let event = RunEvent { at, run: run.id, attempt: run.attempt, kind, message };
    transact!(app.store, tx => { store::job_event::insert(tx, run.team, run.job, &event).await })?;
    app.live.publish(run.team, &LiveEvent::RunEvent { job: run.job, event });
    Ok(())
}
