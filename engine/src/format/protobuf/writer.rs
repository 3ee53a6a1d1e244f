//! Columns into messages.
//!
//! As in Flink: NULL leaves a field out, a NULL element of a list or map is written as the default of its type, and a
//! name or number that an enum does not have as its first value.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array,
    Int64Array, ListArray, MapArray, RecordBatch, StringArray, StructArray,
};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};

use super::model::{Enum, Kind, Label};
use super::plan::{FieldPlan, Form, Item, MessagePlan, zigzag};
use super::wire::{WireType, write_sized, write_tag, write_varint};
use crate::change::RowKind;
use crate::error::{EngineError, Result};
use crate::format::{Encoder, Slab};

pub(super) struct ProtobufEncoder {
    plan: MessagePlan,
    null_text: Vec<u8>,
}

impl ProtobufEncoder {
    pub(super) const fn new(plan: MessagePlan, null_text: Vec<u8>) -> Self {
        ProtobufEncoder { plan, null_text }
    }
}

impl Encoder for ProtobufEncoder {
    fn encode(&mut self, rows: &RecordBatch, _kinds: Option<&[RowKind]>, slab: &mut Slab) -> Result<()> {
        let message = MessageWriter::new(&self.plan, rows.columns(), &self.null_text)?;
        for row in 0..rows.num_rows() {
            message.write(row, &mut slab.bytes)?;
            slab.end_record();
        }
        Ok(())
    }
}

/// The columns of a batch with the way they are written, in the order of the fields' numbers.
struct MessageWriter<'a> {
    fields: Vec<FieldWriter<'a>>,
}

struct FieldWriter<'a> {
    plan: &'a FieldPlan,
    values: FieldValues<'a>,
}

enum FieldValues<'a> {
    One(Values<'a>),
    Many(&'a ListArray, Values<'a>),
    Map(&'a MapArray, Values<'a>, Values<'a>),
}

/// One value after the other.
struct Values<'a> {
    item: &'a Item,
    array: Typed<'a>,
    null_text: &'a [u8],
}

enum Typed<'a> {
    Boolean(&'a BooleanArray),
    Int8(&'a Int8Array),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Row(&'a StructArray, MessageWriter<'a>),
}

impl<'a> MessageWriter<'a> {
    fn new(plan: &'a MessagePlan, columns: &'a [ArrayRef], null_text: &'a [u8]) -> Result<Self> {
        if plan.fields.len() != columns.len() {
            return Err(EngineError::internal("a batch has other columns than its table"));
        }
        let writer = |(plan, column)| FieldWriter::new(plan, column, null_text);
        let mut fields: Vec<_> = plan.fields.iter().zip(columns).map(writer).collect::<Result<_>>()?;
        fields.sort_by_key(|field| field.plan.number);
        Ok(MessageWriter { fields })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        self.fields.iter().try_for_each(|field| field.write(row, out))
    }
}

impl<'a> FieldWriter<'a> {
    fn new(plan: &'a FieldPlan, array: &'a ArrayRef, null_text: &'a [u8]) -> Result<Self> {
        let wrong = || wrong_column(&plan.name, array);
        let values = match &plan.form {
            Form::One(item) => FieldValues::One(Values::new(item, array, null_text, &plan.name)?),
            Form::Many(item) => {
                let list = array.as_list_opt::<i32>().ok_or_else(wrong)?;
                FieldValues::Many(list, Values::new(item, list.values(), null_text, &plan.name)?)
            }
            Form::Map(key, value) => {
                let map = array.as_map_opt().ok_or_else(wrong)?;
                let keys = Values::new(key, map.keys(), null_text, &plan.name)?;
                FieldValues::Map(map, keys, Values::new(value, map.values(), null_text, &plan.name)?)
            }
        };
        Ok(FieldWriter { plan, values })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        let number = self.plan.number;
        match &self.values {
            FieldValues::One(values) if values.array().is_null(row) => {
                if self.plan.label == Label::Required {
                    let message = format!("The field '{}' is required and cannot be NULL.", self.plan.name);
                    return Err(EngineError::user("null_value", message));
                }
            }
            // What cannot be told from its absence is left out.
            FieldValues::One(values) if self.plan.label == Label::Implicit && values.is_default(row) => {}
            FieldValues::One(values) => values.write_field(number, row, out)?,
            FieldValues::Many(list, values) if list.is_valid(row) => {
                let range = range_of(list.value_offsets(), row);
                if !self.plan.packed {
                    return range.into_iter().try_for_each(|item| values.write_field(number, item, out));
                }
                if !range.is_empty() {
                    write_tag(number, WireType::Bytes, out);
                    write_sized(out, |out| range.into_iter().try_for_each(|item| values.write(item, out)))?;
                }
            }
            FieldValues::Map(map, keys, values) if map.is_valid(row) => {
                for entry in range_of(map.value_offsets(), row) {
                    write_tag(number, WireType::Bytes, out);
                    write_sized(out, |out| {
                        keys.write_field(1, entry, out)?;
                        values.write_field(2, entry, out)
                    })?;
                }
            }
            FieldValues::Many(..) | FieldValues::Map(..) => {}
        }
        Ok(())
    }
}

impl<'a> Values<'a> {
    fn new(item: &'a Item, array: &'a ArrayRef, null_text: &'a [u8], name: &str) -> Result<Self> {
        let array = match (array.data_type(), item) {
            (DataType::Boolean, _) => Typed::Boolean(array.as_boolean()),
            (DataType::Int8, _) => Typed::Int8(array.as_primitive::<Int8Type>()),
            (DataType::Int16, _) => Typed::Int16(array.as_primitive::<Int16Type>()),
            (DataType::Int32, _) => Typed::Int32(array.as_primitive::<Int32Type>()),
            (DataType::Int64, _) => Typed::Int64(array.as_primitive::<Int64Type>()),
            (DataType::Float32, _) => Typed::Float32(array.as_primitive::<Float32Type>()),
            (DataType::Float64, _) => Typed::Float64(array.as_primitive::<Float64Type>()),
            (DataType::Utf8, _) => Typed::Text(array.as_string::<i32>()),
            (DataType::Binary, _) => Typed::Bytes(array.as_binary::<i32>()),
            (DataType::Struct(_), Item::Message(plan)) => {
                let rows = array.as_struct();
                Typed::Row(rows, MessageWriter::new(plan, rows.columns(), null_text)?)
            }
            _ => return Err(wrong_column(name, array)),
        };
        Ok(Values { item, array, null_text })
    }

    fn array(&self) -> &dyn Array {
        match &self.array {
            Typed::Boolean(array) => *array,
            Typed::Int8(array) => *array,
            Typed::Int16(array) => *array,
            Typed::Int32(array) => *array,
            Typed::Int64(array) => *array,
            Typed::Float32(array) => *array,
            Typed::Float64(array) => *array,
            Typed::Text(array) => *array,
            Typed::Bytes(array) => *array,
            Typed::Row(array, _) => *array,
        }
    }

    fn wire_type(&self) -> WireType {
        match self.item {
            Item::Message(_) | Item::Scalar(Kind::String | Kind::Bytes) => WireType::Bytes,
            Item::Scalar(Kind::Fixed32 | Kind::Sfixed32 | Kind::Float) => WireType::Fixed32,
            Item::Scalar(Kind::Fixed64 | Kind::Sfixed64 | Kind::Double) => WireType::Fixed64,
            Item::Scalar(_) | Item::Enum(_) => WireType::Varint,
        }
    }

    fn write_field(&self, number: u32, row: usize, out: &mut Vec<u8>) -> Result<()> {
        write_tag(number, self.wire_type(), out);
        self.write(row, out)
    }

    /// The value alone; a NULL as the default of its type.
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        let is_null = self.array().is_null(row);
        match &self.array {
            Typed::Row(_, message) => {
                return write_sized(out, |out| if is_null { Ok(()) } else { message.write(row, out) });
            }
            Typed::Text(_) | Typed::Bytes(_) if !matches!(self.item, Item::Enum(_)) => {
                let bytes = self.bytes(row);
                write_varint(bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            _ => match self.wire_type() {
                WireType::Fixed32 => out.extend((self.number(row) as u32).to_le_bytes()),
                WireType::Fixed64 => out.extend(self.number(row).to_le_bytes()),
                WireType::Varint | WireType::Bytes => write_varint(self.number(row), out),
            },
        }
        Ok(())
    }

    fn bytes(&self, row: usize) -> &[u8] {
        match &self.array {
            Typed::Text(array) if array.is_null(row) => self.null_text,
            Typed::Text(array) => array.value(row).as_bytes(),
            Typed::Bytes(array) if array.is_valid(row) => array.value(row),
            _ => &[],
        }
    }

    /// As it stands on the wire.
    fn number(&self, row: usize) -> u64 {
        if let Item::Enum(known) = self.item {
            return i64::from(self.number_of_enum(known, row)) as u64;
        }
        if self.array().is_null(row) {
            return 0;
        }
        let signed = match &self.array {
            Typed::Boolean(array) => return array.value(row).into(),
            Typed::Float32(array) => return array.value(row).to_bits().into(),
            Typed::Float64(array) => return array.value(row).to_bits(),
            Typed::Int32(array) => i64::from(array.value(row)),
            Typed::Int64(array) => array.value(row),
            _ => 0,
        };
        match self.item {
            Item::Scalar(Kind::Sint32 | Kind::Sint64) => zigzag(signed),
            // Beyond the signed type, as in Java.
            Item::Scalar(Kind::Uint32) => (signed as u32).into(),
            _ => signed as u64,
        }
    }

    fn number_of_enum(&self, known: &Enum, row: usize) -> i32 {
        let number = match &self.array {
            Typed::Text(array) if array.is_valid(row) => {
                let text = array.value(row);
                return known.values.iter().find(|(name, _)| name == text).map_or_else(|| first_of(known), |(_, n)| *n);
            }
            Typed::Int8(array) if array.is_valid(row) => i64::from(array.value(row)),
            Typed::Int16(array) if array.is_valid(row) => i64::from(array.value(row)),
            Typed::Int32(array) if array.is_valid(row) => i64::from(array.value(row)),
            Typed::Int64(array) if array.is_valid(row) => array.value(row),
            _ => return first_of(known),
        };
        known.values.iter().find(|(_, n)| i64::from(*n) == number).map_or_else(|| first_of(known), |(_, n)| *n)
    }

    fn is_default(&self, row: usize) -> bool {
        match self.wire_type() {
            WireType::Bytes => !matches!(self.item, Item::Message(_)) && self.bytes(row).is_empty(),
            _ => self.number(row) == 0,
        }
    }
}

fn first_of(known: &Enum) -> i32 {
    known.values.first().map_or(0, |(_, number)| *number)
}

fn range_of(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}

fn wrong_column(name: &str, array: &ArrayRef) -> EngineError {
    EngineError::internal("a column does not fit its message").with_detail(format!("{name}: {}", array.data_type()))
}
