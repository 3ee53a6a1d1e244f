//! Logical type → Arrow type. The one place that decides the representation.
//!
//! | logical | Arrow |
//! |---|---|
//! | CHAR, VARCHAR, STRING | Utf8 |
//! | BINARY, VARBINARY, BYTES | Binary |
//! | TIME(p) | Time32(ms) |
//! | TIMESTAMP(p) | Timestamp(ms) for p ≤ 3, (µs) for p ≤ 6, else (ns), no zone |
//! | TIMESTAMP_LTZ(p) | the same with zone `UTC` |
//! | INTERVAL YEAR TO MONTH | Int32 months |
//! | INTERVAL DAY TO SECOND | Int64 milliseconds |
//! | MULTISET<t> | Map<t, Int32> |

use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Fields, Schema as ArrowSchema, SchemaRef, TimeUnit};

use super::{Field, LogicalType, Schema, Type};

/// The zone name that every `TIMESTAMP_LTZ` array carries.
pub(super) const LTZ_ZONE: &str = "UTC";

impl LogicalType {
    pub fn to_arrow(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::TinyInt => DataType::Int8,
            Self::SmallInt => DataType::Int16,
            Self::Int | Self::IntervalYearMonth => DataType::Int32,
            Self::BigInt | Self::IntervalDayTime => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal { precision, scale } => {
                DataType::Decimal128(*precision, i8::try_from(*scale).unwrap_or(i8::MAX))
            }
            Self::Char(_) | Self::VarChar(_) | Self::String => DataType::Utf8,
            Self::Binary(_) | Self::VarBinary(_) | Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time(_) => DataType::Time32(TimeUnit::Millisecond),
            Self::Timestamp(precision) => DataType::Timestamp(unit_of(*precision), None),
            Self::TimestampLtz(precision) => DataType::Timestamp(unit_of(*precision), Some(LTZ_ZONE.into())),
            Self::Array(element) => DataType::List(Arc::new(ArrowField::new("item", element.logical.to_arrow(), true))),
            Self::Multiset(element) => map_type(&element.logical, &LogicalType::Int),
            Self::Map(key, value) => map_type(&key.logical, &value.logical),
            Self::Row(fields) => DataType::Struct(fields.iter().map(Field::to_arrow).collect::<Fields>()),
        }
    }
}

impl Field {
    /// Arrow fields are always nullable: nullability is the planner's knowledge, and outer operators loosen it.
    pub fn to_arrow(&self) -> ArrowField {
        ArrowField::new(&self.name, self.ty.logical.to_arrow(), true)
    }
}

impl Schema {
    pub fn to_arrow(&self) -> SchemaRef {
        Arc::new(ArrowSchema::new(self.fields.iter().map(Field::to_arrow).collect::<Vec<_>>()))
    }
}

impl From<LogicalType> for Type {
    fn from(logical: LogicalType) -> Self {
        Type::nullable(logical)
    }
}

fn unit_of(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

fn map_type(key: &LogicalType, value: &LogicalType) -> DataType {
    let entries = Fields::from(vec![
        ArrowField::new("key", key.to_arrow(), false),
        ArrowField::new("value", value.to_arrow(), true),
    ]);
    DataType::Map(Arc::new(ArrowField::new("entries", DataType::Struct(entries), false)), false)
}
