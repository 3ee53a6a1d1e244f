//! File → entries, by key or in order.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::{FOOT, Filter, GONE, INDEX_ENTRY, MAGIC, SUMMED, VERSION};
use crate::error::{EngineError, Result};
use crate::state::Reader;

/// An open file. Blocks are read when they are asked for; index and filter are held.
#[derive(Debug)]
pub struct SegmentFile {
    file: File,
    bytes: u64,
    blocks: Vec<Block>,
    filter: Filter,
    entries: u64,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    first_hash: u64,
    offset: u64,
    length: u32,
    crc32: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::state) struct Entry<'a> {
    pub(in crate::state) hash: u64,
    pub(in crate::state) key: &'a [u8],
    pub(in crate::state) used_ms: i64,
    /// `None`: the key is gone.
    pub(in crate::state) value: Option<&'a [u8]>,
}

impl SegmentFile {
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let bytes = file.metadata().map_err(|error| unreadable(&error))?.len();
        let foot_at = bytes.checked_sub(FOOT as u64).ok_or_else(|| corrupt("a segment is cut short"))?;
        let foot = read_at(&file, foot_at, FOOT)?;
        let mut reader = Reader::new(&foot);
        let (index_at, blocks, filter) = (reader.u64()?, reader.u32()? as usize, reader.u32()? as usize);
        let (entries, sum, version) = (reader.u64()?, reader.u32()?, reader.u32()?);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(corrupt("a segment has no foot"));
        }
        if version != VERSION {
            let message = format!("A segment of state has format version {version}, this engine reads {VERSION}.");
            return Err(EngineError::user("checkpoint_version", message));
        }
        let length = blocks * INDEX_ENTRY + filter;
        if index_at.checked_add(length as u64) != Some(foot_at) {
            return Err(corrupt("a segment's index has another size"));
        }
        let held = read_at(&file, index_at, length)?;
        let mut found = crc32fast::Hasher::new();
        found.update(&held);
        found.update(&foot[..SUMMED]);
        if found.finalize() != sum {
            return Err(corrupt("the checksum of a segment's index is wrong"));
        }
        let (index, filter) = held.split_at(blocks * INDEX_ENTRY);
        let mut reader = Reader::new(index);
        let mut blocks = Vec::with_capacity(blocks);
        while !reader.is_empty() {
            blocks.push(Block {
                first_hash: reader.u64()?,
                offset: reader.u64()?,
                length: reader.u32()?,
                crc32: reader.u32()?,
            });
        }
        Ok(SegmentFile { file, bytes, blocks, filter: Filter::from_bytes(filter.to_vec()), entries })
    }

    /// Reads everything once, to see whether it is whole.
    pub fn verify(&self) -> Result<()> {
        self.blocks.iter().try_for_each(|block| self.packed(block).map(|_| ()))
    }

    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// What stays in memory.
    pub fn held(&self) -> u64 {
        (self.blocks.len() * size_of::<Block>() + self.filter.as_bytes().len()) as u64
    }

    pub fn may_hold(&self, hash: u64) -> bool {
        self.filter.may_hold(hash)
    }

    /// Calls `found` with the entry of a key, if there is one.
    pub(in crate::state) fn get<T>(
        &self,
        hash: u64,
        key: &[u8],
        found: impl FnOnce(Entry<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(at) = self.blocks.partition_point(|block| block.first_hash <= hash).checked_sub(1) else {
            return Ok(None);
        };
        let block = self.unpacked(at)?;
        let mut reader = Reader::new(&block);
        while !reader.is_empty() {
            let entry = read_entry(&mut reader)?;
            if entry.hash > hash {
                break;
            }
            if entry.hash == hash && entry.key == key {
                return found(entry).map(Some);
            }
        }
        Ok(None)
    }

    fn packed(&self, block: &Block) -> Result<Vec<u8>> {
        let packed = read_at(&self.file, block.offset, block.length as usize)?;
        if crc32fast::hash(&packed) != block.crc32 {
            return Err(corrupt("the checksum of a segment's block is wrong"));
        }
        Ok(packed)
    }

    fn unpacked(&self, at: usize) -> Result<Vec<u8>> {
        let block = self.blocks.get(at).ok_or_else(|| corrupt("a segment has no such block"))?;
        lz4_flex::block::decompress_size_prepended(&self.packed(block)?)
            .map_err(|_| corrupt("a segment's block cannot be unpacked"))
    }
}

/// Walks over the entries of a range of hashes, in order.
pub(in crate::state) struct Scan {
    file: Arc<SegmentFile>,
    next_block: usize,
    block: Vec<u8>,
    /// Where the next entry of the block begins.
    next: usize,
    here: Option<Here>,
    last: u64,
}

/// The entry that a scan stands at, by places in its block.
struct Here {
    hash: u64,
    used_ms: i64,
    key: Range<usize>,
    value: Option<Range<usize>>,
}

impl Scan {
    /// `first` and `last` belong to the range.
    pub(in crate::state) fn new(file: Arc<SegmentFile>, first: u64, last: u64) -> Result<Self> {
        let next_block = file.blocks.partition_point(|block| block.first_hash <= first).saturating_sub(1);
        let mut scan = Scan { file, next_block, block: Vec::new(), next: 0, here: None, last };
        scan.advance()?;
        while scan.entry().is_some_and(|entry| entry.hash < first) {
            scan.advance()?;
        }
        Ok(scan)
    }

    /// The entry it stands at; `None` at the end.
    pub(in crate::state) fn entry(&self) -> Option<Entry<'_>> {
        let here = self.here.as_ref()?;
        let value = here.value.clone().map(|value| &self.block[value]);
        Some(Entry { hash: here.hash, key: &self.block[here.key.clone()], used_ms: here.used_ms, value })
    }

    pub(in crate::state) fn advance(&mut self) -> Result<()> {
        self.here = None;
        if self.next >= self.block.len() {
            if self.next_block >= self.file.blocks.len() {
                return Ok(());
            }
            self.block = self.file.unpacked(self.next_block)?;
            self.next_block += 1;
            self.next = 0;
        }
        let mut reader = Reader::new(&self.block[self.next..]);
        let entry = read_entry(&mut reader)?;
        let end = self.block.len() - reader.left();
        let value = end - entry.value.map_or(0, <[u8]>::len);
        let here = Here {
            hash: entry.hash,
            used_ms: entry.used_ms,
            key: value - entry.key.len()..value,
            value: entry.value.map(|_| value..end),
        };
        self.next = end;
        self.here = Some(here).filter(|here| here.hash <= self.last);
        Ok(())
    }
}

fn read_entry<'a>(reader: &mut Reader<'a>) -> Result<Entry<'a>> {
    let (hash, used_ms, key, value) = (reader.u64()?, reader.i64()?, reader.u32()? as usize, reader.u32()?);
    let key = reader.take(key)?;
    let value = if value == GONE { None } else { Some(reader.take(value as usize)?) };
    Ok(Entry { hash, key, used_ms, value })
}

fn read_at(file: &File, offset: u64, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => corrupt("a segment is cut short"),
        _ => unreadable(&error),
    })?;
    Ok(bytes)
}

fn unreadable(error: &io::Error) -> EngineError {
    EngineError::external("state_unreadable", format!("State could not be read from disk: {error}."))
}

fn corrupt(what: &str) -> EngineError {
    EngineError::external("checkpoint_corrupt", format!("State on disk is damaged: {what}.")).without_retry()
}
