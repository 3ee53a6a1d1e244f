//! Rows and sort keys as bytes, the way operators keep them in their state.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};

use super::map_columns::{has_map, to_lists, to_maps, without_maps};
use super::{CHUNK_ROWS, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::SortKey;

/// A whole row as bytes that are equal exactly when all its values are.
pub(super) struct RowCodec {
    converter: RowConverter,
    schema: SchemaRef,
    has_maps: bool,
}

/// A row of a changelog on its way out. Shared: state often keeps it as well.
pub(super) type Change = (RowKind, Arc<[u8]>);

impl RowCodec {
    pub(super) fn new(schema: &SchemaRef) -> Result<Self> {
        let fields = schema.fields().iter().map(|field| SortField::new(without_maps(field.data_type())));
        let has_maps = schema.fields().iter().any(|field| has_map(field.data_type()));
        Ok(RowCodec { converter: RowConverter::new(fields.collect())?, schema: Arc::clone(schema), has_maps })
    }

    pub(super) fn encode(&self, rows: &RecordBatch) -> Result<Rows> {
        if !self.has_maps {
            return Ok(self.converter.convert_columns(rows.columns())?);
        }
        let columns = rows.columns().iter().map(to_lists).collect::<Result<Vec<_>>>()?;
        Ok(self.converter.convert_columns(&columns)?)
    }

    pub(super) fn decode<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Result<Vec<ArrayRef>> {
        let parser = self.converter.parser();
        let columns = self.converter.convert_rows(rows.map(|row| parser.parse(row)))?;
        if !self.has_maps {
            return Ok(columns);
        }
        columns.iter().zip(self.schema.fields()).map(|(column, field)| to_maps(column, field.data_type())).collect()
    }

    /// Rows as a batch, to evaluate something over them.
    pub(super) fn batch<'a>(&self, rows: impl ExactSizeIterator<Item = &'a [u8]>) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), self.decode(rows)?, &options)?)
    }

    /// Gives changes in pieces; `complete` appends what the output has behind the columns of the rows.
    pub(super) fn give(
        &self,
        changes: &[Change],
        output: &SchemaRef,
        complete: impl Fn(std::ops::Range<usize>, &mut Vec<ArrayRef>),
        out: &mut dyn Output,
    ) -> Result<()> {
        for (index, piece) in changes.chunks(CHUNK_ROWS).enumerate() {
            let mut columns = self.decode(piece.iter().map(|(_, row)| &**row))?;
            let first = index * CHUNK_ROWS;
            complete(first..first + piece.len(), &mut columns);
            let options = RecordBatchOptions::new().with_row_count(Some(piece.len()));
            let rows = RecordBatch::try_new_with_options(Arc::clone(output), columns, &options)?;
            out.emit(ChangeBatch::with_kinds(rows, piece.iter().map(|(kind, _)| *kind).collect()))?;
        }
        Ok(())
    }

    /// Gives changes as they are.
    pub(super) fn give_plain(&self, changes: &[Change], out: &mut dyn Output) -> Result<()> {
        self.give(changes, &self.schema, |_, _| {}, out)
    }
}

/// Sort keys as bytes that compare as ORDER BY says. Without keys all are equal.
pub(super) struct SortCodec {
    columns: Vec<usize>,
    converter: Option<RowConverter>,
}

impl SortCodec {
    pub(super) fn new(sort: &[SortKey], schema: &SchemaRef) -> Result<Self> {
        let field = |key: &SortKey| {
            let options = SortOptions { descending: !key.ascending, nulls_first: key.nulls_first };
            SortField::new_with_options(schema.field(key.column).data_type().clone(), options)
        };
        let converter = if sort.is_empty() { None } else { Some(RowConverter::new(sort.iter().map(field).collect())?) };
        Ok(SortCodec { columns: sort.iter().map(|key| key.column).collect(), converter })
    }

    pub(super) fn encode(&self, rows: &RecordBatch) -> Result<SortKeys> {
        let Some(converter) = &self.converter else { return Ok(SortKeys(None)) };
        let columns: Vec<ArrayRef> = self.columns.iter().map(|column| Arc::clone(rows.column(*column))).collect();
        Ok(SortKeys(Some(converter.convert_columns(&columns)?)))
    }
}

/// Sort keys of one batch.
pub(super) struct SortKeys(Option<Rows>);

impl SortKeys {
    pub(super) fn key(&self, row: usize) -> &[u8] {
        self.0.as_ref().map_or(&[], |rows| rows.row(row).data())
    }
}
