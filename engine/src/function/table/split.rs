//! Texts that become rows: parts between separators, matches of a pattern, records of CSV.

use std::sync::Arc;

use arrow::array::{Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field as ArrowField, Int32Type};
use datafusion_common::{DataFusionError, exec_err};

use super::{NativeTable, TableEntry, TableRows, parent};
use crate::function::csv_text::{Separator, records};
use crate::function::pattern::Patterns;
use crate::function::signature::Param;
use crate::function::{Argument, Call};
use crate::types::{Field, LogicalType, Type};

pub(super) const ENTRIES: &[TableEntry] = &[
    TableEntry {
        name: "SPLIT_TO_ROWS",
        hidden: false,
        signature: "SPLIT_TO_ROWS(text, separator) → (part, position)",
        summary: "One row per part between the separators, with its position from 1; none of an empty text.",
        resolve: |name, args| {
            let types = accepted(args, &[Param::Text, Param::Text])?;
            Some(NativeTable::new(name, types, part_columns(), split))
        },
    },
    TableEntry {
        name: "REGEXP_TO_ROWS",
        hidden: false,
        signature: "REGEXP_TO_ROWS(text, pattern[, group]) → (part, position)",
        summary: "One row per match of the pattern: the whole match, or the group of that number.",
        resolve: |name, args| {
            let types = accepted(args, &[Param::Text, Param::Text]);
            let types = types.or_else(|| accepted(args, &[Param::Text, Param::Text, Param::Int]))?;
            Some(NativeTable::new(name, types, part_columns(), matches))
        },
    },
    TableEntry {
        name: "CSV_TO_ROWS",
        hidden: false,
        signature: "CSV_TO_ROWS(text[, separator]) → (fields, position)",
        summary: "One row per record of a CSV text, with its fields as an array and its position from 1.",
        resolve: |name, args| {
            let types = accepted(args, &[Param::Text]).or_else(|| accepted(args, &[Param::Text, Param::Text]))?;
            let fields = Type::not_null(LogicalType::Array(Box::new(Type::nullable(LogicalType::String))));
            let columns = vec![Field::new("fields", fields), position()];
            Some(NativeTable::new(name, types, columns, csv))
        },
    },
];

pub(super) fn accepted(args: &[Argument], params: &[Param]) -> Option<Vec<Type>> {
    if args.len() != params.len() {
        return None;
    }
    args.iter().zip(params).map(|(arg, param)| param.accept(&arg.ty)).collect()
}

pub(super) fn position() -> Field {
    Field::new("position", Type::not_null(LogicalType::Int))
}

fn part_columns() -> Vec<Field> {
    vec![Field::new("part", Type::nullable(LogicalType::String)), position()]
}

/// Parts of texts under construction.
#[derive(Default)]
struct Parts<'t> {
    parents: Vec<u32>,
    parts: Vec<Option<&'t str>>,
    positions: Vec<i32>,
}

impl<'t> Parts<'t> {
    fn add(&mut self, row: usize, parts: impl Iterator<Item = Option<&'t str>>) -> Result<(), DataFusionError> {
        let row = parent(row)?;
        for (position, part) in (1..).zip(parts) {
            self.parents.push(row);
            self.parts.push(part);
            self.positions.push(position);
        }
        Ok(())
    }

    fn finish(self) -> TableRows {
        let parts = Arc::new(StringArray::from(self.parts));
        TableRows { parents: self.parents, columns: vec![parts, Arc::new(Int32Array::from(self.positions))] }
    }
}

fn split(call: &Call) -> Result<TableRows, DataFusionError> {
    let (input, separator) = (call.texts(0)?, call.texts(1)?);
    let mut parts = Parts::default();
    for row in 0..call.rows {
        let (Some(text), Some(separator)) = (input.get(row), separator.get(row)) else { continue };
        if text.is_empty() {
            continue;
        }
        if separator.is_empty() {
            let ends = text.char_indices().map(|(start, letter)| text.get(start..start + letter.len_utf8()));
            parts.add(row, ends)?;
        } else {
            parts.add(row, text.split(separator).map(Some))?;
        }
    }
    Ok(parts.finish())
}

fn matches(call: &Call) -> Result<TableRows, DataFusionError> {
    let (input, pattern) = (call.texts(0)?, call.texts(1)?);
    let group = if call.args.len() > 2 { Some(call.numbers::<Int32Type>(2)?) } else { None };
    let mut patterns = Patterns::default();
    let mut parts = Parts::default();
    for row in 0..call.rows {
        let (Some(text), Some(pattern)) = (input.get(row), pattern.get(row)) else { continue };
        let group = match &group {
            Some(group) => group.get(row).and_then(|group| usize::try_from(group).ok()),
            None => Some(0),
        };
        let (Some(regex), Some(group)) = (patterns.get(pattern), group) else { continue };
        parts.add(row, regex.captures_iter(text).map(|found| found.get(group).map(|part| part.as_str())))?;
    }
    Ok(parts.finish())
}

fn csv(call: &Call) -> Result<TableRows, DataFusionError> {
    let input = call.texts(0)?;
    let separator = Separator::of(call, 1)?;
    let (mut parents, mut positions) = (Vec::new(), Vec::new());
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(ArrowField::new("item", DataType::Utf8, true));
    for row in 0..call.rows {
        let (Some(text), Some(separator)) = (input.get(row), separator.get(row)?) else { continue };
        for (position, record) in (1..).zip(records(text, separator)) {
            let Ok(record) = record else { return exec_err!("The text of row {} is no CSV.", row + 1) };
            record.iter().for_each(|field| lists.values().append_value(field));
            lists.append(true);
            parents.push(parent(row)?);
            positions.push(position);
        }
    }
    Ok(TableRows { parents, columns: vec![Arc::new(lists.finish()), Arc::new(Int32Array::from(positions))] })
}
