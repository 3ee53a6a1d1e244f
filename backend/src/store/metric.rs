//! The history of metrics: a SQLite file of its own, so that its many small writes never wait for, or hold up, the
//! metadata. Always SQLite, whatever holds the metadata.

use std::collections::HashMap;

use millrace_wire::ids::JobId;

use super::row::Columns;
use super::{Store, Tx};
use crate::error::Result;
use crate::transact;

const HOUR_MS: i64 = 3600 * 1000;
const KEEP_TEN_SECONDS_MS: i64 = 24 * HOUR_MS;
const KEEP_MINUTES_MS: i64 = 14 * 24 * HOUR_MS;
/// Rolled up again each time, so that a server that was away for some minutes leaves no hole.
const ROLL_UP_MS: i64 = 10 * 60 * 1000;

const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, job TEXT NOT NULL, name TEXT NOT NULL, \
     labels TEXT NOT NULL, UNIQUE (job, name, labels))",
    "CREATE TABLE IF NOT EXISTS points_10s (series BIGINT NOT NULL, at BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL, \
     PRIMARY KEY (series, at)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS points_1m (series BIGINT NOT NULL, at BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL, \
     PRIMARY KEY (series, at)) WITHOUT ROWID",
];

/// A mean over the time from `at` on, one step long.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub job: JobId,
    pub name: String,
    /// JSON.
    pub labels: String,
    pub at: i64,
    pub value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    TenSeconds,
    Minute,
}

pub async fn create_tables(store: &Store) -> Result<()> {
    for table in TABLES {
        sqlx::query(*table).execute(store.writer()).await?;
    }
    Ok(())
}

/// All in one transaction.
pub async fn insert(store: &Store, points: Vec<Point>) -> Result<()> {
    transact!(store, tx => {
        let mut ids = HashMap::new();
        for point in &points {
            let key = (point.job, point.name.as_str(), point.labels.as_str());
            let id = match ids.get(&key) {
                Some(id) => *id,
                None => {
                    let id = series_id(tx, point).await?;
                    ids.insert(key, id);
                    id
                }
            };
            sqlx::query("INSERT INTO points_10s (series, at, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(id)
                .bind(point.at)
                .bind(point.value)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    })
}

async fn series_id(tx: &mut Tx, point: &Point) -> Result<i64> {
    // The update changes nothing, but makes the statement return the row that is there.
    let row = sqlx::query(
        "INSERT INTO series (job, name, labels) VALUES ($1, $2, $3) \
         ON CONFLICT (job, name, labels) DO UPDATE SET name = excluded.name RETURNING id",
    )
    .bind(point.job.to_string())
    .bind(point.name.clone())
    .bind(point.labels.clone())
    .fetch_one(&mut **tx)
    .await?;
    row.int("id")
}

/// `from` included, `to` not.
pub async fn points(store: &Store, job: JobId, from: i64, to: i64, resolution: Resolution) -> Result<Vec<Point>> {
    let statement = match resolution {
        Resolution::TenSeconds => {
            "SELECT s.name, s.labels, p.at, p.value FROM series s JOIN points_10s p ON p.series = s.id \
             WHERE s.job = $1 AND p.at >= $2 AND p.at < $3"
        }
        Resolution::Minute => {
            "SELECT s.name, s.labels, p.at, p.value FROM series s JOIN points_1m p ON p.series = s.id \
             WHERE s.job = $1 AND p.at >= $2 AND p.at < $3"
        }
    };
    let rows = sqlx::query(statement).bind(job.to_string()).bind(from).bind(to).fetch_all(store.reader()).await?;
    rows.iter()
        .map(|row| {
            let (name, labels) = (row.text("name")?, row.text("labels")?);
            Ok(Point { job, name, labels, at: row.int("at")?, value: row.real("value")? })
        })
        .collect()
}

pub async fn roll_up(store: &Store, now: i64) -> Result<()> {
    let until = now - now.rem_euclid(60_000);
    transact!(store, tx => {
        sqlx::query(
            "INSERT INTO points_1m (series, at, value) \
             SELECT series, at - at % 60000, AVG(value) FROM points_10s WHERE at >= $1 AND at < $2 \
             GROUP BY series, at - at % 60000 \
             ON CONFLICT (series, at) DO UPDATE SET value = excluded.value",
        )
        .bind(until - ROLL_UP_MS)
        .bind(until)
        .execute(&mut **tx)
        .await?;
        for (statement, before) in [
            ("DELETE FROM points_10s WHERE at < $1", now - KEEP_TEN_SECONDS_MS),
            ("DELETE FROM points_1m WHERE at < $1", now - KEEP_MINUTES_MS),
        ] {
            sqlx::query(statement).bind(before).execute(&mut **tx).await?;
        }
        Ok(())
    })
}
