//! Columns → key bytes.

use std::hash::BuildHasher;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};
use foldhash::fast::FixedState;

use crate::error::Result;

/// Seed of all key hashes. Part of the checkpoint format: exchanges and key groups depend on it.
const SEED: u64 = 0x6d69_6c6c_7261_6365;

pub fn hash_key(key: &[u8]) -> u64 {
    FixedState::with_seed(SEED).hash_one(key)
}

/// Row-encodes some columns of a batch; the bytes are equal exactly when the values are (NULL equals NULL).
pub struct KeyEncoder {
    columns: Vec<usize>,
    converter: RowConverter,
}

/// Keys of one batch.
pub struct EncodedKeys {
    /// `None` when there are no key columns: every row has the empty key.
    rows: Option<Rows>,
}

impl KeyEncoder {
    pub fn new(schema: &SchemaRef, columns: &[usize]) -> Result<Self> {
        let fields = columns.iter().map(|column| SortField::new(schema.field(*column).data_type().clone())).collect();
        Ok(KeyEncoder { columns: columns.to_vec(), converter: RowConverter::new(fields)? })
    }

    pub fn encode(&self, batch: &RecordBatch) -> Result<EncodedKeys> {
        if self.columns.is_empty() {
            return Ok(EncodedKeys { rows: None });
        }
        let arrays: Vec<ArrayRef> = self.columns.iter().map(|column| batch.column(*column).clone()).collect();
        Ok(EncodedKeys { rows: Some(self.converter.convert_columns(&arrays)?) })
    }

    /// Key bytes → the key columns, in the order given to `new`.
    pub fn decode<'a>(&self, keys: impl Iterator<Item = &'a [u8]>) -> Result<Vec<ArrayRef>> {
        if self.columns.is_empty() {
            return Ok(Vec::new());
        }
        let parser = self.converter.parser();
        let rows: Vec<_> = keys.map(|key| parser.parse(key)).collect();
        Ok(self.converter.convert_rows(rows)?)
    }
}

impl EncodedKeys {
    pub fn key(&self, row: usize) -> &[u8] {
        self.rows.as_ref().map_or(&[], |rows| rows.row(row).data())
    }
}
