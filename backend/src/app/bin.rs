//! Deleting jobs: into the recycle bin first, out of it for a while, for good after that.

use std::collections::BTreeMap;

use millrace_wire::ids::{JobId, TeamId};
use millrace_wire::job::Job;
use millrace_wire::job_life::{BinnedJob, DependentTable, Dependents, RestoreJob};
use millrace_wire::live::LiveEvent;

use super::notice::Letterhead;
use super::permission::VisibleJobs;
use super::{approval, check, job, schedule, start};
use crate::access::identity::TeamCaller;
use crate::access::sight::Sight;
use crate::clock::now_ms;
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store::{self, is_unique_violation};
use crate::transact;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// Names that are tried for one that is taken.
const MOST_SUGGESTIONS: u32 = 50;

pub fn keep_ms(app: &App) -> i64 {
    i64::from(app.config.bin_days) * DAY_MS
}

pub async fn list(app: &App, sight: &Sight) -> Result<Vec<BinnedJob>> {
    store::bin::list(&app.store, sight, keep_ms(app)).await
}

/// Into the bin; refused while a run is not over. All that belongs to the job stays with it.
pub async fn put(app: &App, caller: &TeamCaller, id: JobId) -> Result<Job> {
    let before = job::get(app, &caller.sight(), id).await?;
    let by = caller.caller.name.as_str();
    let (letterhead, now) = (Letterhead::of(app), now_ms());
    let done = transact!(app.store, tx => {
        if !store::bin::put(tx, id, by, now).await? {
            return Ok(false);
        }
        approval::supersede(tx, &letterhead, id, "The job was deleted.", Some(caller.caller.user), now).await?;
        Ok(true)
    })?;
    if !done {
        return Err(Error::conflict(Code::WrongState, "The job runs. Stop it first."));
    }
    app.live.publish(caller.team, &LiveEvent::JobsChanged { job: id });
    Ok(before)
}

pub async fn restore(app: &App, caller: &TeamCaller, id: JobId, request: RestoreJob) -> Result<Job> {
    let was = name_in_bin(app, caller.team, id).await?;
    let name = request.name.map_or(was, |name| name.trim().to_owned());
    check::display_name("name", &name)?;
    let now = now_ms();
    let next = schedule::next_time(app, id, now).await?;
    let restored = transact!(app.store, tx => {
        // What was due while it lay in the bin is not made up for.
        store::schedule::skip_to(tx, id, next, now, "The job was in the recycle bin.").await?;
        store::bin::restore(tx, id, &name, now).await
    });
    match restored {
        Err(error) if is_unique_violation(&error) => {
            let suggestion = free_name(app, caller.team, &name).await?;
            let message = format!("Another job is called \"{name}\" by now.");
            let hint = format!("Restore it under another name, for example \"{suggestion}\".");
            return Err(Error::name_taken("name", message).hint(hint));
        }
        Err(error) => return Err(error),
        Ok(None) => return Err(Error::not_found("job in the bin")),
        Ok(Some(_)) => {}
    }
    app.live.publish(caller.team, &LiveEvent::JobsChanged { job: id });
    job::get(app, &caller.sight(), id).await
}

async fn free_name(app: &App, team: TeamId, name: &str) -> Result<String> {
    let plain = format!("{name} (restored)");
    let more = (2..MOST_SUGGESTIONS).map(|n| format!("{name} (restored {n})"));
    for candidate in std::iter::once(plain.clone()).chain(more) {
        if store::job::by_name(&app.store, team, &candidate).await?.is_none() {
            return Ok(candidate);
        }
    }
    Ok(plain)
}

async fn name_in_bin(app: &App, team: TeamId, id: JobId) -> Result<String> {
    let name = store::bin::name_of(app.store.reader(), team, id).await?;
    name.ok_or_else(|| Error::not_found("job in the bin"))
}

/// For good, with logs, checkpoints and savepoints. `name`: typed by whoever asks for it.
pub async fn delete(app: &App, caller: &TeamCaller, id: JobId, name: Option<&str>) -> Result<String> {
    let is = name_in_bin(app, caller.team, id).await?;
    if name != Some(is.as_str()) {
        return Err(Error::field("name", "Give the name of the job, so that it is the right one that is removed."));
    }
    remove(app, id).await?;
    Ok(is)
}

/// What has been in the bin for long enough goes, of all teams. Called once in a while.
pub async fn purge(app: &App, now: i64) -> Result<usize> {
    let due = store::bin::older_than(&app.store, now.saturating_sub(keep_ms(app))).await?;
    for id in &due {
        remove(app, *id).await?;
        tracing::info!(job.id = %id, "a job has left the bin for good");
    }
    Ok(due.len())
}

async fn remove(app: &App, id: JobId) -> Result<()> {
    let runs = store::run::list(&app.store, id, u32::MAX).await?;
    let before = store::job::of_any_team(&app.store, id).await?;
    let now = now_ms();
    let deleted = transact!(app.store, tx => {
        store::log_scope::purged(tx, id, now).await?;
        store::bin::delete(tx, id).await
    })?;
    if !deleted {
        return Err(Error::not_found("job in the bin"));
    }
    if let Some(job) = before.filter(|job| job.restricted) {
        // Nobody knows any more from whom it was hidden.
        app.live.forget(job.team, id.0);
        app.mirror.show(id);
    }
    app.metrics.forget(id);
    for run in runs {
        app.logs.delete(run.id).await?;
        remove_folder(app.jobs.run_folder(run.id)).await;
    }
    remove_folder(start::checkpoints_of(app, id)).await;
    Ok(())
}

/// The job is gone already: what cannot be removed is only wasted space, and told to whoever runs the server.
async fn remove_folder(folder: std::path::PathBuf) {
    if let Err(cause) = tokio::fs::remove_dir_all(&folder).await
        && cause.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %folder.display(), %cause, "files of a deleted job remain");
    }
}

/// Tables that only this job writes, with the other jobs that read them, as far as these eyes see them.
pub async fn dependents(app: &App, sight: &Sight, id: JobId) -> Result<Dependents> {
    job::row(app, sight.team, id).await?;
    let seen = VisibleJobs::load(app, sight).await?;
    let uses = store::table::uses_in_team(&app.store, sight.team).await?;
    let mut tables: BTreeMap<String, DependentTable> = BTreeMap::new();
    for used in uses.iter().filter(|used| used.writes && used.job.id == id) {
        let table = used.table.clone();
        tables.insert(table.clone(), DependentTable { table, readers: Vec::new() });
    }
    for used in uses {
        if used.job.id == id {
            continue;
        }
        if used.writes {
            tables.remove(&used.table);
        } else if let Some(table) = tables.get_mut(&used.table).filter(|_| seen.has(used.job.id)) {
            table.readers.push(used.job);
        }
    }
    Ok(Dependents { tables: tables.into_values().collect() })
}
