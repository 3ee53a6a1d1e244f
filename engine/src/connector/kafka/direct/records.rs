//! Batches of records as they lie in a partition's log (format 2), without a copy of anything that is not compressed.
//!
//! Promises: a batch is taken only when its checksum fits; a cut batch at the end is left alone, the next fetch brings
//! it whole.

use std::io::Read as _;

use bytes::{Buf, Bytes};

/// Bytes before the records of a batch.
const HEADER: usize = 61;
/// Bytes before those that the batch's own length counts.
const PREFIX: usize = 12;
/// Where the checksummed part begins.
const CHECKED: usize = 21;
const MAGIC: usize = 16;

/// A size that no broker lets a batch grow to, against lengths made up by a compressed batch.
const LARGEST: u64 = 1 << 30;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum BatchError {
    /// Written in the format of brokers before 0.11.
    OldFormat,
    /// Compressed in a way that is not known here.
    UnknownCompression,
    Corrupt(&'static str),
}

#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) base_offset: i64,
    pub(super) last_offset: i64,
    pub(super) producer: i64,
    leader_epoch: i32,
    attributes: i16,
    base_timestamp: i64,
    /// Milliseconds; -1 where there is none.
    pub(super) max_timestamp: i64,
    count: i32,
    checksum: u32,
    /// From the attributes on.
    checked: Bytes,
}

/// The next whole batch, cut off the front.
pub(super) fn next_batch(log: &mut Bytes) -> Result<Option<Batch>, BatchError> {
    if log.len() < HEADER {
        return Ok(None);
    }
    let mut head = &log[..HEADER];
    let base_offset = head.get_i64();
    let length = usize::try_from(head.get_i32()).map_err(|_| BatchError::Corrupt("a negative length"))?;
    if log[MAGIC] < 2 {
        return Err(BatchError::OldFormat);
    }
    if length < HEADER - PREFIX {
        return Err(BatchError::Corrupt("a batch shorter than its head"));
    }
    if log.len() < PREFIX + length {
        return Ok(None);
    }
    let leader_epoch = head.get_i32();
    head.advance(1);
    let checksum = head.get_u32();
    let attributes = head.get_i16();
    let last_offset = base_offset.saturating_add(i64::from(head.get_i32()));
    let (base_timestamp, max_timestamp) = (head.get_i64(), head.get_i64());
    let producer = head.get_i64();
    head.advance(6);
    let count = head.get_i32();
    let checked = log.split_to(PREFIX + length).split_off(CHECKED);
    Ok(Some(Batch {
        base_offset,
        last_offset,
        producer,
        leader_epoch,
        attributes,
        base_timestamp,
        max_timestamp,
        count,
        checksum,
        checked,
    }))
}

impl Batch {
    pub(super) const fn is_transactional(&self) -> bool {
        self.attributes & 0x10 != 0
    }

    /// Holds a marker of a transaction and no record of anybody's.
    pub(super) const fn is_control(&self) -> bool {
        self.attributes & 0x20 != 0
    }

    /// The records, once the checksum was found right.
    pub(super) fn open(self) -> Result<Records, BatchError> {
        if crc32c::crc32c(&self.checked) != self.checksum {
            return Err(BatchError::Corrupt("a wrong checksum"));
        }
        let body = self.checked.slice(HEADER - CHECKED..);
        let body = match self.attributes & 7 {
            0 => body,
            1 => unpacked(flate2::read::MultiGzDecoder::new(&body[..]))?,
            2 => unsnapped(&body)?,
            3 => unpacked(lz4_flex::frame::FrameDecoder::new(&body[..]))?,
            4 => unpacked(zstd::Decoder::new(&body[..]).map_err(|_| BatchError::Corrupt("zstd that cannot be read"))?)?,
            _ => return Err(BatchError::UnknownCompression),
        };
        let left = u32::try_from(self.count).map_err(|_| BatchError::Corrupt("a negative count"))?;
        Ok(Records {
            body,
            at: 0,
            left,
            base_offset: self.base_offset,
            base_timestamp: self.base_timestamp,
            // The broker's own time, when the topic is set so, is that of the whole batch.
            append_time: (self.attributes & 0x08 != 0).then_some(self.max_timestamp),
            leader_epoch: self.leader_epoch,
        })
    }

    /// Of a control batch: whether it gives the transaction up.
    pub(super) fn is_abort(&self) -> Result<bool, BatchError> {
        let mut records = self.clone().open()?;
        let record = records.next_record()?;
        let key = record.and_then(|record| record.key).unwrap_or_default();
        // Version and kind; 0 is an abort, 1 a commit.
        Ok(key.get(2..4) == Some(&[0, 0]))
    }
}

/// The records of an opened batch, one after the other.
#[derive(Debug)]
pub(super) struct Records {
    body: Bytes,
    at: usize,
    left: u32,
    base_offset: i64,
    base_timestamp: i64,
    append_time: Option<i64>,
    leader_epoch: i32,
}

#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) offset: i64,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    /// Milliseconds; -1 where there is none.
    pub(super) timestamp: i64,
    pub(super) is_append_time: bool,
    pub(super) leader_epoch: i32,
    headers: &'a [u8],
}

impl Records {
    #[inline]
    pub(super) fn next_record(&mut self) -> Result<Option<Record<'_>>, BatchError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut cut = Cut(self.body.get(self.at..).unwrap_or_default());
        let before = cut.0.len();
        let size = cut.varint()?;
        let size = usize::try_from(size).map_err(|_| CUT_OFF)?;
        let mut record = Cut(cut.take(size)?);
        self.at += before - cut.0.len();
        record.take(1)?;
        let timestamp = self.base_timestamp.saturating_add(record.varint()?);
        let offset = self.base_offset.saturating_add(record.varint()?);
        let (key, value) = (record.bytes()?, record.bytes()?);
        Ok(Some(Record {
            offset,
            key,
            value,
            timestamp: self.append_time.unwrap_or(timestamp),
            is_append_time: self.append_time.is_some(),
            leader_epoch: self.leader_epoch,
            headers: record.0,
        }))
    }
}

impl Record<'_> {
    /// Calls `visit` with name and value of each header; headers that cannot be read are none.
    pub(super) fn each_header(&self, mut visit: impl FnMut(&[u8], Option<&[u8]>)) {
        let mut cut = Cut(self.headers);
        for _ in 0..cut.varint().unwrap_or(0) {
            let (Ok(Some(name)), Ok(value)) = (cut.bytes(), cut.bytes()) else { return };
            visit(name, value);
        }
    }
}

const CUT_OFF: BatchError = BatchError::Corrupt("a record that is cut off");

/// What is left to be read of a record.
struct Cut<'a>(&'a [u8]);

impl<'a> Cut<'a> {
    #[inline]
    fn take(&mut self, size: usize) -> Result<&'a [u8], BatchError> {
        let (taken, rest) = self.0.split_at_checked(size).ok_or(CUT_OFF)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A zigzag number of up to ten bytes, most often of one.
    #[inline]
    fn varint(&mut self) -> Result<i64, BatchError> {
        match self.0 {
            [byte, rest @ ..] if byte & 0x80 == 0 => {
                self.0 = rest;
                Ok(unzigzag((*byte).into()))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<i64, BatchError> {
        let mut raw = 0_u64;
        for (index, byte) in self.0.iter().enumerate().take(10) {
            raw |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.0 = &self.0[index + 1..];
                return Ok(unzigzag(raw));
            }
        }
        Err(CUT_OFF)
    }

    #[inline]
    fn bytes(&mut self) -> Result<Option<&'a [u8]>, BatchError> {
        match usize::try_from(self.varint()?) {
            Ok(size) => self.take(size).map(Some),
            Err(_) => Ok(None),
        }
    }
}

const fn unzigzag(raw: u64) -> i64 {
    (raw >> 1).cast_signed() ^ -(raw & 1).cast_signed()
}

fn unpacked(reader: impl std::io::Read) -> Result<Bytes, BatchError> {
    let mut out = Vec::new();
    let read = reader.take(LARGEST).read_to_end(&mut out);
    read.map_err(|_| BatchError::Corrupt("a batch that cannot be unpacked"))?;
    Ok(out.into())
}

/// Java's clients write snappy in blocks behind a head of their own, others as it is.
fn unsnapped(body: &[u8]) -> Result<Bytes, BatchError> {
    const JAVA: &[u8] = b"\x82SNAPPY\x00";
    let broken = |_| BatchError::Corrupt("snappy that cannot be read");
    let mut decoder = snap::raw::Decoder::new();
    let mut plain = |packed: &[u8]| {
        let size = snap::raw::decompress_len(packed).map_err(broken)?;
        if size as u64 > LARGEST {
            return Err(BatchError::Corrupt("a batch of a made up size"));
        }
        decoder.decompress_vec(packed).map_err(broken)
    };
    let Some(blocks) = body.strip_prefix(JAVA) else { return Ok(plain(body)?.into()) };
    // Two version numbers follow.
    let mut cut = Cut(blocks);
    cut.take(8)?;
    let mut out = Vec::new();
    while !cut.0.is_empty() {
        let mut size = cut.take(4)?;
        let size = usize::try_from(size.get_u32()).map_err(|_| CUT_OFF)?;
        out.extend_from_slice(&plain(cut.take(size)?)?);
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests;
