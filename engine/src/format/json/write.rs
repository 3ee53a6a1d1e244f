//! Batches to JSON objects, all into one slab.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::change::RowKind;
use crate::error::{EngineError, Result};
use crate::format::number::write_decimal;
use crate::format::temporal::TimestampStandard;
use crate::format::text::{write_integer, write_temporal};
use crate::format::{Encoder, FormatOptions, Slab};
use crate::types::Field;

/// Writes the fields in order, one object per row.
pub struct JsonEncoder {
    names: Vec<Vec<u8>>,
    rules: WriteRules,
}

#[derive(Clone)]
pub(super) struct WriteRules {
    standard: TimestampStandard,
    skip_nulls: bool,
    null_keys: NullKeys,
}

#[derive(Clone)]
enum NullKeys {
    Fail,
    Drop,
    Literal(String),
}

impl WriteRules {
    fn new(options: &FormatOptions) -> Self {
        let null_keys = match options.get("map-null-key.mode") {
            Some("DROP") => NullKeys::Drop,
            Some("LITERAL") => NullKeys::Literal(options.get("map-null-key.literal").unwrap_or("null").to_owned()),
            _ => NullKeys::Fail,
        };
        WriteRules {
            standard: super::standard(options),
            skip_nulls: options.is_true("encode.ignore-null-fields"),
            null_keys,
        }
    }
}

impl JsonEncoder {
    pub fn new(fields: &[Field], options: &FormatOptions) -> Self {
        let names = fields.iter().map(|field| quoted_name(&field.name)).collect();
        JsonEncoder { names, rules: WriteRules::new(options) }
    }

    /// One object, without an end of record.
    pub(super) fn writer<'a>(&'a self, rows: &'a RecordBatch) -> Result<ObjectWriter<'a>> {
        let values = rows.columns().iter().map(ValueWriter::new).collect::<Result<_>>()?;
        Ok(ObjectWriter { names: &self.names, values, rules: &self.rules })
    }
}

impl Encoder for JsonEncoder {
    fn encode(&mut self, rows: &RecordBatch, _kinds: Option<&[RowKind]>, slab: &mut Slab) -> Result<()> {
        let writer = self.writer(rows)?;
        for row in 0..rows.num_rows() {
            writer.write(row, &mut slab.bytes)?;
            slab.end_record();
        }
        Ok(())
    }
}

/// `"name":`
fn quoted_name(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_text(name, &mut out);
    out.push(b':');
    out
}

pub(super) struct ObjectWriter<'a> {
    names: &'a [Vec<u8>],
    values: Vec<ValueWriter<'a>>,
    rules: &'a WriteRules,
}

impl ObjectWriter<'_> {
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        write_object(self.names, &self.values, self.rules, row, out)
    }
}

fn write_object(
    names: &[Vec<u8>],
    values: &[ValueWriter<'_>],
    rules: &WriteRules,
    row: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.push(b'{');
    let start = out.len();
    for (name, value) in names.iter().zip(values) {
        if rules.skip_nulls && value.is_null(row) {
            continue;
        }
        if out.len() > start {
            out.push(b',');
        }
        out.extend_from_slice(name);
        value.write(row, rules, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// An array with the way its values are written, found once per batch.
struct ValueWriter<'a> {
    array: &'a ArrayRef,
    inner: Inner<'a>,
}

enum Inner<'a> {
    Plain,
    List(Box<ValueWriter<'a>>),
    Map(Box<ValueWriter<'a>>),
    Row { names: Vec<Vec<u8>>, values: Vec<ValueWriter<'a>> },
}

impl<'a> ValueWriter<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self> {
        let inner = match array.data_type() {
            DataType::List(_) => Inner::List(Box::new(Self::new(array.as_list::<i32>().values())?)),
            DataType::Map(..) => {
                let map = array.as_map();
                if map.keys().data_type() != &DataType::Utf8 {
                    return Err(EngineError::user("bad_column", "JSON cannot hold a map whose keys are no text."));
                }
                Inner::Map(Box::new(Self::new(map.values())?))
            }
            DataType::Struct(fields) => Inner::Row {
                names: fields.iter().map(|field| quoted_name(field.name())).collect(),
                values: array.as_struct().columns().iter().map(Self::new).collect::<Result<_>>()?,
            },
            _ => Inner::Plain,
        };
        Ok(ValueWriter { array, inner })
    }

    fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row) || self.array.data_type() == &DataType::Null
    }

    fn write(&self, row: usize, rules: &WriteRules, out: &mut Vec<u8>) -> Result<()> {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &self.inner {
            Inner::Plain => write_plain(self.array, row, rules, out),
            Inner::Row { names, values } => write_object(names, values, rules, row, out),
            Inner::List(items) => {
                out.push(b'[');
                for (position, item) in range_of(self.array.as_list::<i32>().value_offsets(), row).enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    items.write(item, rules, out)?;
                }
                out.push(b']');
                Ok(())
            }
            Inner::Map(values) => self.write_map(values, row, rules, out),
        }
    }

    fn write_map(&self, values: &ValueWriter<'_>, row: usize, rules: &WriteRules, out: &mut Vec<u8>) -> Result<()> {
        let map = self.array.as_map();
        let keys = map.keys().as_string::<i32>();
        out.push(b'{');
        let start = out.len();
        for entry in range_of(map.value_offsets(), row) {
            let key = match (keys.is_null(entry), &rules.null_keys) {
                (false, _) => keys.value(entry),
                (true, NullKeys::Drop) => continue,
                (true, NullKeys::Literal(literal)) => literal,
                (true, NullKeys::Fail) => {
                    let message = "A map has a NULL key, which JSON cannot hold. Set 'json.map-null-key.mode' to DROP or LITERAL.";
                    return Err(EngineError::user("null_key", message));
                }
            };
            if out.len() > start {
                out.push(b',');
            }
            write_text(key, out);
            out.push(b':');
            values.write(entry, rules, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

fn range_of(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}

fn write_plain(array: &ArrayRef, row: usize, rules: &WriteRules, out: &mut Vec<u8>) -> Result<()> {
    match array.data_type() {
        DataType::Boolean => out.extend_from_slice(if array.as_boolean().value(row) { b"true" } else { b"false" }),
        DataType::Int8 => write_integer(array.as_primitive::<Int8Type>().value(row).into(), out),
        DataType::Int16 => write_integer(array.as_primitive::<Int16Type>().value(row).into(), out),
        DataType::Int32 => write_integer(array.as_primitive::<Int32Type>().value(row).into(), out),
        DataType::Int64 => write_integer(array.as_primitive::<Int64Type>().value(row), out),
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            write_float(f64::from(value), &format!("{value:?}"), out);
        }
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            write_float(value, &format!("{value:?}"), out);
        }
        DataType::Decimal128(_, scale) => write_decimal(out, array.as_primitive::<Decimal128Type>().value(row), *scale),
        DataType::Utf8 => write_text(array.as_string::<i32>().value(row), out),
        DataType::Binary => {
            out.push(b'"');
            out.extend_from_slice(BASE64.encode(array.as_binary::<i32>().value(row)).as_bytes());
            out.push(b'"');
        }
        _ => {
            out.push(b'"');
            write_temporal(array, row, rules.standard, out)?;
            out.push(b'"');
        }
    }
    Ok(())
}

/// JSON has no NaN and no infinities: they are written as text, as Flink does.
fn write_float(value: f64, text: &str, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let text = if value.is_nan() {
        "\"NaN\""
    } else if value > 0.0 {
        "\"Infinity\""
    } else {
        "\"-Infinity\""
    };
    out.extend_from_slice(text.as_bytes());
}

/// Text with quotes and escapes.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain_from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(plain_from..at).unwrap_or_default());
        plain_from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            control => out.extend_from_slice(format!("\\u{control:04X}").as_bytes()),
        }
    }
    out.extend_from_slice(bytes.get(plain_from..).unwrap_or_default());
    out.push(b'"');
}
