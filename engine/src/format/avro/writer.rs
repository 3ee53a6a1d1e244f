//! Arrays into values of a schema.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};

use super::reader::{described, units_of};
use super::scalar::rescale;
use super::schema::{Kind, Logical, NodeId, RecordField, Schema};
use crate::error::{EngineError, Result};
use crate::format::number::decimal_to_scale;

pub(super) fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_long(i64::try_from(bytes.len()).unwrap_or(i64::MAX), out);
    out.extend_from_slice(bytes);
}

/// A column with the way its values are written, found once per batch.
pub(super) struct ValueWriter<'a> {
    array: ArrayRef,
    /// Branches of a nullable union: of null and of the value.
    branches: Option<(i64, i64)>,
    form: Form<'a>,
}

enum Form<'a> {
    Null,
    Boolean,
    Number { units: i64 },
    Float,
    Double,
    Text,
    Bytes,
    Decimal { precision: u8, scale: u8, from: u8, size: Option<usize> },
    Fixed(usize),
    Enum(&'a [String]),
    List(Box<ValueWriter<'a>>),
    Map(Box<ValueWriter<'a>>),
    Record(Vec<ValueWriter<'a>>),
}

/// Writers of the columns in the order of the record's fields.
pub(super) fn record_writers<'a>(
    schema: &'a Schema,
    node: NodeId,
    names: &[&str],
    arrays: &[ArrayRef],
) -> Result<Vec<ValueWriter<'a>>> {
    let record = schema.record_fields(node).ok_or_else(|| does_not_fit("the schema is no record"))?;
    let writer = |field: &RecordField| match names.iter().position(|name| *name == field.name) {
        Some(column) => {
            let array = arrays.get(column).ok_or_else(|| EngineError::internal("a column is missing"))?;
            ValueWriter::new(schema, field.node, array, &field.name)
        }
        None => ValueWriter::absent(schema, field),
    };
    let writers = record.iter().map(writer).collect::<Result<_>>()?;
    match names.iter().find(|name| !record.iter().any(|field| field.name == **name)) {
        Some(name) => Err(does_not_fit(&format!("it has no field '{name}'"))),
        None => Ok(writers),
    }
}

pub(super) fn rows_of(batch: &RecordBatch) -> (Vec<&str>, &[ArrayRef]) {
    (batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect(), batch.columns())
}

fn does_not_fit(why: &str) -> EngineError {
    EngineError::user("bad_schema", format!("The Avro schema does not fit the table: {why}."))
}

impl<'a> ValueWriter<'a> {
    fn new(schema: &'a Schema, node: NodeId, array: &ArrayRef, name: &str) -> Result<Self> {
        let value = schema.value_of(node);
        let branches = branches(schema, node, value);
        let form = form(schema, value, array, name)?;
        Ok(ValueWriter { array: ArrayRef::clone(array), branches, form })
    }

    /// A field that the table does not have.
    fn absent(schema: &'a Schema, field: &RecordField) -> Result<Self> {
        let null = arrow::array::new_null_array(&DataType::Null, 0);
        let branches = branches(schema, field.node, schema.value_of(field.node));
        if branches.is_none() && schema.node(field.node).kind != Kind::Null {
            return Err(does_not_fit(&format!("the table has no column '{}', which cannot be null", field.name)));
        }
        Ok(ValueWriter { array: null, branches, form: Form::Null })
    }

    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        let is_null = matches!(self.form, Form::Null) || self.array.is_null(row);
        match self.branches {
            Some((null, _)) if is_null => {
                write_long(null, out);
                return Ok(());
            }
            Some((_, value)) => write_long(value, out),
            None if is_null && !matches!(self.form, Form::Null) => {
                return Err(EngineError::user(
                    "null_value",
                    "A NULL cannot be written where the Avro schema has none.",
                ));
            }
            None => {}
        }
        self.write_value(row, out)
    }

    fn write_value(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        match &self.form {
            Form::Null => {}
            Form::Boolean => out.push(u8::from(self.array.as_boolean().value(row))),
            Form::Number { units } => write_long(self.number(row, *units)?, out),
            Form::Float => out.extend(self.array.as_primitive::<Float32Type>().value(row).to_le_bytes()),
            Form::Double => {
                let value = match self.array.as_primitive_opt::<Float64Type>() {
                    Some(values) => values.value(row),
                    None => self.array.as_primitive::<Float32Type>().value(row).into(),
                };
                out.extend(value.to_le_bytes());
            }
            Form::Text => write_bytes(self.array.as_string::<i32>().value(row).as_bytes(), out),
            Form::Bytes => write_bytes(self.array.as_binary::<i32>().value(row), out),
            Form::Fixed(size) => {
                let bytes = self.array.as_binary::<i32>().value(row);
                if bytes.len() != *size {
                    let message = format!("A value of {} bytes does not fit a fixed of {size}.", bytes.len());
                    return Err(EngineError::user("bad_value", message));
                }
                out.extend_from_slice(bytes);
            }
            Form::Enum(symbols) => {
                let text = self.array.as_string::<i32>().value(row);
                let index = symbols.iter().position(|symbol| symbol == text);
                let unknown = || EngineError::user("bad_value", format!("The Avro enum has no symbol '{text}'."));
                write_long(index.and_then(|index| i64::try_from(index).ok()).ok_or_else(unknown)?, out);
            }
            Form::Decimal { precision, scale, from, size } => {
                let digits = self.array.as_primitive::<Decimal128Type>().value(row);
                let digits = decimal_to_scale(digits, *from, *precision, *scale);
                let too_large = || EngineError::user("bad_value", "A decimal does not fit the Avro schema.");
                write_decimal(digits.ok_or_else(too_large)?, *size, out)?;
            }
            Form::List(items) => {
                let range = range_of(self.array.as_list::<i32>().value_offsets(), row);
                self.write_items(range, out, |item, out| items.write(item, out))?;
            }
            Form::Map(values) => {
                let map = self.array.as_map();
                let keys = map.keys().as_string::<i32>();
                self.write_items(range_of(map.value_offsets(), row), out, |entry, out| {
                    if keys.is_null(entry) {
                        return Err(EngineError::user("null_key", "A map has a NULL key, which Avro cannot hold."));
                    }
                    write_bytes(keys.value(entry).as_bytes(), out);
                    values.write(entry, out)
                })?;
            }
            Form::Record(fields) => fields.iter().try_for_each(|field| field.write(row, out))?,
        }
        Ok(())
    }

    fn write_items(
        &self,
        range: std::ops::Range<usize>,
        out: &mut Vec<u8>,
        mut write: impl FnMut(usize, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        if !range.is_empty() {
            write_long(i64::try_from(range.len()).unwrap_or(i64::MAX), out);
            for item in range {
                write(item, out)?;
            }
        }
        write_long(0, out);
        Ok(())
    }

    fn number(&self, row: usize, units: i64) -> Result<i64> {
        Ok(match self.array.data_type() {
            DataType::Int8 => self.array.as_primitive::<Int8Type>().value(row).into(),
            DataType::Int16 => self.array.as_primitive::<Int16Type>().value(row).into(),
            DataType::Int32 => self.array.as_primitive::<Int32Type>().value(row).into(),
            DataType::Int64 => self.array.as_primitive::<Int64Type>().value(row),
            DataType::Date32 => self.array.as_primitive::<Date32Type>().value(row).into(),
            DataType::Time32(_) => {
                i64::from(self.array.as_primitive::<Time32MillisecondType>().value(row)) * (units / 1_000)
            }
            DataType::Timestamp(unit, _) => {
                let (value, from) = match unit {
                    TimeUnit::Millisecond => (self.array.as_primitive::<TimestampMillisecondType>().value(row), 1_000),
                    TimeUnit::Microsecond => {
                        (self.array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000)
                    }
                    _ => (self.array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000),
                };
                let far = || EngineError::user("bad_value", "A timestamp is too far away for the Avro schema.");
                rescale(value, from, units).ok_or_else(far)?
            }
            other => return Err(EngineError::internal("a column is no number").with_detail(other)),
        })
    }
}

/// Places of null and of the value in a union of both.
fn branches(schema: &Schema, node: NodeId, value: NodeId) -> Option<(i64, i64)> {
    let Kind::Union(all) = &schema.node(node).kind else { return None };
    let place = |wanted: &dyn Fn(NodeId) -> bool| {
        all.iter().position(|branch| wanted(*branch)).and_then(|place| i64::try_from(place).ok())
    };
    Some((place(&|branch| schema.node(branch).kind == Kind::Null)?, place(&|branch| branch == value)?))
}

fn form<'a>(schema: &'a Schema, node: NodeId, array: &ArrayRef, name: &str) -> Result<Form<'a>> {
    let found = schema.node(node);
    let units = match found.logical {
        Some(Logical::TimeMicros) => 1_000_000,
        logical => units_of(logical),
    };
    Ok(match (&found.kind, array.data_type()) {
        (Kind::Null, _) => Form::Null,
        (Kind::Boolean, DataType::Boolean) => Form::Boolean,
        (Kind::Int, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Date32 | DataType::Time32(_)) => {
            Form::Number { units }
        }
        (
            Kind::Long,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Timestamp(..),
        ) => Form::Number { units },
        (Kind::Long, DataType::Time32(_)) if found.logical == Some(Logical::TimeMicros) => Form::Number { units },
        (Kind::Float, DataType::Float32) => Form::Float,
        (Kind::Double, DataType::Float32 | DataType::Float64) => Form::Double,
        (Kind::String, DataType::Utf8) => Form::Text,
        (Kind::Enum { symbols, .. }, DataType::Utf8) => Form::Enum(symbols),
        (Kind::Bytes, DataType::Binary) => Form::Bytes,
        (Kind::Fixed { size, .. }, DataType::Binary) => Form::Fixed(*size),
        (Kind::Bytes | Kind::Fixed { .. }, DataType::Decimal128(_, from)) => {
            let Some(Logical::Decimal { precision, scale }) = found.logical else {
                return Err(does_not_fit(&format!("the field '{name}' is no decimal")));
            };
            let size = match found.kind {
                Kind::Fixed { size, .. } => Some(size),
                _ => None,
            };
            Form::Decimal { precision, scale, from: u8::try_from(*from).unwrap_or(0), size }
        }
        (Kind::Array(items), DataType::List(_)) => {
            Form::List(Box::new(ValueWriter::new(schema, *items, array.as_list::<i32>().values(), name)?))
        }
        (Kind::Map(values), DataType::Map(..)) if array.as_map().keys().data_type() == &DataType::Utf8 => {
            Form::Map(Box::new(ValueWriter::new(schema, *values, array.as_map().values(), name)?))
        }
        (Kind::Record { .. }, DataType::Struct(fields)) => {
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            Form::Record(record_writers(schema, node, &names, array.as_struct().columns())?)
        }
        (kind, ty) => {
            return Err(does_not_fit(&format!("the field '{name}' is {}, the column {ty}", described(kind))));
        }
    })
}

fn range_of(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}

/// Two's complement in as few bytes as possible, or in exactly so many.
fn write_decimal(digits: i128, size: Option<usize>, out: &mut Vec<u8>) -> Result<()> {
    let bytes = digits.to_be_bytes();
    let fill: u8 = if digits < 0 { 0xff } else { 0 };
    let superfluous = bytes
        .windows(2)
        .take_while(|pair| matches!(pair, [first, second] if *first == fill && second & 0x80 == fill & 0x80))
        .count();
    let shortest = bytes.get(superfluous..).unwrap_or(&bytes);
    let Some(size) = size else {
        write_bytes(shortest, out);
        return Ok(());
    };
    let Some(padding) = size.checked_sub(shortest.len()) else {
        return Err(EngineError::user("bad_value", "A decimal does not fit the Avro schema."));
    };
    out.extend(std::iter::repeat_n(fill, padding));
    out.extend_from_slice(shortest);
    Ok(())
}
