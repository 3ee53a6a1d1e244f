//! Tables, and which jobs use them.

use millrace_wire::connection::JobRef;
use millrace_wire::ids::{ConnectionId, DatabaseId, TableId, TeamId};
use millrace_wire::table::{ResolvedColumn, TableDraft};
use sqlx::Row as _;

use super::row::Columns;
use super::{Query, Row, Store, Tx};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct TableRow {
    pub id: TableId,
    pub team: TeamId,
    pub draft: TableDraft,
    pub ddl: String,
    pub resolved: Vec<ResolvedColumn>,
    /// Empty where it describes no topic.
    pub topic: String,
    pub built_in: bool,
    pub revision: u32,
    pub created_at: i64,
    pub updated_at: i64,
    pub updated_by: String,
    /// Worked out when read.
    pub connection_name: String,
}

/// How many jobs write and read a table, by the newest version of each.
#[derive(Clone, Debug)]
pub struct TableUse {
    pub database: String,
    pub table: String,
    pub job: JobRef,
    pub writes: bool,
}

const SELECT: &str = "SELECT s.*, d.name AS database_name, COALESCE(c.name, '') AS connection_name \
                      FROM stream_tables s JOIN table_databases d ON d.id = s.database_id \
                      LEFT JOIN connections c ON c.id = s.connection_id WHERE s.team_id = $1 ORDER BY d.name, s.name";
const SELECT_ONE: &str = "SELECT s.*, d.name AS database_name, COALESCE(c.name, '') AS connection_name \
                          FROM stream_tables s JOIN table_databases d ON d.id = s.database_id \
                          LEFT JOIN connections c ON c.id = s.connection_id WHERE s.team_id = $1 AND s.id = $2";

fn read(row: &Row) -> Result<TableRow> {
    Ok(TableRow {
        id: row.parsed("id")?,
        team: row.parsed("team_id")?,
        draft: row.json("draft")?,
        ddl: row.text("ddl")?,
        resolved: row.json("resolved")?,
        topic: row.text("topic")?,
        built_in: row.flag("built_in")?,
        revision: u32::try_from(row.int("revision")?).unwrap_or(0),
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
        updated_by: row.text("updated_by")?,
        connection_name: row.text("connection_name")?,
    })
}

/// By database and name.
pub async fn list(store: &Store, team: TeamId) -> Result<Vec<TableRow>> {
    let rows = sqlx::query(SELECT).bind(team.to_string()).fetch_all(store.reader()).await?;
    rows.iter().map(read).collect()
}

pub async fn get(store: &Store, team: TeamId, id: TableId) -> Result<Option<TableRow>> {
    let row =
        sqlx::query(SELECT_ONE).bind(team.to_string()).bind(id.to_string()).fetch_optional(store.reader()).await?;
    row.as_ref().map(read).transpose()
}

pub async fn get_in(tx: &mut Tx, team: TeamId, id: TableId) -> Result<Option<TableRow>> {
    let row = sqlx::query(SELECT_ONE).bind(team.to_string()).bind(id.to_string()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(read).transpose()
}

pub async fn by_name(store: &Store, team: TeamId, database: &str, name: &str) -> Result<Option<TableRow>> {
    let all = list(store, team).await?;
    Ok(all.into_iter().find(|table| table.draft.database == database && table.draft.name == name))
}

/// What both a new and a changed table write, `$1` to `$14`. `database`: the id that belongs to the draft's database name.
fn written<'q>(query: Query<'q>, table: &TableRow, database: DatabaseId) -> Result<Query<'q>> {
    Ok(query
        .bind(table.team.to_string())
        .bind(table.id.to_string())
        .bind(database.to_string())
        .bind(table.draft.connection.map(|id: ConnectionId| id.to_string()))
        .bind(table.draft.name.clone())
        .bind(table.draft.connector.clone())
        .bind(table.draft.comment.clone())
        .bind(serde_json::to_string(&table.draft)?)
        .bind(table.ddl.clone())
        .bind(serde_json::to_string(&table.resolved)?)
        .bind(table.topic.clone())
        .bind(i64::from(table.revision))
        .bind(table.updated_at)
        .bind(table.updated_by.clone()))
}

pub async fn insert(tx: &mut Tx, table: &TableRow, database: DatabaseId) -> Result<()> {
    let query = sqlx::query(
        "INSERT INTO stream_tables (team_id, id, database_id, connection_id, name, connector, comment, draft, ddl, \
         resolved, topic, revision, updated_at, updated_by, built_in, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    );
    let query = written(query, table, database)?.bind(i64::from(table.built_in)).bind(table.created_at);
    query.execute(&mut **tx).await?;
    Ok(())
}

pub async fn update(tx: &mut Tx, table: &TableRow, database: DatabaseId) -> Result<()> {
    let query = sqlx::query(
        "UPDATE stream_tables SET database_id = $3, connection_id = $4, name = $5, connector = $6, comment = $7, \
         draft = $8, ddl = $9, resolved = $10, topic = $11, revision = $12, updated_at = $13, updated_by = $14 \
         WHERE team_id = $1 AND id = $2",
    );
    written(query, table, database)?.execute(&mut **tx).await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, team: TeamId, id: TableId) -> Result<()> {
    sqlx::query("DELETE FROM stream_tables WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

const USES: &str = "SELECT u.database_name, u.table_name, u.direction, j.id AS job_id, j.name AS job_name \
                    FROM job_table_use u JOIN jobs j ON j.id = u.job_id \
                    WHERE u.team_id = $1 AND u.version_number = \
                    (SELECT MAX(v.number) FROM job_versions v WHERE v.job_id = u.job_id) ORDER BY j.name";

fn read_use(row: &Row) -> Result<TableUse> {
    Ok(TableUse {
        database: row.text("database_name")?,
        table: row.text("table_name")?,
        job: JobRef { id: row.parsed("job_id")?, name: row.text("job_name")? },
        writes: row.text("direction")? == "write",
    })
}

/// By the newest version of each job.
pub async fn uses(store: &Store, team: TeamId) -> Result<Vec<TableUse>> {
    let rows = sqlx::query(USES).bind(team.to_string()).fetch_all(store.reader()).await?;
    rows.iter().map(read_use).collect()
}

/// Jobs that would break when the table went: by their newest version, or by one that runs now.
pub async fn jobs_using(tx: &mut Tx, team: TeamId, database: &str, table: &str) -> Result<Vec<JobRef>> {
    let rows = sqlx::query(
        "SELECT DISTINCT j.id, j.name FROM job_table_use u JOIN jobs j ON j.id = u.job_id \
         WHERE u.team_id = $1 AND u.database_name = $2 AND u.table_name = $3 AND ( \
         u.version_number = (SELECT MAX(v.number) FROM job_versions v WHERE v.job_id = u.job_id) \
         OR EXISTS (SELECT 1 FROM job_runs r WHERE r.version_id = u.version_id AND r.ended_at IS NULL)) \
         ORDER BY j.name",
    )
    .bind(team.to_string())
    .bind(database.to_owned())
    .bind(table.to_owned())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|row| Ok(JobRef { id: row.parsed("id")?, name: row.text("name")? })).collect()
}

pub async fn count(store: &Store, team: TeamId) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) FROM stream_tables WHERE team_id = $1")
        .bind(team.to_string())
        .fetch_one(store.reader())
        .await?;
    Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
}
