//! Users.

use millrace_wire::ids::UserId;
use sqlx::Row as _;

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct UserRow {
    pub id: UserId,
    pub name: String,
    pub email: String,
    /// Empty for a user who cannot sign in by password.
    pub password_hash: String,
    pub administrator: bool,
    pub disabled: bool,
    pub created_at: i64,
}

pub(super) fn read(row: &Row) -> Result<UserRow> {
    Ok(UserRow {
        id: row.parsed("id")?,
        name: row.text("name")?,
        email: row.text("email")?,
        password_hash: row.text("password_hash")?,
        administrator: row.flag("administrator")?,
        disabled: row.flag("disabled")?,
        created_at: row.int("created_at")?,
    })
}

/// E-mail addresses are kept and found in lower case.
pub async fn by_email(store: &Store, email: &str) -> Result<Option<UserRow>> {
    let row = sqlx::query("SELECT * FROM users WHERE email = $1")
        .bind(email.to_lowercase())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn by_email_in(tx: &mut Tx, email: &str) -> Result<Option<UserRow>> {
    let row = sqlx::query("SELECT * FROM users WHERE email = $1")
        .bind(email.to_lowercase())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Neither disabled nor gone.
pub async fn is_enabled(store: &Store, user: UserId) -> Result<bool> {
    let row = sqlx::query("SELECT COUNT(*) AS users FROM users WHERE id = $1 AND disabled = 0")
        .bind(user.to_string())
        .fetch_one(store.reader())
        .await?;
    Ok(row.int("users")? > 0)
}

pub async fn insert(tx: &mut Tx, user: &UserRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO users (id, name, email, password_hash, administrator, disabled, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(user.id.to_string())
    .bind(user.name.clone())
    .bind(user.email.to_lowercase())
    .bind(user.password_hash.clone())
    .bind(i64::from(user.administrator))
    .bind(i64::from(user.disabled))
    .bind(user.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn administrator_exists(store: &Store) -> Result<bool> {
    let row = sqlx::query("SELECT COUNT(*) FROM users WHERE administrator = 1 AND disabled = 0")
        .fetch_one(store.reader())
        .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}
