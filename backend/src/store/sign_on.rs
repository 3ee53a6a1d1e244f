//! Who users are at a provider, and sign-ins that are on their way.

use millrace_wire::ids::UserId;

use super::row::Columns;
use super::user::{self, UserRow};
use super::{Store, Tx};
use crate::error::Result;

/// A sign-in that was sent to the provider.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub state_hash: String,
    pub browser_hash: String,
    pub nonce: String,
    pub verifier: String,
    pub next_path: String,
    pub expires_at: i64,
}

pub async fn insert_attempt(store: &Store, attempt: &Attempt) -> Result<()> {
    sqlx::query(
        "INSERT INTO sign_on_attempts (state_hash, browser_hash, nonce, verifier, next_path, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(attempt.state_hash.clone())
    .bind(attempt.browser_hash.clone())
    .bind(attempt.nonce.clone())
    .bind(attempt.verifier.clone())
    .bind(attempt.next_path.clone())
    .bind(attempt.expires_at)
    .execute(store.writer())
    .await?;
    Ok(())
}

/// Gives it once: a second one who comes with the same state finds nothing.
pub async fn take_attempt(tx: &mut Tx, state_hash: &str, browser_hash: &str, now: i64) -> Result<Option<Attempt>> {
    let row =
        sqlx::query("SELECT * FROM sign_on_attempts WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > $3")
            .bind(state_hash.to_owned())
            .bind(browser_hash.to_owned())
            .bind(now)
            .fetch_optional(&mut **tx)
            .await?;
    let Some(row) = row else { return Ok(None) };
    sqlx::query("DELETE FROM sign_on_attempts WHERE state_hash = $1")
        .bind(state_hash.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(Some(Attempt {
        state_hash: row.text("state_hash")?,
        browser_hash: row.text("browser_hash")?,
        nonce: row.text("nonce")?,
        verifier: row.text("verifier")?,
        next_path: row.text("next_path")?,
        expires_at: row.int("expires_at")?,
    }))
}

pub async fn delete_expired(store: &Store, now: i64) -> Result<()> {
    sqlx::query("DELETE FROM sign_on_attempts WHERE expires_at <= $1").bind(now).execute(store.writer()).await?;
    Ok(())
}

pub async fn user_of(tx: &mut Tx, issuer: &str, subject: &str) -> Result<Option<UserRow>> {
    let row = sqlx::query(
        "SELECT u.* FROM users u JOIN user_identities i ON i.user_id = u.id WHERE i.issuer = $1 AND i.subject = $2",
    )
    .bind(issuer.to_owned())
    .bind(subject.to_owned())
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(user::read).transpose()
}

/// Somebody at this provider is known to be the user.
pub async fn is_linked(tx: &mut Tx, issuer: &str, user: UserId) -> Result<bool> {
    let row = sqlx::query("SELECT user_id FROM user_identities WHERE issuer = $1 AND user_id = $2")
        .bind(issuer.to_owned())
        .bind(user.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.is_some())
}

pub async fn link(tx: &mut Tx, issuer: &str, subject: &str, user: UserId, now: i64) -> Result<()> {
    sqlx::query("INSERT INTO user_identities (issuer, subject, user_id, created_at) VALUES ($1, $2, $3, $4)")
        .bind(issuer.to_owned())
        .bind(subject.to_owned())
        .bind(user.to_string())
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
