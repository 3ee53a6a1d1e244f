//! API tokens: what is known of them; the token itself is never stored.

use millrace_wire::ids::{TeamId, TokenId, UserId};
use millrace_wire::team::Role;
use millrace_wire::token::ApiToken;

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

/// The user behind a token that still counts.
#[derive(Clone, Debug)]
pub struct TokenUser {
    pub user: UserId,
    pub name: String,
    pub email: String,
    pub administrator: bool,
    pub team: TeamId,
    /// What the token may do at most.
    pub scope: Role,
    pub last_used_at: Option<i64>,
}

fn read(row: &Row) -> Result<ApiToken> {
    Ok(ApiToken {
        id: row.parsed("id")?,
        name: row.text("name")?,
        team: row.parsed("team_id")?,
        scope: row.parsed("most_role")?,
        created_at: row.int("created_at")?,
        expires_at: row.int("expires_at")?,
        last_used_at: row.int_or_null("last_used_at")?,
    })
}

pub async fn insert(tx: &mut Tx, user: UserId, token: &ApiToken) -> Result<()> {
    sqlx::query(
        "INSERT INTO api_tokens (id, user_id, team_id, name, created_at, expires_at, most_role) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(token.id.to_string())
    .bind(user.to_string())
    .bind(token.team.to_string())
    .bind(token.name.clone())
    .bind(token.created_at)
    .bind(token.expires_at)
    .bind(token.scope.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The user's tokens that are not revoked, newest first.
pub async fn list(store: &Store, user: UserId) -> Result<Vec<ApiToken>> {
    let rows = sqlx::query("SELECT * FROM api_tokens WHERE user_id = $1 AND revoked_at IS NULL ORDER BY id DESC")
        .bind(user.to_string())
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

pub async fn find(store: &Store, token: TokenId, user: UserId, now: i64) -> Result<Option<TokenUser>> {
    let row = sqlx::query(
        "SELECT u.id, u.name, u.email, u.administrator, t.team_id, t.most_role, t.last_used_at FROM api_tokens t \
         JOIN users u ON u.id = t.user_id \
         WHERE t.id = $1 AND t.user_id = $2 AND t.revoked_at IS NULL AND t.expires_at > $3 AND u.disabled = 0",
    )
    .bind(token.to_string())
    .bind(user.to_string())
    .bind(now)
    .fetch_optional(store.reader())
    .await?;
    row.map(|row| {
        Ok(TokenUser {
            user: row.parsed("id")?,
            name: row.text("name")?,
            email: row.text("email")?,
            administrator: row.flag("administrator")?,
            team: row.parsed("team_id")?,
            scope: row.parsed("most_role")?,
            last_used_at: row.int_or_null("last_used_at")?,
        })
    })
    .transpose()
}

pub async fn touch(store: &Store, token: TokenId, now: i64) -> Result<()> {
    sqlx::query("UPDATE api_tokens SET last_used_at = $2 WHERE id = $1")
        .bind(token.to_string())
        .bind(now)
        .execute(store.writer())
        .await?;
    Ok(())
}

/// False when the user has no such token that still counts.
pub async fn revoke(store: &Store, token: TokenId, user: UserId, now: i64) -> Result<bool> {
    let done =
        sqlx::query("UPDATE api_tokens SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL")
            .bind(token.to_string())
            .bind(user.to_string())
            .bind(now)
            .execute(store.writer())
            .await?;
    Ok(done.rows_affected() == 1)
}
