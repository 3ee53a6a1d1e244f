//! The time line of jobs: what happened to their runs, in order.

use millrace_wire::ids::{JobId, RunId, TeamId};
use millrace_wire::overview::OverviewEvent;
use millrace_wire::run::{RunEvent, RunEventKind};

use super::row::Columns;
use super::sight::{visible, with_sight};
use super::{Row, Store, Tx};
use crate::access::sight::Sight;
use crate::clock::new_id;
use crate::error::Result;

/// Older ones of a run are dropped when it has more.
const KEPT_PER_RUN: i64 = 2_000;

fn read(row: &Row) -> Result<RunEvent> {
    Ok(RunEvent {
        at: row.int("at")?,
        run: row.parsed("run_id")?,
        attempt: u32::try_from(row.int("attempt")?).unwrap_or(0),
        kind: row.parsed::<RunEventKind>("kind")?,
        message: row.text("message")?,
    })
}

pub async fn insert(tx: &mut Tx, team: TeamId, job: JobId, event: &RunEvent) -> Result<()> {
    sqlx::query(
        "INSERT INTO job_events (id, team_id, job_id, run_id, attempt, at, kind, message) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(new_id().to_string())
    .bind(team.to_string())
    .bind(job.to_string())
    .bind(event.run.to_string())
    .bind(i64::from(event.attempt))
    .bind(event.at)
    .bind(event.kind.as_str())
    .bind(event.message.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Newest first, older than the event with the id `before`. The ids are the cursors.
pub async fn list(store: &Store, job: JobId, before: Option<&str>, limit: u32) -> Result<Vec<(String, RunEvent)>> {
    let rows = sqlx::query("SELECT * FROM job_events WHERE job_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
        .bind(job.to_string())
        // Ids are hexadecimal: this sorts after all of them.
        .bind(before.unwrap_or("z").to_owned())
        .bind(i64::from(limit))
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(|row| Ok((row.text("id")?, read(row)?))).collect()
}

pub async fn count(store: &Store, job: JobId) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) AS n FROM job_events WHERE job_id = $1")
        .bind(job.to_string())
        .fetch_one(store.reader())
        .await?;
    row.count("n")
}

/// In a span of time, oldest first, of the given kinds: for the marks of charts.
pub async fn between(store: &Store, job: JobId, from: i64, to: i64) -> Result<Vec<RunEvent>> {
    let rows = sqlx::query(
        "SELECT * FROM job_events WHERE job_id = $1 AND at >= $2 AND at <= $3 \
         AND kind IN ('state', 'attempt', 'error') ORDER BY id LIMIT 500",
    )
    .bind(job.to_string())
    .bind(from)
    .bind(to)
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// In a span of time, oldest first, over all jobs of a team that these eyes see, or one of them: what stands as marks
/// beside log lines.
pub async fn marks_in_team(
    store: &Store,
    sight: &Sight,
    job: Option<JobId>,
    (from, to): (i64, i64),
) -> Result<Vec<OverviewEvent>> {
    let sql = concat!(
        "SELECT e.*, j.name AS job_name FROM job_events e JOIN jobs j ON j.id = e.job_id AND j.deleted_at IS NULL \
         WHERE e.team_id = $1 AND e.at >= $6 AND e.at < $7 AND ($8 = '' OR e.job_id = $8) \
         AND e.kind IN ('state', 'attempt', 'error', 'person') AND ",
        visible!("j", "job_id"),
        " ORDER BY e.at, e.id LIMIT 1000"
    );
    let job = job.map(|job| job.to_string()).unwrap_or_default();
    let rows = with_sight(sqlx::query(sql), sight).bind(from).bind(to).bind(job).fetch_all(store.reader()).await?;
    rows.iter()
        .map(|row| Ok(OverviewEvent { job: row.parsed("job_id")?, job_name: row.text("job_name")?, event: read(row)? }))
        .collect()
}

/// Newest first over all jobs of a team that these eyes see, checkpoints left out: they would drown the rest.
pub async fn newest_in_team(store: &Store, sight: &Sight, limit: u32) -> Result<Vec<OverviewEvent>> {
    let sql = concat!(
        "SELECT e.*, j.name AS job_name FROM job_events e JOIN jobs j ON j.id = e.job_id AND j.deleted_at IS NULL \
         WHERE e.team_id = $1 AND e.kind <> 'checkpoint' AND ",
        visible!("j", "job_id"),
        " ORDER BY e.id DESC LIMIT $6"
    );
    let query = with_sight(sqlx::query(sql), sight).bind(i64::from(limit));
    let rows = query.fetch_all(store.reader()).await?;
    rows.iter()
        .map(|row| Ok(OverviewEvent { job: row.parsed("job_id")?, job_name: row.text("job_name")?, event: read(row)? }))
        .collect()
}

pub async fn trim(store: &Store, run: RunId) -> Result<()> {
    sqlx::query(
        "DELETE FROM job_events WHERE run_id = $1 AND id < \
         (SELECT MIN(id) FROM (SELECT id FROM job_events WHERE run_id = $1 ORDER BY id DESC LIMIT $2) AS kept)",
    )
    .bind(run.to_string())
    .bind(KEPT_PER_RUN)
    .execute(store.writer())
    .await?;
    Ok(())
}
