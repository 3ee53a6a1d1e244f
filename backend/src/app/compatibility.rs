//! Whether rows written with one schema can be read with another, type by type. The rules stand in docs/tables.md.
//!
//! A column is found by its name, as JSON, Avro and database tables have it. Computed and metadata columns are not in
//! the rows, so that they never speak against a change. What reads without loss is compatible, nothing else: a number
//! is not read as text, nor a longer text as a shorter one.

use millrace_engine::types::{Field, LogicalType, Type, parse_type};
use millrace_wire::table::{Column, ColumnKind, TableDraft};
use millrace_wire::table_version::Compatibility;

/// Why the new schema cannot read what was written with the old one.
pub(super) fn backward(old: &TableDraft, new: &TableDraft) -> Vec<String> {
    breaks(old, new, "the old schema")
}

/// Why the old schema cannot read what is written with the new one.
pub(super) fn forward(old: &TableDraft, new: &TableDraft) -> Vec<String> {
    breaks(new, old, "the new schema")
}

/// What the mode speaks against.
pub(super) fn against(mode: Compatibility, old: &TableDraft, new: &TableDraft) -> Vec<String> {
    let mut found = Vec::new();
    if matches!(mode, Compatibility::Backward | Compatibility::Full) {
        found.extend(backward(old, new));
    }
    if matches!(mode, Compatibility::Forward | Compatibility::Full) {
        found.extend(forward(old, new));
    }
    found.dedup();
    found
}

fn breaks(writer: &TableDraft, reader: &TableDraft, written_by: &str) -> Vec<String> {
    let mut found = Vec::new();
    let format = |draft: &TableDraft| draft.format.clone().unwrap_or_default();
    if format(writer) != format(reader) {
        found.push(format!("Rows written as {} cannot be read as {}.", named(&format(writer)), named(&format(reader))));
    }
    if writer.primary_key != reader.primary_key {
        found.push("The primary key differs: rows would be told apart in another way.".to_owned());
    }
    let written = stored(writer);
    let read = stored(reader);
    for column in &read {
        let name = &column.name;
        let Some(target) = type_of(column, reader) else { continue };
        let Some(from) = written.iter().find(|known| known.name == *name) else {
            if !target.nullable {
                found.push(format!("'{name}' is not in what {written_by} writes, and it does not allow NULL."));
            }
            continue;
        };
        let Some(source) = type_of(from, writer) else { continue };
        if !reads(&source.logical, &target.logical) {
            found.push(format!(
                "'{name}' is written as {} by {written_by} and cannot be read as {}.",
                source.logical, target.logical
            ));
        } else if source.nullable && !target.nullable {
            found.push(format!("'{name}' may be NULL in what {written_by} writes and is read as NOT NULL."));
        }
    }
    if format(writer) == "csv" {
        // Fields of CSV have no names.
        if written.iter().zip(&read).any(|(left, right)| left.name != right.name) {
            found.push("CSV has no names of columns: they have to stay in their places.".to_owned());
        }
    }
    found
}

fn named(format: &str) -> &str {
    if format.is_empty() { "rows without a format" } else { format }
}

fn stored(draft: &TableDraft) -> Vec<&Column> {
    draft.columns.iter().filter(|column| column.kind == ColumnKind::Physical).collect()
}

/// `None` for what is no type; saving refuses it for that.
fn type_of(column: &Column, draft: &TableDraft) -> Option<Type> {
    let ty = parse_type(&column.data_type).ok()?;
    let nullable = ty.nullable && column.nullable && !draft.primary_key.contains(&column.name);
    Some(ty.with_nullable(nullable))
}

/// Whether every value of `writer` can be read as `reader` without loss.
pub(super) fn reads(writer: &LogicalType, reader: &LogicalType) -> bool {
    use LogicalType as L;
    if writer == reader {
        return true;
    }
    match (writer, reader) {
        (L::TinyInt, L::SmallInt | L::Int | L::BigInt | L::Float | L::Double)
        | (L::SmallInt, L::Int | L::BigInt | L::Float | L::Double)
        | (L::Int, L::BigInt | L::Double)
        | (L::Float, L::Double)
        | (L::Char(_) | L::VarChar(_), L::String)
        | (L::Binary(_) | L::VarBinary(_), L::Bytes) => true,
        (L::TinyInt | L::SmallInt | L::Int | L::BigInt, L::Decimal { precision, scale }) => {
            digits(writer) <= precision.saturating_sub(*scale)
        }
        (L::Decimal { precision, scale }, L::Decimal { precision: to_precision, scale: to_scale }) => {
            scale <= to_scale && precision.saturating_sub(*scale) <= to_precision.saturating_sub(*to_scale)
        }
        (L::Char(length) | L::VarChar(length), L::VarChar(most))
        | (L::Binary(length) | L::VarBinary(length), L::VarBinary(most)) => length <= most,
        (L::Time(from), L::Time(to))
        | (L::Timestamp(from), L::Timestamp(to))
        | (L::TimestampLtz(from), L::TimestampLtz(to)) => from <= to,
        (L::Array(from), L::Array(to)) | (L::Multiset(from), L::Multiset(to)) => reads_inside(from, to),
        (L::Map(key, value), L::Map(to_key, to_value)) => reads_inside(key, to_key) && reads_inside(value, to_value),
        (L::Row(from), L::Row(to)) => to.iter().all(|field| reads_field(from, field)),
        _ => false,
    }
}

/// The most digits that a number of the type has.
const fn digits(ty: &LogicalType) -> u8 {
    match ty {
        LogicalType::TinyInt => 3,
        LogicalType::SmallInt => 5,
        LogicalType::Int => 10,
        _ => 19,
    }
}

fn reads_inside(from: &Type, to: &Type) -> bool {
    reads(&from.logical, &to.logical) && (to.nullable || !from.nullable)
}

fn reads_field(from: &[Field], to: &Field) -> bool {
    match from.iter().find(|known| known.name == to.name) {
        Some(known) => reads_inside(&known.ty, &to.ty),
        None => to.ty.nullable,
    }
}

#[cfg(test)]
#[path = "compatibility_tests.rs"]
mod tests;
