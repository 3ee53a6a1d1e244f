//! When jobs take savepoints by themselves. Times and what was asked for are taken by compare-and-set, so that of several
//! servers one asks, and one says what became of it.

use millrace_wire::ids::{JobId, RunId, TeamId};
use millrace_wire::savepoint::SavepointSchedule;

use super::restore_point::{self, RestorePointRow};
use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

/// A savepoint that was asked for and is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedFor {
    pub run: RunId,
    pub at: i64,
    /// The newest number of the run before it.
    pub after: u64,
}

#[derive(Clone, Debug)]
pub struct SavepointScheduleRow {
    pub job: JobId,
    pub team: TeamId,
    pub schedule: SavepointSchedule,
    pub next_at: Option<i64>,
    pub asked: Option<AskedFor>,
    pub updated_by: String,
    pub updated_at: i64,
}

fn read(row: &Row) -> Result<SavepointScheduleRow> {
    let asked = match row.int_or_null("asked_at")? {
        Some(at) => Some(AskedFor { run: row.parsed("asked_run")?, at, after: row.count("asked_after")? }),
        None => None,
    };
    Ok(SavepointScheduleRow {
        job: row.parsed("job_id")?,
        team: row.parsed("team_id")?,
        schedule: row.json("schedule")?,
        next_at: row.int_or_null("next_at")?,
        asked,
        updated_by: row.text("updated_by")?,
        updated_at: row.int("updated_at")?,
    })
}

pub async fn get(store: &Store, job: JobId) -> Result<Option<SavepointScheduleRow>> {
    let row = sqlx::query("SELECT * FROM job_savepoint_schedules WHERE job_id = $1")
        .bind(job.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// What was asked for stays so.
pub async fn put(tx: &mut Tx, row: &SavepointScheduleRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO job_savepoint_schedules (job_id, team_id, schedule, enabled, next_at, updated_by, updated_at) \
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
    let done = sqlx::query("DELETE FROM job_savepoint_schedules WHERE job_id = $1")
        .bind(job.to_string())
        .execute(store.writer())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Of all teams: schedules of jobs in use whose time has come.
pub async fn due(store: &Store, now: i64) -> Result<Vec<SavepointScheduleRow>> {
    let rows = sqlx::query(
        "SELECT s.* FROM job_savepoint_schedules s JOIN jobs j ON j.id = s.job_id AND j.deleted_at IS NULL \
         WHERE s.enabled = 1 AND s.next_at <= $1 ORDER BY s.next_at, s.job_id",
    )
    .bind(now)
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// Of all teams: those that wait for a savepoint.
pub async fn waiting(store: &Store) -> Result<Vec<SavepointScheduleRow>> {
    let rows = sqlx::query("SELECT * FROM job_savepoint_schedules WHERE asked_at IS NOT NULL ORDER BY job_id")
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

/// False when another server has taken the time, or somebody changed the schedule.
pub async fn advance(tx: &mut Tx, job: JobId, from: i64, to: Option<i64>) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_savepoint_schedules SET next_at = $1 WHERE job_id = $2 AND next_at = $3 AND enabled = 1",
    )
    .bind(to)
    .bind(job.to_string())
    .bind(from)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that one is asked for. The number is that of the newest point of the run.
pub async fn ask(tx: &mut Tx, job: JobId, run: RunId, at: i64) -> Result<()> {
    sqlx::query(
        "UPDATE job_savepoint_schedules SET asked_run = $1, asked_at = $2, asked_after = \
         (SELECT COALESCE(MAX(number), 0) FROM job_restore_points WHERE run_id = $1) WHERE job_id = $3",
    )
    .bind(run.to_string())
    .bind(at)
    .bind(job.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// False when another server has settled it.
pub async fn settle(tx: &mut Tx, job: JobId, asked: AskedFor) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_savepoint_schedules SET asked_run = NULL, asked_at = NULL, asked_after = NULL \
         WHERE job_id = $1 AND asked_run = $2 AND asked_at = $3",
    )
    .bind(job.to_string())
    .bind(asked.run.to_string())
    .bind(asked.at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the run has a savepoint since it was asked for, whoever asked.
pub async fn is_taken(store: &Store, asked: AskedFor) -> Result<bool> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS taken FROM job_restore_points WHERE run_id = $1 AND kind = 'savepoint' AND number > $2",
    )
    .bind(asked.run.to_string())
    .bind(i64::try_from(asked.after).unwrap_or(i64::MAX))
    .fetch_one(store.reader())
    .await?;
    Ok(row.count("taken")? > 0)
}

/// Those that the schedule took, newest first.
pub async fn taken(store: &Store, job: JobId) -> Result<Vec<RestorePointRow>> {
    let rows = sqlx::query(
        "SELECT * FROM job_restore_points WHERE job_id = $1 AND kind = 'savepoint' AND scheduled = 1 \
         ORDER BY at DESC, id DESC",
    )
    .bind(job.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(restore_point::read).collect()
}

/// Forgets one that the schedule took. False when it is not there any more, or when it is needed: a live run was
/// restored from it (`words`, as its start says) or would be, or somebody asked for the approval of a start from it.
pub async fn forget(tx: &mut Tx, point: &RestorePointRow, words: &str) -> Result<bool> {
    let done = sqlx::query(
        "DELETE FROM job_restore_points WHERE id = $1 AND scheduled = 1 \
         AND NOT EXISTS (SELECT 1 FROM job_runs r WHERE r.job_id = $2 AND r.ended_at IS NULL \
                         AND (r.restored_from = $3 OR r.restore_path = $4)) \
         AND NOT EXISTS (SELECT 1 FROM start_approvals a WHERE a.job_id = $2 AND a.savepoint_id = $1 \
                         AND (a.state = 'open' OR (a.state = 'approved' AND NOT EXISTS \
                              (SELECT 1 FROM run_approvals u WHERE u.approval_id = a.id))))",
    )
    .bind(point.id.to_string())
    .bind(point.job.to_string())
    .bind(words.to_owned())
    .bind(point.path.clone())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
