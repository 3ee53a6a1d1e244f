//! Jobs and their drafts.

use std::collections::HashSet;

use millrace_wire::ids::{JobId, TeamId, UserId};
use millrace_wire::job::{DesiredState, JobKind, JobSettings};

use super::job_list;
use super::row::Columns;
use super::sight::{visible, with_sight};
use super::{Row, Store, Tx};
use crate::access::sight::Sight;
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct JobRow {
    pub id: JobId,
    pub team: TeamId,
    pub name: String,
    pub description: String,
    pub owner: String,
    /// The user whose job it is; none for the platform's own, and for what is older than this.
    pub owner_id: Option<UserId>,
    pub restricted: bool,
    pub tags: Vec<String>,
    pub folder: String,
    pub kind: JobKind,
    pub desired: DesiredState,
    pub demo: bool,
    pub draft: DraftRow,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Debug)]
pub struct DraftRow {
    pub sql: String,
    pub settings: JobSettings,
    pub revision: u32,
    pub updated_by: String,
    pub updated_at: i64,
}

/// Counts for the tabs of the job page.
#[derive(Clone, Copy, Debug, Default)]
pub struct JobCounts {
    pub runs: u64,
    pub versions: u64,
    pub savepoints: u64,
}

fn read(row: &Row) -> Result<JobRow> {
    Ok(JobRow {
        id: row.parsed("id")?,
        team: row.parsed("team_id")?,
        name: row.text("name")?,
        description: row.text("description")?,
        owner: row.text("owner")?,
        owner_id: row.text("owner_id")?.parse().ok(),
        restricted: row.flag("restricted")?,
        tags: row.json("tags")?,
        folder: row.text("folder")?,
        kind: row.parsed("kind")?,
        desired: row.parsed("desired")?,
        demo: row.flag("demo")?,
        draft: DraftRow {
            sql: row.text("draft_sql")?,
            settings: row.json("draft_settings")?,
            revision: u32::try_from(row.int("draft_revision")?).unwrap_or(0),
            updated_by: row.text("draft_updated_by")?,
            updated_at: row.int("draft_updated_at")?,
        },
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

pub async fn insert(tx: &mut Tx, job: &JobRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO jobs (id, team_id, name, description, owner, tags, desired, demo, draft_sql, draft_settings, \
         draft_revision, draft_updated_by, draft_updated_at, created_at, updated_at, kind, owner_id, restricted, folder) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
    )
    .bind(job.id.to_string())
    .bind(job.team.to_string())
    .bind(job.name.clone())
    .bind(job.description.clone())
    .bind(job.owner.clone())
    .bind(serde_json::to_string(&job.tags)?)
    .bind(job.desired.as_str())
    .bind(i64::from(job.demo))
    .bind(job.draft.sql.clone())
    .bind(serde_json::to_string(&job.draft.settings)?)
    .bind(i64::from(job.draft.revision))
    .bind(job.draft.updated_by.clone())
    .bind(job.draft.updated_at)
    .bind(job.created_at)
    .bind(job.updated_at)
    .bind(job.kind.as_str())
    .bind(job.owner_id.map(|user| user.to_string()).unwrap_or_default())
    .bind(i64::from(job.restricted))
    .bind(job.folder.clone())
    .execute(&mut **tx)
    .await?;
    job_list::put(tx, job).await
}

/// Of this team only: another team's job does not exist here, nor does one in the bin.
pub async fn get(store: &Store, team: TeamId, job: JobId) -> Result<Option<JobRow>> {
    let row = sqlx::query("SELECT * FROM jobs WHERE id = $1 AND team_id = $2 AND deleted_at IS NULL")
        .bind(job.to_string())
        .bind(team.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn get_in(tx: &mut Tx, job: JobId) -> Result<Option<JobRow>> {
    let row = sqlx::query("SELECT * FROM jobs WHERE id = $1").bind(job.to_string()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(read).transpose()
}

/// Whichever team it belongs to: for the supervisor, never for a request.
pub async fn of_any_team(store: &Store, job: JobId) -> Result<Option<JobRow>> {
    let row =
        sqlx::query("SELECT * FROM jobs WHERE id = $1").bind(job.to_string()).fetch_optional(store.reader()).await?;
    row.as_ref().map(read).transpose()
}

pub async fn by_name(store: &Store, team: TeamId, name: &str) -> Result<Option<JobRow>> {
    let row = sqlx::query("SELECT * FROM jobs WHERE team_id = $1 AND name = $2")
        .bind(team.to_string())
        .bind(name.to_owned())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// The name of a job of the team that these eyes see, if it is in use.
pub async fn name_of(store: &Store, sight: &Sight, job: JobId) -> Result<Option<String>> {
    let sql = concat!(
        "SELECT j.name FROM jobs j WHERE j.team_id = $1 AND j.id = $6 AND j.deleted_at IS NULL AND ",
        visible!("j", "job_id")
    );
    let row = with_sight(sqlx::query(sql), sight).bind(job.to_string()).fetch_optional(store.reader()).await?;
    row.as_ref().map(|row| row.text("name")).transpose()
}

/// Ids of the team's jobs that these eyes see, those in the bin among them.
pub async fn visible_ids(store: &Store, sight: &Sight) -> Result<HashSet<JobId>> {
    let sql = concat!("SELECT j.id FROM jobs j WHERE j.team_id = $1 AND ", visible!("j", "job_id"));
    let rows = with_sight(sqlx::query(sql), sight).fetch_all(store.reader()).await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

pub async fn counts(store: &Store, job: JobId) -> Result<JobCounts> {
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM job_runs WHERE job_id = $1) AS runs, \
         (SELECT COUNT(*) FROM job_versions WHERE job_id = $1) AS versions, \
         (SELECT COUNT(*) FROM job_restore_points WHERE job_id = $1 AND kind = 'savepoint') AS savepoints",
    )
    .bind(job.to_string())
    .fetch_one(store.reader())
    .await?;
    Ok(JobCounts { runs: row.count("runs")?, versions: row.count("versions")?, savepoints: row.count("savepoints")? })
}

pub async fn change(tx: &mut Tx, job: &JobRow) -> Result<()> {
    let changed = sqlx::query(
        "UPDATE jobs SET name = $1, description = $2, tags = $3, kind = $4, updated_at = $5, folder = $6 \
         WHERE id = $7 AND deleted_at IS NULL",
    )
    .bind(job.name.clone())
    .bind(job.description.clone())
    .bind(serde_json::to_string(&job.tags)?)
    .bind(job.kind.as_str())
    .bind(job.updated_at)
    .bind(job.folder.clone())
    .bind(job.id.to_string())
    .execute(&mut **tx)
    .await?;
    // Somebody may have moved it to the bin meanwhile.
    if changed.rows_affected() == 1 { job_list::put(tx, job).await } else { Ok(()) }
}

/// False when the draft is not at revision `from` any more.
pub async fn save_draft(tx: &mut Tx, job: JobId, from: u32, draft: &DraftRow) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE jobs SET draft_sql = $1, draft_settings = $2, draft_revision = $3, draft_updated_by = $4, \
         draft_updated_at = $5, updated_at = $5 WHERE id = $6 AND draft_revision = $7",
    )
    .bind(draft.sql.clone())
    .bind(serde_json::to_string(&draft.settings)?)
    .bind(i64::from(draft.revision))
    .bind(draft.updated_by.clone())
    .bind(draft.updated_at)
    .bind(job.to_string())
    .bind(i64::from(from))
    .execute(&mut **tx)
    .await?;
    job_list::touch(tx, job, draft.updated_at).await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the job is there, and not in the bin.
pub async fn is_there(tx: &mut Tx, job: JobId) -> Result<bool> {
    let found = sqlx::query("SELECT 1 FROM jobs WHERE id = $1 AND deleted_at IS NULL");
    Ok(found.bind(job.to_string()).fetch_optional(&mut **tx).await?.is_some())
}

pub async fn set_desired(tx: &mut Tx, job: JobId, desired: DesiredState) -> Result<()> {
    sqlx::query("UPDATE jobs SET desired = $1 WHERE id = $2")
        .bind(desired.as_str())
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A job that waits to be started again.
#[derive(Clone, Debug)]
pub struct RestartRow {
    pub job: JobId,
    pub team: TeamId,
    pub by: String,
}

/// Who wants the job to be started again once its run is over; empty when nobody does.
pub async fn want_restart(tx: &mut Tx, job: JobId, by: &str) -> Result<()> {
    sqlx::query("UPDATE jobs SET restart_by = $1 WHERE id = $2 AND restart_by <> $1")
        .bind(by.to_owned())
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Of all teams: jobs whose run is over by now.
pub async fn to_restart(store: &Store) -> Result<Vec<RestartRow>> {
    let rows = sqlx::query(
        "SELECT j.id, j.team_id, j.restart_by FROM jobs j WHERE j.restart_by <> '' AND j.deleted_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM job_runs r WHERE r.job_id = j.id AND r.ended_at IS NULL) ORDER BY j.id",
    )
    .fetch_all(store.reader())
    .await?;
    let read = |row: &Row| {
        Ok(RestartRow { job: row.parsed("id")?, team: row.parsed("team_id")?, by: row.text("restart_by")? })
    };
    rows.iter().map(read).collect()
}
