//! `PARTITIONED BY`: columns whose values are in the names of folders, `day=2020-01-02/hour=3`, and not in the files.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};

use super::super::layout::{ReadLayout, physical_fields};
use super::facts::FileFacts;
use crate::catalog::TableDef;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::column::Column;
use crate::format::json::scalar_value;
use crate::format::temporal::TimestampStandard;
use crate::format::{Decoded, scalar_text};
use crate::types::{Field, LogicalType};

const DEFAULT_NAME: &str = "__DEFAULT_PARTITION__";

/// The partition columns of a table in the order of the folders.
#[derive(Clone)]
pub(super) struct Partitions {
    keys: Vec<Key>,
    /// Stands for NULL and for an empty text.
    default_name: String,
}

#[derive(Clone)]
struct Key {
    name: String,
    ty: LogicalType,
    /// Place among the table's columns.
    column: usize,
}

/// The values of a folder as they are written; `None` is NULL.
pub(super) type Values = Vec<Option<String>>;

impl Partitions {
    pub(super) fn of_table(table: &TableDef) -> Self {
        let key = |index: &usize| {
            let column = table.columns.get(*index)?;
            Some(Key { name: column.name.clone(), ty: column.ty.logical.clone(), column: *index })
        };
        Partitions {
            keys: table.partition_keys.iter().filter_map(key).collect(),
            default_name: table.option("partition.default-name").unwrap_or(DEFAULT_NAME).to_owned(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.name.as_str())
    }

    /// From the folders right above a file; `None` when they are not those of a partition.
    pub(super) fn of_file(&self, file: &Path) -> Option<Values> {
        let mut folders = file.ancestors().skip(1);
        let mut values = Vec::new();
        for key in self.keys.iter().rev() {
            let name = folders.next()?.file_name()?.to_str()?;
            let (found, value) = name.split_once('=')?;
            if unescaped(found)? != key.name {
                return None;
            }
            let value = unescaped(value)?;
            values.push((value != self.default_name).then_some(value));
        }
        values.reverse();
        Some(values)
    }

    /// The folder of rows with these values, relative to that of the table.
    pub(super) fn folder(&self, values: &[Option<String>]) -> String {
        let part = |(key, value): (&Key, &Option<String>)| {
            let value = value.as_deref().filter(|value| !value.is_empty()).unwrap_or(&self.default_name);
            format!("{}={}", escaped(&key.name), escaped(value))
        };
        self.keys.iter().zip(values).map(part).collect::<Vec<_>>().join("/")
    }

    /// A value of a partition column as it is in the folder's name.
    pub(super) fn text(array: &ArrayRef, row: usize) -> Result<Option<String>> {
        if array.is_null(row) {
            return Ok(None);
        }
        let mut text = Vec::new();
        scalar_text(array, row, TimestampStandard::Sql, &mut text)?;
        String::from_utf8(text).map(Some).map_err(|_| EngineError::internal("the text of a value is no UTF-8"))
    }

    /// `rows` equal values of a partition column.
    fn array(&self, name: &str, values: &[Option<String>], rows: usize) -> Result<ArrayRef> {
        let place = self.keys.iter().position(|key| key.name == name);
        let found = place.and_then(|place| Some((self.keys.get(place)?, values.get(place)?)));
        let (key, value) = found.ok_or_else(|| EngineError::internal("a file has no value of a partition column"))?;
        let Some(value) = value else { return Ok(new_null_array(&key.ty.to_arrow(), rows)) };
        let mut column = Column::new(&key.ty);
        for _ in 0..rows {
            scalar_value(value.as_bytes(), &mut column, TimestampStandard::Sql).map_err(|why| {
                EngineError::user("bad_record", format!("The folder '{name}={value}' does not fit its column: {why}."))
            })?;
        }
        column.finish()
    }

    /// One row with all columns of the table, for filters.
    pub(super) fn row(&self, table: &TableDef, values: &[Option<String>]) -> Result<RecordBatch> {
        let schema = table.schema().to_arrow();
        let column = |(index, field): (usize, &Arc<arrow::datatypes::Field>)| {
            let key = self.keys.iter().find(|key| key.column == index);
            key.map_or_else(|| Ok(new_null_array(field.data_type(), 1)), |key| self.array(&key.name, values, 1))
        };
        let columns = schema.fields().iter().enumerate().map(column).collect::<Result<_>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
    }
}

/// Types that can be told from the name of a folder.
pub(super) fn can_partition(ty: &LogicalType) -> bool {
    ty.is_character()
        || ty.is_numeric()
        || matches!(
            ty,
            LogicalType::Boolean | LogicalType::Date | LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_)
        )
}

/// As Hive and Flink do it: signs that a path cannot hold are written as `%2F`.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        let special = letter.is_ascii_control() || r##""#%'*/:=?\{[]^"##.contains(letter) || letter == '\u{7f}';
        if special { out.push_str(&format!("%{:02X}", letter as u32)) } else { out.push(letter) }
    }
    out
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| *byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(code) => {
                bytes.push(code);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// What is read of each file, and how the columns of a batch are put together from it, its path and its facts.
pub(super) struct FileColumns {
    pub(super) layout: ReadLayout,
    /// The fields that files have, and which of them are wanted.
    pub(super) fields: Vec<Field>,
    pub(super) wanted: Vec<usize>,
    order: Vec<Origin>,
    pub(super) partitions: Partitions,
}

enum Origin {
    /// Place among the decoded columns.
    File(usize),
    /// Name of a partition column.
    Folder(String),
}

impl FileColumns {
    pub(super) fn new(table: &TableDef, layout: ReadLayout) -> Self {
        let partitions = Partitions::of_table(table);
        let all = physical_fields(table);
        let fields: Vec<Field> = all.iter().filter(|field| !partitions.has(&field.name)).cloned().collect();
        let (mut wanted, mut order) = (Vec::new(), Vec::new());
        for field in layout.wanted.iter().filter_map(|index| all.get(*index)) {
            match fields.iter().position(|known| known.name == field.name) {
                Some(place) => {
                    order.push(Origin::File(wanted.len()));
                    wanted.push(place);
                }
                None => order.push(Origin::Folder(field.name.clone())),
            }
        }
        FileColumns { layout, fields, wanted, order, partitions }
    }

    /// `decoded` has the wanted fields of the file.
    pub(super) fn batch(&self, facts: &FileFacts, rows: usize, decoded: Decoded) -> Result<ChangeBatch> {
        let column = |origin: &Origin| match origin {
            Origin::File(place) => {
                let column = decoded.columns.get(*place).cloned();
                column.ok_or_else(|| EngineError::internal("a column was not decoded"))
            }
            Origin::Folder(name) => self.partitions.array(name, facts.partition(), rows),
        };
        let columns = self.order.iter().map(column).collect::<Result<_>>()?;
        let metadata = facts.arrays(&self.layout.metadata, rows)?;
        self.layout.batch(rows, Decoded { columns, kinds: decoded.kinds }, &metadata)
    }
}
