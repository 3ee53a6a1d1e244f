//! Where test runs of a team may write for real, what they have written there, and what production means already.

use std::collections::BTreeMap;

use millrace_wire::connection::ConnectionKind;
use millrace_wire::ids::{ConnectionId, SandboxObjectId, SandboxTargetId, TeamId, TestRunId};
use millrace_wire::table::TableDraft;

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::{Error, Result};

#[derive(Clone, Debug)]
pub struct SandboxTargetRow {
    pub id: SandboxTargetId,
    pub team: TeamId,
    /// None: files.
    pub connection: Option<(ConnectionId, ConnectionKind)>,
    /// Empty for files; worked out when read.
    pub connection_name: String,
    pub place: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub updated_by: String,
}

#[derive(Clone, Debug)]
pub struct SandboxObjectRow {
    pub id: SandboxObjectId,
    pub team: TeamId,
    pub connection: Option<ConnectionId>,
    /// Worked out when read.
    pub connection_name: String,
    pub test_run: TestRunId,
    pub table: String,
    pub connector: String,
    pub name: String,
    pub options: BTreeMap<String, String>,
    pub created_at: i64,
    pub created_by: String,
}

/// A table of any team, as far as it says where it lies.
pub struct Described {
    /// `database.table`
    pub table: String,
    pub team: TeamId,
    pub team_slug: String,
    pub connector: String,
    pub topic: String,
    pub draft: TableDraft,
    /// Of its connection, without secrets.
    pub connection: BTreeMap<String, String>,
}

const SELECT: &str = "SELECT t.*, COALESCE(c.name, '') AS connection_name, c.kind AS connection_kind \
                      FROM sandbox_targets t LEFT JOIN connections c ON c.id = t.connection_id \
                      WHERE t.team_id = $1 AND ($2 = '' OR t.id = $2) ORDER BY connection_name";
const SELECT_OBJECTS: &str = "SELECT o.*, COALESCE(c.name, '') AS connection_name \
                              FROM sandbox_objects o LEFT JOIN connections c ON c.id = o.connection_id \
                              WHERE o.team_id = $1 AND ($2 = '' OR o.id = $2) ORDER BY o.created_at DESC, o.id";

fn connection_of(row: &Row) -> Result<Option<ConnectionId>> {
    row.text_or_null("connection_id")?.map(|id| id.parse().map_err(Error::internal)).transpose()
}

fn read(row: &Row) -> Result<SandboxTargetRow> {
    let connection = match connection_of(row)? {
        Some(id) => Some((id, row.parsed("connection_kind")?)),
        None => None,
    };
    Ok(SandboxTargetRow {
        id: row.parsed("id")?,
        team: row.parsed("team_id")?,
        connection,
        connection_name: row.text("connection_name")?,
        place: row.text("place")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
        updated_by: row.text("updated_by")?,
    })
}

fn read_object(row: &Row) -> Result<SandboxObjectRow> {
    Ok(SandboxObjectRow {
        id: row.parsed("id")?,
        team: row.parsed("team_id")?,
        connection: connection_of(row)?,
        connection_name: row.text("connection_name")?,
        test_run: row.parsed("test_run_id")?,
        table: row.text("table_name")?,
        connector: row.text("connector")?,
        name: row.text("name")?,
        options: row.json("options")?,
        created_at: row.int("created_at")?,
        created_by: row.text("created_by")?,
    })
}

/// By the names of their connections; that of files first.
pub async fn list(store: &Store, team: TeamId) -> Result<Vec<SandboxTargetRow>> {
    let rows = sqlx::query(SELECT).bind(team.to_string()).bind("").fetch_all(store.reader()).await?;
    rows.iter().map(read).collect()
}

pub async fn get(store: &Store, team: TeamId, id: SandboxTargetId) -> Result<Option<SandboxTargetRow>> {
    let row = sqlx::query(SELECT).bind(team.to_string()).bind(id.to_string()).fetch_optional(store.reader()).await?;
    row.as_ref().map(read).transpose()
}

/// A second one of the same connection, or of files, breaks a unique key.
pub async fn insert(tx: &mut Tx, target: &SandboxTargetRow) -> Result<()> {
    let connection = target.connection.map(|(id, _)| id.to_string());
    sqlx::query(
        "INSERT INTO sandbox_targets (id, team_id, connection_id, subject, place, created_at, updated_at, updated_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(target.id.to_string())
    .bind(target.team.to_string())
    .bind(connection.clone())
    .bind(connection.unwrap_or_else(|| "files".to_owned()))
    .bind(target.place.clone())
    .bind(target.created_at)
    .bind(target.updated_at)
    .bind(target.updated_by.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// False when it is gone.
pub async fn update(tx: &mut Tx, target: &SandboxTargetRow) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE sandbox_targets SET place = $3, updated_at = $4, updated_by = $5 WHERE team_id = $1 AND id = $2",
    )
    .bind(target.team.to_string())
    .bind(target.id.to_string())
    .bind(target.place.clone())
    .bind(target.updated_at)
    .bind(target.updated_by.clone())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(tx: &mut Tx, team: TeamId, id: SandboxTargetId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM sandbox_targets WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Newest first.
pub async fn objects(store: &Store, team: TeamId) -> Result<Vec<SandboxObjectRow>> {
    let rows = sqlx::query(SELECT_OBJECTS).bind(team.to_string()).bind("").fetch_all(store.reader()).await?;
    rows.iter().map(read_object).collect()
}

pub async fn object(store: &Store, team: TeamId, id: SandboxObjectId) -> Result<Option<SandboxObjectRow>> {
    let query = sqlx::query(SELECT_OBJECTS).bind(team.to_string()).bind(id.to_string());
    query.fetch_optional(store.reader()).await?.as_ref().map(read_object).transpose()
}

pub async fn insert_object(tx: &mut Tx, object: &SandboxObjectRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO sandbox_objects (id, team_id, connection_id, test_run_id, table_name, connector, name, options, \
         created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(object.id.to_string())
    .bind(object.team.to_string())
    .bind(object.connection.map(|id| id.to_string()))
    .bind(object.test_run.to_string())
    .bind(object.table.clone())
    .bind(object.connector.clone())
    .bind(object.name.clone())
    .bind(serde_json::to_string(&object.options)?)
    .bind(object.created_at)
    .bind(object.created_by.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn count_objects(tx: &mut Tx, team: TeamId) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) AS objects FROM sandbox_objects WHERE team_id = $1")
        .bind(team.to_string())
        .fetch_one(&mut **tx)
        .await?;
    row.count("objects")
}

pub async fn delete_object(tx: &mut Tx, team: TeamId, id: SandboxObjectId) -> Result<()> {
    sqlx::query("DELETE FROM sandbox_objects WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// All tables of the installation that have one of these connectors.
pub async fn described(store: &Store, connectors: [&str; 3]) -> Result<Vec<Described>> {
    let [first, second, third] = connectors;
    let rows = sqlx::query(
        "SELECT d.name || '.' || s.name AS full_name, s.team_id, t.slug, s.connector, s.topic, s.draft, \
         COALESCE(c.options, '{}') AS connection_options FROM stream_tables s \
         JOIN table_databases d ON d.id = s.database_id JOIN teams t ON t.id = s.team_id \
         LEFT JOIN connections c ON c.id = s.connection_id WHERE s.connector IN ($1, $2, $3)",
    )
    .bind(first.to_owned())
    .bind(second.to_owned())
    .bind(third.to_owned())
    .fetch_all(store.reader())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Described {
                table: row.text("full_name")?,
                team: row.parsed("team_id")?,
                team_slug: row.text("slug")?,
                connector: row.text("connector")?,
                topic: row.text("topic")?,
                draft: row.json("draft")?,
                connection: row.json("connection_options")?,
            })
        })
        .collect()
}
