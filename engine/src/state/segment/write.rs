//! Entries → file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::{Filter, GONE, INDEX_ENTRY, MAGIC, VERSION};
use crate::error::{EngineError, Result};
use crate::state::{write_i64, write_u32, write_u64};

/// Unpacked size that a block has about: what has to be read and unpacked for one key.
const BLOCK: usize = 2 << 10;

/// Entries as an operator wrote them, before they are sorted. Of those of one key the last counts.
#[derive(Default)]
pub(in crate::state) struct Unsorted {
    bytes: Vec<u8>,
    entries: Vec<Place>,
}

struct Place {
    hash: u64,
    used_ms: i64,
    key: u32,
    key_length: u32,
    /// `None`: the key is gone.
    value_length: Option<u32>,
}

impl Unsorted {
    pub(in crate::state) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(in crate::state) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(in crate::state) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// `write` appends the value.
    pub(in crate::state) fn push(&mut self, hash: u64, key: &[u8], used_ms: i64, write: impl FnOnce(&mut Vec<u8>)) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let value = self.bytes.len();
        write(&mut self.bytes);
        let length = (self.bytes.len() - value) as u32;
        self.entries.push(Place {
            hash,
            used_ms,
            key: at as u32,
            key_length: key.len() as u32,
            value_length: Some(length),
        });
    }

    pub(in crate::state) fn push_gone(&mut self, hash: u64, key: &[u8]) {
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(key);
        self.entries.push(Place { hash, used_ms: 0, key: at, key_length: key.len() as u32, value_length: None });
    }

    /// Writes all, sorted.
    pub(in crate::state) fn write(mut self, path: &Path) -> Result<()> {
        let bytes = self.bytes;
        let key = |place: &Place| &bytes[place.key as usize..][..place.key_length as usize];
        // Stable: those of one key stay in the order in which they came.
        self.entries.sort_by(|a, b| (a.hash, key(a)).cmp(&(b.hash, key(b))));
        self.entries.reverse();
        self.entries.dedup_by(|earlier, last| earlier.hash == last.hash && key(earlier) == key(last));
        let mut writer = SegmentWriter::create(path, self.entries.len())?;
        for place in self.entries.iter().rev() {
            let value = place.value_length.map(|length| {
                let at = (place.key + place.key_length) as usize;
                &bytes[at..at + length as usize]
            });
            writer.push(place.hash, key(place), place.used_ms, value)?;
        }
        writer.finish()
    }
}

/// Writes entries that come in order.
pub(in crate::state) struct SegmentWriter {
    file: BufWriter<File>,
    block: Vec<u8>,
    first_hash: u64,
    last_hash: u64,
    index: Vec<u8>,
    blocks: u32,
    offset: u64,
    entries: u64,
    filter: Filter,
}

impl SegmentWriter {
    /// `keys` sizes the filter.
    pub(in crate::state) fn create(path: &Path, keys: usize) -> Result<Self> {
        let file = File::create_new(path).map_err(|error| failed(path, &error))?;
        Ok(SegmentWriter {
            file: BufWriter::with_capacity(256 << 10, file),
            block: Vec::with_capacity(BLOCK * 2),
            first_hash: 0,
            last_hash: 0,
            index: Vec::new(),
            blocks: 0,
            offset: 0,
            entries: 0,
            filter: Filter::for_keys(keys),
        })
    }

    pub(in crate::state) fn push(&mut self, hash: u64, key: &[u8], used_ms: i64, value: Option<&[u8]>) -> Result<()> {
        if self.block.len() >= BLOCK && hash != self.last_hash {
            self.end_block()?;
        }
        if self.block.is_empty() {
            self.first_hash = hash;
        }
        self.last_hash = hash;
        self.entries += 1;
        self.filter.insert(hash);
        let out = &mut self.block;
        write_u64(out, hash);
        write_i64(out, used_ms);
        write_u32(out, key.len() as u32);
        write_u32(out, value.map_or(GONE, |value| value.len() as u32));
        out.extend_from_slice(key);
        out.extend_from_slice(value.unwrap_or_default());
        Ok(())
    }

    pub(in crate::state) fn finish(mut self) -> Result<()> {
        self.end_block()?;
        let filter = self.filter.as_bytes();
        let mut foot = Vec::new();
        write_u64(&mut foot, self.offset);
        write_u32(&mut foot, self.blocks);
        write_u32(&mut foot, filter.len() as u32);
        write_u64(&mut foot, self.entries);
        let mut sum = crc32fast::Hasher::new();
        [self.index.as_slice(), filter, &foot].iter().for_each(|part| sum.update(part));
        write_u32(&mut foot, sum.finalize());
        write_u32(&mut foot, VERSION);
        foot.extend_from_slice(MAGIC);
        debug_assert_eq!(self.index.len(), self.blocks as usize * INDEX_ENTRY);
        let parts: [&[u8]; 3] = [&self.index, self.filter.as_bytes(), &foot];
        let file = &mut self.file;
        parts.iter().try_for_each(|part| file.write_all(part)).and_then(|()| file.flush()).map_err(|e| unwritten(&e))
    }

    fn end_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = lz4_flex::block::compress_prepend_size(&self.block);
        write_u64(&mut self.index, self.first_hash);
        write_u64(&mut self.index, self.offset);
        write_u32(&mut self.index, packed.len() as u32);
        write_u32(&mut self.index, crc32fast::hash(&packed));
        self.file.write_all(&packed).map_err(|error| unwritten(&error))?;
        self.offset += packed.len() as u64;
        self.blocks += 1;
        self.block.clear();
        Ok(())
    }
}

fn failed(path: &Path, error: &std::io::Error) -> EngineError {
    unwritten(error).with_detail(format!("create {}: {error}", path.display()))
}

fn unwritten(error: &std::io::Error) -> EngineError {
    EngineError::external("state_unwritable", format!("State could not be written to disk: {error}."))
}
