//! Parquet files: read by row groups and columns, written through Arrow.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Schema as ArrowSchema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};

use super::facts::FileFacts;
use super::partition::FileColumns;
use super::path::shown;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::Decoded;
use crate::types::Field;

/// The columns to take from each file, by name as in Flink.
pub(super) struct ParquetOpener {
    columns: Vec<(String, DataType)>,
}

/// A file that is being read.
pub(super) struct ParquetFile {
    reader: ParquetRecordBatchReader,
    rows: u64,
    columns: Vec<(String, DataType)>,
}

impl ParquetOpener {
    pub(super) fn new(fields: &[Field], wanted: &[usize]) -> Self {
        let columns = wanted.iter().filter_map(|index| fields.get(*index));
        ParquetOpener { columns: columns.map(|field| (field.name.clone(), field.ty.logical.to_arrow())).collect() }
    }

    pub(super) fn open(&self, file: File, skip: u64, batch_rows: usize, path: &Path) -> Result<ParquetFile> {
        let broken = |error: parquet::errors::ParquetError| {
            let message = format!("The file '{}' is no readable Parquet file.", shown(path));
            EngineError::user("bad_record", message).with_detail(error)
        };
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(broken)?;
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let present = builder.schema().fields().iter().enumerate();
        let roots = present.filter(|(_, field)| self.columns.iter().any(|(name, _)| name == field.name()));
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots.map(|(index, _)| index));
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let reader =
            builder.with_projection(mask).with_offset(skip).with_batch_size(batch_rows).build().map_err(broken)?;
        Ok(ParquetFile { reader, rows, columns: self.columns.clone() })
    }
}

impl ParquetFile {
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// `None` at the end; `next` goes on by the rows returned.
    pub(super) fn next(
        &mut self,
        into: &FileColumns,
        facts: &FileFacts,
        next: &mut u64,
    ) -> Result<Option<ChangeBatch>> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch.map_err(|error| {
            EngineError::user("bad_record", "A Parquet file cannot be read to its end.").with_detail(error)
        })?;
        let rows = batch.num_rows();
        let columns = self.columns.iter().map(|(name, ty)| column(&batch, name, ty)).collect::<Result<_>>()?;
        *next += rows as u64;
        into.batch(facts, rows, Decoded { columns, kinds: None }).map(Some)
    }
}

/// A column the file does not have is NULL.
fn column(batch: &RecordBatch, name: &str, ty: &DataType) -> Result<ArrayRef> {
    let Some(array) = batch.column_by_name(name) else {
        return Ok(arrow::array::new_null_array(ty, batch.num_rows()));
    };
    if array.data_type() == ty {
        return Ok(Arc::clone(array));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, ty, &options).map_err(|error| {
        let message =
            format!("The column '{name}' has the type {} in the file, which does not fit.", array.data_type());
        EngineError::user("bad_record", message).with_detail(error)
    })
}

/// What a file of these rows needs to be written.
pub(super) fn writer(
    file: File,
    schema: &Arc<ArrowSchema>,
    compression: Option<&str>,
) -> Result<parquet::arrow::ArrowWriter<File>> {
    let compression = match compression {
        Some("UNCOMPRESSED") => Compression::UNCOMPRESSED,
        Some("ZSTD") => Compression::ZSTD(ZstdLevel::default()),
        _ => Compression::SNAPPY,
    };
    let properties = parquet::file::properties::WriterProperties::builder().set_compression(compression).build();
    parquet::arrow::ArrowWriter::try_new(file, Arc::clone(schema), Some(properties)).map_err(write_failed)
}

pub(super) fn write_failed(error: parquet::errors::ParquetError) -> EngineError {
    EngineError::external("file_failed", "A Parquet file cannot be written.").with_detail(error)
}
