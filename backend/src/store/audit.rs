//! The audit trail: only ever appended to.

use millrace_wire::audit::AuditOutcome;
use sqlx::Row as _;

use super::row::Columns;
use super::{Query, Row, Store};
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

/// Which entries somebody wants to read.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Those of one team, since it was made: a team of that name that is gone is another one. All without it.
    pub team: Option<(String, i64)>,
    /// E-mail address; empty for anybody.
    pub person: String,
    /// Occurs in who, what, where or how it ended, in lower case; empty for anything.
    pub words: String,
    pub outcome: Option<AuditOutcome>,
    /// Times, the second one excluded.
    pub from: i64,
    pub to: i64,
}

macro_rules! where_wanted {
    ($select:literal, $team:literal, $end:literal) => {
        concat!(
            $select,
            " FROM audit_entries WHERE ",
            $team,
            " AND at >= $2 AND at < $3 AND ($4 = '' OR user_email = $4) \
             AND ($5 = '' OR LOWER(user_email || ' ' || action || ' ' || object || ' ' || outcome || ' ' || address \
             || ' ' || request_id) LIKE $5 ESCAPE '\\') \
             AND ($6 = '' OR ($6 = 'done' AND outcome = 'done') OR ($6 = 'refused' AND outcome <> 'done'))",
            $end
        )
    };
}

impl Wanted {
    fn query(&self, of_team: &'static str, of_all: &'static str) -> Query<'static> {
        let text = if self.team.is_some() { of_team } else { of_all };
        let (slug, since) = self.team.clone().unwrap_or_default();
        let like = if self.words.is_empty() { String::new() } else { format!("%{}%", escaped(&self.words)) };
        sqlx::query(text)
            .bind(slug)
            .bind(self.from.max(since))
            .bind(self.to)
            .bind(self.person.clone())
            .bind(like)
            .bind(self.outcome.map_or("", AuditOutcome::as_str))
    }
}

/// Without the meaning that LIKE gives to some characters.
fn escaped(words: &str) -> String {
    words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// Those before number `before`, newest first.
pub async fn newest(store: &Store, wanted: &Wanted, before: i64, limit: i64) -> Result<Vec<Link>> {
    let query = wanted.query(
        where_wanted!("SELECT *", "team_slug = $1", " AND seq < $7 ORDER BY seq DESC LIMIT $8"),
        where_wanted!("SELECT *", "$1 = ''", " AND seq < $7 ORDER BY seq DESC LIMIT $8"),
    );
    let rows = query.bind(before).bind(limit).fetch_all(store.reader()).await?;
    rows.iter().map(read).collect()
}

/// Those after number `after`, oldest first.
pub async fn oldest(store: &Store, wanted: &Wanted, after: i64, limit: i64) -> Result<Vec<Link>> {
    let query = wanted.query(
        where_wanted!("SELECT *", "team_slug = $1", " AND seq > $7 ORDER BY seq LIMIT $8"),
        where_wanted!("SELECT *", "$1 = ''", " AND seq > $7 ORDER BY seq LIMIT $8"),
    );
    let rows = query.bind(after).bind(limit).fetch_all(store.reader()).await?;
    rows.iter().map(read).collect()
}

pub async fn count(store: &Store, wanted: &Wanted) -> Result<u64> {
    let query = wanted
        .query(where_wanted!("SELECT COUNT(*)", "team_slug = $1", ""), where_wanted!("SELECT COUNT(*)", "$1 = ''", ""));
    let counted: i64 = query.fetch_one(store.reader()).await?.try_get(0)?;
    Ok(u64::try_from(counted).unwrap_or(0))
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
