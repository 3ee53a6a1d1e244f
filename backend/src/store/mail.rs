//! Mails that wait to be sent.

use millrace_wire::ids::{NoticeId, UserId};

use super::row::Columns;
use super::{Store, Tx};
use crate::clock;
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct MailRow {
    pub id: NoticeId,
    pub recipient: String,
    pub subject: String,
    pub body: String,
    /// Before this one.
    pub attempts: u32,
}

/// To the user's address; nothing for one who is disabled.
pub async fn queue(tx: &mut Tx, user: UserId, subject: &str, body: &str, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO mails (id, recipient, subject, body, created_at, next_try_at) \
         SELECT $1, u.email, $2, $3, $4, $4 FROM users u WHERE u.id = $5 AND u.disabled = 0",
    )
    .bind(NoticeId(clock::new_id()).to_string())
    .bind(subject.to_owned())
    .bind(body.to_owned())
    .bind(now)
    .bind(user.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those whose time has come, the oldest first.
pub async fn due(store: &Store, now: i64, limit: u32) -> Result<Vec<MailRow>> {
    let rows = sqlx::query("SELECT * FROM mails WHERE next_try_at <= $1 ORDER BY next_try_at, id LIMIT $2")
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(MailRow {
                id: row.parsed("id")?,
                recipient: row.text("recipient")?,
                subject: row.text("subject")?,
                body: row.text("body")?,
                attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
            })
        })
        .collect()
}

/// Takes one try of a mail; false when another server was faster. `until`: when it is tried again if nothing is heard.
pub async fn claim(store: &Store, mail: &MailRow, until: i64) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE mails SET attempts = attempts + 1, next_try_at = $1 \
         WHERE id = $2 AND attempts = $3 AND next_try_at IS NOT NULL",
    )
    .bind(until)
    .bind(mail.id.to_string())
    .bind(i64::from(mail.attempts))
    .execute(store.writer())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn sent(store: &Store, mail: NoticeId, now: i64) -> Result<()> {
    sqlx::query("UPDATE mails SET sent_at = $1, next_try_at = NULL, failure = '' WHERE id = $2")
        .bind(now)
        .bind(mail.to_string())
        .execute(store.writer())
        .await?;
    Ok(())
}

/// `next_try_at`: `None` gives it up.
pub async fn failed(store: &Store, mail: NoticeId, why: &str, next_try_at: Option<i64>) -> Result<()> {
    sqlx::query("UPDATE mails SET failure = $1, next_try_at = $2 WHERE id = $3")
        .bind(why.to_owned())
        .bind(next_try_at)
        .bind(mail.to_string())
        .execute(store.writer())
        .await?;
    Ok(())
}
