//! What the console tells single persons.

use millrace_wire::ids::{NoticeId, UserId};
use millrace_wire::request::Notice;

use super::row::Columns;
use super::{Store, Tx};
use crate::clock;
use crate::error::Result;

/// A notice before somebody has it.
#[derive(Clone, Debug)]
pub struct NewNotice {
    pub title: String,
    pub body: String,
    pub href: String,
}

pub async fn insert(tx: &mut Tx, user: UserId, notice: &NewNotice, now: i64) -> Result<()> {
    sqlx::query("INSERT INTO notices (id, user_id, at, title, body, href) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(NoticeId(clock::new_id()).to_string())
        .bind(user.to_string())
        .bind(now)
        .bind(notice.title.clone())
        .bind(notice.body.clone())
        .bind(notice.href.clone())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The newest first.
pub async fn newest(store: &Store, user: UserId, limit: u32) -> Result<Vec<Notice>> {
    let rows = sqlx::query("SELECT * FROM notices WHERE user_id = $1 ORDER BY id DESC LIMIT $2")
        .bind(user.to_string())
        .bind(i64::from(limit))
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Notice {
                id: row.parsed("id")?,
                at: row.int("at")?,
                title: row.text("title")?,
                body: row.text("body")?,
                href: row.text("href")?,
                read: row.int_or_null("read_at")?.is_some(),
            })
        })
        .collect()
}

pub async fn unread(store: &Store, user: UserId) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) AS unread FROM notices WHERE user_id = $1 AND read_at IS NULL")
        .bind(user.to_string())
        .fetch_one(store.reader())
        .await?;
    row.count("unread")
}

pub async fn mark_all_read(store: &Store, user: UserId, now: i64) -> Result<()> {
    sqlx::query("UPDATE notices SET read_at = $2 WHERE user_id = $1 AND read_at IS NULL")
        .bind(user.to_string())
        .bind(now)
        .execute(store.writer())
        .await?;
    Ok(())
}
