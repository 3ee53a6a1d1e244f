//! The audit trail: only ever appended to.

use super::row::Columns;
use super::{Row, Store};
use crate::access::audit::{Entry, Link, link_hash};
use crate::error::Result;
use crate::transact;

fn read(row: &Row) -> Result<Link> {
    Ok(Link {
        seq: row.int("seq")?,
        entry: Entry {
            at: row.int("at")?,
            user_id: row.text("user_id")?,
            user_email: row.text("user_email")?,
            via: row.text("via")?,
            team_slug: row.text("team_slug")?,
            action: row.text("action")?,
            object: row.text("object")?,
            address: row.text("address")?,
            request_id: row.text("request_id")?,
            status: u16::try_from(row.int("status")?).unwrap_or(0),
            outcome: row.text("outcome")?,
            detail: row.text("detail")?,
        },
        previous_hash: row.text("previous_hash")?,
        hash: row.text("hash")?,
    })
}

/// Appends one entry; the chain's number and hash are worked out inside the transaction.
pub async fn append(store: &Store, entry: &Entry) -> Result<()> {
    transact!(store, tx => {
        let last = sqlx::query("SELECT seq, hash FROM audit_entries ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut **tx)
            .await?;
        let (last_seq, previous_hash) = match &last {
            Some(row) => (row.int("seq")?, row.text("hash")?),
            None => (0, String::new()),
        };
        let seq = last_seq + 1;
        let hash = link_hash(seq, entry, &previous_hash);
        sqlx::query(
            "INSERT INTO audit_entries (seq, at, user_id, user_email, via, team_slug, action, object, address, \
             request_id, status, outcome, detail, previous_hash, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        )
        .bind(seq)
        .bind(entry.at)
        .bind(entry.user_id.clone())
        .bind(entry.user_email.clone())
        .bind(entry.via.clone())
        .bind(entry.team_slug.clone())
        .bind(entry.action.clone())
        .bind(entry.object.clone())
        .bind(entry.address.clone())
        .bind(entry.request_id.clone())
        .bind(i64::from(entry.status))
        .bind(entry.outcome.clone())
        .bind(entry.detail.clone())
        .bind(previous_hash)
        .bind(hash)
        .execute(&mut **tx)
        .await?;
        Ok(())
    })
}

/// Entries after number `after`, oldest first.
pub async fn list(store: &Store, after: i64, limit: i64) -> Result<Vec<Link>> {
    let rows = sqlx::query("SELECT * FROM audit_entries WHERE seq > $1 ORDER BY seq LIMIT $2")
        .bind(after)
        .bind(limit)
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}
