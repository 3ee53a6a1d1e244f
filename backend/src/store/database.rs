//! Databases: the first half of a table's name.

use millrace_wire::ids::{DatabaseId, TeamId};
use millrace_wire::table::Database;

use super::row::Columns;
use super::sight::{visible, with_sight};
use super::{Row, Store, Tx};
use crate::access::sight::Sight;
use crate::error::Result;

fn read(row: &Row) -> Result<Database> {
    Ok(Database {
        id: row.parsed("id")?,
        name: row.text("name")?,
        description: row.text("description")?,
        tables: row.count("tables")?,
        built_in: row.flag("built_in")?,
    })
}

/// With how many tables these eyes see in each.
pub async fn list(store: &Store, sight: &Sight) -> Result<Vec<Database>> {
    let sql = concat!(
        "SELECT d.*, (SELECT COUNT(*) FROM stream_tables s WHERE s.database_id = d.id AND ",
        visible!("s", "table_id"),
        ") AS tables FROM table_databases d WHERE d.team_id = $1 ORDER BY d.name"
    );
    let rows = with_sight(sqlx::query(sql), sight).fetch_all(store.reader()).await?;
    rows.iter().map(read).collect()
}

pub async fn by_name(tx: &mut Tx, team: TeamId, name: &str) -> Result<Option<Database>> {
    let row = sqlx::query(
        "SELECT d.*, (SELECT COUNT(*) FROM stream_tables s WHERE s.database_id = d.id) AS tables \
         FROM table_databases d WHERE d.team_id = $1 AND d.name = $2",
    )
    .bind(team.to_string())
    .bind(name.to_owned())
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(read).transpose()
}

pub async fn insert(tx: &mut Tx, team: TeamId, database: &Database, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO table_databases (id, team_id, name, description, built_in, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(database.id.to_string())
    .bind(team.to_string())
    .bind(database.name.clone())
    .bind(database.description.clone())
    .bind(i64::from(database.built_in))
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, team: TeamId, id: DatabaseId) -> Result<()> {
    sqlx::query("DELETE FROM table_databases WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
