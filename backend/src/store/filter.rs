//! Filters of the list of jobs that people named for themselves.

use millrace_wire::ids::{FilterId, TeamId, UserId};
use millrace_wire::job_life::SavedFilter;

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

fn read(row: &Row) -> Result<SavedFilter> {
    Ok(SavedFilter {
        id: row.parsed("id")?,
        name: row.text("name")?,
        query: row.text("query")?,
        created_at: row.int("created_at")?,
    })
}

/// By name.
pub async fn list(store: &Store, team: TeamId, user: UserId) -> Result<Vec<SavedFilter>> {
    let rows = sqlx::query("SELECT * FROM saved_filters WHERE team_id = $1 AND user_id = $2 ORDER BY name, id")
        .bind(team.to_string())
        .bind(user.to_string())
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

/// A name that is there already gets the new query and keeps its id.
pub async fn put(tx: &mut Tx, team: TeamId, user: UserId, filter: &SavedFilter) -> Result<Option<SavedFilter>> {
    sqlx::query(
        "INSERT INTO saved_filters (id, team_id, user_id, name, query, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (team_id, user_id, name) DO UPDATE SET query = excluded.query",
    )
    .bind(filter.id.to_string())
    .bind(team.to_string())
    .bind(user.to_string())
    .bind(filter.name.clone())
    .bind(filter.query.clone())
    .bind(filter.created_at)
    .execute(&mut **tx)
    .await?;
    let row = sqlx::query("SELECT * FROM saved_filters WHERE team_id = $1 AND user_id = $2 AND name = $3")
        .bind(team.to_string())
        .bind(user.to_string())
        .bind(filter.name.clone())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(read).transpose()
}

/// False when the person has no such filter in the team.
pub async fn delete(store: &Store, team: TeamId, user: UserId, id: FilterId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM saved_filters WHERE id = $1 AND team_id = $2 AND user_id = $3")
        .bind(id.to_string())
        .bind(team.to_string())
        .bind(user.to_string())
        .execute(store.writer())
        .await?;
    Ok(done.rows_affected() == 1)
}
