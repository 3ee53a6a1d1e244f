//! Schedules of jobs and what became of their times. A time is taken by compare-and-set, so that of several servers one
//! fires it.

use millrace_wire::ids::{JobId, RunId, TeamId};
use millrace_wire::schedule::{Fire, FireOutcome, Schedule};

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct ScheduleRow {
    pub job: JobId,
    pub team: TeamId,
    pub schedule: Schedule,
    pub next_at: Option<i64>,
    pub updated_by: String,
    pub updated_at: i64,
}

/// Kept per job; older ones are dropped.
const KEPT_FIRES: i64 = 500;

fn read(row: &Row) -> Result<ScheduleRow> {
    Ok(ScheduleRow {
        job: row.parsed("job_id")?,
        team: row.parsed("team_id")?,
        schedule: row.json("schedule")?,
        next_at: row.int_or_null("next_at")?,
        updated_by: row.text("updated_by")?,
        updated_at: row.int("updated_at")?,
    })
}

pub async fn get(store: &Store, job: JobId) -> Result<Option<ScheduleRow>> {
    let row = sqlx::query("SELECT * FROM job_schedules WHERE job_id = $1")
        .bind(job.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn put(tx: &mut Tx, row: &ScheduleRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO job_schedules (job_id, team_id, schedule, enabled, next_at, updated_by, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (job_id) DO UPDATE SET schedule = excluded.schedule, \
         enabled = excluded.enabled, next_at = excluded.next_at, updated_by = excluded.updated_by, \
         updated_at = excluded.updated_at",
    )
    .bind(row.job.to_string())
    .bind(row.team.to_string())
    .bind(serde_json::to_string(&row.schedule)?)
    .bind(i64::from(row.schedule.enabled))
    .bind(row.next_at)
    .bind(row.updated_by.clone())
    .bind(row.updated_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn delete(store: &Store, job: JobId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM job_schedules WHERE job_id = $1")
        .bind(job.to_string())
        .execute(store.writer())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Of all teams: schedules of batch jobs in use whose time has come.
pub async fn due(store: &Store, now: i64) -> Result<Vec<ScheduleRow>> {
    let rows = sqlx::query(
        "SELECT s.* FROM job_schedules s JOIN jobs j ON j.id = s.job_id AND j.kind = 'batch' AND j.deleted_at IS NULL \
         WHERE s.enabled = 1 AND s.next_at <= $1 ORDER BY s.next_at, s.job_id",
    )
    .bind(now)
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// False when another server has taken the time, or somebody changed the schedule.
pub async fn advance(tx: &mut Tx, job: JobId, from: i64, to: Option<i64>) -> Result<bool> {
    let done = sqlx::query("UPDATE job_schedules SET next_at = $1 WHERE job_id = $2 AND next_at = $3 AND enabled = 1")
        .bind(to)
        .bind(job.to_string())
        .bind(from)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What was due until `now` and was not started is missed; `next` comes next.
pub async fn skip_to(tx: &mut Tx, job: JobId, next: Option<i64>, now: i64, why: &str) -> Result<()> {
    sqlx::query(
        "UPDATE job_fires SET outcome = 'missed', detail = $1, at = $2 WHERE job_id = $3 AND outcome = 'waiting'",
    )
    .bind(why.to_owned())
    .bind(now)
    .bind(job.to_string())
    .execute(&mut **tx)
    .await?;
    sqlx::query("UPDATE job_schedules SET next_at = $1 WHERE job_id = $2 AND enabled = 1")
        .bind(next)
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Names a time of a job, and how often it was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FireKey {
    pub job: JobId,
    pub due_at: i64,
    pub attempt: u32,
}

/// A time that was noted before stays as it is.
pub async fn note(tx: &mut Tx, key: FireKey, at: i64, outcome: FireOutcome, detail: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO job_fires (job_id, due_at, attempt, at, outcome, detail) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT DO NOTHING",
    )
    .bind(key.job.to_string())
    .bind(key.due_at)
    .bind(i64::from(key.attempt))
    .bind(at)
    .bind(outcome.as_str())
    .bind(detail.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What becomes of a time that waits. False when it does not wait any more.
pub async fn settle(
    tx: &mut Tx,
    key: FireKey,
    at: i64,
    outcome: FireOutcome,
    detail: &str,
    run: Option<RunId>,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_fires SET outcome = $1, detail = $2, run_id = $3, at = $4 \
         WHERE job_id = $5 AND due_at = $6 AND attempt = $7 AND outcome = 'waiting'",
    )
    .bind(outcome.as_str())
    .bind(detail.to_owned())
    .bind(run.map(|run| run.to_string()))
    .bind(at)
    .bind(key.job.to_string())
    .bind(key.due_at)
    .bind(i64::from(key.attempt))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A time that waits to be started.
#[derive(Clone, Debug)]
pub struct WaitingFire {
    pub key: FireKey,
    pub team: TeamId,
    pub job_runs: bool,
}

/// Of all teams: the oldest waiting time of each job, where it may start by now.
pub async fn waiting(store: &Store, now: i64) -> Result<Vec<WaitingFire>> {
    let rows = sqlx::query(
        "SELECT f.job_id, f.due_at, f.attempt, j.team_id, \
         (SELECT COUNT(*) FROM job_runs r WHERE r.job_id = f.job_id AND r.ended_at IS NULL) AS live \
         FROM job_fires f JOIN jobs j ON j.id = f.job_id AND j.deleted_at IS NULL \
         WHERE f.outcome = 'waiting' AND f.at <= $1 ORDER BY f.job_id, f.due_at, f.attempt",
    )
    .bind(now)
    .fetch_all(store.reader())
    .await?;
    let read =
        |row: &Row| Ok(WaitingFire { key: key(row)?, team: row.parsed("team_id")?, job_runs: row.int("live")? > 0 });
    rows.iter().map(read).collect()
}

fn key(row: &Row) -> Result<FireKey> {
    let attempt = u32::try_from(row.int("attempt")?).unwrap_or(0);
    Ok(FireKey { job: row.parsed("job_id")?, due_at: row.int("due_at")?, attempt })
}

/// A run of a schedule that failed and was not looked at yet.
#[derive(Clone, Debug)]
pub struct FailedFire {
    pub key: FireKey,
    pub ended_at: i64,
    /// The job has run again since.
    pub superseded: bool,
}

pub async fn failed(store: &Store) -> Result<Vec<FailedFire>> {
    let rows = sqlx::query(
        "SELECT f.job_id, f.due_at, f.attempt, r.ended_at, \
         (SELECT COUNT(*) FROM job_runs o WHERE o.job_id = f.job_id AND o.number > r.number) AS later \
         FROM job_fires f JOIN job_runs r ON r.id = f.run_id \
         JOIN jobs j ON j.id = f.job_id AND j.deleted_at IS NULL \
         WHERE f.outcome = 'started' AND f.retried = 0 AND r.state = 'failed' ORDER BY f.due_at",
    )
    .fetch_all(store.reader())
    .await?;
    let read = |row: &Row| {
        Ok(FailedFire { key: key(row)?, ended_at: row.int("ended_at")?, superseded: row.int("later")? > 0 })
    };
    rows.iter().map(read).collect()
}

/// False when another server was quicker.
pub async fn mark_retried(tx: &mut Tx, key: FireKey) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_fires SET retried = 1 WHERE job_id = $1 AND due_at = $2 AND attempt = $3 AND retried = 0",
    )
    .bind(key.job.to_string())
    .bind(key.due_at)
    .bind(i64::from(key.attempt))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Newest first.
pub async fn fires(store: &Store, job: JobId, limit: u32) -> Result<Vec<Fire>> {
    let rows = sqlx::query(
        "SELECT f.*, r.number AS run_number, r.state AS run_state FROM job_fires f \
         LEFT JOIN job_runs r ON r.id = f.run_id WHERE f.job_id = $1 ORDER BY f.due_at DESC, f.attempt DESC LIMIT $2",
    )
    .bind(job.to_string())
    .bind(i64::from(limit))
    .fetch_all(store.reader())
    .await?;
    let read = |row: &Row| {
        let state = row.text_or_null("run_state")?.map(|state| state.parse()).transpose();
        Ok(Fire {
            due_at: row.int("due_at")?,
            attempt: u32::try_from(row.int("attempt")?).unwrap_or(0),
            at: row.int("at")?,
            outcome: row.parsed("outcome")?,
            detail: row.text("detail")?,
            run: row.int_or_null("run_number")?.and_then(|number| u32::try_from(number).ok()),
            state: state.map_err(crate::error::Error::internal)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Drops what is older than the newest few hundred.
pub async fn trim(store: &Store, job: JobId) -> Result<()> {
    sqlx::query(
        "DELETE FROM job_fires WHERE job_id = $1 AND outcome <> 'waiting' AND due_at < \
         (SELECT MIN(due_at) FROM (SELECT due_at FROM job_fires WHERE job_id = $1 ORDER BY due_at DESC LIMIT $2) AS kept)",
    )
    .bind(job.to_string())
    .bind(KEPT_FIRES)
    .execute(store.writer())
    .await?;
    Ok(())
}
