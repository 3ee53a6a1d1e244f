//! The rows between two barriers, and the form that they have in a checkpoint: a version byte, a JSON header that names
//! the writer, its epochs and their pieces, then the bytes of the pieces that are kept in the checkpoint, in order. A piece
//! is the length of an Arrow IPC stream with the row kinds as its last column, and the stream compressed with zstd.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, Int8Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int8Type, Schema};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};

use super::journal::StagedAt;
use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};
use crate::state::{Reader, write_bytes, write_u64};

const VERSION: u8 = 1;
/// Speed before size.
const COMPRESSION: i32 = 1;
/// No piece is so large once it is unpacked.
const LARGEST: usize = 2 << 30;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// In the checkpoint.
    Kept(Vec<u8>),
    /// In the table `millrace_staged`.
    Staged(StagedAt),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Epoch {
    pub(super) checkpoint: u64,
    pub(super) pieces: Vec<Piece>,
}

/// What a writer stores with a checkpoint.
#[derive(Debug, PartialEq)]
pub(super) struct State {
    pub(super) writer: String,
    pub(super) checkpoint: u64,
    /// Not committed yet.
    pub(super) epochs: Vec<Epoch>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    writer: String,
    checkpoint: u64,
    epochs: Vec<EpochHeader>,
}

#[derive(Serialize, Deserialize)]
struct EpochHeader {
    checkpoint: u64,
    /// `null` for a piece whose bytes follow.
    pieces: Vec<Option<StagedAt>>,
}

impl State {
    pub(super) fn write<'a>(writer: &str, checkpoint: u64, epochs: impl Iterator<Item = &'a Epoch>) -> Result<Vec<u8>> {
        let epochs: Vec<&Epoch> = epochs.collect();
        let staged = |piece: &Piece| match piece {
            Piece::Kept(_) => None,
            Piece::Staged(at) => Some(at.clone()),
        };
        let header = |epoch: &&Epoch| EpochHeader {
            checkpoint: epoch.checkpoint,
            pieces: epoch.pieces.iter().map(staged).collect(),
        };
        let header = Header { writer: writer.to_owned(), checkpoint, epochs: epochs.iter().map(header).collect() };
        let header = serde_json::to_vec(&header).map_err(|error| {
            EngineError::internal("the state of a database sink cannot be written").with_detail(error)
        })?;
        let mut out = vec![VERSION];
        write_bytes(&mut out, &header);
        for piece in epochs.iter().flat_map(|epoch| &epoch.pieces) {
            if let Piece::Kept(bytes) = piece {
                write_bytes(&mut out, bytes);
            }
        }
        Ok(out)
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8()?;
        if version != VERSION {
            let message =
                format!("The state of a database sink has the version {version}, which is newer than this program.");
            return Err(EngineError::user("state_version", message));
        }
        let header: Header = serde_json::from_slice(reader.bytes()?)
            .map_err(|error| EngineError::internal("the state of a database sink cannot be read").with_detail(error))?;
        let mut epochs = Vec::new();
        for epoch in header.epochs {
            let mut pieces = Vec::new();
            for staged in epoch.pieces {
                pieces.push(match staged {
                    Some(at) => Piece::Staged(at),
                    None => Piece::Kept(reader.bytes()?.to_vec()),
                });
            }
            epochs.push(Epoch { checkpoint: epoch.checkpoint, pieces });
        }
        Ok(State { writer: header.writer, checkpoint: header.checkpoint, epochs })
    }
}

/// All batches have the same columns.
pub(super) fn pack(batches: &[ChangeBatch]) -> Result<Vec<u8>> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let mut fields: Vec<Arc<Field>> = first.rows.schema().fields().iter().map(Arc::clone).collect();
    fields.push(Arc::new(Field::new("", DataType::Int8, false)));
    let schema = Arc::new(Schema::new(fields));
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &schema)?;
    for batch in batches {
        let kinds = (0..batch.len()).map(|row| batch.kind(row) as i8);
        let mut columns: Vec<ArrayRef> = batch.rows.columns().to_vec();
        columns.push(Arc::new(Int8Array::from_iter_values(kinds)));
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
    }
    writer.finish()?;
    drop(writer);
    let packed = zstd::bulk::compress(&bytes, COMPRESSION)
        .map_err(|error| EngineError::internal("rows cannot be compressed").with_detail(error))?;
    let mut out = Vec::with_capacity(packed.len() + 8);
    write_u64(&mut out, bytes.len() as u64);
    out.extend_from_slice(&packed);
    Ok(out)
}

pub(super) fn unpack(piece: &[u8]) -> Result<Vec<ChangeBatch>> {
    let broken = || EngineError::internal("rows of a checkpoint cannot be read");
    let (size, packed) = piece.split_first_chunk::<8>().ok_or_else(broken)?;
    let size = usize::try_from(u64::from_le_bytes(*size)).ok().filter(|size| *size <= LARGEST).ok_or_else(broken)?;
    let bytes = zstd::bulk::decompress(packed, size).map_err(|error| broken().with_detail(error))?;
    let reader = StreamReader::try_new(Cursor::new(bytes), None)?;
    let mut batches = Vec::new();
    for batch in reader {
        let mut batch = batch?;
        let last = batch.num_columns().checked_sub(1).ok_or_else(broken)?;
        let kinds = batch.remove_column(last);
        let kinds = kinds.as_primitive_opt::<Int8Type>().ok_or_else(broken)?;
        let kind = |byte: &i8| u8::try_from(*byte).ok().and_then(RowKind::from_byte).ok_or_else(broken);
        let kinds = kinds.values().iter().map(kind).collect::<Result<Vec<_>>>()?;
        batches.push(ChangeBatch::with_kinds(batch, kinds));
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{batch, lines, table};
    use super::*;
    use crate::types::LogicalType;

    #[test]
    fn states_come_back() {
        let staged = Piece::Staged(StagedAt { attempt: "a".to_owned(), number: 3 });
        let epochs = vec![
            Epoch { checkpoint: 4, pieces: vec![Piece::Kept(vec![1, 2]), staged] },
            Epoch { checkpoint: 5, pieces: vec![Piece::Kept(Vec::new())] },
        ];
        let bytes = State::write("w", 5, epochs.iter()).unwrap();
        assert_eq!(State::read(&bytes).unwrap(), State { writer: "w".to_owned(), checkpoint: 5, epochs });
        for cut in 0..bytes.len() {
            assert!(State::read(&bytes[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn rows_come_back_with_their_kinds() {
        let table = table(&[("a", LogicalType::BigInt), ("b", LogicalType::String)], &[]);
        let mut first = batch(&table, &[r#"{"a":1,"b":"x"}"#, r#"{"a":2}"#]);
        first = ChangeBatch::with_kinds(first.rows, vec![RowKind::Delete, RowKind::UpdateAfter]);
        let second = batch(&table, &[r#"{"b":"y"}"#]);
        let found = unpack(&pack(&[first.clone(), second.clone()]).unwrap()).unwrap();
        let all: Vec<String> = found.iter().flat_map(lines).collect();
        assert_eq!(all, [lines(&first), lines(&second)].concat());
        assert!(unpack(b"no zstd at all").is_err());
    }
}
