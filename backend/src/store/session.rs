//! Browser sessions: found by the hash of the cookie's value, together with the user.

use millrace_wire::ids::UserId;

use super::row::Columns;
use super::{Store, Tx};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct SessionUser {
    pub user: UserId,
    pub name: String,
    pub email: String,
    pub administrator: bool,
    pub last_used_at: i64,
}

pub async fn insert(tx: &mut Tx, id_hash: &str, user: UserId, now: i64, expires_at: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO sessions (id_hash, user_id, created_at, last_used_at, expires_at) VALUES ($1, $2, $3, $3, $4)",
    )
    .bind(id_hash.to_owned())
    .bind(user.to_string())
    .bind(now)
    .bind(expires_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Live sessions of enabled users only. `idle_since`: sessions not used after it count as over.
pub async fn find(store: &Store, id_hash: &str, now: i64, idle_since: i64) -> Result<Option<SessionUser>> {
    let row = sqlx::query(
        "SELECT u.id, u.name, u.email, u.administrator, s.last_used_at FROM sessions s \
         JOIN users u ON u.id = s.user_id \
         WHERE s.id_hash = $1 AND s.expires_at > $2 AND s.last_used_at > $3 AND u.disabled = 0",
    )
    .bind(id_hash.to_owned())
    .bind(now)
    .bind(idle_since)
    .fetch_optional(store.reader())
    .await?;
    row.map(|row| {
        Ok(SessionUser {
            user: row.parsed("id")?,
            name: row.text("name")?,
            email: row.text("email")?,
            administrator: row.flag("administrator")?,
            last_used_at: row.int("last_used_at")?,
        })
    })
    .transpose()
}

pub async fn touch(store: &Store, id_hash: &str, now: i64) -> Result<()> {
    sqlx::query("UPDATE sessions SET last_used_at = $2 WHERE id_hash = $1")
        .bind(id_hash.to_owned())
        .bind(now)
        .execute(store.writer())
        .await?;
    Ok(())
}

pub async fn delete(store: &Store, id_hash: &str) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE id_hash = $1").bind(id_hash.to_owned()).execute(store.writer()).await?;
    Ok(())
}

pub async fn delete_expired(store: &Store, now: i64, idle_since: i64) -> Result<u64> {
    let done = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1 OR last_used_at <= $2")
        .bind(now)
        .bind(idle_since)
        .execute(store.writer())
        .await?;
    Ok(done.rows_affected())
}
