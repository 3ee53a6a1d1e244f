//! Records that jobs could not decode, beside their tables: a bounded number of each cause, for a while.

use millrace_wire::bad_record::{BadRecordCause, NotKept, Replayed};
use millrace_wire::ids::{BadRecordId, JobId, RunId, TableId};
use sqlx::{AssertSqlSafe, Row as _};

use super::row::Columns;
use super::{Query, Row, Store, Tx};
use crate::error::Result;

/// What a table keeps at most. Of each cause the newest stay, so that a flood of one does not wash out the others.
pub const MOST_OF_CAUSE: i64 = 1_000;
pub const MOST_OF_TABLE: i64 = 10_000;
pub const MOST_BYTES: i64 = 64 << 20;

#[derive(Clone, Debug)]
pub struct BadRecordRow {
    pub id: BadRecordId,
    pub table: TableId,
    pub split: String,
    pub offset: i64,
    pub job: JobId,
    pub run: RunId,
    pub attempt: u32,
    pub seen_at: i64,
    pub cause: String,
    pub reason: String,
    /// In base64.
    pub key: Option<String>,
    pub value: Option<String>,
    pub key_bytes: u64,
    pub value_bytes: u64,
    pub replayed: Option<Replayed>,
}

/// What a list may be narrowed down to; empty and absent mean all.
#[derive(Clone, Debug, Default)]
pub struct BadRecordFilter {
    pub cause: Option<String>,
    pub job: Option<JobId>,
    pub from: Option<i64>,
    pub to: Option<i64>,
}

fn read(row: &Row) -> Result<BadRecordRow> {
    let count = |column: &str| Ok::<_, crate::error::Error>(u32::try_from(row.int(column)?).unwrap_or(u32::MAX));
    let replayed = match row.int_or_null("replayed_at")? {
        None => None,
        Some(at) => Some(Replayed {
            at,
            by: row.text("replayed_by")?,
            edited: row.flag("replay_edited")?,
            times: count("replays")?,
        }),
    };
    Ok(BadRecordRow {
        id: row.parsed("id")?,
        table: row.parsed("table_id")?,
        split: row.text("split")?,
        offset: row.int("position")?,
        job: row.parsed("job_id")?,
        run: row.parsed("run_id")?,
        attempt: count("attempt")?,
        seen_at: row.int("seen_at")?,
        cause: row.text("cause")?,
        reason: row.text("reason")?,
        key: row.text_or_null("record_key")?,
        value: row.text_or_null("record_value")?,
        key_bytes: row.count("key_bytes")?,
        value_bytes: row.count("value_bytes")?,
        replayed,
    })
}

/// PostgreSQL takes no text with a zero byte.
pub fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

fn wide(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A record that is there already stays as it is, replays included, unless it has other bytes now or is refused for
/// another reason. `digest`: of key and value.
pub async fn put(tx: &mut Tx, record: &BadRecordRow, digest: &str) -> Result<()> {
    let part = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let size = part(&record.key) + part(&record.value) + record.reason.len() + record.cause.len();
    sqlx::query(
        "INSERT INTO bad_records (id, table_id, split, position, job_id, run_id, attempt, seen_at, cause, reason, \
         record_key, record_value, key_bytes, value_bytes, digest, size) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         ON CONFLICT (table_id, split, position) DO UPDATE SET job_id = excluded.job_id, run_id = excluded.run_id, \
         attempt = excluded.attempt, seen_at = excluded.seen_at, cause = excluded.cause, reason = excluded.reason, \
         record_key = excluded.record_key, record_value = excluded.record_value, key_bytes = excluded.key_bytes, \
         value_bytes = excluded.value_bytes, digest = excluded.digest, size = excluded.size, \
         replayed_at = CASE WHEN bad_records.digest = excluded.digest THEN bad_records.replayed_at END, \
         replays = CASE WHEN bad_records.digest = excluded.digest THEN bad_records.replays ELSE 0 END \
         WHERE bad_records.digest <> excluded.digest OR bad_records.reason <> excluded.reason",
    )
    .bind(record.id.to_string())
    .bind(record.table.to_string())
    .bind(record.split.clone())
    .bind(record.offset)
    .bind(record.job.to_string())
    .bind(record.run.to_string())
    .bind(i64::from(record.attempt))
    .bind(record.seen_at)
    .bind(record.cause.clone())
    .bind(record.reason.clone())
    .bind(record.key.clone())
    .bind(record.value.clone())
    .bind(wide(record.key_bytes))
    .bind(wide(record.value_bytes))
    .bind(digest.to_owned())
    .bind(i64::try_from(size).unwrap_or(i64::MAX))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The attempt's total: told again it counts once.
pub async fn put_not_kept(tx: &mut Tx, table: TableId, run: RunId, attempt: u32, told: &NotKept) -> Result<()> {
    sqlx::query(
        "INSERT INTO bad_records_not_kept (table_id, cause, run_id, attempt, count, seen_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (table_id, cause, run_id, attempt) \
         DO UPDATE SET count = excluded.count, seen_at = excluded.seen_at",
    )
    .bind(table.to_string())
    .bind(clean(&told.cause))
    .bind(run.to_string())
    .bind(i64::from(attempt))
    .bind(wide(told.count))
    .bind(told.at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Removes the oldest beyond what the cause and the table may keep, and counts them.
pub async fn make_room(tx: &mut Tx, table: TableId, cause: &str, now: i64) -> Result<()> {
    let ids = "SELECT id FROM bad_records WHERE table_id = $1 AND cause = $2 \
               ORDER BY seen_at DESC, id DESC LIMIT 100000 OFFSET $3";
    let beyond = sqlx::query(ids)
        .bind(table.to_string())
        .bind(cause.to_owned())
        .bind(MOST_OF_CAUSE)
        .fetch_all(&mut **tx)
        .await?;
    remove(tx, table, &beyond, now).await?;
    let row = sqlx::query(
        "SELECT COUNT(*) AS records, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS size FROM bad_records WHERE table_id = $1",
    )
    .bind(table.to_string())
    .fetch_one(&mut **tx)
    .await?;
    let (mut records, mut size) = (row.int("records")?, row.int("size")?);
    while records > MOST_OF_TABLE || size > MOST_BYTES {
        let oldest = sqlx::query("SELECT id, size FROM bad_records WHERE table_id = $1 ORDER BY seen_at, id LIMIT 100")
            .bind(table.to_string())
            .fetch_all(&mut **tx)
            .await?;
        if oldest.is_empty() {
            break;
        }
        let mut going = Vec::new();
        for row in oldest {
            if records <= MOST_OF_TABLE && size <= MOST_BYTES {
                break;
            }
            (records, size) = (records - 1, size - row.int("size")?);
            going.push(row);
        }
        remove(tx, table, &going, now).await?;
    }
    Ok(())
}

async fn remove(tx: &mut Tx, table: TableId, rows: &[Row], now: i64) -> Result<()> {
    for row in rows {
        let id = row.text("id")?;
        sqlx::query(
            "INSERT INTO bad_records_not_kept (table_id, cause, run_id, attempt, count, seen_at) \
             SELECT table_id, cause, '', 0, 1, $3 FROM bad_records WHERE id = $1 AND table_id = $2 \
             ON CONFLICT (table_id, cause, run_id, attempt) \
             DO UPDATE SET count = bad_records_not_kept.count + 1, seen_at = excluded.seen_at",
        )
        .bind(id.clone())
        .bind(table.to_string())
        .bind(now)
        .execute(&mut **tx)
        .await?;
        sqlx::query("DELETE FROM bad_records WHERE id = $1").bind(id).execute(&mut **tx).await?;
    }
    Ok(())
}

/// `$1` is the table, `$2` to `$5` the filter.
const LISTED: &str = "FROM bad_records WHERE table_id = $1 AND ($2 = '' OR cause = $2) AND ($3 = '' OR job_id = $3) \
                      AND seen_at >= $4 AND seen_at < $5";

fn filtered<'q>(query: Query<'q>, table: TableId, filter: &BadRecordFilter) -> Query<'q> {
    query
        .bind(table.to_string())
        .bind(filter.cause.as_deref().map(clean).unwrap_or_default())
        .bind(filter.job.map(|job| job.to_string()).unwrap_or_default())
        .bind(filter.from.unwrap_or(i64::MIN))
        .bind(filter.to.unwrap_or(i64::MAX))
}

/// A part of the list, newest first, and how long it is.
pub async fn page(
    store: &Store,
    table: TableId,
    filter: &BadRecordFilter,
    (start, limit): (usize, usize),
) -> Result<(Vec<BadRecordRow>, u64)> {
    let count = format!("SELECT COUNT(*) {LISTED}");
    let row = filtered(sqlx::query(AssertSqlSafe(count)), table, filter).fetch_one(store.reader()).await?;
    let total = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
    let text = format!("SELECT * {LISTED} ORDER BY seen_at DESC, id DESC LIMIT $6 OFFSET $7");
    let rows = filtered(sqlx::query(AssertSqlSafe(text)), table, filter)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(i64::try_from(start).unwrap_or(i64::MAX))
        .fetch_all(store.reader())
        .await?;
    Ok((rows.iter().map(read).collect::<Result<_>>()?, total))
}

/// Some records behind the one with this id, oldest first; none is before all.
pub async fn after(
    store: &Store,
    table: TableId,
    filter: &BadRecordFilter,
    id: &str,
    limit: i64,
) -> Result<Vec<BadRecordRow>> {
    let text = format!("SELECT * {LISTED} AND id > $6 ORDER BY id LIMIT $7");
    let rows = filtered(sqlx::query(AssertSqlSafe(text)), table, filter)
        .bind(id.to_owned())
        .bind(limit)
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

pub async fn get(store: &Store, table: TableId, id: BadRecordId) -> Result<Option<BadRecordRow>> {
    let row = sqlx::query("SELECT * FROM bad_records WHERE table_id = $1 AND id = $2")
        .bind(table.to_string())
        .bind(id.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// What was met last first.
pub async fn causes(store: &Store, table: TableId) -> Result<Vec<BadRecordCause>> {
    let rows = sqlx::query(
        "SELECT cause, CAST(SUM(kept) AS BIGINT) AS kept, CAST(SUM(not_kept) AS BIGINT) AS not_kept, \
         CAST(SUM(replayed) AS BIGINT) AS replayed, MIN(first_at) AS first_at, MAX(last_at) AS last_at FROM (\
         SELECT cause, COUNT(*) AS kept, 0 AS not_kept, COUNT(replayed_at) AS replayed, MIN(seen_at) AS first_at, \
         MAX(seen_at) AS last_at FROM bad_records WHERE table_id = $1 GROUP BY cause UNION ALL \
         SELECT cause, 0, SUM(count), 0, MIN(seen_at), MAX(seen_at) FROM bad_records_not_kept \
         WHERE table_id = $1 GROUP BY cause) c GROUP BY cause ORDER BY last_at DESC, cause",
    )
    .bind(table.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(BadRecordCause {
                cause: row.text("cause")?,
                kept: row.count("kept")?,
                not_kept: row.count("not_kept")?,
                replayed: row.count("replayed")?,
                first_at: row.int("first_at")?,
                last_at: row.int("last_at")?,
            })
        })
        .collect()
}

/// Marks it as replayed now; false when it was replayed since `before`, or is gone.
pub async fn mark_replayed(tx: &mut Tx, record: &BadRecordRow, by: &str, edited: bool, now: i64) -> Result<bool> {
    let times = record.replayed.as_ref().map_or(0, |replayed| i64::from(replayed.times));
    let done = sqlx::query(
        "UPDATE bad_records SET replayed_at = $1, replayed_by = $2, replay_edited = $3, replays = replays + 1 \
         WHERE id = $4 AND replays = $5",
    )
    .bind(now)
    .bind(by.to_owned())
    .bind(i64::from(edited))
    .bind(record.id.to_string())
    .bind(times)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// As it was before a replay that came to nothing.
pub async fn unmark_replayed(tx: &mut Tx, record: &BadRecordRow) -> Result<()> {
    let before = record.replayed.as_ref();
    sqlx::query(
        "UPDATE bad_records SET replayed_at = $1, replayed_by = $2, replay_edited = $3, replays = replays - 1 \
         WHERE id = $4 AND replays > 0",
    )
    .bind(before.map(|replayed| replayed.at))
    .bind(before.map(|replayed| replayed.by.clone()).unwrap_or_default())
    .bind(before.map_or(0, |replayed| i64::from(replayed.edited)))
    .bind(record.id.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, table: TableId, id: BadRecordId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM bad_records WHERE table_id = $1 AND id = $2")
        .bind(table.to_string())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// All of a cause, with what was counted of it. Tells how many records were kept of it; none for an unknown cause.
pub async fn delete_cause(tx: &mut Tx, table: TableId, cause: &str) -> Result<Option<u64>> {
    let mut affected = [0, 0];
    let statements = [
        "DELETE FROM bad_records WHERE table_id = $1 AND cause = $2",
        "DELETE FROM bad_records_not_kept WHERE table_id = $1 AND cause = $2",
    ];
    for (statement, affected) in statements.into_iter().zip(&mut affected) {
        let done = sqlx::query(statement).bind(table.to_string()).bind(clean(cause)).execute(&mut **tx).await?;
        *affected = done.rows_affected();
    }
    let [records, counts] = affected;
    Ok((records + counts > 0).then_some(records))
}

/// What was met before this time.
pub async fn delete_old(tx: &mut Tx, before: i64) -> Result<u64> {
    let mut removed = 0;
    for statement in
        ["DELETE FROM bad_records WHERE seen_at < $1", "DELETE FROM bad_records_not_kept WHERE seen_at < $1"]
    {
        removed += sqlx::query(statement).bind(before).execute(&mut **tx).await?.rows_affected();
    }
    Ok(removed)
}
