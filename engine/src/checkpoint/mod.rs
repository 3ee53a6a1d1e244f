//! Checkpoints and savepoints on disk.
//!
//! # Format, version 2
//! Below the job's checkpoint root one directory per checkpoint, `chk-<number>` or `savepoint-<number>`; numbers go up
//! over all attempts. A directory holds `manifest.json` and one file per
//! subtask number, `task-<n>.state`, for all operators.
//!
//! A task file is a run of sections, each a zstd frame. Where a section begins and ends, what it is, and its CRC-32 stand
//! in the manifest. A section is the state of one operator for one key group; its bytes are the operator's own (see the
//! `snapshot` of each), little-endian, without padding.
//!
//! State that is large lies in segments instead (see [`crate::state`]), `<n>.segment`: links to files that the run wrote
//! when the state changed, so that a checkpoint costs what changed since the one before. The manifest names them by
//! node, table of the node and task, in the order in which they were written, with the hashes for which each counts.
//!
//! The manifest is one line of JSON ([`Manifest`]), a line feed, and the CRC-32 of that line as eight hexadecimal
//! digits. It also holds source positions with the watermark of each split, and what sinks asked to keep (hexadecimal).
//!
//! # Durability
//! Everything is written into a hidden directory `.tmp-<name>`: task files, each synced; the manifest last, synced; the
//! directory synced; then renamed to its name, and the root synced. A directory without the leading dot is therefore
//! whole, unless the disk damaged it: that is what the sums are for, and then the one before is used.
//!
//! # Versions
//! A reader refuses versions that it does not know. Old versions keep loading; fixtures of each are kept as tests.
//! Version 1 had no segments.

mod manifest;
mod report;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::connector::{SplitId, SplitPosition};
use crate::state::{Hashes, KeyedState, LogPart};

pub use manifest::{FORMAT_VERSION, Manifest, NodeEntry};
pub use report::{Compatibility, Verdict, compatibility};
pub use store::{CheckpointStore, Written};

/// What one node in one task gives at a barrier.
#[derive(Clone, Debug)]
pub struct Part {
    pub node: Arc<str>,
    /// Number of the subtask.
    pub task: usize,
    pub state: Option<KeyedState>,
    /// State that is on disk already, for each table of the node.
    pub segments: Vec<Vec<LogPart>>,
    pub sink: Option<Vec<u8>>,
    pub source: Option<SourcePart>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourcePart {
    /// Position just after the barrier's last row, and the watermark, of each split.
    pub splits: Vec<(SplitId, SplitPosition, i64)>,
}

/// A file of state, and the hashes for which it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredSegment {
    pub path: PathBuf,
    pub hashes: Hashes,
}

/// A checkpoint read back, by node id.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    pub number: u64,
    pub operators: BTreeMap<String, KeyedState>,
    /// Files of state for each table of a node, in the order in which they were written by each task.
    pub segments: BTreeMap<String, Vec<Vec<RestoredSegment>>>,
    pub sources: BTreeMap<String, BTreeMap<SplitId, (SplitPosition, i64)>>,
    /// Per subtask at the time.
    pub sinks: BTreeMap<String, Vec<Vec<u8>>>,
}
