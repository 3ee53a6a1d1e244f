//! Flink's logical types, and how each is kept in Arrow.
//!
//! The planner speaks only these types; Arrow types appear where rows do. Two logical types may share an Arrow type
//! (`CHAR(3)` and `STRING`), never the other way round.

mod arrow_type;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

pub use parse::parse_type;

/// A type as the SQL dialect knows it, without nullability.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogicalType {
    /// The type of a bare `NULL`.
    Null,
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Char(u32),
    VarChar(u32),
    /// `VARCHAR(2147483647)`.
    String,
    Binary(u32),
    VarBinary(u32),
    /// `VARBINARY(2147483647)`.
    Bytes,
    Date,
    /// Kept in milliseconds whatever its precision, as Flink does.
    Time(u8),
    Timestamp(u8),
    TimestampLtz(u8),
    IntervalYearMonth,
    IntervalDayTime,
    Array(Box<Type>),
    Multiset(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Row(Vec<Field>),
}

/// A logical type with nullability.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    pub logical: LogicalType,
    pub nullable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    pub name: String,
    pub ty: Type,
}

/// The columns of a relation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    pub fields: Vec<Field>,
    /// Columns that carry a watermark. A projection keeps the mark where it passes the column on unchanged.
    pub event_time: Vec<usize>,
}

impl Type {
    pub const fn new(logical: LogicalType, nullable: bool) -> Self {
        Type { logical, nullable }
    }

    pub const fn nullable(logical: LogicalType) -> Self {
        Type { logical, nullable: true }
    }

    pub const fn not_null(logical: LogicalType) -> Self {
        Type { logical, nullable: false }
    }

    pub fn with_nullable(self, nullable: bool) -> Self {
        Type { nullable, ..self }
    }
}

impl Field {
    pub fn new(name: impl Into<String>, ty: Type) -> Self {
        Field { name: name.into(), ty }
    }
}

impl Schema {
    pub fn new(fields: Vec<Field>) -> Self {
        Schema { fields, event_time: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.fields.len()
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

impl LogicalType {
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::TinyInt | Self::SmallInt | Self::Int | Self::BigInt)
    }

    pub fn is_numeric(&self) -> bool {
        self.is_integer() || matches!(self, Self::Float | Self::Double | Self::Decimal { .. })
    }

    pub fn is_character(&self) -> bool {
        matches!(self, Self::Char(_) | Self::VarChar(_) | Self::String)
    }

    pub fn is_binary(&self) -> bool {
        matches!(self, Self::Binary(_) | Self::VarBinary(_) | Self::Bytes)
    }

    pub fn is_timestamp(&self) -> bool {
        matches!(self, Self::Timestamp(_) | Self::TimestampLtz(_))
    }

    pub fn is_interval(&self) -> bool {
        matches!(self, Self::IntervalYearMonth | Self::IntervalDayTime)
    }

    /// Can be an event-time column: `TIMESTAMP` or `TIMESTAMP_LTZ` of precision 0 to 3, as in Flink.
    pub fn can_be_event_time(&self) -> bool {
        matches!(self, Self::Timestamp(p) | Self::TimestampLtz(p) if *p <= 3)
    }
}

impl fmt::Display for LogicalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::TinyInt => f.write_str("TINYINT"),
            Self::SmallInt => f.write_str("SMALLINT"),
            Self::Int => f.write_str("INT"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Float => f.write_str("FLOAT"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Char(length) => write!(f, "CHAR({length})"),
            Self::VarChar(length) => write!(f, "VARCHAR({length})"),
            Self::String => f.write_str("STRING"),
            Self::Binary(length) => write!(f, "BINARY({length})"),
            Self::VarBinary(length) => write!(f, "VARBINARY({length})"),
            Self::Bytes => f.write_str("BYTES"),
            Self::Date => f.write_str("DATE"),
            Self::Time(precision) => write!(f, "TIME({precision})"),
            Self::Timestamp(precision) => write!(f, "TIMESTAMP({precision})"),
            Self::TimestampLtz(precision) => write!(f, "TIMESTAMP_LTZ({precision})"),
            Self::IntervalYearMonth => f.write_str("INTERVAL YEAR TO MONTH"),
            Self::IntervalDayTime => f.write_str("INTERVAL DAY TO SECOND(3)"),
            Self::Array(element) => write!(f, "ARRAY<{element}>"),
            Self::Multiset(element) => write!(f, "MULTISET<{element}>"),
            Self::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            Self::Row(fields) => {
                f.write_str("ROW<")?;
                for (position, field) in fields.iter().enumerate() {
                    if position > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "`{}` {}", field.name, field.ty)?;
                }
                f.write_str(">")
            }
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.logical, if self.nullable { "" } else { " NOT NULL" })
    }
}
