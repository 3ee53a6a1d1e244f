//! The `raw` format: the whole record is the value of the only column.
//!
//! Text and bytes are taken as they are; numbers and booleans in binary with `raw.endianness`, as in Flink. An empty
//! record of a number is NULL.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use millrace_wire::connector::{FormatSchema, OptionKind};

use super::column::{Column, Data};
use super::{BadRecord, Decoded, Decoder, Encoder, Format, FormatOptions, Framing, RECORD_LIMIT, Slab, defaulted};
use crate::change::RowKind;
use crate::error::{EngineError, Result};
use crate::types::{Field, LogicalType};

pub struct Raw;

impl Format for Raw {
    fn schema(&self) -> FormatSchema {
        let mut endianness =
            defaulted("raw.endianness", "Byte order", "Of numbers in binary.", OptionKind::Choice, "big-endian");
        endianness.choices = vec!["big-endian".to_owned(), "little-endian".to_owned()];
        let mut charset = defaulted("raw.charset", "Character set", "Of text columns.", OptionKind::Choice, "UTF-8");
        charset.choices = vec!["UTF-8".to_owned()];
        FormatSchema { name: "raw".to_owned(), title: "Raw".to_owned(), options: vec![charset, endianness] }
    }

    fn problems(&self, fields: &[Field], _options: &FormatOptions) -> Vec<(String, String)> {
        match fields {
            [only] if takes(&only.ty.logical) => Vec::new(),
            [only] => {
                vec![(String::new(), format!("The raw format cannot hold a column of type {}.", only.ty.logical))]
            }
            _ => vec![(String::new(), "The raw format needs exactly one physical column.".to_owned())],
        }
    }

    fn decoder(&self, fields: &[Field], wanted: &[usize], options: &FormatOptions) -> Result<Box<dyn Decoder>> {
        let column = match (fields, wanted) {
            ([only], [_]) => Some(Column::new(&only.ty.logical)),
            _ => None,
        };
        Ok(Box::new(RawDecoder { column, rows: 0, little: little(options) }))
    }

    fn encoder(&self, _fields: &[Field], options: &FormatOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(RawEncoder { little: little(options) }))
    }

    fn framing(&self, _options: &FormatOptions) -> Framing {
        Framing::Lines
    }
}

fn little(options: &FormatOptions) -> bool {
    options.get("endianness") == Some("little-endian")
}

fn takes(ty: &LogicalType) -> bool {
    ty.is_character()
        || ty.is_binary()
        || ty.is_integer()
        || matches!(ty, LogicalType::Float | LogicalType::Double | LogicalType::Boolean)
}

struct RawDecoder {
    /// Absent when no query needs the value.
    column: Option<Column>,
    rows: usize,
    little: bool,
}

impl Decoder for RawDecoder {
    fn push(&mut self, record: &[u8]) -> Result<usize, BadRecord> {
        if record.len() > RECORD_LIMIT {
            return Err(BadRecord(format!("the record has {} bytes, more than the limit", record.len())));
        }
        if let Some(column) = &mut self.column {
            push_value(column, record, self.little)?;
        }
        self.rows += 1;
        Ok(1)
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn truncate(&mut self, rows: usize) {
        self.column.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = self.rows.min(rows);
    }

    fn finish(&mut self) -> Result<Decoded> {
        self.rows = 0;
        let columns = self.column.iter_mut().map(Column::finish).collect::<Result<_>>()?;
        Ok(Decoded { columns, kinds: None })
    }
}

fn push_value(column: &mut Column, record: &[u8], little: bool) -> Result<(), BadRecord> {
    if column.logical().is_character() {
        if let Err(error) = std::str::from_utf8(record) {
            return Err(BadRecord(format!("byte {} is no UTF-8", error.valid_up_to())));
        }
        column.push_bytes(record);
        return Ok(());
    }
    if column.logical().is_binary() {
        column.push_bytes(record);
        return Ok(());
    }
    if record.is_empty() {
        column.push_null();
        return Ok(());
    }
    match column.data() {
        Data::Boolean(values) => values.push(u8::from_be_bytes(sized(record)?) != 0),
        Data::Int8(values) => values.push(i8::from_be_bytes(sized(record)?)),
        Data::Int16(values) => values.push(i16::from_be_bytes(ordered(record, little)?)),
        Data::Int32(values) => values.push(i32::from_be_bytes(ordered(record, little)?)),
        Data::Int64(values) => values.push(i64::from_be_bytes(ordered(record, little)?)),
        Data::Float32(values) => values.push(f32::from_be_bytes(ordered(record, little)?)),
        Data::Float64(values) => values.push(f64::from_be_bytes(ordered(record, little)?)),
        _ => return Err(BadRecord("the column's type has no raw form".to_owned())),
    }
    column.accept();
    Ok(())
}

fn sized<const N: usize>(record: &[u8]) -> Result<[u8; N], BadRecord> {
    record.try_into().map_err(|_| BadRecord(format!("the record has {} bytes instead of {N}", record.len())))
}

/// As big-endian bytes.
fn ordered<const N: usize>(record: &[u8], little: bool) -> Result<[u8; N], BadRecord> {
    let mut bytes = sized::<N>(record)?;
    if little {
        bytes.reverse();
    }
    Ok(bytes)
}

struct RawEncoder {
    little: bool,
}

impl Encoder for RawEncoder {
    fn encode(&mut self, rows: &RecordBatch, _kinds: Option<&[RowKind]>, slab: &mut Slab) -> Result<()> {
        let column = rows.columns().first().ok_or_else(|| EngineError::internal("the raw format got no column"))?;
        for row in 0..rows.num_rows() {
            if column.is_valid(row) {
                write_value(column, row, self.little, &mut slab.bytes)?;
            }
            slab.end_record();
        }
        Ok(())
    }
}

fn write_value(column: &ArrayRef, row: usize, little: bool, out: &mut Vec<u8>) -> Result<()> {
    use arrow::datatypes::DataType;
    let start = out.len();
    match column.data_type() {
        DataType::Utf8 | DataType::Binary => return write_bytes(column, row, out),
        DataType::Boolean => out.push(u8::from(column.as_boolean().value(row))),
        DataType::Int8 => out.extend(column.as_primitive::<Int8Type>().value(row).to_be_bytes()),
        DataType::Int16 => out.extend(column.as_primitive::<Int16Type>().value(row).to_be_bytes()),
        DataType::Int32 => out.extend(column.as_primitive::<Int32Type>().value(row).to_be_bytes()),
        DataType::Int64 => out.extend(column.as_primitive::<Int64Type>().value(row).to_be_bytes()),
        DataType::Float32 => out.extend(column.as_primitive::<Float32Type>().value(row).to_be_bytes()),
        DataType::Float64 => out.extend(column.as_primitive::<Float64Type>().value(row).to_be_bytes()),
        other => return Err(EngineError::user("bad_column", format!("The raw format cannot write {other}."))),
    }
    if little && let Some(value) = out.get_mut(start..) {
        value.reverse();
    }
    Ok(())
}

fn write_bytes(column: &ArrayRef, row: usize, out: &mut Vec<u8>) -> Result<()> {
    let text = column.as_string_opt::<i32>().map(|text| text.value(row).as_bytes());
    let bytes = text.or_else(|| column.as_binary_opt::<i32>().map(|bytes| bytes.value(row)));
    out.extend_from_slice(bytes.unwrap_or_default());
    Ok(())
}
