//! Saved pieces of SQL of teams.

use millrace_wire::ids::{SnippetId, TeamId};
use millrace_wire::snippet::Snippet;

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

fn read(row: &Row) -> Result<Snippet> {
    Ok(Snippet {
        id: row.parsed("id")?,
        name: row.text("name")?,
        description: row.text("description")?,
        sql: row.text("sql_text")?,
        updated_at: row.int("updated_at")?,
        updated_by: row.text("updated_by")?,
    })
}

/// By name.
pub async fn list(store: &Store, team: TeamId) -> Result<Vec<Snippet>> {
    let rows = sqlx::query("SELECT * FROM snippets WHERE team_id = $1 ORDER BY name")
        .bind(team.to_string())
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

pub async fn get(store: &Store, team: TeamId, id: SnippetId) -> Result<Option<Snippet>> {
    let row = sqlx::query("SELECT * FROM snippets WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn count(tx: &mut Tx, team: TeamId) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) AS snippets FROM snippets WHERE team_id = $1")
        .bind(team.to_string())
        .fetch_one(&mut **tx)
        .await?;
    row.count("snippets")
}

pub async fn insert(tx: &mut Tx, team: TeamId, snippet: &Snippet) -> Result<()> {
    sqlx::query(
        "INSERT INTO snippets (id, team_id, name, description, sql_text, updated_at, updated_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(snippet.id.to_string())
    .bind(team.to_string())
    .bind(snippet.name.clone())
    .bind(snippet.description.clone())
    .bind(snippet.sql.clone())
    .bind(snippet.updated_at)
    .bind(snippet.updated_by.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// False when it is gone.
pub async fn update(tx: &mut Tx, team: TeamId, snippet: &Snippet) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE snippets SET name = $3, description = $4, sql_text = $5, updated_at = $6, updated_by = $7 \
         WHERE team_id = $1 AND id = $2",
    )
    .bind(team.to_string())
    .bind(snippet.id.to_string())
    .bind(snippet.name.clone())
    .bind(snippet.description.clone())
    .bind(snippet.sql.clone())
    .bind(snippet.updated_at)
    .bind(snippet.updated_by.clone())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(tx: &mut Tx, team: TeamId, id: SnippetId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM snippets WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}
