//! `datagen`: rows of random or counted values, at a given rate.
//!
//! Options as in Flink: `rows-per-second`, `number-of-rows`, and per column `fields.NAME.kind` (`random`, `sequence`),
//! `.min`, `.max`, `.length`, `.null-rate`, `.max-past`, `.start`, `.end`. Ours: `seed`; the same seed gives the same values,
//! except for times, which are counted back from now. The source ends when a sequence is used up or at `number-of-rows`.

mod column;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use millrace_wire::connection::ConnectionTest;
use millrace_wire::connector::{ConnectorSchema, OptionKind, OptionSide};
use millrace_wire::table::FetchedSchema;

use super::generator::{GeneratorSource, RowMaker};
use super::layout::ReadLayout;
use super::option::{Options, on_side, one_of};
use super::registry::problem;
use super::{Connector, ConnectorContext, Sink, Source, TableUse};
use crate::catalog::{ColumnKind, TableRef};
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::column::Column;
use crate::format::defaulted;
use crate::sql::Problem;
use column::ValueMaker;

pub struct Datagen;

#[async_trait]
impl Connector for Datagen {
    fn schema(&self) -> ConnectorSchema {
        let options = vec![
            defaulted(
                "rows-per-second",
                "Rows per second",
                "Of all tasks together; 0 means as fast as it goes.",
                OptionKind::Integer,
                "10000",
            ),
            defaulted("number-of-rows", "Number of rows", "Without it the source has no end.", OptionKind::Integer, ""),
            defaulted("seed", "Seed", "The same seed gives the same values.", OptionKind::Integer, "0"),
            defaulted("scan.parallelism", "Splits", "How many tasks can share the work.", OptionKind::Integer, "1"),
            one_of(
                defaulted("fields.*.kind", "Kind of a column", "random or sequence.", OptionKind::Choice, "random"),
                &["random", "sequence"],
            ),
            defaulted("fields.*.min", "Smallest value", "Of a random number.", OptionKind::Text, ""),
            defaulted("fields.*.max", "Largest value", "Of a random number.", OptionKind::Text, ""),
            defaulted(
                "fields.*.max-past",
                "Oldest time",
                "How far back a random time goes.",
                OptionKind::Duration,
                "0 s",
            ),
            defaulted("fields.*.length", "Length", "Of random text, bytes, and of arrays.", OptionKind::Integer, "100"),
            defaulted(
                "fields.*.var-len",
                "Varying length",
                "Up to the length instead of exactly.",
                OptionKind::Boolean,
                "false",
            ),
            defaulted("fields.*.null-rate", "Share of NULL", "From 0 to 1.", OptionKind::Text, "0"),
            defaulted("fields.*.start", "First value", "Of a sequence.", OptionKind::Integer, ""),
            defaulted("fields.*.end", "Last value", "Of a sequence.", OptionKind::Integer, ""),
        ];
        ConnectorSchema {
            name: "datagen".to_owned(),
            title: "Data generator".to_owned(),
            summary: "Random or counted rows at a given rate.".to_owned(),
            connection: None,
            takes: Vec::new(),
            source: true,
            sink: false,
            lookup: false,
            bounded: true,
            formats: Vec::new(),
            options: options.into_iter().map(|option| on_side(option, OptionSide::Source)).collect(),
            fixed_columns: Vec::new(),
            fetches_schema: false,
        }
    }

    fn validate(&self, table: &TableRef, _use: TableUse) -> Vec<Problem> {
        let mut found = Vec::new();
        for name in table.options.keys() {
            let column = name.strip_prefix("fields.").and_then(|rest| rest.split('.').next());
            if let Some(column) = column
                && !table.columns.iter().any(|known| known.name == column)
            {
                found.push(problem("unknown-option", format!("'{name}' names a column that the table does not have.")));
            }
        }
        for column in &table.columns {
            match &column.kind {
                ColumnKind::Metadata { key, .. } => {
                    found.push(problem("unsupported", format!("The data generator has no metadata '{key}'.")));
                }
                ColumnKind::Physical => {
                    if let Err(error) = ValueMaker::of_table(table, &column.name, &column.ty.logical, 0, 0) {
                        found.push(problem("wrong-arguments", error.message));
                    }
                }
                ColumnKind::Computed(_) => {}
            }
        }
        found
    }

    fn source(&self, table: &TableRef, columns: &[usize], context: &ConnectorContext) -> Result<Box<dyn Source>> {
        let options = Options(&table.options);
        let layout = ReadLayout::new(table, columns)?;
        let seed = options.integer("seed")?.unwrap_or(0).cast_unsigned();
        let all = layout.fields.iter().enumerate();
        let makers =
            all.map(|(index, field)| ValueMaker::of_table(table, &field.name, &field.ty.logical, seed, index as u64));
        let makers = makers.collect::<Result<Vec<_>>>()?;
        let ends = makers.iter().filter_map(ValueMaker::rows).chain(options.count("number-of-rows")?);
        let rows = ends.min();
        let columns = layout.wanted.iter().filter_map(|index| makers.get(*index).cloned()).collect();
        Ok(Box::new(GeneratorSource {
            maker: Arc::new(DatagenRows { columns, schema: Arc::clone(&layout.schema) }),
            rows,
            rows_per_second: Some(options.count("rows-per-second")?.unwrap_or(10_000)).filter(|rate| *rate > 0),
            splits: options.count("scan.parallelism")?.unwrap_or(1).clamp(1, 1024),
            batch_rows: context.batch_rows,
        }))
    }

    fn sink(&self, table: &TableRef, _context: &ConnectorContext) -> Result<Box<dyn Sink>> {
        Err(EngineError::user("unsupported", format!("The table '{}' cannot be written.", table.name)))
    }

    async fn fetch(&self, _options: &BTreeMap<String, String>, _context: &ConnectorContext) -> Result<FetchedSchema> {
        Err(EngineError::user("unsupported", "The data generator has no columns of its own."))
    }

    async fn test(&self, _table: &TableRef, _context: &ConnectorContext) -> ConnectionTest {
        ConnectionTest { ok: true, steps: Vec::new() }
    }
}

struct DatagenRows {
    columns: Vec<ValueMaker>,
    schema: SchemaRef,
}

impl RowMaker for DatagenRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn make(&self, first: u64, step: u64, count: usize) -> Result<ChangeBatch> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        for maker in &self.columns {
            let mut column = Column::new(maker.logical());
            for row in 0..count as u64 {
                maker.push(first + row * step, &mut column);
            }
            arrays.push(column.finish()?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        Ok(ChangeBatch::inserts(batch))
    }
}
