//! Connections. Secrets are stored sealed; this file moves them, it cannot open them.

use std::collections::BTreeMap;

use millrace_wire::connection::ConnectionKind;
use millrace_wire::ids::{ConnectionId, TeamId};
use sqlx::Row as _;

use super::row::Columns;
use super::{Row, Store, Tx, team};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct ConnectionRow {
    pub id: ConnectionId,
    pub team: TeamId,
    pub name: String,
    pub kind: ConnectionKind,
    pub options: BTreeMap<String, String>,
    /// Name to sealed value.
    pub secrets: BTreeMap<String, String>,
    pub description: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub updated_by: String,
    pub built_in: bool,
    /// How many tables use it; worked out when read.
    pub tables: u64,
}

const SELECT: &str = "SELECT c.*, (SELECT COUNT(*) FROM stream_tables s WHERE s.connection_id = c.id) AS tables \
                      FROM connections c WHERE c.team_id = $1 ORDER BY c.built_in DESC, c.name";
const SELECT_ONE: &str = "SELECT c.*, (SELECT COUNT(*) FROM stream_tables s WHERE s.connection_id = c.id) AS tables \
                          FROM connections c WHERE c.team_id = $1 AND c.id = $2";

fn read(row: &Row) -> Result<ConnectionRow> {
    Ok(ConnectionRow {
        id: row.parsed("id")?,
        team: row.parsed("team_id")?,
        name: row.text("name")?,
        kind: row.parsed("kind")?,
        options: row.json("options")?,
        secrets: row.json("secrets")?,
        description: row.text("description")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
        updated_by: row.text("updated_by")?,
        built_in: row.flag("built_in")?,
        tables: row.count("tables")?,
    })
}

pub async fn list(store: &Store, team: TeamId) -> Result<Vec<ConnectionRow>> {
    let rows = sqlx::query(SELECT).bind(team.to_string()).fetch_all(store.reader()).await?;
    rows.iter().map(read).collect()
}

pub async fn get(store: &Store, team: TeamId, id: ConnectionId) -> Result<Option<ConnectionRow>> {
    let row =
        sqlx::query(SELECT_ONE).bind(team.to_string()).bind(id.to_string()).fetch_optional(store.reader()).await?;
    row.as_ref().map(read).transpose()
}

pub async fn get_in(tx: &mut Tx, team: TeamId, id: ConnectionId) -> Result<Option<ConnectionRow>> {
    let row = sqlx::query(SELECT_ONE).bind(team.to_string()).bind(id.to_string()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(read).transpose()
}

/// The connection to the server's own broker.
pub async fn built_in(store: &Store, team: TeamId) -> Result<Option<ConnectionRow>> {
    Ok(list(store, team).await?.into_iter().find(|connection| connection.built_in))
}

pub async fn insert(tx: &mut Tx, connection: &ConnectionRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO connections (id, team_id, name, kind, options, secrets, description, created_at, updated_at, \
         updated_by, built_in) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(connection.id.to_string())
    .bind(connection.team.to_string())
    .bind(connection.name.clone())
    .bind(connection.kind.as_str())
    .bind(serde_json::to_string(&connection.options)?)
    .bind(serde_json::to_string(&connection.secrets)?)
    .bind(connection.description.clone())
    .bind(connection.created_at)
    .bind(connection.updated_at)
    .bind(connection.updated_by.clone())
    .bind(i64::from(connection.built_in))
    .execute(&mut **tx)
    .await?;
    team::catalog_changed(tx, connection.team).await
}

pub async fn update(tx: &mut Tx, connection: &ConnectionRow) -> Result<()> {
    sqlx::query(
        "UPDATE connections SET name = $3, options = $4, secrets = $5, description = $6, updated_at = $7, \
         updated_by = $8 WHERE team_id = $1 AND id = $2",
    )
    .bind(connection.team.to_string())
    .bind(connection.id.to_string())
    .bind(connection.name.clone())
    .bind(serde_json::to_string(&connection.options)?)
    .bind(serde_json::to_string(&connection.secrets)?)
    .bind(connection.description.clone())
    .bind(connection.updated_at)
    .bind(connection.updated_by.clone())
    .execute(&mut **tx)
    .await?;
    team::catalog_changed(tx, connection.team).await
}

pub async fn delete(tx: &mut Tx, team: TeamId, id: ConnectionId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM connections WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    team::catalog_changed(tx, team).await?;
    Ok(done.rows_affected() == 1)
}

/// `database.table` of the tables that use it.
pub async fn used_by(tx: &mut Tx, id: ConnectionId) -> Result<Vec<String>> {
    let rows = sqlx::query(
        "SELECT d.name || '.' || s.name FROM stream_tables s JOIN table_databases d ON d.id = s.database_id \
         WHERE s.connection_id = $1 ORDER BY 1",
    )
    .bind(id.to_string())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

pub async fn count(store: &Store, team: TeamId) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) FROM connections WHERE team_id = $1")
        .bind(team.to_string())
        .fetch_one(store.reader())
        .await?;
    Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
}
