//! Metadata columns of a file.

use std::fs::Metadata;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use arrow::array::ArrayRef;

use super::partition::Values;
use crate::error::{EngineError, Result};
use crate::format::column::Column;
use crate::format::temporal::units_per_second;
use crate::types::{LogicalType, Type};

pub(super) struct FileFacts {
    path: String,
    name: String,
    size: i64,
    modified_ms: i64,
    partition: Values,
}

impl FileFacts {
    pub(super) fn new(path: &Path, metadata: &Metadata, partition: Values) -> Self {
        let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        FileFacts {
            path: path.to_string_lossy().into_owned(),
            name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            size: i64::try_from(metadata.len()).unwrap_or(i64::MAX),
            modified_ms: i64::try_from(modified.as_millis()).unwrap_or(i64::MAX),
            partition,
        }
    }

    /// Values of the table's partition columns.
    pub(super) fn partition(&self) -> &[Option<String>] {
        &self.partition
    }

    /// One array of `rows` equal values per metadata column.
    pub(super) fn arrays(&self, columns: &[(String, Type)], rows: usize) -> Result<Vec<ArrayRef>> {
        let array = |(key, ty): &(String, Type)| {
            let mut column = Column::new(&ty.logical);
            for _ in 0..rows {
                self.push(key, &mut column)?;
            }
            column.finish()
        };
        columns.iter().map(array).collect::<Result<Vec<Arc<_>>>>()
    }

    fn push(&self, key: &str, column: &mut Column) -> Result<()> {
        match (key, column.logical().clone()) {
            ("file.path", ty) if ty.is_character() => column.push_bytes(self.path.as_bytes()),
            ("file.name", ty) if ty.is_character() => column.push_bytes(self.name.as_bytes()),
            ("file.size", LogicalType::BigInt) => column.push_i64(self.size),
            ("file.modification-time", LogicalType::TimestampLtz(p) | LogicalType::Timestamp(p)) => {
                column.push_i64(self.modified_ms.saturating_mul(units_per_second(p) / 1000));
            }
            (_, ty) => {
                return Err(EngineError::user("bad_column", format!("The metadata '{key}' cannot be read as {ty}.")));
            }
        }
        Ok(())
    }
}
