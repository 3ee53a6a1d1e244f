//! The recycle bin: jobs that were deleted and can still be brought back.

use millrace_wire::ids::{JobId, TeamId};
use millrace_wire::job_life::BinnedJob;
use sqlx::{Any, Executor};

use super::job::{self, JobRow};
use super::row::Columns;
use super::sight::{visible, with_sight};
use super::{Row, Store, Tx, job_list};
use crate::access::sight::Sight;
use crate::error::Result;

/// `keep_ms`: how long jobs stay.
fn read(row: &Row, keep_ms: i64) -> Result<BinnedJob> {
    let deleted_at = row.int("deleted_at")?;
    Ok(BinnedJob {
        id: row.parsed("id")?,
        name: row.text("bin_name")?,
        description: row.text("description")?,
        owner: row.text("owner")?,
        tags: row.json("tags")?,
        deleted_at,
        deleted_by: row.text("deleted_by")?,
        purge_at: deleted_at.saturating_add(keep_ms),
        versions: row.count("versions")?,
        savepoints: row.count("savepoints")?,
    })
}

const BINNED: &str = concat!(
    "SELECT j.id, j.bin_name, j.description, j.owner, j.tags, j.deleted_at, j.deleted_by, \
    (SELECT COUNT(*) FROM job_versions v WHERE v.job_id = j.id) AS versions, \
    (SELECT COUNT(*) FROM job_restore_points p WHERE p.job_id = j.id AND p.kind = 'savepoint') AS savepoints \
    FROM jobs j WHERE j.team_id = $1 AND j.deleted_at IS NOT NULL AND ",
    visible!("j", "job_id"),
    " ORDER BY j.deleted_at DESC, j.id"
);

/// Those that these eyes see, the newest first.
pub async fn list(store: &Store, sight: &Sight, keep_ms: i64) -> Result<Vec<BinnedJob>> {
    let rows = with_sight(sqlx::query(BINNED), sight).fetch_all(store.reader()).await?;
    rows.iter().map(|row| read(row, keep_ms)).collect()
}

/// What the job was called, if it is in the team's bin.
pub async fn name_of<'c>(from: impl Executor<'c, Database = Any>, team: TeamId, job: JobId) -> Result<Option<String>> {
    let row = sqlx::query("SELECT bin_name FROM jobs WHERE id = $1 AND team_id = $2 AND deleted_at IS NOT NULL")
        .bind(job.to_string())
        .bind(team.to_string())
        .fetch_optional(from)
        .await?;
    row.as_ref().map(|row| row.text("bin_name")).transpose()
}

/// Moves the job into the bin. False when it has a live run, or is there already.
pub async fn put(tx: &mut Tx, job: JobId, by: &str, now: i64) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE jobs SET bin_name = name, name = id, deleted_at = $1, deleted_by = $2, restart_by = '', \
         desired = 'stopped' WHERE id = $3 AND deleted_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM job_runs r WHERE r.job_id = jobs.id AND r.ended_at IS NULL)",
    )
    .bind(now)
    .bind(by.to_owned())
    .bind(job.to_string())
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    job_list::remove(tx, job).await?;
    Ok(true)
}

/// Takes the job out of the bin under this name. Violates a unique index when another job of the team has it.
pub async fn restore(tx: &mut Tx, job: JobId, name: &str, now: i64) -> Result<Option<JobRow>> {
    let done = sqlx::query(
        "UPDATE jobs SET name = $1, bin_name = '', deleted_at = NULL, deleted_by = '', updated_at = $2 \
         WHERE id = $3 AND deleted_at IS NOT NULL",
    )
    .bind(name.to_owned())
    .bind(now)
    .bind(job.to_string())
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    let row = job::get_in(tx, job).await?;
    if let Some(row) = &row {
        job_list::put(tx, row).await?;
        job_list::recall_run(tx, job).await?;
    }
    Ok(row)
}

/// For good. False when it is not in the bin.
pub async fn delete(tx: &mut Tx, job: JobId) -> Result<bool> {
    let done = sqlx::query(
        "DELETE FROM jobs WHERE id = $1 AND deleted_at IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM job_runs r WHERE r.job_id = jobs.id AND r.ended_at IS NULL)",
    )
    .bind(job.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Of all teams: what was deleted before `before`.
pub async fn older_than(store: &Store, before: i64) -> Result<Vec<JobId>> {
    let rows = sqlx::query(
        "SELECT id FROM jobs WHERE deleted_at IS NOT NULL AND deleted_at < $1 \
         AND NOT EXISTS (SELECT 1 FROM job_runs r WHERE r.job_id = jobs.id AND r.ended_at IS NULL) ORDER BY deleted_at",
    )
    .bind(before)
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}
