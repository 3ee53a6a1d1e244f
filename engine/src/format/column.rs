//! Growing columns that can be cut back: what every decoder writes into.
//!
//! A record may turn out to be broken after some of its fields were taken. Arrow's builders cannot forget a value, so
//! decoders use these and call [`Column::truncate`].

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, ListArray, MapArray, NullArray, NullBufferBuilder, StringArray, StructArray,
    Time32MillisecondArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field as ArrowField, Fields, TimeUnit};

use crate::error::{EngineError, Result};
use crate::types::LogicalType;

/// One column under construction.
pub struct Column {
    ty: LogicalType,
    data: Data,
    validity: NullBufferBuilder,
    len: usize,
}

/// Values by representation; nulls hold a placeholder.
pub(crate) enum Data {
    Null,
    Boolean(Vec<bool>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal(Vec<i128>),
    Bytes { offsets: Vec<i32>, bytes: Vec<u8> },
    List { offsets: Vec<i32>, items: Box<Column> },
    Map { offsets: Vec<i32>, keys: Box<Column>, values: Box<Column> },
    Row(Vec<Column>),
}

impl Column {
    pub fn new(ty: &LogicalType) -> Self {
        Column { ty: ty.clone(), data: Data::new(ty), validity: NullBufferBuilder::new(1024), len: 0 }
    }

    pub fn logical(&self) -> &LogicalType {
        &self.ty
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn data(&mut self) -> &mut Data {
        &mut self.data
    }

    pub(crate) fn parts(&mut self) -> (&LogicalType, &mut Data) {
        (&self.ty, &mut self.data)
    }

    /// To be called after a value was pushed into `data`.
    pub(crate) fn accept(&mut self) {
        self.validity.append_non_null();
        self.len += 1;
    }

    pub fn push_null(&mut self) {
        match &mut self.data {
            Data::Null => {}
            Data::Boolean(values) => values.push(false),
            Data::Int8(values) => values.push(0),
            Data::Int16(values) => values.push(0),
            Data::Int32(values) => values.push(0),
            Data::Int64(values) => values.push(0),
            Data::Float32(values) => values.push(0.0),
            Data::Float64(values) => values.push(0.0),
            Data::Decimal(values) => values.push(0),
            Data::Bytes { offsets, .. } | Data::List { offsets, .. } | Data::Map { offsets, .. } => {
                repeat_last(offsets)
            }
            Data::Row(children) => children.iter_mut().for_each(Column::push_null),
        }
        self.validity.append_null();
        self.len += 1;
    }

    /// For columns kept as `Int64`: BIGINT, timestamps in their unit.
    pub fn push_i64(&mut self, value: i64) {
        match &mut self.data {
            Data::Int64(values) => values.push(value),
            Data::Int32(values) => values.push(value as i32),
            Data::Int16(values) => values.push(value as i16),
            Data::Int8(values) => values.push(value as i8),
            _ => return self.push_null(),
        }
        self.accept();
    }

    pub fn push_bytes(&mut self, value: &[u8]) {
        match &mut self.data {
            Data::Bytes { offsets, bytes } => {
                bytes.extend_from_slice(value);
                offsets.push(offset_of(bytes.len()));
            }
            _ => return self.push_null(),
        }
        self.accept();
    }

    /// Forgets everything from row `len` on, also what was begun and not accepted.
    pub fn truncate(&mut self, len: usize) {
        match &mut self.data {
            Data::Null => {}
            Data::Boolean(values) => values.truncate(len),
            Data::Int8(values) => values.truncate(len),
            Data::Int16(values) => values.truncate(len),
            Data::Int32(values) => values.truncate(len),
            Data::Int64(values) => values.truncate(len),
            Data::Float32(values) => values.truncate(len),
            Data::Float64(values) => values.truncate(len),
            Data::Decimal(values) => values.truncate(len),
            Data::Bytes { offsets, bytes } => bytes.truncate(cut(offsets, len)),
            Data::List { offsets, items } => items.truncate(cut(offsets, len)),
            Data::Map { offsets, keys, values } => {
                let end = cut(offsets, len);
                keys.truncate(end);
                values.truncate(end);
            }
            Data::Row(children) => children.iter_mut().for_each(|child| child.truncate(len)),
        }
        if self.len > len {
            self.validity.truncate(len);
            self.len = len;
        }
    }

    /// The rows so far as an Arrow array; the column is empty afterwards.
    pub fn finish(&mut self) -> Result<ArrayRef> {
        let len = std::mem::take(&mut self.len);
        let nulls = self.validity.finish();
        let arrow = self.ty.to_arrow();
        let mut fresh = Data::new(&self.ty);
        // The next batch will be about as large.
        fresh.reserve_like(&self.data);
        let data = std::mem::replace(&mut self.data, fresh);
        build(data, nulls, len, &arrow)
    }
}

impl Data {
    fn new(ty: &LogicalType) -> Self {
        use LogicalType as L;
        match ty {
            L::Null => Self::Null,
            L::Boolean => Self::Boolean(Vec::new()),
            L::TinyInt => Self::Int8(Vec::new()),
            L::SmallInt => Self::Int16(Vec::new()),
            L::Int | L::Date | L::Time(_) | L::IntervalYearMonth => Self::Int32(Vec::new()),
            L::BigInt | L::Timestamp(_) | L::TimestampLtz(_) | L::IntervalDayTime => Self::Int64(Vec::new()),
            L::Float => Self::Float32(Vec::new()),
            L::Double => Self::Float64(Vec::new()),
            L::Decimal { .. } => Self::Decimal(Vec::new()),
            L::Char(_) | L::VarChar(_) | L::String | L::Binary(_) | L::VarBinary(_) | L::Bytes => {
                Self::Bytes { offsets: vec![0], bytes: Vec::new() }
            }
            L::Array(element) => Self::List { offsets: vec![0], items: Box::new(Column::new(&element.logical)) },
            L::Multiset(element) => Self::map(&element.logical, &L::Int),
            L::Map(key, value) => Self::map(&key.logical, &value.logical),
            L::Row(fields) => Self::Row(fields.iter().map(|field| Column::new(&field.ty.logical)).collect()),
        }
    }

    /// Room for as many values as `other` holds.
    fn reserve_like(&mut self, other: &Self) {
        match (self, other) {
            (Self::Boolean(mine), Self::Boolean(theirs)) => mine.reserve(theirs.len()),
            (Self::Int32(mine), Self::Int32(theirs)) => mine.reserve(theirs.len()),
            (Self::Int64(mine), Self::Int64(theirs)) => mine.reserve(theirs.len()),
            (Self::Float64(mine), Self::Float64(theirs)) => mine.reserve(theirs.len()),
            (Self::Decimal(mine), Self::Decimal(theirs)) => mine.reserve(theirs.len()),
            (Self::Bytes { offsets, bytes }, Self::Bytes { offsets: their_offsets, bytes: their_bytes }) => {
                offsets.reserve(their_offsets.len());
                bytes.reserve(their_bytes.len() + their_bytes.len() / 16);
            }
            (Self::Row(mine), Self::Row(theirs)) => {
                for (mine, theirs) in mine.iter_mut().zip(theirs) {
                    mine.data.reserve_like(&theirs.data);
                }
            }
            _ => {}
        }
    }

    fn map(key: &LogicalType, value: &LogicalType) -> Self {
        Self::Map { offsets: vec![0], keys: Box::new(Column::new(key)), values: Box::new(Column::new(value)) }
    }
}

/// Readers bound a batch far below 2 GiB of input, and no decoder makes output larger than its input.
pub(crate) fn offset_of(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

fn repeat_last(offsets: &mut Vec<i32>) {
    offsets.push(offsets.last().copied().unwrap_or(0));
}

/// Cuts the offsets to `len` rows and tells where the last one ends.
fn cut(offsets: &mut Vec<i32>, len: usize) -> usize {
    offsets.truncate(len + 1);
    usize::try_from(offsets.last().copied().unwrap_or(0)).unwrap_or(0)
}

fn build(data: Data, nulls: Option<NullBuffer>, len: usize, arrow: &DataType) -> Result<ArrayRef> {
    let array: ArrayRef = match data {
        Data::Null => Arc::new(NullArray::new(len)),
        Data::Boolean(values) => Arc::new(BooleanArray::new(values.into(), nulls)),
        Data::Int8(values) => Arc::new(Int8Array::new(values.into(), nulls)),
        Data::Int16(values) => Arc::new(Int16Array::new(values.into(), nulls)),
        Data::Int32(values) => build_i32(values.into(), nulls, arrow),
        Data::Int64(values) => build_i64(values.into(), nulls, arrow),
        Data::Float32(values) => Arc::new(Float32Array::new(values.into(), nulls)),
        Data::Float64(values) => Arc::new(Float64Array::new(values.into(), nulls)),
        Data::Decimal(values) => Arc::new(Decimal128Array::new(values.into(), nulls).with_data_type(arrow.clone())),
        Data::Bytes { offsets, bytes } => {
            let offsets = checked_offsets(offsets, bytes.len())?;
            match arrow {
                // Decoders push checked UTF-8 only; checking once more per batch costs little and rules out misuse.
                DataType::Utf8 => Arc::new(StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls)?),
                _ => Arc::new(BinaryArray::try_new(offsets, Buffer::from_vec(bytes), nulls)?),
            }
        }
        Data::List { offsets, mut items } => {
            let offsets = checked_offsets(offsets, items.len())?;
            let DataType::List(field) = arrow else { return Err(mismatch(arrow)) };
            Arc::new(ListArray::try_new(Arc::clone(field), offsets, items.finish()?, nulls)?)
        }
        Data::Map { offsets, mut keys, mut values } => {
            let offsets = checked_offsets(offsets, keys.len())?;
            let DataType::Map(field, _) = arrow else { return Err(mismatch(arrow)) };
            let DataType::Struct(entry_fields) = field.data_type() else { return Err(mismatch(arrow)) };
            let entries = StructArray::try_new(entry_fields.clone(), vec![keys.finish()?, values.finish()?], None)?;
            Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, false)?)
        }
        Data::Row(mut children) => {
            let DataType::Struct(fields) = arrow else { return Err(mismatch(arrow)) };
            let arrays = children.iter_mut().map(Column::finish).collect::<Result<Vec<_>>>()?;
            Arc::new(StructArray::try_new_with_length(fields.clone(), arrays, nulls, len)?)
        }
    };
    Ok(array)
}

fn build_i32(values: ScalarBuffer<i32>, nulls: Option<NullBuffer>, arrow: &DataType) -> ArrayRef {
    match arrow {
        DataType::Date32 => Arc::new(Date32Array::new(values, nulls)),
        DataType::Time32(_) => Arc::new(Time32MillisecondArray::new(values, nulls)),
        _ => Arc::new(Int32Array::new(values, nulls)),
    }
}

fn build_i64(values: ScalarBuffer<i64>, nulls: Option<NullBuffer>, arrow: &DataType) -> ArrayRef {
    match arrow {
        DataType::Timestamp(TimeUnit::Millisecond, zone) => {
            Arc::new(TimestampMillisecondArray::new(values, nulls).with_timezone_opt(zone.clone()))
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            Arc::new(TimestampMicrosecondArray::new(values, nulls).with_timezone_opt(zone.clone()))
        }
        DataType::Timestamp(_, zone) => {
            Arc::new(TimestampNanosecondArray::new(values, nulls).with_timezone_opt(zone.clone()))
        }
        _ => Arc::new(Int64Array::new(values, nulls)),
    }
}

fn checked_offsets(offsets: Vec<i32>, total: usize) -> Result<OffsetBuffer<i32>> {
    if i32::try_from(total).is_err() {
        return Err(EngineError::user("batch_too_large", "A batch of records holds more than 2 GiB of text."));
    }
    Ok(OffsetBuffer::new(offsets.into()))
}

fn mismatch(arrow: &DataType) -> EngineError {
    EngineError::internal("a column does not have the representation of its type").with_detail(arrow)
}

/// Arrow fields of the given columns, for a batch.
pub fn arrow_fields<'a>(columns: impl Iterator<Item = (&'a str, &'a LogicalType)>) -> Fields {
    columns.map(|(name, ty)| ArrowField::new(name, ty.to_arrow(), true)).collect()
}
