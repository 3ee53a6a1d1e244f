//! Servers that share the database, and which of them takes care of which run.
//!
//! All times are by the database's clock: those of the machines may differ.

use millrace_wire::ids::RunId;
use sqlx::AssertSqlSafe;

use super::row::Columns as _;
use super::run::ProcessRow;
use super::{Backend, Row, Store};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRow {
    pub id: String,
    pub host: String,
    pub process: ProcessRow,
    /// `http://host:port`
    pub address: String,
}

/// What one server asks of the keeper of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The stored row changed.
    Look,
    Savepoint,
}

impl Ask {
    const fn as_str(self) -> &'static str {
        match self {
            Ask::Look => "look",
            Ask::Savepoint => "savepoint",
        }
    }
}

/// Milliseconds of the epoch, as an expression.
const fn now(store: &Store) -> &'static str {
    match store.backend {
        Backend::Sqlite => "CAST((julianday('now') - 2440587.5) * 86400000.0 AS BIGINT)",
        Backend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    }
}

/// Promises to be there for another `lease_ms`.
pub async fn renew(store: &Store, me: &ServerRow, lease_ms: i64) -> Result<()> {
    let now = now(store);
    sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO servers (id, host, pid, process_start, address, started_at, lease_until) \
         VALUES ($1, $2, $3, $4, $5, {now}, {now} + $6) \
         ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until"
    )))
    .bind(me.id.clone())
    .bind(me.host.clone())
    .bind(i64::from(me.process.pid))
    .bind(i64::try_from(me.process.start).unwrap_or(i64::MAX))
    .bind(me.address.clone())
    .bind(lease_ms)
    .execute(store.writer())
    .await?;
    Ok(())
}

/// The servers of the last day, and whether the lease of each holds; those that were there last come first.
pub async fn known(store: &Store) -> Result<Vec<(ServerRow, bool)>> {
    let now = now(store);
    let query = sqlx::query(AssertSqlSafe(format!(
        "SELECT id, host, pid, process_start, address, CASE WHEN lease_until > {now} THEN 1 ELSE 0 END AS alive \
         FROM servers ORDER BY lease_until DESC, id"
    )));
    let rows = query.fetch_all(store.reader()).await?;
    rows.iter().map(|row| Ok((read(row)?, row.int("alive")? == 1))).collect()
}

fn read(row: &Row) -> Result<ServerRow> {
    let pid = u32::try_from(row.int("pid")?).unwrap_or(0);
    Ok(ServerRow {
        id: row.text("id")?,
        host: row.text("host")?,
        process: ProcessRow { pid, start: row.count("process_start")? },
        address: row.text("address")?,
    })
}

/// A server that stops in order does not let the others wait for the end of its lease. Its address stays known: the next
/// one there may be it again.
pub async fn leave(store: &Store, id: &str) -> Result<()> {
    let now = now(store);
    let query = sqlx::query(AssertSqlSafe(format!("UPDATE servers SET lease_until = {now} WHERE id = $1")));
    query.bind(id.to_owned()).execute(store.writer()).await?;
    Ok(())
}

/// Drops rows of servers that have been gone for a day.
pub async fn forget_gone(store: &Store) -> Result<()> {
    let now = now(store);
    let query = sqlx::query(AssertSqlSafe(format!("DELETE FROM servers WHERE lease_until < {now} - 86400000")));
    query.execute(store.writer()).await?;
    Ok(())
}

/// Makes this server the keeper of up to `most` live runs that have none. Nothing while its own lease does not hold.
pub async fn claim(store: &Store, me: &str, most: usize) -> Result<u64> {
    let now = now(store);
    let alone = format!("keeper NOT IN (SELECT id FROM servers WHERE lease_until > {now})");
    let done = sqlx::query(AssertSqlSafe(format!(
        "UPDATE job_runs SET keeper = $1 \
         WHERE id IN (SELECT id FROM job_runs WHERE ended_at IS NULL AND {alone} ORDER BY id LIMIT $2) \
         AND ended_at IS NULL AND {alone} \
         AND EXISTS (SELECT 1 FROM servers WHERE id = $1 AND lease_until > {now})"
    )))
    .bind(me.to_owned())
    .bind(i64::try_from(most).unwrap_or(i64::from(u32::MAX)))
    .execute(store.writer())
    .await?;
    Ok(done.rows_affected())
}

/// How many live runs have no keeper that is there.
pub async fn unkept(store: &Store) -> Result<u64> {
    let now = now(store);
    let query = sqlx::query(AssertSqlSafe(format!(
        "SELECT COUNT(*) AS n FROM job_runs WHERE ended_at IS NULL \
         AND keeper NOT IN (SELECT id FROM servers WHERE lease_until > {now})"
    )));
    query.fetch_one(store.reader()).await?.count("n")
}

/// The live runs of a keeper: ids alone, since it is asked for every second.
pub async fn ids_kept_by(store: &Store, keeper: &str) -> Result<Vec<RunId>> {
    let kept = sqlx::query("SELECT id FROM job_runs WHERE keeper = $1 AND ended_at IS NULL");
    kept.bind(keeper.to_owned()).fetch_all(store.reader()).await?.iter().map(|row| row.parsed("id")).collect()
}

/// Leaves word for the keeper of a live run. A look adds nothing to a savepoint: whoever takes it looks, too.
pub async fn ask(store: &Store, run: RunId, what: Ask, by: &str) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_runs SET asked = CASE WHEN asked = 'savepoint' THEN asked ELSE $1 END, asked_by = $2 \
         WHERE id = $3 AND ended_at IS NULL",
    )
    .bind(what.as_str())
    .bind(by.to_owned())
    .bind(run.to_string())
    .execute(store.writer())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What was asked of this keeper; each is handed out once.
pub async fn take_asks(store: &Store, keeper: &str) -> Result<Vec<(RunId, Ask, String)>> {
    let waiting =
        sqlx::query("SELECT id, asked, asked_by FROM job_runs WHERE keeper = $1 AND ended_at IS NULL AND asked <> ''");
    let mut taken = Vec::new();
    for row in waiting.bind(keeper.to_owned()).fetch_all(store.reader()).await? {
        let (run, asked, by): (RunId, String, String) = (row.parsed("id")?, row.text("asked")?, row.text("asked_by")?);
        let done = sqlx::query("UPDATE job_runs SET asked = '' WHERE id = $1 AND asked = $2 AND asked_by = $3")
            .bind(run.to_string())
            .bind(asked.clone())
            .bind(by.clone())
            .execute(store.writer())
            .await?;
        if done.rows_affected() == 1 {
            let what = if asked == Ask::Savepoint.as_str() { Ask::Savepoint } else { Ask::Look };
            taken.push((run, what, by));
        }
    }
    Ok(taken)
}
