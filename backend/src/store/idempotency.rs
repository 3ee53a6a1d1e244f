//! Answers to calls that carried a key, so that the same call again gets the same answer and does nothing.

use super::row::Columns;
use super::{Store, Tx};
use crate::error::Result;

/// What is known of a call with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub request_hash: String,
    pub at: i64,
    /// 0 while it is being answered.
    pub status: u16,
    pub body: String,
}

/// Takes the key for this call: `None` when it is free, else what is known of the earlier one. One that was begun before
/// `given_up` and never answered counts as free.
pub async fn claim(
    tx: &mut Tx,
    id_hash: &str,
    request_hash: &str,
    now: i64,
    (given_up, expired): (i64, i64),
) -> Result<Option<Call>> {
    sqlx::query("DELETE FROM idempotent_calls WHERE at < $1 OR (id_hash = $2 AND status = 0 AND at < $3)")
        .bind(expired)
        .bind(id_hash.to_owned())
        .bind(given_up)
        .execute(&mut **tx)
        .await?;
    let claimed = sqlx::query(
        "INSERT INTO idempotent_calls (id_hash, request_hash, at, status, body) VALUES ($1, $2, $3, 0, '') \
         ON CONFLICT DO NOTHING",
    )
    .bind(id_hash.to_owned())
    .bind(request_hash.to_owned())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(None);
    }
    let row = sqlx::query("SELECT request_hash, at, status, body FROM idempotent_calls WHERE id_hash = $1")
        .bind(id_hash.to_owned())
        .fetch_one(&mut **tx)
        .await?;
    Ok(Some(Call {
        request_hash: row.text("request_hash")?,
        at: row.int("at")?,
        status: u16::try_from(row.int("status")?).unwrap_or(0),
        body: row.text("body")?,
    }))
}

/// The call takes long and is not given up.
pub async fn still_answering(store: &Store, id_hash: &str, now: i64) -> Result<()> {
    sqlx::query("UPDATE idempotent_calls SET at = $1 WHERE id_hash = $2 AND status = 0")
        .bind(now)
        .bind(id_hash.to_owned())
        .execute(store.writer())
        .await?;
    Ok(())
}

pub async fn answered(store: &Store, id_hash: &str, status: u16, body: &str) -> Result<()> {
    sqlx::query("UPDATE idempotent_calls SET status = $1, body = $2 WHERE id_hash = $3")
        .bind(i64::from(status))
        .bind(body.to_owned())
        .bind(id_hash.to_owned())
        .execute(store.writer())
        .await?;
    Ok(())
}

/// The call did nothing: it may be made again under the same key.
pub async fn release(store: &Store, id_hash: &str) -> Result<()> {
    sqlx::query("DELETE FROM idempotent_calls WHERE id_hash = $1")
        .bind(id_hash.to_owned())
        .execute(store.writer())
        .await?;
    Ok(())
}
