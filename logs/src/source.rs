//! The lines of one day: what the index is built from, and what answers show. The index itself holds no texts.
//!
//! ```text
//! <root>/<day>/lines       "MLLINE01", then blocks
//! block = "BLCK" · crc32 of all that follows u32 · raw length u32 · packed length u32 · lines u32 · zstd of the entries
//! entry = length varint · line
//! ```
//! A line's address is the offset of its block and its number in it. Addresses never change as long as the file lives, also
//! when the index is built again, so a cursor that holds one stays good.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use crate::codec;
use crate::line::Line;

const MAGIC: &[u8; 8] = b"MLLINE01";
const HEAD: u64 = MAGIC.len() as u64;
const BLOCK_MAGIC: &[u8; 4] = b"BLCK";
const BLOCK_HEAD: usize = 20;
/// A block is closed when its lines take so much before packing.
const BLOCK_BYTES: usize = 32 << 10;
const MAX_BLOCK: usize = 128 << 20;
const LINE_BITS: u32 = 16;
const LEVEL: i32 = 3;
/// Unpacked blocks that a day keeps for the next reader.
const CACHED_BLOCKS: usize = 64;

/// Where a line lies in the file of its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) u64);

impl Address {
    const fn new(block: u64, line: usize) -> Address {
        Address(block << LINE_BITS | line as u64)
    }

    const fn block(self) -> u64 {
        self.0 >> LINE_BITS
    }

    const fn line(self) -> usize {
        (self.0 & ((1 << LINE_BITS) - 1)) as usize
    }
}

/// Appends blocks. There is one per day, in the indexing thread.
pub(crate) struct SourceWriter {
    file: File,
    /// Where the next block goes.
    length: u64,
    raw: Vec<u8>,
    lines: usize,
    entry: Vec<u8>,
}

impl SourceWriter {
    /// Opens the file and cuts it to `length`, which is what the index knows of.
    pub(crate) fn open(path: &Path, length: u64) -> io::Result<SourceWriter> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        if length < HEAD {
            file.set_len(0)?;
            (&file).write_all(MAGIC)?;
            file.sync_all()?;
        } else {
            file.set_len(length)?;
        }
        Ok(SourceWriter { file, length: length.max(HEAD), raw: Vec::new(), lines: 0, entry: Vec::new() })
    }

    pub(crate) fn push(&mut self, line: &Line) -> io::Result<Address> {
        let address = Address::new(self.length, self.lines);
        self.entry.clear();
        codec::put(line, &mut self.entry);
        codec::put_number(self.entry.len() as u64, &mut self.raw);
        self.raw.extend_from_slice(&self.entry);
        self.lines += 1;
        if self.raw.len() >= BLOCK_BYTES || self.lines >= 1 << LINE_BITS {
            self.close_block()?;
        }
        Ok(address)
    }

    /// Puts everything on the disk and gives the length up to here.
    pub(crate) fn sync(&mut self) -> io::Result<u64> {
        self.close_block()?;
        self.file.sync_data()?;
        Ok(self.length)
    }

    fn close_block(&mut self) -> io::Result<()> {
        if self.lines == 0 {
            return Ok(());
        }
        let packed = zstd::bulk::compress(&self.raw, LEVEL)?;
        let mut rest = Vec::with_capacity(packed.len() + BLOCK_HEAD);
        for number in [self.raw.len(), packed.len(), self.lines] {
            rest.extend_from_slice(&(number as u32).to_le_bytes());
        }
        rest.extend_from_slice(&packed);
        let mut block = Vec::with_capacity(rest.len() + 8);
        block.extend_from_slice(BLOCK_MAGIC);
        block.extend_from_slice(&crc32fast::hash(&rest).to_le_bytes());
        block.append(&mut rest);
        self.file.write_all(&block)?;
        self.length += block.len() as u64;
        self.raw.clear();
        self.lines = 0;
        Ok(())
    }
}

/// Reads lines by address. Many read at once.
pub(crate) struct SourceReader {
    file: File,
    blocks: Mutex<LruCache<u64, Arc<Block>>>,
}

impl SourceReader {
    /// `None` when there is no such file or it is none of ours.
    pub(crate) fn open(path: &Path) -> io::Result<Option<SourceReader>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(cause),
        };
        let mut head = [0; MAGIC.len()];
        if !read_whole(&file, &mut head, 0)? || &head != MAGIC {
            return Ok(None);
        }
        let size = NonZeroUsize::new(CACHED_BLOCKS).unwrap_or(NonZeroUsize::MIN);
        Ok(Some(SourceReader { file, blocks: Mutex::new(LruCache::new(size)) }))
    }

    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// `None` when the block cannot be read.
    pub(crate) fn line(&self, address: Address) -> io::Result<Option<Line>> {
        let block = match self.cached(address.block()) {
            Some(block) => block,
            None => {
                let Some((block, _)) = read_block(&self.file, address.block())? else { return Ok(None) };
                let block = Arc::new(block);
                self.blocks.lock().put(address.block(), block.clone());
                block
            }
        };
        Ok(block.entries().nth(address.line()).and_then(|mut entry| codec::take(&mut entry)))
    }

    fn cached(&self, block: u64) -> Option<Arc<Block>> {
        self.blocks.lock().get(&block).cloned()
    }

    /// Every readable line from the beginning, block by block.
    pub(crate) fn scan(&self) -> Scan<'_> {
        Scan { file: &self.file, offset: HEAD, end: HEAD, lost: 0 }
    }
}

pub(crate) struct Scan<'a> {
    file: &'a File,
    /// `u64::MAX` at the end.
    offset: u64,
    /// After the last readable block.
    pub(crate) end: u64,
    /// Places that cannot be read; at the very end it may be what a crash tore.
    pub(crate) lost: u64,
}

impl Scan<'_> {
    pub(crate) fn next(&mut self) -> io::Result<Option<Vec<(Address, Line)>>> {
        while self.offset != u64::MAX {
            let at = self.offset;
            let whole = match read_block(self.file, at)? {
                Some((block, length)) => block.lines().map(|lines| (lines, length)),
                None => None,
            };
            if let Some((lines, length)) = whole {
                self.offset = at + length;
                self.end = self.offset;
                let addressed = lines.into_iter().enumerate();
                return Ok(Some(addressed.map(|(number, line)| (Address::new(at, number), line)).collect()));
            }
            match self.next_block(at)? {
                Some(next) => {
                    self.lost += 1;
                    self.offset = next;
                }
                None => {
                    self.lost += u64::from(self.file.metadata()?.len() > at);
                    self.offset = u64::MAX;
                }
            }
        }
        Ok(None)
    }

    /// The next place after a damaged block where a whole one begins.
    fn next_block(&self, damaged: u64) -> io::Result<Option<u64>> {
        let length = self.file.metadata()?.len();
        let mut window = vec![0; 1 << 20];
        let mut from = damaged.saturating_add(1);
        while from < length {
            let size = usize::try_from(length - from).unwrap_or(usize::MAX).min(window.len());
            let Some(part) = window.get_mut(..size) else { return Ok(None) };
            if !read_whole(self.file, part, from)? {
                return Ok(None);
            }
            for (at, found) in part.windows(BLOCK_MAGIC.len()).enumerate() {
                let offset = from + at as u64;
                if found == BLOCK_MAGIC && read_block(self.file, offset)?.is_some() {
                    return Ok(Some(offset));
                }
            }
            if size < BLOCK_MAGIC.len() {
                return Ok(None);
            }
            // The windows overlap, so that no beginning is cut in two.
            from += (size - BLOCK_MAGIC.len() + 1) as u64;
        }
        Ok(None)
    }
}

/// An unpacked block. A line is decoded when it is asked for.
struct Block {
    raw: Vec<u8>,
    count: usize,
}

impl Block {
    fn entries(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.raw.as_slice();
        (0..self.count).map_while(move |_| {
            let length = usize::try_from(codec::take_number(&mut rest)?).ok()?;
            let (entry, behind) = rest.split_at_checked(length)?;
            rest = behind;
            Some(entry)
        })
    }

    /// `None` when they are not as many as there should be.
    fn lines(&self) -> Option<Vec<Line>> {
        let lines: Vec<Line> = self.entries().map_while(|mut entry| codec::take(&mut entry)).collect();
        (lines.len() == self.count).then_some(lines)
    }
}

fn read_block(file: &File, offset: u64) -> io::Result<Option<(Block, u64)>> {
    let mut head = [0; BLOCK_HEAD];
    if !read_whole(file, &mut head, offset)? || head.get(..4) != Some(BLOCK_MAGIC.as_slice()) {
        return Ok(None);
    }
    let number = |at: usize| {
        head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes).unwrap_or_default()
            as usize
    };
    let (crc, raw, packed, count) = (number(4), number(8), number(12), number(16));
    if raw > MAX_BLOCK || packed > MAX_BLOCK {
        return Ok(None);
    }
    let mut bytes = vec![0; packed];
    if !read_whole(file, &mut bytes, offset + BLOCK_HEAD as u64)? {
        return Ok(None);
    }
    let mut crc_of = crc32fast::Hasher::new();
    crc_of.update(head.get(8..).unwrap_or_default());
    crc_of.update(&bytes);
    if crc_of.finalize() as usize != crc {
        return Ok(None);
    }
    let Ok(raw) = zstd::bulk::decompress(&bytes, raw) else { return Ok(None) };
    Ok(Some((Block { raw, count }, (BLOCK_HEAD + packed) as u64)))
}

fn read_whole(file: &File, into: &mut [u8], offset: u64) -> io::Result<bool> {
    match file.read_exact_at(into, offset) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(cause) => Err(cause),
    }
}
