//! Checkpoints that still exist, and savepoints: what a run can be started from.

use millrace_wire::ids::{JobId, RunId, SavepointId};
use millrace_wire::run::{RestoreKind, RestorePoint};

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct RestorePointRow {
    pub id: SavepointId,
    pub job: JobId,
    pub run: RunId,
    pub run_number: u32,
    pub version: u32,
    pub kind: RestoreKind,
    pub number: u64,
    /// Directory of the manifest, absolute.
    pub path: String,
    pub bytes: u64,
    pub ms: u64,
    pub at: i64,
    pub by: String,
    /// The schedule asked for it.
    pub scheduled: bool,
}

impl RestorePointRow {
    pub fn shown(self) -> RestorePoint {
        RestorePoint {
            savepoint: (self.kind == RestoreKind::Savepoint).then_some(self.id),
            kind: self.kind,
            number: self.number,
            run: self.run,
            run_number: self.run_number,
            version: self.version,
            at: self.at,
            bytes: self.bytes,
            by: self.by,
            scheduled: self.scheduled,
            incompatible: Vec::new(),
        }
    }
}

fn wide(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn read(row: &Row) -> Result<RestorePointRow> {
    Ok(RestorePointRow {
        id: row.parsed("id")?,
        job: row.parsed("job_id")?,
        run: row.parsed("run_id")?,
        run_number: u32::try_from(row.int("run_number")?).unwrap_or(0),
        version: u32::try_from(row.int("version_number")?).unwrap_or(0),
        kind: row.parsed("kind")?,
        number: row.count("number")?,
        path: row.text("path")?,
        bytes: row.count("bytes")?,
        ms: row.count("ms")?,
        at: row.int("at")?,
        by: row.text("created_by")?,
        scheduled: row.flag("scheduled")?,
    })
}

/// A point that was reported before is left as it is: reports come again after a lost link.
pub async fn insert(tx: &mut Tx, point: &RestorePointRow) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO job_restore_points (id, job_id, run_id, run_number, version_number, kind, number, path, bytes, \
         ms, at, created_by, scheduled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
    )
    .bind(point.id.to_string())
    .bind(point.job.to_string())
    .bind(point.run.to_string())
    .bind(i64::from(point.run_number))
    .bind(i64::from(point.version))
    .bind(point.kind.as_str())
    .bind(wide(point.number))
    .bind(point.path.clone())
    .bind(wide(point.bytes))
    .bind(wide(point.ms))
    .bind(point.at)
    .bind(point.by.clone())
    .bind(i64::from(point.scheduled))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets checkpoints of the run that the worker has removed by now: it keeps the newest `kept`.
pub async fn trim_checkpoints(tx: &mut Tx, run: RunId, kept: u32) -> Result<()> {
    sqlx::query(
        "DELETE FROM job_restore_points WHERE run_id = $1 AND kind = 'checkpoint' AND number < \
         (SELECT MIN(number) FROM (SELECT number FROM job_restore_points WHERE run_id = $1 AND kind = 'checkpoint' \
          ORDER BY number DESC LIMIT $2) AS newest)",
    )
    .bind(run.to_string())
    .bind(i64::from(kept.max(1)))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The newest one of any kind, over all runs of the job.
pub async fn latest(store: &Store, job: JobId) -> Result<Option<RestorePointRow>> {
    let row = sqlx::query("SELECT * FROM job_restore_points WHERE job_id = $1 ORDER BY at DESC, id DESC LIMIT 1")
        .bind(job.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn savepoint(store: &Store, job: JobId, id: SavepointId) -> Result<Option<RestorePointRow>> {
    let row = sqlx::query("SELECT * FROM job_restore_points WHERE job_id = $1 AND id = $2 AND kind = 'savepoint'")
        .bind(job.to_string())
        .bind(id.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Newest first: all savepoints, and the checkpoints that exist.
pub async fn list(store: &Store, job: JobId) -> Result<Vec<RestorePointRow>> {
    let rows = sqlx::query("SELECT * FROM job_restore_points WHERE job_id = $1 ORDER BY at DESC, id DESC LIMIT 500")
        .bind(job.to_string())
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

/// A folder of checkpoints and what is in it that people asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Root {
    pub path: String,
    pub savepoints: u64,
}

/// The folders of a job, that of the newest run first.
pub async fn roots(store: &Store, job: JobId) -> Result<Vec<Root>> {
    let rows = sqlx::query(
        "SELECT r.checkpoint_root AS root, \
         (SELECT COUNT(*) FROM job_restore_points p JOIN job_runs o ON o.id = p.run_id \
          WHERE o.job_id = $1 AND o.checkpoint_root = r.checkpoint_root AND p.kind = 'savepoint') AS savepoints \
         FROM job_runs r WHERE r.job_id = $1 GROUP BY r.checkpoint_root ORDER BY MAX(r.number) DESC",
    )
    .bind(job.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(|row| Ok(Root { path: row.text("root")?, savepoints: row.count("savepoints")? })).collect()
}

pub async fn forget_root(store: &Store, job: JobId, root: &str) -> Result<()> {
    sqlx::query(
        "DELETE FROM job_restore_points WHERE job_id = $1 AND run_id IN \
         (SELECT id FROM job_runs WHERE job_id = $1 AND checkpoint_root = $2)",
    )
    .bind(job.to_string())
    .bind(root.to_owned())
    .execute(store.writer())
    .await?;
    Ok(())
}
