//! The statement that reads a split from a position on, and the rows that come from it.
//!
//! Rows are ordered by the primary key of the server's table, else by the declared one; a position is the key of the last
//! row, so that reading goes on just after it, whatever was written to the table meanwhile. Without any key, rows are
//! ordered by a hash of all their columns and a position is how many were read: exact as long as the table stands still.

use std::sync::Arc;

use arrow::array::ArrayRef;
use serde::{Deserialize, Serialize};

use super::super::SplitPosition;
use super::decode;
use super::dialect::{ColumnFacts, KeyColumn, TableFacts};
use super::scan::ScanShape;
use super::session::TextRow;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::Decoded;
use crate::format::column::Column;
use crate::types::Field;

/// Just after the rows that were given on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The key of the last row as text; empty before the first row and where rows are counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) after: Vec<String>,
    #[serde(default)]
    pub(super) rows: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) done: bool,
}

impl Position {
    pub(super) fn read(position: &SplitPosition) -> Result<Self> {
        serde_json::from_value(position.0.clone()).map_err(|error| {
            EngineError::internal("the position of a database table cannot be read").with_detail(error)
        })
    }

    pub(super) fn write(&self) -> SplitPosition {
        SplitPosition(serde_json::to_value(self).unwrap_or_default())
    }
}

/// How rows are ordered.
enum Order {
    Key(Vec<KeyColumn>),
    Hash(String),
    /// A preview takes what comes first.
    None,
}

pub(super) struct Select {
    shape: Arc<ScanShape>,
    columns: Vec<ColumnFacts>,
    order: Order,
    /// Of the queries, where the server can tell it.
    filter: Option<String>,
}

impl Select {
    pub(super) fn new(shape: Arc<ScanShape>, facts: Option<TableFacts>) -> Result<Self> {
        let facts = facts.ok_or_else(|| {
            let target = &shape.target;
            let message = format!("There is no table '{}' in {}.", target.table, target.place());
            EngineError::user("no_such_table", message)
        })?;
        let wanted: Vec<&Field> =
            shape.layout.wanted.iter().filter_map(|index| shape.layout.fields.get(*index)).collect();
        let columns = facts.columns_of(&wanted, &shape.target)?.into_iter().cloned().collect();
        let own = &facts.primary_key;
        let key = if own.is_empty() { &shape.declared_key } else { own };
        let key: Vec<&ColumnFacts> = key.iter().filter_map(|name| facts.column(name)).collect();
        let order = if shape.read_only {
            Order::None
        } else if key.is_empty() {
            Order::Hash(shape.target.dialect.row_hash(&facts))
        } else {
            Order::Key(key.into_iter().map(|column| shape.target.dialect.key(column)).collect())
        };
        // Where rows are counted, another query could not go on from the position.
        let counted = matches!(order, Order::Hash(_));
        let filter = shape.filter.as_ref().filter(|_| !counted);
        let filter = filter
            .and_then(|filter| super::filter::condition(filter, shape.target.dialect, &facts, &shape.layout.fields));
        Ok(Select { shape, columns, order, filter })
    }

    pub(super) fn statement(&self, split: &str, from: &Position) -> Result<String> {
        let dialect = self.shape.target.dialect;
        let fields = self.fields();
        let mut wanted: Vec<String> =
            self.columns.iter().zip(&fields).map(|(column, field)| dialect.read(column, &field.ty.logical)).collect();
        let mut conditions: Vec<String> = self.shape.condition(split)?.into_iter().chain(self.filter.clone()).collect();
        let mut tail = String::new();
        match &self.order {
            Order::Key(keys) => {
                wanted.extend(keys.iter().map(|key| key.select.clone()));
                if !from.after.is_empty() {
                    if from.after.len() != keys.len() {
                        let message = "The primary key of the table was changed since the checkpoint. Start fresh.";
                        return Err(EngineError::user("key_changed", message));
                    }
                    conditions.push(dialect.after(keys, &from.after)?);
                }
                let keys: Vec<&str> = keys.iter().map(|key| key.order.as_str()).collect();
                tail = format!(" ORDER BY {}", keys.join(", "));
            }
            Order::Hash(hash) => {
                tail = format!(" ORDER BY {hash}");
                if from.rows > 0 {
                    // MySQL knows no OFFSET without a LIMIT.
                    tail.push_str(&format!(" LIMIT {} OFFSET {}", i64::MAX, from.rows));
                }
            }
            Order::None => {}
        }
        if wanted.is_empty() {
            wanted.push("1".to_owned());
        }
        let conditions =
            if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let table = self.shape.target.quoted_table();
        Ok(format!("SELECT {} FROM {table} AS t{conditions}{tail}", wanted.join(", ")))
    }

    fn fields(&self) -> Vec<&Field> {
        let layout = &self.shape.layout;
        layout.wanted.iter().filter_map(|index| layout.fields.get(*index)).collect()
    }

    pub(super) fn batch(&self) -> Batch<'_> {
        let columns = self.fields().iter().map(|field| Column::new(&field.ty.logical)).collect();
        Batch { select: self, columns, rows: 0, bytes: 0, last: Vec::new() }
    }
}

/// Rows that are being collected.
pub(super) struct Batch<'a> {
    select: &'a Select,
    columns: Vec<Column>,
    pub(super) rows: usize,
    pub(super) bytes: u64,
    last: Vec<String>,
}

impl Batch<'_> {
    pub(super) fn push(&mut self, row: &TextRow) -> Result<()> {
        for (index, (column, facts)) in self.columns.iter_mut().zip(&self.select.columns).enumerate() {
            let value = row.value(index)?;
            self.bytes += value.map_or(0, <[u8]>::len) as u64;
            decode::push(value, column, facts)?;
        }
        self.rows += 1;
        if let Order::Key(keys) = &self.select.order {
            self.last.clear();
            for index in 0..keys.len() {
                self.last.push(row.text(self.columns.len() + index)?);
            }
        }
        Ok(())
    }

    /// The rows so far; `from` is where they began, and goes to where they end.
    pub(super) fn take(&mut self, from: &mut Position) -> Result<(ChangeBatch, u64)> {
        let columns = self.columns.iter_mut().map(Column::finish).collect::<Result<Vec<ArrayRef>>>()?;
        let rows = std::mem::take(&mut self.rows);
        from.rows += rows as u64;
        from.after = std::mem::take(&mut self.last);
        let batch = self.select.shape.layout.batch(rows, Decoded { columns, kinds: None }, &[])?;
        Ok((batch, std::mem::take(&mut self.bytes)))
    }

    pub(super) const fn is_full(&self, rows: usize) -> bool {
        // Wide rows make smaller batches.
        self.rows >= rows || self.bytes >= 8 << 20
    }
}
