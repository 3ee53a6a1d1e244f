//! Opening the store: SQLite with the settings that keep acknowledged writes, or PostgreSQL with limits.

use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions, Row as _};

use super::{Backend, Store};
use crate::error::{Error, Result};

/// Older ones can corrupt a database in WAL mode when its log is reset.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

const READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(5);

/// Times that a SQLite database is waited for when it is opened: after a crash on a busy machine it has its log to read
/// first, and a server that gives up on it helps nobody.
const OPENINGS: u32 = 6;

/// `url`: `sqlite:///path/file.db` or `postgres://…`. Creates a missing SQLite file; does not migrate.
pub async fn open(url: &str) -> Result<Store> {
    sqlx::any::install_default_drivers();
    if url.starts_with("sqlite:") {
        open_sqlite(url).await
    } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        open_postgres(url).await
    } else {
        Err(Error::bad_request("The database URL must start with sqlite: or postgres:."))
    }
}

async fn open_sqlite(url: &str) -> Result<Store> {
    let separator = if url.contains('?') { '&' } else { '?' };
    let options = options(&format!("{url}{separator}mode=rwc"))?;
    let writer = sqlite_pool(options.clone(), 1).await?;
    check_sqlite_version(&writer).await?;
    let reader = sqlite_pool(options, READERS).await?;
    Ok(Store { backend: Backend::Sqlite, reader, writer })
}

async fn sqlite_pool(options: AnyConnectOptions, size: u32) -> Result<AnyPool> {
    let pool = AnyPoolOptions::new().max_connections(size).acquire_timeout(WAIT_FOR_CONNECTION).after_connect(
        |connection, _| {
            Box::pin(async move {
                // One statement each: every one of them answers with a row of its own.
                for pragma in [
                    "PRAGMA journal_mode = WAL",
                    "PRAGMA synchronous = FULL",
                    "PRAGMA busy_timeout = 5000",
                    "PRAGMA foreign_keys = ON",
                    "PRAGMA cache_size = -2048",
                ] {
                    sqlx::query(pragma).fetch_all(&mut *connection).await?;
                }
                Ok(())
            })
        },
    );
    let mut openings = 1;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(sqlx::Error::PoolTimedOut) if openings < OPENINGS => openings += 1,
            opened => return Ok(opened?),
        }
    }
}

async fn check_sqlite_version(pool: &AnyPool) -> Result<()> {
    let version: String = sqlx::query("SELECT sqlite_version()").fetch_one(pool).await?.try_get(0)?;
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST_SQLITE {
        let message = format!("SQLite {version} is too old: versions before 3.51.3 can corrupt the database.");
        return Err(Error::unavailable(message));
    }
    Ok(())
}

async fn open_postgres(url: &str) -> Result<Store> {
    let pool = AnyPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(WAIT_FOR_CONNECTION)
        .idle_timeout(Duration::from_secs(300))
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::query("SET statement_timeout = 30000").execute(&mut *connection).await?;
                // A server that is held up in the middle of a transaction must not keep the others waiting for its locks.
                sqlx::query("SET idle_in_transaction_session_timeout = 8000").execute(&mut *connection).await?;
                Ok(())
            })
        })
        .connect_with(options(url)?)
        .await?;
    Ok(Store { backend: Backend::Postgres, reader: pool.clone(), writer: pool })
}

fn options(url: &str) -> Result<AnyConnectOptions> {
    let options = AnyConnectOptions::from_str(url)
        .map_err(|cause| Error::bad_request("The database URL cannot be read.").because(cause))?;
    Ok(options
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1))
        .log_statements(tracing::log::LevelFilter::Trace))
}
