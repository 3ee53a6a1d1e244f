//! Functions that a team brings, their versions, and which jobs use them.

use std::collections::BTreeSet;

use millrace_wire::connection::JobRef;
use millrace_wire::ids::{FunctionId, TeamId};
use millrace_wire::user_function::{FunctionUse, UserFunctionVersion};

use super::row::Columns;
use super::sight::{visible, with_sight};
use super::{Row, Store, Tx};
use crate::access::sight::Sight;
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct FunctionRow {
    pub id: FunctionId,
    pub team: TeamId,
    pub name: String,
    pub remark: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub updated_by: String,
}

/// SQL does not tell the case of a function's name.
pub fn key(name: &str) -> String {
    name.to_lowercase()
}

fn read(row: &Row) -> Result<FunctionRow> {
    Ok(FunctionRow {
        id: row.parsed("id")?,
        team: row.parsed("team_id")?,
        name: row.text("name")?,
        remark: row.text("remark")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
        updated_by: row.text("updated_by")?,
    })
}

fn read_version(row: &Row) -> Result<UserFunctionVersion> {
    Ok(UserFunctionVersion {
        number: number(row, "number")?,
        kind: row.parsed("kind")?,
        language: row.parsed("language")?,
        signature: row.text("signature")?,
        parameters: row.json("parameters")?,
        definition: row.text_or_null("definition")?,
        entry: row.text_or_null("entry")?,
        module_hash: row.text_or_null("module_hash")?,
        module_bytes: row.int_or_null("module_bytes")?.and_then(|bytes| u64::try_from(bytes).ok()),
        created_by: row.text("created_by")?,
        created_at: row.int("created_at")?,
    })
}

fn number(row: &Row, column: &str) -> Result<u32> {
    Ok(u32::try_from(row.int(column)?).unwrap_or(0))
}

/// By name, each with its newest version.
pub async fn list(store: &Store, team: TeamId) -> Result<Vec<(FunctionRow, UserFunctionVersion)>> {
    let rows = sqlx::query(
        "SELECT v.*, f.id, f.team_id, f.name, f.remark, f.updated_at, f.updated_by \
         FROM functions f JOIN function_versions v ON v.function_id = f.id \
         WHERE f.team_id = $1 AND v.number = \
         (SELECT MAX(newest.number) FROM function_versions newest WHERE newest.function_id = f.id) \
         ORDER BY f.name_key",
    )
    .bind(team.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(|row| Ok((read(row)?, read_version(row)?))).collect()
}

/// Of this team only: another team's function does not exist here.
pub async fn get(store: &Store, team: TeamId, id: FunctionId) -> Result<Option<FunctionRow>> {
    let row = sqlx::query("SELECT * FROM functions WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn get_in(tx: &mut Tx, team: TeamId, id: FunctionId) -> Result<Option<FunctionRow>> {
    let row = sqlx::query("SELECT * FROM functions WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(read).transpose()
}

/// In whatever case the name is given.
pub async fn by_name(tx: &mut Tx, team: TeamId, name: &str) -> Result<Option<FunctionRow>> {
    let row = sqlx::query("SELECT * FROM functions WHERE team_id = $1 AND name_key = $2")
        .bind(team.to_string())
        .bind(key(name))
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(read).transpose()
}

const VERSIONS: &str = "SELECT * FROM function_versions WHERE function_id = $1 ORDER BY number DESC";

/// Newest first.
pub async fn versions(store: &Store, id: FunctionId) -> Result<Vec<UserFunctionVersion>> {
    let rows = sqlx::query(VERSIONS).bind(id.to_string()).fetch_all(store.reader()).await?;
    rows.iter().map(read_version).collect()
}

pub async fn newest_in(tx: &mut Tx, id: FunctionId) -> Result<Option<UserFunctionVersion>> {
    let row = sqlx::query(VERSIONS).bind(id.to_string()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(read_version).transpose()
}

pub async fn insert(tx: &mut Tx, function: &FunctionRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO functions (id, team_id, name, name_key, remark, created_at, updated_at, updated_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(function.id.to_string())
    .bind(function.team.to_string())
    .bind(function.name.clone())
    .bind(key(&function.name))
    .bind(function.remark.clone())
    .bind(function.created_at)
    .bind(function.updated_at)
    .bind(function.updated_by.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The remark, and who changed the function last.
pub async fn change(tx: &mut Tx, function: &FunctionRow) -> Result<()> {
    sqlx::query("UPDATE functions SET remark = $1, updated_at = $2, updated_by = $3 WHERE id = $4")
        .bind(function.remark.clone())
        .bind(function.updated_at)
        .bind(function.updated_by.clone())
        .bind(function.id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn insert_version(tx: &mut Tx, id: FunctionId, version: &UserFunctionVersion) -> Result<()> {
    sqlx::query(
        "INSERT INTO function_versions (function_id, number, kind, language, signature, parameters, definition, \
         entry, module_hash, module_bytes, created_by, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id.to_string())
    .bind(i64::from(version.number))
    .bind(version.kind.as_str())
    .bind(version.language.as_str())
    .bind(version.signature.clone())
    .bind(serde_json::to_string(&version.parameters)?)
    .bind(version.definition.clone())
    .bind(version.entry.clone())
    .bind(version.module_hash.clone())
    .bind(version.module_bytes.and_then(|bytes| i64::try_from(bytes).ok()))
    .bind(version.created_by.clone())
    .bind(version.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, id: FunctionId) -> Result<()> {
    sqlx::query("DELETE FROM functions WHERE id = $1").bind(id.to_string()).execute(&mut **tx).await?;
    Ok(())
}

pub async fn count(tx: &mut Tx, team: TeamId) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) AS all_of_them FROM functions WHERE team_id = $1")
        .bind(team.to_string())
        .fetch_one(&mut **tx)
        .await?;
    row.count("all_of_them")
}

/// By the newest version of each job that these eyes see, by the name of the job.
pub async fn uses(store: &Store, sight: &Sight) -> Result<Vec<(FunctionId, FunctionUse)>> {
    let sql = concat!(
        "SELECT u.function_id, u.function_version, u.version_number, j.id AS job_id, j.name AS job_name \
         FROM job_function_use u JOIN jobs j ON j.id = u.job_id AND j.deleted_at IS NULL \
         WHERE u.team_id = $1 AND u.version_number = \
         (SELECT MAX(v.number) FROM job_versions v WHERE v.job_id = u.job_id) AND ",
        visible!("j", "job_id"),
        " ORDER BY j.name"
    );
    let rows = with_sight(sqlx::query(sql), sight).fetch_all(store.reader()).await?;
    rows.iter()
        .map(|row| {
            let job = JobRef { id: row.parsed("job_id")?, name: row.text("job_name")? };
            let (job_version, version) = (number(row, "version_number")?, number(row, "function_version")?);
            Ok((row.parsed("function_id")?, FunctionUse { job, job_version, version }))
        })
        .collect()
}

/// Jobs that would break when the function went: by their newest version, or by one that runs now.
pub async fn jobs_using(tx: &mut Tx, team: TeamId, id: FunctionId) -> Result<Vec<JobRef>> {
    let rows = sqlx::query(
        "SELECT DISTINCT j.id, j.name FROM job_function_use u JOIN jobs j ON j.id = u.job_id AND j.deleted_at IS NULL \
         WHERE u.team_id = $1 AND u.function_id = $2 AND ( \
         u.version_number = (SELECT MAX(v.number) FROM job_versions v WHERE v.job_id = u.job_id) \
         OR EXISTS (SELECT 1 FROM job_runs r WHERE r.version_id = u.version_id AND r.ended_at IS NULL)) \
         ORDER BY j.name",
    )
    .bind(team.to_string())
    .bind(id.to_string())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|row| Ok(JobRef { id: row.parsed("id")?, name: row.text("name")? })).collect()
}

/// Modules that a function or a job's version, of whichever team, may still run.
pub async fn modules_in_use(store: &Store) -> Result<BTreeSet<String>> {
    let rows = sqlx::query(
        "SELECT module_hash FROM function_versions WHERE module_hash IS NOT NULL \
         UNION SELECT module_hash FROM job_function_use WHERE module_hash IS NOT NULL",
    )
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(|row| row.text("module_hash")).collect()
}
