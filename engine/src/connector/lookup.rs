//! Tables that are asked for rows by key while a stream passes: the right side of
//! `JOIN t FOR SYSTEM_TIME AS OF o.proc_time AS t ON o.k = t.k`.
//!
//! A connector answers requests; caches, retries, deadlines and the number of requests under way are the business of the
//! operator that asks.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use millrace_wire::connector::{OptionKind, OptionSchema, OptionSide};

use super::option::one_of;
use crate::error::{EngineError, Result};
use crate::format::defaulted;

/// What a join wants of a table, as indices into [`crate::catalog::TableDef::read_columns`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupColumns {
    /// Columns that a row is found by. At least one.
    pub keys: Vec<usize>,
    /// Columns of the rows that are found. Contains the keys.
    pub columns: Vec<usize>,
}

/// A table that can be asked. One for all tasks of a join; requests run at the same time.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// The rows of these keys. `keys` has the key columns in the order they were asked for, no two rows that are equal,
    /// and no NULL. An error that says it may be retried is.
    async fn find(&self, keys: RecordBatch) -> Result<Found>;

    /// Every row of the table in pieces, with the columns asked for: asked with `lookup.cache` = `FULL`.
    async fn load(&self, _take: &mut (dyn FnMut(RecordBatch) -> Result<()> + Send)) -> Result<()> {
        Err(EngineError::user("unsupported", "This table cannot be loaded whole: 'lookup.cache' cannot be FULL."))
    }

    /// Keys of one request at most.
    fn keys_per_request(&self) -> usize {
        500
    }
}

/// The answer to one request, rows in any order.
#[derive(Clone, Debug)]
pub struct Found {
    /// The columns asked for.
    pub rows: RecordBatch,
    /// For each of these rows the row of the request that it answers. A key without rows is named by none.
    pub key_of: Vec<u32>,
}

/// A table to ask, and where its requests run.
#[derive(Clone)]
pub struct OpenLookup {
    pub lookup: Arc<dyn Lookup>,
    pub runtime: tokio::runtime::Handle,
}

pub(crate) const CACHE: &str = "lookup.cache";
/// The whole table is loaded.
pub(crate) const FULL: &str = "FULL";
pub(crate) const MAX_ROWS: &str = "lookup.partial-cache.max-rows";
pub(crate) const AFTER_WRITE: &str = "lookup.partial-cache.expire-after-write";
pub(crate) const AFTER_ACCESS: &str = "lookup.partial-cache.expire-after-access";
pub(crate) const MISSING: &str = "lookup.partial-cache.cache-missing-key";
pub(crate) const RELOAD: &str = "lookup.full-cache.periodic-reload.interval";
pub(crate) const MAX_RETRIES: &str = "lookup.max-retries";

/// Options of every table that can be looked up, by key or only in memory. The names are Flink's.
pub(super) fn options(by_key: bool) -> Vec<OptionSchema> {
    let option = |name: &str, title: &str, help: &str, kind, default: &str| OptionSchema {
        side: OptionSide::Source,
        ..defaulted(name, title, help, kind, default)
    };
    let reload =
        option(RELOAD, "Reload every", "With FULL: how often the table is loaded again.", OptionKind::Duration, "");
    if !by_key {
        let help = "FULL, the whole table, is the only way that it can be looked up.";
        let cache = option(CACHE, "Lookup cache", help, OptionKind::Choice, FULL);
        return vec![one_of(cache, &[FULL]), reload];
    }
    let cache = option(
        CACHE,
        "Lookup cache",
        "NONE asks for every row, PARTIAL keeps what was found, FULL loads the whole table.",
        OptionKind::Choice,
        "NONE",
    );
    vec![
        one_of(cache, &["NONE", "PARTIAL", FULL]),
        option(
            MAX_ROWS,
            "Cached rows",
            "With PARTIAL: beyond so many rows, those that were not used the longest go.",
            OptionKind::Integer,
            "",
        ),
        option(
            AFTER_WRITE,
            "Cached for",
            "With PARTIAL: an entry is asked for again so long after it was found.",
            OptionKind::Duration,
            "",
        ),
        option(
            AFTER_ACCESS,
            "Cached after use",
            "With PARTIAL: an entry goes when nobody used it for so long.",
            OptionKind::Duration,
            "",
        ),
        option(
            MISSING,
            "Cache missing keys",
            "With PARTIAL: keys without rows are kept too.",
            OptionKind::Boolean,
            "true",
        ),
        reload,
        option(
            MAX_RETRIES,
            "Lookup retries",
            "Requests that fail are made so many times again.",
            OptionKind::Integer,
            "3",
        ),
    ]
}
