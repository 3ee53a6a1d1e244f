//! Rows on their way to a guest: columns in the types of the interface, as a file of Arrow IPC.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StructArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;

use crate::udf::signature::AbiType;

impl AbiType {
    /// The Arrow type that crosses.
    pub(in crate::udf) fn arrow(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Decimal | Self::Json | Self::Text => DataType::Utf8,
            Self::LargeText => DataType::LargeUtf8,
            Self::Binary => DataType::Binary,
            Self::LargeBinary => DataType::LargeBinary,
            Self::Array(element) => DataType::List(Arc::new(element.field("item"))),
            Self::Struct(fields) => DataType::Struct(fields.iter().map(|(name, ty)| ty.field(name)).collect()),
        }
    }

    /// With the mark that `arrow-udf` gives to types which Arrow does not have.
    fn field(&self, name: &str) -> Field {
        let mark = match self {
            Self::Decimal => "arrowudf.decimal",
            Self::Json => "arrowudf.json",
            _ => return Field::new(name, self.arrow(), true),
        };
        let marked = HashMap::from([("ARROW:extension:name".to_owned(), mark.to_owned())]);
        Field::new(name, self.arrow(), true).with_metadata(marked)
    }
}

/// A batch with these columns, for arguments of these types.
pub(super) fn write(arguments: &[AbiType], columns: &[ArrayRef], rows: usize) -> Result<Vec<u8>, ArrowError> {
    let fields: Vec<Field> = arguments.iter().enumerate().map(|(at, ty)| ty.field(&format!("arg{at}"))).collect();
    let converted = columns.iter().zip(&fields).map(|(column, field)| convert(column, field.data_type()));
    let schema = Arc::new(Schema::new(fields.clone()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), converted.collect::<Result<_, _>>()?, &options)?;
    let mut bytes = Vec::new();
    let mut writer = FileWriter::try_new(&mut bytes, &schema)?;
    writer.write(&batch)?;
    writer.finish()?;
    drop(writer);
    Ok(bytes)
}

/// The same values in another type; structs field by field in their order, whatever the names.
pub(super) fn convert(array: &ArrayRef, target: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == target {
        return Ok(Arc::clone(array));
    }
    match target {
        DataType::List(item) if let Some(list) = array.as_any().downcast_ref::<ListArray>() => {
            let values = convert(list.values(), item.data_type())?;
            let made = ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, list.nulls().cloned())?;
            Ok(Arc::new(made))
        }
        DataType::Struct(fields) if let Some(row) = array.as_any().downcast_ref::<StructArray>() => {
            let columns = row.columns().iter().zip(fields).map(|(column, field)| convert(column, field.data_type()));
            let made = StructArray::try_new(fields.clone(), columns.collect::<Result<_, _>>()?, row.nulls().cloned())?;
            Ok(Arc::new(made))
        }
        target => cast_with_options(array, target, &CastOptions { safe: false, ..CastOptions::default() }),
    }
}
