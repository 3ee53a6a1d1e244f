//! Previews that ended, with their rows: each belongs to one person in one team.

use std::collections::BTreeSet;

use millrace_wire::ids::{PreviewId, TableId, TeamId, UserId};
use millrace_wire::preview::{PreviewRow, ResultColumn};
use millrace_wire::preview_history::{KeptPreview, PreviewOutcome};

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct KeptRow {
    pub preview: KeptPreview,
    /// Whose rows may be in it.
    pub tables: BTreeSet<TableId>,
}

fn read(row: &Row) -> Result<KeptRow> {
    Ok(KeptRow {
        preview: KeptPreview {
            id: row.parsed("id")?,
            sql: row.text("sql_text")?,
            started_at: row.int("started_at")?,
            duration_ms: row.count("duration_ms")?,
            records_read: row.count("records_read")?,
            outcome: row.parsed::<PreviewOutcome>("outcome")?,
            reason: row.text("reason")?,
            row_count: row.count("row_count")?,
        },
        tables: row.json("tables")?,
    })
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// `rows`: as JSON.
pub async fn insert(
    tx: &mut Tx,
    team: TeamId,
    user: UserId,
    kept: &KeptRow,
    columns: &[ResultColumn],
    rows: &str,
) -> Result<()> {
    let preview = &kept.preview;
    sqlx::query(
        "INSERT INTO kept_previews (id, team_id, user_id, sql_text, started_at, duration_ms, records_read, outcome, \
         reason, row_count, columns, content, tables) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(preview.id.to_string())
    .bind(team.to_string())
    .bind(user.to_string())
    .bind(preview.sql.clone())
    .bind(preview.started_at)
    .bind(whole(preview.duration_ms))
    .bind(whole(preview.records_read))
    .bind(preview.outcome.as_str())
    .bind(preview.reason.clone())
    .bind(whole(preview.row_count))
    .bind(serde_json::to_string(columns)?)
    .bind(rows.to_owned())
    .bind(serde_json::to_string(&kept.tables)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes all of the person's but the newest ones.
pub async fn keep_newest(tx: &mut Tx, team: TeamId, user: UserId, most: i64) -> Result<()> {
    sqlx::query(
        "DELETE FROM kept_previews WHERE team_id = $1 AND user_id = $2 AND id NOT IN (SELECT n.id FROM kept_previews n \
         WHERE n.team_id = $1 AND n.user_id = $2 ORDER BY n.started_at DESC, n.id DESC LIMIT $3)",
    )
    .bind(team.to_string())
    .bind(user.to_string())
    .bind(most)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Newest first, without rows.
pub async fn list(store: &Store, team: TeamId, user: UserId) -> Result<Vec<KeptRow>> {
    let rows = sqlx::query(
        "SELECT id, sql_text, started_at, duration_ms, records_read, outcome, reason, row_count, tables \
         FROM kept_previews WHERE team_id = $1 AND user_id = $2 ORDER BY started_at DESC, id DESC",
    )
    .bind(team.to_string())
    .bind(user.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read).collect()
}

pub async fn get(
    store: &Store,
    team: TeamId,
    user: UserId,
    id: PreviewId,
) -> Result<Option<(KeptRow, Vec<ResultColumn>, Vec<PreviewRow>)>> {
    let row = sqlx::query("SELECT * FROM kept_previews WHERE team_id = $1 AND user_id = $2 AND id = $3")
        .bind(team.to_string())
        .bind(user.to_string())
        .bind(id.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.map(|row| Ok((read(&row)?, row.json("columns")?, row.json("content")?))).transpose()
}

pub async fn delete(tx: &mut Tx, team: TeamId, user: UserId, id: PreviewId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM kept_previews WHERE team_id = $1 AND user_id = $2 AND id = $3")
        .bind(team.to_string())
        .bind(user.to_string())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}
