//! The contract between the runtime and what lies outside: sources, sinks, fetchers.
//!
//! One folder per connector: its option schema (drives validation, the console's form and the three property classes),
//! its source, its sink, its fetcher. Adding a connector touches nothing else but [`registry`].
//!
//! Readers and writers are synchronous and run on the thread of their task; a client library that is asynchronous is
//! driven on the runtime handle of the context. They must return within about 100 ms when there is nothing to do, so that
//! barriers and stops are seen.

mod address;
mod apart;
pub mod blackhole;
pub mod committers;
pub mod credential;
pub mod database;
pub mod datagen;
mod dead_letter;
pub mod filesystem;
mod generator;
mod infer;
pub mod kafka;
mod layout;
pub mod lookup;
mod mysql;
pub mod nexmark;
mod option;
mod postgres;
pub mod print;
pub mod registry;
mod row_filter;
mod steps;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod waiting;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use millrace_wire::connection::{ConnectionTest, ExternalObject};
use millrace_wire::connector::ConnectorSchema;
use millrace_wire::graph::{DeliveryGuarantee, Guarantee};
use millrace_wire::table::FetchedSchema;

use crate::catalog::TableRef;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::BadRecord;
use crate::format::bad_record::RecordOrigin;
use crate::format::bad_record_queue::BadRecordQueue;
use crate::sql::Problem;
use crate::types::Field;

pub use address::is_local;
pub use apart::{Apart, kind_of as sandbox_kind_of};
pub use lookup::{Found, Lookup, LookupColumns, OpenLookup};
pub use row_filter::{ColumnTest, Comparison, RowFilter, Test};

/// A client property of ours, set by a server for brokers that its users name: none of the addresses that a cluster
/// announces may be local (see [`is_local`]). The addresses that the user gave are checked by the server.
pub const NO_LOCAL: &str = "properties.millrace.no-local-addresses";

/// Set by `INSERT OVERWRITE` on the table that it writes: what is there before goes when everything is written.
pub(crate) const OVERWRITE: &str = "millrace.insert.overwrite";

/// A kind of external system.
#[async_trait]
pub trait Connector: Send + Sync {
    fn schema(&self) -> ConnectorSchema;

    /// Whether a table of it may be `PARTITIONED BY` columns.
    fn takes_partitions(&self) -> bool {
        false
    }

    /// Whether `INSERT OVERWRITE` can write its tables, see [`OVERWRITE`].
    fn overwrites(&self) -> bool {
        false
    }

    /// With lookup: whether it can be asked for the rows of single keys. Otherwise a table is loaded whole.
    fn finds_by_key(&self) -> bool {
        true
    }

    /// Checks options and columns without touching the network. Spans are filled in by the caller.
    fn validate(&self, _table: &TableRef, _use: TableUse) -> Vec<Problem> {
        Vec::new()
    }

    /// `columns` are indices into [`crate::catalog::TableDef::read_columns`]: the ones the query needs, in that order.
    fn source(&self, table: &TableRef, _columns: &[usize], _context: &ConnectorContext) -> Result<Box<dyn Source>> {
        Err(EngineError::user("unsupported", format!("The table '{}' cannot be read.", table.name)))
    }

    fn sink(&self, table: &TableRef, context: &ConnectorContext) -> Result<Box<dyn Sink>>;

    /// What [`Sink::accepts`] of this table's sink says, without making one.
    fn takes(&self, _table: &TableRef) -> Accepts {
        Accepts::Retract
    }

    /// For connectors whose schema says `lookup`. Nothing outside is touched before the first request.
    fn lookup(
        &self,
        table: &TableRef,
        _columns: &LookupColumns,
        _context: &ConnectorContext,
    ) -> Result<Arc<dyn Lookup>> {
        Err(EngineError::user("unsupported", format!("The table '{}' cannot be looked up by key.", table.name)))
    }

    /// Decodes single records of a table, apart from any source. `None` where records do not stand alone.
    fn records(&self, _table: &TableRef, _context: &ConnectorContext) -> Result<Option<Box<dyn Records>>> {
        Ok(None)
    }

    /// Asks the external system for columns and format.
    async fn fetch(&self, options: &BTreeMap<String, String>, context: &ConnectorContext) -> Result<FetchedSchema>;

    /// What the external system holds that a table can describe, by options without a table.
    async fn objects(
        &self,
        _options: &BTreeMap<String, String>,
        _context: &ConnectorContext,
    ) -> Result<Vec<ExternalObject>> {
        Err(EngineError::user("unsupported", "This connector cannot tell what there is."))
    }

    /// Makes the object of a test run's own. It must not be there yet: what exists is never written by a test run.
    async fn make(&self, apart: &Apart, _context: &ConnectorContext) -> Result<()> {
        Err(EngineError::user("unsupported", format!("The {} cannot be made.", apart.title())))
    }

    /// Removes what `make` has made; nothing to remove is no mistake.
    async fn remove(&self, apart: &Apart, _context: &ConnectorContext) -> Result<()> {
        Err(EngineError::user("unsupported", format!("The {} cannot be removed.", apart.title())))
    }

    /// Tries to reach the external system and to sign in, by options without a table.
    async fn probe(&self, _options: &BTreeMap<String, String>, _context: &ConnectorContext) -> ConnectionTest {
        ConnectionTest { ok: true, steps: Vec::new() }
    }

    /// Tries what the table's options name: reachable, exists, readable.
    async fn test(&self, table: &TableRef, context: &ConnectorContext) -> ConnectionTest;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableUse {
    Read,
    Write,
    /// Asked for rows by key.
    Lookup,
}

/// Everything of the surroundings that a connector may use.
#[derive(Clone)]
pub struct ConnectorContext {
    /// File connectors stay inside these. Empty means: any path (local `millrace run` and tests).
    pub file_roots: Vec<PathBuf>,
    /// Prefix of consumer groups and transactional ids; the same for all attempts of a job.
    pub identity: String,
    /// Where reading starts without restored positions, by log time, whatever the options say.
    pub start_at_ms: Option<i64>,
    /// Shared by all connectors of a run: the transactional producers.
    pub committers: Arc<dyn Committers>,
    /// A preview or sample: read from what is there, never commit offsets or create anything.
    pub read_only: bool,
    /// Where bad records of catalog tables are kept for people, beside what the policy does with them.
    pub bad_records: Option<Arc<BadRecordQueue>>,
    /// Rows per batch at most; 1 in the golden tests.
    pub batch_rows: usize,
    pub runtime: tokio::runtime::Handle,
}

/// A table as a source, before any reader is open.
pub trait Source: Send + Sync {
    fn bounded(&self) -> bool;

    /// Arrow schema of the batches: the columns asked for.
    fn schema(&self) -> SchemaRef;

    /// Whether it can give row kinds other than `+I` (changelog formats).
    fn changelog(&self) -> bool;

    /// Whether rows replace each other by the table's primary key: `+I` is the row of its key from now on, and `-D`, of
    /// which only the key counts, takes it away.
    fn upserts(&self) -> bool {
        false
    }

    /// The same without the splits that the filter rejects; `None` where nothing can be left out.
    fn restricted(&self, _filter: Arc<dyn PartitionFilter>) -> Option<Arc<dyn Source>> {
        None
    }

    /// The same without rows that the filter rejects, as far as the system outside can tell them exactly; `None` where
    /// it cannot.
    fn filtered(&self, _filter: &RowFilter) -> Option<Arc<dyn Source>> {
        None
    }

    /// Whether positions can be restored exactly.
    fn replayable(&self) -> bool;

    /// All splits that exist now (partitions, files), in a stable order. Called again from time to time while running.
    fn splits(&self) -> Result<Vec<SplitId>>;

    /// What is to be read, as starts that hold their end as well, for whoever is to read the same later. `None` where the
    /// system outside cannot tell, or the source has no end.
    fn settled(&self, _limit: RangeLimit) -> Result<Option<Vec<SplitStart>>> {
        Ok(None)
    }

    /// A reader of one source task for the given splits, each from its position (`None`: as the options say).
    fn reader(&self, splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>>;
}

/// How much of a source is settled on.
#[derive(Clone, Copy, Debug)]
pub struct RangeLimit {
    /// Records of all splits together, spread evenly over them, where records have numbers.
    pub most: u64,
    /// The last ones of the range instead of the first ones.
    pub newest: bool,
}

/// Single records, as they lie outside.
pub trait Records: Send {
    /// The columns that come from the bytes of a record alone.
    fn fields(&self) -> &[Field];

    /// The rows of a record, with these columns; the reason where there are none. Errors are about what else it takes,
    /// such as a schema registry.
    fn decode(&mut self, record: &RecordOrigin<'_>) -> Result<std::result::Result<ChangeBatch, BadRecord>>;
}

/// What the queries of a table ask of the columns that it is partitioned by.
pub trait PartitionFilter: Send + Sync {
    /// Whether rows with these values are wanted: one row with all columns of the table, NULL where they partition not.
    fn keeps(&self, row: &RecordBatch) -> Result<bool>;
}

/// Names a partition or file for good: `topic/3`, a path. Positions in checkpoints are keyed by it.
pub type SplitId = Arc<str>;

#[derive(Clone, Debug)]
pub struct SplitStart {
    pub split: SplitId,
    pub position: Option<SplitPosition>,
}

/// Opaque to the runtime; the connector's own JSON, for example `{"offset":42}`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SplitPosition(pub serde_json::Value);

pub trait SourceReader: Send {
    /// The next batch of one split. Waits up to `wait` for data.
    fn next(&mut self, wait: Duration) -> Result<SourceEvent>;

    /// Positions just after everything that `next` has returned. What a barrier stores.
    fn positions(&self) -> Vec<(SplitId, SplitPosition)>;

    /// Splits found after the reader was opened.
    fn add_splits(&mut self, splits: Vec<SplitStart>) -> Result<()>;

    /// A checkpoint with these positions is durable: group offsets may be committed, files forgotten.
    fn checkpoint_complete(&mut self, positions: &[(SplitId, SplitPosition)]) -> Result<()>;

    /// Position and end per split, cheap and possibly some seconds old.
    fn lag(&mut self) -> Vec<SplitLag>;

    /// Records that could not be decoded and were skipped or dead-lettered.
    fn bad_records(&self) -> u64;

    /// When the newest record read came to be, in milliseconds since 1970, as far as the outside says so of itself. The
    /// measure of lag for tables without an event time.
    fn newest_record(&self) -> Option<i64> {
        None
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SplitLag {
    pub split: SplitId,
    pub position: i64,
    pub end: Option<i64>,
}

pub enum SourceEvent {
    Batch {
        split: SplitId,
        batch: ChangeBatch,
        /// As read from outside, before decoding.
        bytes: u64,
    },
    /// Nothing within the waiting time.
    Idle,
    /// This split has ended; others may go on.
    SplitEnd { split: SplitId },
    /// All splits of this reader have ended (bounded sources).
    End,
}

/// A table as a sink.
pub trait Sink: Send + Sync {
    /// Which row kinds it can take.
    fn accepts(&self) -> Accepts;

    /// What it can guarantee, and why, with the settings it has.
    fn guarantee(&self) -> Guarantee;

    /// Names the external transaction that commits what the sink writes. Over two of them there is no common commit.
    fn transaction(&self) -> Option<String> {
        None
    }

    /// What speaks against writing with checkpoints taken this often.
    fn check(&self, _checkpoint_interval: Option<Duration>) -> Result<()> {
        Ok(())
    }

    /// The writer of sink task `task` of `tasks`. `restored` is what `prepare` of that task returned at the checkpoint
    /// that the run is restored from (all of them go to task 0 after a rescale).
    fn writer(&self, task: usize, tasks: usize, restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// `+I` only.
    Append,
    /// `+I`, `+U` and `-D` by primary key; `-U` is left out.
    Upsert,
    /// All four.
    Retract,
}

pub trait SinkWriter: Send {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()>;

    /// Called when a batch is over and nothing else waits, so that small latencies stay small.
    fn poll(&mut self) -> Result<()> {
        Ok(())
    }

    /// No row comes any more whose event time is not later than this, in milliseconds.
    fn watermark(&mut self, _watermark: i64) -> Result<()> {
        Ok(())
    }

    /// A barrier: everything written so far is handed over and acknowledged before this returns. The bytes are stored
    /// in the checkpoint and come back in [`Sink::writer`]. Rows written from now on belong to the next checkpoint and
    /// must not become visible with this one. Writers that keep nothing back have nothing to prepare.
    fn prepare(&mut self, _checkpoint: u64) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    /// The checkpoint is durable (and, for a [`Committer`], committed). May be called more than once after a restore.
    fn commit(&mut self, _checkpoint: u64) -> Result<()> {
        Ok(())
    }

    /// All input has ended and the last commit is done.
    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The committers of a run: one per external system whose commit is the truth about a checkpoint (a Kafka cluster).
/// The runtime asks for them after all sinks were opened.
pub trait Committers: Send + Sync {
    fn all(&self) -> Vec<Arc<dyn Committer>>;

    /// Gets or makes the committer with this key.
    fn get_or_insert(&self, key: &str, make: &dyn Fn() -> Result<Arc<dyn Committer>>) -> Result<Arc<dyn Committer>>;
}

/// Order at a checkpoint: barrier → every sink's `prepare` → snapshot N durable → `commit(N)` here → sinks' `commit(N)`
/// → snapshot N-1 may go. On start: `last_committed` fences an older attempt and says which snapshot is the truth.
pub trait Committer: Send + Sync + std::any::Any {
    /// Takes over from an older attempt (fencing it) and tells the checkpoint that was committed last.
    fn last_committed(&self) -> Result<Option<CommittedCheckpoint>>;

    /// Commits everything written since the last commit together with `offsets` (group offsets of Kafka sources of this
    /// cluster) and a mark that names the checkpoint and the plan.
    fn commit(&self, checkpoint: u64, plan_hash: &str, offsets: &[(SplitId, SplitPosition)]) -> Result<()>;

    /// Leaves uncommitted output behind; called on cancel and failure.
    fn abort(&self);

    /// As the type it is, for the sink writers of the same connector.
    fn as_any(self: Arc<Self>) -> Arc<dyn std::any::Any + Send + Sync>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedCheckpoint {
    pub checkpoint: u64,
    pub plan_hash: String,
}

/// The lowest of several guarantees, with the reason of the one that decides.
pub fn weakest(guarantees: Vec<Guarantee>) -> Guarantee {
    let order = |level: DeliveryGuarantee| match level {
        DeliveryGuarantee::BestEffort => 0,
        DeliveryGuarantee::AtLeastOnce => 1,
        DeliveryGuarantee::ExactlyOnce => 2,
    };
    guarantees.into_iter().min_by_key(|guarantee| order(guarantee.level)).unwrap_or(Guarantee {
        level: DeliveryGuarantee::ExactlyOnce,
        reason: "The job writes nothing outside.".to_owned(),
    })
}
