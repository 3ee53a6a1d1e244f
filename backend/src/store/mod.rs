//! The metadata store: every SQL text of the platform lives below this folder, one file per resource.
//!
//! One portable schema (`migrations/`) and one text per query serve SQLite and PostgreSQL. What keeps that true:
//! placeholders are `$1`, ids are TEXT, times BIGINT milliseconds, truth values BIGINT 0 or 1, documents TEXT of JSON;
//! a `SUM` is cast to BIGINT; nothing is bound or read as a boolean.
//!
//! Reads go through [`Store::reader`]. A single statement that changes something may go through [`Store::writer`].
//! Everything else is a transaction by [`transact!`](crate::transact): on SQLite `BEGIN IMMEDIATE` on the one writing
//! connection, on PostgreSQL serializable, and tried again when the database says that it collided.

pub mod connect;
mod failure;
pub mod migrate;
pub mod row;
mod sight;

pub mod audit;
pub mod grant;
pub mod installation;
pub mod log_scope;
pub mod mail;
pub mod notice;
pub mod organisation;
pub mod organisation_member;
pub mod request;
pub mod session;
pub mod sign_on;
pub mod team;
pub mod token;
pub mod user;

pub mod bad_record;
pub mod connection;
pub mod database;
pub mod function;
pub mod snippet;
pub mod table;
pub mod table_search;
pub mod table_version;
pub mod variable;

pub mod approval;
pub mod bin;
pub mod filter;
pub mod idempotency;
pub mod job;
pub mod job_event;
pub mod job_list;
pub mod job_test;
pub mod kept_preview;
pub mod metric;
pub mod report;
pub mod restore_point;
pub mod run;
pub mod sandbox_target;
pub mod savepoint_schedule;
pub mod schedule;
pub mod server;
pub mod shadow_run;
pub mod test_run;
pub mod version;

use sqlx::{Any, AnyPool, Transaction};

use crate::error::Result;

pub use failure::{collided, is_foreign_key_violation, is_unique_violation};

pub type Tx = Transaction<'static, Any>;
pub type Row = sqlx::any::AnyRow;
type Query<'q> = sqlx::query::Query<'q, Any, sqlx::any::AnyArguments>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) backend: Backend,
    pub(crate) reader: AnyPool,
    /// On SQLite a pool of one connection; on PostgreSQL the same pool as `reader`.
    pub(crate) writer: AnyPool,
}

impl Store {
    pub fn backend(&self) -> Backend {
        self.backend
    }

    pub fn reader(&self) -> &AnyPool {
        &self.reader
    }

    pub fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// Prefer [`transact!`](crate::transact), which also tries again.
    pub async fn begin(&self) -> Result<Tx> {
        let statement = match self.backend {
            Backend::Sqlite => "BEGIN IMMEDIATE",
            Backend::Postgres => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        };
        Ok(self.writer.begin_with(statement).await?)
    }

    /// True when the store answers a query.
    pub async fn answers(&self) -> bool {
        sqlx::query("SELECT 1").fetch_one(&self.reader).await.is_ok()
    }

    pub async fn close(&self) {
        self.writer.close().await;
        self.reader.close().await;
    }
}

/// How often a transaction is tried before its collision counts as an error.
pub const TRANSACTION_TRIES: u32 = 6;

/// The pause before try number `attempt` (from 1), with jitter so that two losers do not meet again.
pub async fn pause_before_retry(attempt: u32) {
    let base = 5u64 << attempt.min(6);
    let millis = rand::random_range(base / 2..=base);
    tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
}

/// Runs a block in a transaction and commits it: `transact!(store, tx => { … Ok(value) })`.
///
/// The block is run again when the database reports a collision, so it must have no effect besides the transaction.
/// It borrows what it uses; `?` inside leaves the block and rolls back.
#[macro_export]
macro_rules! transact {
    ($store:expr, $tx:ident => $body:block) => {{
        let store: &$crate::store::Store = &$store;
        let mut attempt = 1u32;
        loop {
            let outcome = async {
                #[allow(unused_mut)]
                let mut $tx = store.begin().await?;
                let value = {
                    let $tx = &mut $tx;
                    let result: $crate::error::Result<_> = async { $body }.await;
                    result?
                };
                $tx.commit().await?;
                Ok::<_, $crate::error::Error>(value)
            }
            .await;
            match outcome {
                Err(error) if attempt < $crate::store::TRANSACTION_TRIES && $crate::store::collided(&error) => {
                    $crate::store::pause_before_retry(attempt).await;
                    attempt += 1;
                }
                other => break other,
            }
        }
    }};
}
