//! Schema versions of tables; written once, never changed.

use millrace_wire::ids::TableId;
use millrace_wire::table_version::{SchemaVersion, SchemaVersionSummary};

use super::row::Columns;
use super::table::TableRow;
use super::{Row, Store, Tx};
use crate::error::Result;

fn read_summary(row: &Row) -> Result<SchemaVersionSummary> {
    Ok(SchemaVersionSummary {
        number: u32::try_from(row.int("number")?).unwrap_or(0),
        created_by: row.text("created_by")?,
        created_at: row.int("created_at")?,
        comment: row.text("comment")?,
    })
}

/// The table as it was just written.
pub async fn insert(tx: &mut Tx, table: &TableRow, comment: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO table_versions (table_id, number, draft, ddl, resolved, created_by, created_at, comment) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(table.id.to_string())
    .bind(i64::from(table.revision))
    .bind(serde_json::to_string(&table.draft)?)
    .bind(table.ddl.clone())
    .bind(serde_json::to_string(&table.resolved)?)
    .bind(table.updated_by.clone())
    .bind(table.updated_at)
    .bind(comment.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Newest first.
pub async fn list(store: &Store, table: TableId) -> Result<Vec<SchemaVersionSummary>> {
    let rows = sqlx::query(
        "SELECT number, created_by, created_at, comment FROM table_versions WHERE table_id = $1 ORDER BY number DESC",
    )
    .bind(table.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read_summary).collect()
}

pub async fn get(store: &Store, table: TableId, number: u32) -> Result<Option<SchemaVersion>> {
    let row = sqlx::query("SELECT * FROM table_versions WHERE table_id = $1 AND number = $2")
        .bind(table.to_string())
        .bind(i64::from(number))
        .fetch_optional(store.reader())
        .await?;
    row.map(|row| {
        Ok(SchemaVersion {
            summary: read_summary(&row)?,
            draft: row.json("draft")?,
            ddl: row.text("ddl")?,
            resolved: row.json("resolved")?,
        })
    })
    .transpose()
}
