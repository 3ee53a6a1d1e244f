//! A table as a bounded source: one split, or one per range of `scan.partition.*`.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::super::layout::ReadLayout;
use super::super::option::Options;
use super::super::{ConnectorContext, RowFilter, Source, SourceReader, SplitId, SplitStart};
use super::partition::Partitions;
use super::reader::ScanReader;
use super::target::{Flavour, Target};
use crate::catalog::TableRef;
use crate::error::{EngineError, Result};

/// The split of a table that is not cut.
const WHOLE: &str = "all rows";

pub(super) struct ScanSource {
    shape: Arc<ScanShape>,
}

/// What all readers of a source share.
#[derive(Clone)]
pub(super) struct ScanShape {
    pub(super) target: Target,
    pub(super) layout: ReadLayout,
    pub(super) partitions: Option<Partitions>,
    /// Names of the declared primary key, for tables and views that have none of their own.
    pub(super) declared_key: Vec<String>,
    pub(super) batch_rows: usize,
    /// Nothing goes on from a position here, so that rows need no order.
    pub(super) read_only: bool,
    /// What all who read the table ask for.
    pub(super) filter: Option<RowFilter>,
    pub(super) runtime: tokio::runtime::Handle,
}

impl ScanSource {
    pub(super) fn new(
        flavour: Flavour,
        table: &TableRef,
        columns: &[usize],
        context: &ConnectorContext,
    ) -> Result<Self> {
        let fetch = Options(&table.options).count("scan.fetch-size")?.filter(|rows| *rows > 0);
        let fetch = fetch.map_or(usize::MAX, |rows| usize::try_from(rows).unwrap_or(usize::MAX));
        let key = table.primary_key.iter().filter_map(|index| table.columns.get(*index));
        let shape = ScanShape {
            target: Target::of_table(flavour, &table.options, context)?,
            layout: ReadLayout::new(table, columns)?,
            partitions: Partitions::of_table(table)?,
            declared_key: key.map(|column| column.name.clone()).collect(),
            batch_rows: context.batch_rows.min(fetch).max(1),
            read_only: context.read_only,
            filter: None,
            runtime: context.runtime.clone(),
        };
        Ok(ScanSource { shape: Arc::new(shape) })
    }
}

impl ScanShape {
    /// The condition for the rows of a split.
    pub(super) fn condition(&self, split: &str) -> Result<Option<String>> {
        match &self.partitions {
            Some(partitions) => {
                let column = self.target.dialect.name(&partitions.column);
                partitions.condition(split, &column).map(Some)
            }
            None if split == WHOLE => Ok(None),
            None => {
                let message = "The checkpoint was taken with 'scan.partition.*', which the table has not any more.";
                Err(EngineError::user("bad_option", message))
            }
        }
    }
}

impl Source for ScanSource {
    fn bounded(&self) -> bool {
        true
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.shape.layout.schema)
    }

    fn changelog(&self) -> bool {
        false
    }

    fn filtered(&self, filter: &RowFilter) -> Option<Arc<dyn Source>> {
        let shape = ScanShape { filter: Some(filter.clone()), ..ScanShape::clone(&self.shape) };
        Some(Arc::new(ScanSource { shape: Arc::new(shape) }))
    }

    fn replayable(&self) -> bool {
        true
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        Ok(self.shape.partitions.as_ref().map_or_else(|| vec![WHOLE.into()], Partitions::splits))
    }

    fn reader(&self, splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(ScanReader::new(Arc::clone(&self.shape), splits)?))
    }
}
