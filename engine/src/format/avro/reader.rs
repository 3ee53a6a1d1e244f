//! Values of a writer's schema into columns: resolved once per schema, so that records are read by a plan.
//!
//! What no column asks for is skipped without being looked at.

use std::sync::Arc;

use super::input::{AvroResult, Input};
use super::scalar;
use super::schema::{Kind, Logical, NodeId, RecordField, Schema};
use crate::format::column::{Column, Data, offset_of};
use crate::types::{Field, LogicalType};

/// How the values of one node come into one column.
enum Reader {
    Null,
    Scalar { node: NodeId },
    Union(Vec<Result<Reader, String>>),
    Array(Box<Reader>),
    Map(Box<Reader>),
    Row(RowReader),
}

/// How a record comes into several columns.
pub(super) struct RowReader {
    schema: Arc<Schema>,
    steps: Vec<Step>,
    /// Columns that the record does not have.
    missing: Vec<usize>,
}

enum Step {
    Skip(NodeId),
    Read { column: usize, name: String, reader: Reader },
}

impl RowReader {
    /// For the fields in the order of the columns, out of a record.
    pub(super) fn new(schema: &Arc<Schema>, node: NodeId, fields: &[&Field]) -> Result<Self, String> {
        let record = schema.record_fields(node).ok_or("the schema is no record")?;
        let step = |field: &RecordField| {
            let Some(column) = fields.iter().position(|wanted| wanted.name == field.name) else {
                return Ok(Step::Skip(field.node));
            };
            let ty = fields.get(column).map_or(&LogicalType::Null, |field| &field.ty.logical);
            let reader = reader(schema, field.node, ty).map_err(|why| format!("field '{}': {why}", field.name))?;
            Ok(Step::Read { column, name: field.name.clone(), reader })
        };
        let steps = record.iter().map(step).collect::<Result<_, String>>()?;
        let there = |field: &Field| record.iter().any(|known| known.name == field.name);
        let missing = (0..fields.len()).filter(|column| !fields.get(*column).is_some_and(|field| there(field)));
        let missing: Vec<usize> = missing.collect();
        if let Some(field) = missing.iter().filter_map(|column| fields.get(*column)).find(|field| !field.ty.nullable) {
            return Err(format!("the record has no field '{}', and the column is NOT NULL", field.name));
        }
        Ok(RowReader { schema: Arc::clone(schema), steps, missing })
    }

    /// One record; every column gets one value. After an error the caller truncates the columns.
    pub(super) fn read(&self, input: &mut Input<'_>, columns: &mut [Column]) -> AvroResult<()> {
        for step in &self.steps {
            match step {
                Step::Skip(node) => skip(&self.schema, *node, input)?,
                Step::Read { column, name, reader } => {
                    let Some(column) = columns.get_mut(*column) else { continue };
                    reader.read(&self.schema, input, column).map_err(|why| in_field(why, name))?;
                }
            }
        }
        for column in &self.missing {
            columns.get_mut(*column).into_iter().for_each(Column::push_null);
        }
        Ok(())
    }
}

#[cold]
fn in_field(why: String, name: &str) -> String {
    if why.starts_with("field ") { why } else { format!("field '{name}': {why}") }
}

fn reader(schema: &Arc<Schema>, node: NodeId, ty: &LogicalType) -> Result<Reader, String> {
    let found = schema.node(node);
    let wrong = || Err(format!("{} in the record does not fit {ty}", described(&found.kind)));
    match (&found.kind, ty) {
        (Kind::Null, _) => Ok(Reader::Null),
        (Kind::Union(branches), _) => {
            let branches: Vec<_> = branches.iter().map(|branch| reader(schema, *branch, ty)).collect();
            // A union whose every value fails is refused at once.
            let is_value = |(branch, node): (&Result<Reader, String>, &NodeId)| {
                branch.is_ok() && schema.node(*node).kind != Kind::Null
            };
            let Kind::Union(nodes) = &found.kind else { return wrong() };
            if branches.iter().zip(nodes).any(is_value) || nodes.len() < 2 {
                return Ok(Reader::Union(branches));
            }
            branches.into_iter().find_map(Result::err).map_or_else(wrong, Err)
        }
        (Kind::Array(items), LogicalType::Array(element)) => {
            Ok(Reader::Array(Box::new(reader(schema, *items, &element.logical)?)))
        }
        (Kind::Map(values), LogicalType::Map(key, value)) if key.logical.is_character() => {
            Ok(Reader::Map(Box::new(reader(schema, *values, &value.logical)?)))
        }
        (Kind::Map(values), LogicalType::Multiset(key)) if key.logical.is_character() => {
            Ok(Reader::Map(Box::new(reader(schema, *values, &LogicalType::Int)?)))
        }
        (Kind::Record { .. }, LogicalType::Row(fields)) => {
            Ok(Reader::Row(RowReader::new(schema, node, &fields.iter().collect::<Vec<_>>())?))
        }
        (kind, ty) if scalar::fits(kind, found.logical, ty) => Ok(Reader::Scalar { node }),
        _ => wrong(),
    }
}

pub(super) fn described(kind: &Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Boolean => "a boolean",
        Kind::Int => "an int",
        Kind::Long => "a long",
        Kind::Float => "a float",
        Kind::Double => "a double",
        Kind::Bytes => "bytes",
        Kind::String => "a string",
        Kind::Fixed { .. } => "a fixed",
        Kind::Enum { .. } => "an enum",
        Kind::Array(_) => "an array",
        Kind::Map(_) => "a map",
        Kind::Union(_) => "a union",
        Kind::Record { .. } => "a record",
    }
}

impl Reader {
    fn read(&self, schema: &Schema, input: &mut Input<'_>, column: &mut Column) -> AvroResult<()> {
        match self {
            Self::Null => {
                column.push_null();
                return Ok(());
            }
            Self::Scalar { node } => return scalar::read(schema.node(*node), input, column),
            Self::Union(branches) => {
                let index = input.index()?;
                let branch = branches.get(index).ok_or_else(|| format!("the union has no branch {index}"))?;
                return match branch {
                    Ok(reader) => reader.read(schema, input, column),
                    Err(why) => Err(why.clone()),
                };
            }
            Self::Array(items_reader) => {
                let Data::List { offsets, items } = column.data() else { return Err(other_shape()) };
                input.enter()?;
                loop {
                    let count = input.block()?;
                    if count == 0 {
                        break;
                    }
                    for _ in 0..count {
                        items_reader.read(schema, input, items)?;
                    }
                }
                input.leave();
                offsets.push(offset_of(items.len()));
            }
            Self::Map(value_reader) => {
                let Data::Map { offsets, keys, values } = column.data() else { return Err(other_shape()) };
                input.enter()?;
                loop {
                    let count = input.block()?;
                    if count == 0 {
                        break;
                    }
                    for _ in 0..count {
                        keys.push_bytes(input.text()?);
                        value_reader.read(schema, input, values)?;
                    }
                }
                input.leave();
                offsets.push(offset_of(keys.len()));
            }
            Self::Row(row) => {
                let Data::Row(children) = column.data() else { return Err(other_shape()) };
                input.enter()?;
                row.read(input, children)?;
                input.leave();
            }
        }
        column.accept();
        Ok(())
    }
}

fn other_shape() -> String {
    "the column has another shape than its type".to_owned()
}

/// Passes over a value.
pub(super) fn skip(schema: &Schema, node: NodeId, input: &mut Input<'_>) -> AvroResult<()> {
    match &schema.node(node).kind {
        Kind::Null => {}
        Kind::Boolean => drop(input.take(1)?),
        Kind::Int | Kind::Long | Kind::Enum { .. } => drop(input.long()?),
        Kind::Float => drop(input.take(4)?),
        Kind::Double => drop(input.take(8)?),
        Kind::Bytes | Kind::String => drop(input.bytes()?),
        Kind::Fixed { size, .. } => drop(input.take(*size)?),
        Kind::Union(branches) => {
            let index = input.index()?;
            let branch = branches.get(index).ok_or_else(|| format!("the union has no branch {index}"))?;
            skip(schema, *branch, input)?;
        }
        Kind::Record { fields, .. } => {
            input.enter()?;
            fields.iter().try_for_each(|field| skip(schema, field.node, input))?;
            input.leave();
        }
        Kind::Array(inner) | Kind::Map(inner) => {
            let keyed = matches!(schema.node(node).kind, Kind::Map(_));
            input.enter()?;
            loop {
                let count = input.block()?;
                if count == 0 {
                    break;
                }
                for _ in 0..count {
                    if keyed {
                        input.bytes()?;
                    }
                    skip(schema, *inner, input)?;
                }
            }
            input.leave();
        }
    }
    Ok(())
}

/// What the logical type of a number of a timestamp says; a bare long is in milliseconds, as Flink writes it.
pub(super) const fn units_of(logical: Option<Logical>) -> i64 {
    match logical {
        Some(Logical::Timestamp { units, .. }) => units,
        _ => 1_000,
    }
}
