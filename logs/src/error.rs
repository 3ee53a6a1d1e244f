//! What can go wrong, and what the caller should write into its own log.

use std::path::PathBuf;

use crate::line::Day;
use crate::query::QueryError;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person's query; it says where and why.
    #[error("{0}")]
    Query(#[from] QueryError),
    #[error("this is not a place in a list of log lines")]
    Cursor,
    #[error("the logs of {0} are damaged and are being restored")]
    Damaged(Day),
    #[error("the log index is closed")]
    Closed,
    /// The journal cannot take lines any more until the index is opened again: what is on the disk is not known.
    #[error("the journal of logs cannot be written: {0}")]
    Journal(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("the log index failed: {0}")]
    Index(#[from] tantivy::TantivyError),
    #[error("the log index failed: {0}")]
    Failed(String),
}

/// Told to the caller as it happens; each is worth a line in the server's log.
#[derive(Debug, PartialEq)]
pub enum Notice {
    /// The end of the journal was not whole and was cut off; nothing of it was acknowledged.
    JournalCut {
        file: PathBuf,
        bytes: u64,
    },
    /// A place in the journal cannot be read; the lines after it in this file are missing from the index.
    JournalDamaged {
        file: PathBuf,
        bytes: u64,
    },
    /// The index of a day is damaged and is built again from the lines beside it.
    Damaged {
        day: Day,
        reason: String,
    },
    Rebuilt {
        day: Day,
        lines: u64,
        blocks_lost: u64,
    },
    /// A day went by retention.
    Dropped {
        day: Day,
        bytes: u64,
    },
    /// Indexing failed and starts again from the journal.
    WriterFailed {
        reason: String,
    },
}
