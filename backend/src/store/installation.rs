//! Facts about this installation, by name.

use sqlx::Row as _;

use super::{Store, Tx};
use crate::error::Result;

/// Hash of the one-time token of the first run; gone once there is an administrator.
pub const FIRST_RUN_TOKEN: &str = "first_run_token_hash";

pub async fn get(store: &Store, name: &str) -> Result<Option<String>> {
    let row = sqlx::query("SELECT value FROM installation WHERE name = $1")
        .bind(name.to_owned())
        .fetch_optional(store.reader())
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

pub async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<()> {
    sqlx::query("INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2")
        .bind(name.to_owned())
        .bind(value.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// True when the fact was there with this value and is now gone: of two callers one gets true.
pub async fn take(tx: &mut Tx, name: &str, value: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM installation WHERE name = $1 AND value = $2")
        .bind(name.to_owned())
        .bind(value.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}
