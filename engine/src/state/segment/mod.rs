//! Sorted, immutable files of keyed state.
//!
//! # Format, version 1
//! A file is a run of blocks, an index, a filter and a foot; all numbers little-endian.
//!
//! - **Block**: entries in the order of (hash, key), packed by LZ4 behind their unpacked length (4 bytes). Entries of
//!   one hash never stand in two blocks. An entry: hash (8), last use in milliseconds (8), length of the key (4), length
//!   of the value (4; all ones: the key is gone), key, value.
//! - **Index**: per block its first hash (8), offset (8), length (4) and CRC-32 (4).
//! - **Filter**: see [`Filter`]; tells most hashes that are not in the file.
//! - **Foot**, 40 bytes: offset of the index (8), number of blocks (4), length of the filter (4), number of entries (8),
//!   CRC-32 of index, filter and the foot up to here (4), version (4), `MRSG` twice (8).
//!
//! The high bits of the hash are the key group, so that the entries of a range of groups lie together.

mod filter;
mod merge;
mod read;
#[cfg(test)]
mod tests;
mod write;

use filter::Filter;
pub(super) use merge::Merge;
use read::Entry;
pub(super) use read::Scan;
pub use read::SegmentFile;
pub(super) use write::{SegmentWriter, Unsorted};

const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"MRSGMRSG";
const FOOT: usize = 40;
/// Bytes of the foot that its checksum covers.
const SUMMED: usize = 24;
const INDEX_ENTRY: usize = 24;
/// A length that says: the key is gone.
const GONE: u32 = u32::MAX;
