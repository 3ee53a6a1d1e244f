//! Avro's files: a header with the schema, then blocks of values, each compressed for itself.

use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::input::Input;
use super::reader::RowReader;
use super::schema::Schema;
use super::writer::{record_writers, rows_of, write_bytes, write_long};
use crate::error::{EngineError, Result};
use crate::format::RECORD_LIMIT;
use crate::format::column::Column;
use crate::types::Field;

const MAGIC: [u8; 4] = *b"Obj\x01";
const SYNC: usize = 16;
/// Of values before compression.
const BLOCK_BYTES: usize = 64 << 10;

pub(crate) const CODECS: [&str; 4] = ["null", "deflate", "snappy", "zstandard"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
}

impl Codec {
    /// Flink's default is snappy.
    pub(crate) fn of_option(name: Option<&str>) -> Result<Self> {
        let name = name.unwrap_or("snappy");
        Self::of_name(name).ok_or_else(|| EngineError::user("unsupported", format!("There is no Avro codec '{name}'.")))
    }

    fn of_name(name: &str) -> Option<Self> {
        match name {
            "null" => Some(Self::Null),
            "deflate" => Some(Self::Deflate),
            "snappy" => Some(Self::Snappy),
            "zstandard" => Some(Self::Zstandard),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Deflate => "deflate",
            Self::Snappy => "snappy",
            Self::Zstandard => "zstandard",
        }
    }

    fn compress(self, block: &[u8]) -> Result<Vec<u8>> {
        let failed = |error| EngineError::internal("a block cannot be compressed").with_detail(error);
        match self {
            Self::Null => Ok(block.to_vec()),
            Self::Deflate => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(block).map_err(failed)?;
                encoder.finish().map_err(failed)
            }
            Self::Snappy => {
                let packed = snap::raw::Encoder::new().compress_vec(block);
                let mut packed = packed.map_err(|error| failed(error.into()))?;
                packed.extend(crc32fast::hash(block).to_be_bytes());
                Ok(packed)
            }
            Self::Zstandard => zstd::encode_all(block, 0).map_err(failed),
        }
    }

    /// What a file says of its size is not believed beyond the limit of a record.
    fn expand(self, block: &[u8]) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        let limit = RECORD_LIMIT as u64 + 1;
        let read = |reader: &mut dyn Read, out: &mut Vec<u8>| {
            reader.take(limit).read_to_end(out).map(drop).map_err(|error| format!("a block is damaged: {error}"))
        };
        match self {
            Self::Null => out.extend_from_slice(block),
            Self::Deflate => read(&mut flate2::read::DeflateDecoder::new(block), &mut out)?,
            Self::Zstandard => {
                let decoder = zstd::stream::read::Decoder::new(block);
                read(&mut decoder.map_err(|error| format!("a block is damaged: {error}"))?, &mut out)?;
            }
            Self::Snappy => {
                let (packed, sum) = block.split_last_chunk::<4>().ok_or("a block is damaged: it is too short")?;
                let size = snap::raw::decompress_len(packed).map_err(|error| format!("a block is damaged: {error}"))?;
                if size > RECORD_LIMIT {
                    return Err("a block is larger than 64 MB".to_owned());
                }
                let opened = snap::raw::Decoder::new().decompress_vec(packed);
                out = opened.map_err(|error| format!("a block is damaged: {error}"))?;
                if crc32fast::hash(&out).to_be_bytes() != *sum {
                    return Err("a block is damaged: its checksum is wrong".to_owned());
                }
            }
        }
        if out.len() > RECORD_LIMIT { Err("a block is larger than 64 MB".to_owned()) } else { Ok(out) }
    }
}

/// A file that is being written.
pub(crate) struct ContainerWriter<W> {
    out: W,
    schema: Schema,
    codec: Codec,
    sync: [u8; SYNC],
    block: Vec<u8>,
    values: i64,
    written: u64,
}

impl<W: Write> ContainerWriter<W> {
    pub(crate) fn new(mut out: W, schema: Schema, codec: Codec) -> std::io::Result<Self> {
        let sync: [u8; SYNC] = *uuid::Uuid::new_v4().as_bytes();
        let mut header = MAGIC.to_vec();
        write_long(2, &mut header);
        for (key, value) in [("avro.schema", schema.to_json().as_str()), ("avro.codec", codec.name())] {
            write_bytes(key.as_bytes(), &mut header);
            write_bytes(value.as_bytes(), &mut header);
        }
        write_long(0, &mut header);
        header.extend(sync);
        out.write_all(&header)?;
        let written = header.len() as u64;
        Ok(ContainerWriter { out, schema, codec, sync, block: Vec::new(), values: 0, written })
    }

    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        let (names, columns) = rows_of(rows);
        let mut full = Vec::new();
        {
            let fields = record_writers(&self.schema, self.schema.root(), &names, columns)?;
            for row in 0..rows.num_rows() {
                fields.iter().try_for_each(|field| field.write(row, &mut self.block))?;
                self.values += 1;
                if self.block.len() >= BLOCK_BYTES {
                    full.push((std::mem::take(&mut self.block), std::mem::take(&mut self.values)));
                }
            }
        }
        full.into_iter().try_for_each(|(block, values)| self.end_block(&block, values))
    }

    fn end_block(&mut self, block: &[u8], values: i64) -> Result<()> {
        let mut bytes = Vec::new();
        write_long(values, &mut bytes);
        write_bytes(&self.codec.compress(block)?, &mut bytes);
        bytes.extend(self.sync);
        self.written += bytes.len() as u64;
        let failed = |error| EngineError::external("file_failed", "An Avro file cannot be written.").with_detail(error);
        self.out.write_all(&bytes).map_err(failed)
    }

    /// So far, with what waits for its block.
    pub(crate) fn bytes(&self) -> u64 {
        self.written + self.block.len() as u64
    }

    pub(crate) fn finish(mut self) -> Result<W> {
        let (block, values) = (std::mem::take(&mut self.block), self.values);
        if values > 0 {
            self.end_block(&block, values)?;
        }
        Ok(self.out)
    }
}

/// A file that is being read.
pub(crate) struct ContainerReader<R> {
    input: R,
    schema: Arc<Schema>,
    codec: Codec,
    sync: [u8; SYNC],
    block: Vec<u8>,
    /// Where the next value of the block begins, and how many are left.
    at: usize,
    left: u64,
}

/// What is in the way of reading on: of the file as a whole, or of the block at hand.
#[derive(Debug)]
pub(crate) enum Broken {
    File(String),
    /// The rest of the block cannot be read; the next one can.
    Block {
        reason: String,
        values: u64,
    },
}

impl<R: Read + Seek> ContainerReader<R> {
    pub(crate) fn new(mut input: R) -> Result<Self, String> {
        let mut magic = [0; 4];
        input.read_exact(&mut magic).map_err(|_| "it is too short".to_owned())?;
        if magic != MAGIC {
            return Err("it is no Avro file".to_owned());
        }
        let (mut schema, mut codec) = (None, Codec::Null);
        loop {
            let count = read_long(&mut input)?.ok_or("its header is cut off")?;
            if count == 0 {
                break;
            }
            if count < 0 {
                read_long(&mut input)?;
            }
            for _ in 0..count.unsigned_abs() {
                let (key, value) = (read_bytes(&mut input)?, read_bytes(&mut input)?);
                match key.as_slice() {
                    b"avro.schema" => {
                        let text = String::from_utf8(value).map_err(|_| "its schema is no text".to_owned())?;
                        schema = Some(Schema::parse(&text)?);
                    }
                    b"avro.codec" => {
                        let name = String::from_utf8_lossy(&value).into_owned();
                        let known = Codec::of_name(&name);
                        codec = known.ok_or_else(|| format!("its compression '{name}' is not supported"))?;
                    }
                    _ => {}
                }
            }
        }
        let mut sync = [0; SYNC];
        input.read_exact(&mut sync).map_err(|_| "its header is cut off".to_owned())?;
        let schema = Arc::new(schema.ok_or("it has no schema")?);
        Ok(ContainerReader { input, schema, codec, sync, block: Vec::new(), at: 0, left: 0 })
    }

    /// How values of this file come into columns.
    pub(crate) fn plan(&self, fields: &[&Field]) -> Result<RowPlan, String> {
        Ok(RowPlan(RowReader::new(&self.schema, self.schema.root(), fields)?))
    }

    /// Reads up to `most` values; 0 at the end of the file. On error the columns keep what came before.
    pub(crate) fn read(
        &mut self,
        plan: &RowPlan,
        columns: &mut [Column],
        most: usize,
    ) -> Result<usize, (usize, Broken)> {
        let mut rows = 0;
        while rows < most {
            if self.left == 0 && !self.next_block().map_err(|why| (rows, Broken::File(why)))? {
                break;
            }
            let mut input = Input::new(self.block.get(self.at..).unwrap_or_default());
            let before = columns.first().map_or(0, Column::len);
            match plan.0.read(&mut input, columns) {
                Ok(()) => {
                    self.at = self.block.len() - input.rest().len();
                    self.left -= 1;
                    rows += 1;
                }
                Err(reason) => {
                    columns.iter_mut().for_each(|column| column.truncate(before));
                    let values = std::mem::take(&mut self.left);
                    return Err((rows, Broken::Block { reason, values }));
                }
            }
        }
        Ok(rows)
    }

    /// Passes over values, whole blocks without looking into them.
    pub(crate) fn skip(&mut self, mut values: u64, plan: &RowPlan, columns: &mut [Column]) -> Result<(), String> {
        while values > 0 {
            if self.left == 0 {
                let Some((count, size)) = self.block_header()? else { return Ok(()) };
                if count <= values {
                    let beyond = size.checked_add(SYNC as u64).and_then(|size| i64::try_from(size).ok());
                    let beyond = beyond.ok_or("a block is damaged")?;
                    self.input.seek(SeekFrom::Current(beyond)).map_err(|error| error.to_string())?;
                    values -= count;
                    continue;
                }
                self.take_block(count, size)?;
            }
            let most = usize::try_from(values.min(self.left).min(4096)).unwrap_or(1);
            let passed = match self.read(plan, columns, most) {
                Ok(rows) => rows as u64,
                Err((rows, Broken::Block { values, .. })) => rows as u64 + values,
                Err((_, Broken::File(why))) => return Err(why),
            };
            columns.iter_mut().for_each(|column| column.truncate(0));
            values = values.saturating_sub(passed);
        }
        Ok(())
    }

    /// The bytes of the block that is being read, for those who keep broken ones.
    pub(crate) fn rest_of_block(&self) -> &[u8] {
        self.block.get(self.at..).unwrap_or_default()
    }

    fn next_block(&mut self) -> Result<bool, String> {
        loop {
            let Some((count, size)) = self.block_header()? else { return Ok(false) };
            self.take_block(count, size)?;
            if count > 0 {
                return Ok(true);
            }
        }
    }

    fn block_header(&mut self) -> Result<Option<(u64, u64)>, String> {
        let Some(count) = read_long(&mut self.input)? else { return Ok(None) };
        let size = read_long(&mut self.input)?.ok_or("a block is cut off")?;
        let positive = |number: i64| u64::try_from(number).map_err(|_| "a block is damaged".to_owned());
        Ok(Some((positive(count)?, positive(size)?)))
    }

    fn take_block(&mut self, count: u64, size: u64) -> Result<(), String> {
        let packed = read_sized(&mut self.input, size)?;
        let mut sync = [0; SYNC];
        self.input.read_exact(&mut sync).map_err(|_| "a block is cut off".to_owned())?;
        if sync != self.sync {
            return Err("a block is damaged: its end is not where it should be".to_owned());
        }
        self.block = self.codec.expand(&packed)?;
        (self.at, self.left) = (0, count);
        // Values without bytes could be as many as a file likes to claim.
        if count > self.block.len() as u64 + (1 << 16) {
            return Err("a block claims more values than it has bytes".to_owned());
        }
        Ok(())
    }
}

/// How the values of a file come into columns.
pub(crate) struct RowPlan(RowReader);

/// `None` at the end of the input.
fn read_long(input: &mut impl Read) -> Result<Option<i64>, String> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let mut byte = [0];
        match input.read_exact(&mut byte) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof && shift == 0 => return Ok(None),
            Err(error) => return Err(format!("it cannot be read on: {error}")),
        }
        let [byte] = byte;
        if shift == 63 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(Some((value >> 1) as i64 ^ -((value & 1) as i64)));
        }
    }
    Err("a number is longer than 64 bits".to_owned())
}

fn read_bytes(input: &mut impl Read) -> Result<Vec<u8>, String> {
    let length = read_long(input)?.ok_or("its header is cut off")?;
    read_sized(input, u64::try_from(length).map_err(|_| "its header is damaged".to_owned())?)
}

/// Grows with what is there, not with what is claimed.
fn read_sized(input: &mut impl Read, size: u64) -> Result<Vec<u8>, String> {
    if size > RECORD_LIMIT as u64 {
        return Err("a block is larger than 64 MB".to_owned());
    }
    let mut bytes = Vec::new();
    input.take(size).read_to_end(&mut bytes).map_err(|error| format!("it cannot be read on: {error}"))?;
    if bytes.len() as u64 == size { Ok(bytes) } else { Err("a block is cut off".to_owned()) }
}
