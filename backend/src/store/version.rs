//! Versions of jobs, and which tables and functions they use.

use millrace_wire::ids::{JobId, TeamId, VersionId};
use millrace_wire::job::{Version, VersionSummary};

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

fn read_summary(row: &Row) -> Result<VersionSummary> {
    Ok(VersionSummary {
        id: row.parsed("id")?,
        number: u32::try_from(row.int("number")?).unwrap_or(0),
        created_by: row.text("created_by")?,
        created_at: row.int("created_at")?,
        comment: row.text("comment")?,
    })
}

fn read(row: &Row) -> Result<Version> {
    Ok(Version {
        summary: read_summary(row)?,
        sql: row.text("sql_text")?,
        settings: row.json("settings")?,
        graph: row.json("graph")?,
        guarantee: row.json("guarantee")?,
        reads: row.json("reads")?,
        writes: row.json("writes")?,
        tables: row.json("tables")?,
        functions: row.json("functions")?,
    })
}

/// The number that the next version of this job gets.
pub async fn next_number(tx: &mut Tx, job: JobId) -> Result<u32> {
    let row = sqlx::query("SELECT COALESCE(MAX(number), 0) + 1 AS next FROM job_versions WHERE job_id = $1")
        .bind(job.to_string())
        .fetch_one(&mut **tx)
        .await?;
    Ok(u32::try_from(row.int("next")?).unwrap_or(1))
}

/// Writes the version and, one by one, which tables it reads and writes and which functions it calls.
pub async fn insert(tx: &mut Tx, team: TeamId, job: JobId, version: &Version) -> Result<()> {
    let summary = &version.summary;
    sqlx::query(
        "INSERT INTO job_versions (id, job_id, number, sql_text, settings, graph, guarantee, reads, writes, tables, \
         created_by, created_at, comment, functions) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(summary.id.to_string())
    .bind(job.to_string())
    .bind(i64::from(summary.number))
    .bind(version.sql.clone())
    .bind(serde_json::to_string(&version.settings)?)
    .bind(serde_json::to_string(&version.graph)?)
    .bind(serde_json::to_string(&version.guarantee)?)
    .bind(serde_json::to_string(&version.reads)?)
    .bind(serde_json::to_string(&version.writes)?)
    .bind(serde_json::to_string(&version.tables)?)
    .bind(summary.created_by.clone())
    .bind(summary.created_at)
    .bind(summary.comment.clone())
    .bind(serde_json::to_string(&version.functions)?)
    .execute(&mut **tx)
    .await?;
    let reads = version.reads.iter().map(|table| (table, "read"));
    let writes = version.writes.iter().map(|table| (table, "write"));
    for (table, direction) in reads.chain(writes) {
        // Temporary tables of the script have no database and are nobody else's.
        let Some((database, name)) = table.split_once('.') else { continue };
        if let Some((database_of_team, name)) = name.split_once('.') {
            insert_foreign(tx, job, summary, [database, database_of_team, name], direction).await?;
            continue;
        }
        sqlx::query(
            "INSERT INTO job_table_use (version_id, team_id, job_id, version_number, database_name, table_name, \
             direction) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(summary.id.to_string())
        .bind(team.to_string())
        .bind(job.to_string())
        .bind(i64::from(summary.number))
        .bind(database.to_owned())
        .bind(name.to_owned())
        .bind(direction)
        .execute(&mut **tx)
        .await?;
    }
    insert_functions(tx, team, job, version).await
}

/// `place`: team, database and table.
async fn insert_foreign(
    tx: &mut Tx,
    job: JobId,
    summary: &VersionSummary,
    [team, database, name]: [&str; 3],
    direction: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO job_foreign_use (version_id, job_id, version_number, direction, table_id) \
         SELECT $1, $2, $3, $4, s.id FROM stream_tables s JOIN table_databases d ON d.id = s.database_id \
         JOIN teams t ON t.id = s.team_id WHERE t.slug = $5 AND d.name = $6 AND s.name = $7 ON CONFLICT DO NOTHING",
    )
    .bind(summary.id.to_string())
    .bind(job.to_string())
    .bind(i64::from(summary.number))
    .bind(direction.to_owned())
    .bind(team.to_owned())
    .bind(database.to_owned())
    .bind(name.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert_functions(tx: &mut Tx, team: TeamId, job: JobId, version: &Version) -> Result<()> {
    for pinned in version.functions.values() {
        sqlx::query(
            "INSERT INTO job_function_use (version_id, team_id, job_id, version_number, function_id, \
             function_version, module_hash) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(version.summary.id.to_string())
        .bind(team.to_string())
        .bind(job.to_string())
        .bind(i64::from(version.summary.number))
        .bind(pinned.function.to_string())
        .bind(i64::from(pinned.version))
        .bind(pinned.module_hash.clone())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

pub async fn get(store: &Store, job: JobId, number: u32) -> Result<Option<Version>> {
    let row = sqlx::query("SELECT * FROM job_versions WHERE job_id = $1 AND number = $2")
        .bind(job.to_string())
        .bind(i64::from(number))
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn newest(store: &Store, job: JobId) -> Result<Option<Version>> {
    let row = sqlx::query("SELECT * FROM job_versions WHERE job_id = $1 ORDER BY number DESC LIMIT 1")
        .bind(job.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Newest first.
pub async fn list(store: &Store, job: JobId) -> Result<Vec<VersionSummary>> {
    let rows = sqlx::query(
        "SELECT id, number, created_by, created_at, comment FROM job_versions WHERE job_id = $1 ORDER BY number DESC",
    )
    .bind(job.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read_summary).collect()
}

pub async fn id_of(store: &Store, job: JobId, number: u32) -> Result<Option<VersionId>> {
    let row = sqlx::query("SELECT id FROM job_versions WHERE job_id = $1 AND number = $2")
        .bind(job.to_string())
        .bind(i64::from(number))
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(|row| row.parsed("id")).transpose()
}
