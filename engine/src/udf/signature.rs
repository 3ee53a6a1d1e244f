//! The signatures that `arrow-udf` writes into a module: `gcd(int32,int32)->int32`, `split(string)->>string`.

use std::collections::BTreeMap;
use std::fmt;

use crate::types::{Field, LogicalType, Type};

/// Arguments of one function, and levels of one type.
const MOST_ARGUMENTS: usize = 64;
const MOST_LEVELS: usize = 8;

/// Scale of a number that a function gives as `decimal`: what Flink takes for one that has none.
pub(super) const DECIMAL: LogicalType = LogicalType::Decimal { precision: 38, scale: 18 };

/// A type as it crosses into a module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AbiType {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Date,
    /// Microseconds of the day.
    Time,
    /// Microseconds, without a zone.
    Timestamp,
    /// A number as text.
    Decimal,
    /// JSON as text.
    Json,
    Text,
    LargeText,
    Binary,
    LargeBinary,
    Array(Box<AbiType>),
    Struct(Vec<(String, AbiType)>),
}

/// One function as its module names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) arguments: Vec<AbiType>,
    pub(crate) result: AbiType,
    /// Gives rows.
    pub(crate) table: bool,
}

/// Named structs of a module: `KeyValue` → `key:string,value:string`.
pub(super) type Structs = BTreeMap<String, String>;

impl Signature {
    /// Reads what stands in an export, or what a user wrote.
    pub(super) fn parse(text: &str, structs: &Structs) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no signature like gcd(int32,int32)->int32");
        let (head, rest) = text.split_once('(').ok_or_else(wrong)?;
        let (arguments, result) = rest.split_once(")->").ok_or_else(wrong)?;
        let name = head.trim();
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(wrong());
        }
        let (table, result) = match result.strip_prefix('>') {
            Some(result) => (true, result),
            None => (false, result),
        };
        let mut types = Vec::new();
        for argument in split(arguments) {
            types.push(AbiType::parse(argument, structs, 0)?);
        }
        if types.len() > MOST_ARGUMENTS {
            return Err(format!("'{name}' has more than {MOST_ARGUMENTS} arguments"));
        }
        Ok(Signature { name: name.to_owned(), arguments: types, result: AbiType::parse(result, structs, 0)?, table })
    }
}

impl AbiType {
    fn parse(text: &str, structs: &Structs, level: usize) -> Result<Self, String> {
        let text = text.trim();
        if level > MOST_LEVELS {
            return Err(format!("a type is nested deeper than {MOST_LEVELS} levels"));
        }
        if let Some(element) = text.strip_suffix("[]") {
            return Ok(Self::Array(Box::new(Self::parse(element, structs, level + 1)?)));
        }
        if let Some(fields) = text.strip_prefix("struct<").and_then(|rest| rest.strip_suffix('>')) {
            return Self::fields(fields, structs, level);
        }
        if let Some(name) = text.strip_prefix("struct ") {
            let fields =
                structs.get(name.trim()).ok_or_else(|| format!("the module has no struct '{}'", name.trim()))?;
            return Self::fields(fields, structs, level);
        }
        Ok(match text {
            "boolean" | "bool" => Self::Boolean,
            "int8" => Self::Int8,
            "int16" | "smallint" => Self::Int16,
            "int32" | "int" | "integer" => Self::Int32,
            "int64" | "bigint" => Self::Int64,
            "float32" | "real" => Self::Float32,
            "float64" | "double precision" => Self::Float64,
            "date32" | "date" => Self::Date,
            "time64" | "time" => Self::Time,
            "timestamp" => Self::Timestamp,
            "decimal" | "numeric" => Self::Decimal,
            "json" | "jsonb" => Self::Json,
            "string" | "varchar" => Self::Text,
            "largestring" => Self::LargeText,
            "binary" | "bytea" => Self::Binary,
            "largebinary" => Self::LargeBinary,
            "uint8" | "uint16" | "uint32" | "uint64" => {
                return Err(format!("the type {text} has no counterpart in SQL: take a signed one"));
            }
            "null" => return Err("a function that gives nothing cannot be called".to_owned()),
            other => return Err(format!("the type '{other}' is not supported")),
        })
    }

    fn fields(text: &str, structs: &Structs, level: usize) -> Result<Self, String> {
        let mut fields = Vec::new();
        for field in split(text) {
            let (name, ty) = field.split_once(':').ok_or_else(|| format!("'{field}' is no field of a struct"))?;
            fields.push((name.trim().to_owned(), Self::parse(ty, structs, level + 1)?));
        }
        if fields.is_empty() {
            return Err("a struct has no fields".to_owned());
        }
        Ok(Self::Struct(fields))
    }

    /// The type that SQL has for it.
    pub(crate) fn logical(&self) -> LogicalType {
        match self {
            Self::Boolean => LogicalType::Boolean,
            Self::Int8 => LogicalType::TinyInt,
            Self::Int16 => LogicalType::SmallInt,
            Self::Int32 => LogicalType::Int,
            Self::Int64 => LogicalType::BigInt,
            Self::Float32 => LogicalType::Float,
            Self::Float64 => LogicalType::Double,
            Self::Date => LogicalType::Date,
            Self::Time => LogicalType::Time(3),
            Self::Timestamp => LogicalType::Timestamp(6),
            Self::Decimal => DECIMAL,
            Self::Json | Self::Text | Self::LargeText => LogicalType::String,
            Self::Binary | Self::LargeBinary => LogicalType::Bytes,
            Self::Array(element) => LogicalType::Array(Box::new(Type::nullable(element.logical()))),
            Self::Struct(fields) => LogicalType::Row(
                fields.iter().map(|(name, ty)| Field::new(name, Type::nullable(ty.logical()))).collect(),
            ),
        }
    }
}

/// At the commas that are in no `<…>`.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut open, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '<' => open += 1,
            '>' => open = open.saturating_sub(1),
            ',' if open == 0 => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..).filter(|last| !last.trim().is_empty() || start > 0));
    parts
}

impl fmt::Display for AbiType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Int8 => f.write_str("int8"),
            Self::Int16 => f.write_str("int16"),
            Self::Int32 => f.write_str("int32"),
            Self::Int64 => f.write_str("int64"),
            Self::Float32 => f.write_str("float32"),
            Self::Float64 => f.write_str("float64"),
            Self::Date => f.write_str("date32"),
            Self::Time => f.write_str("time64"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Decimal => f.write_str("decimal"),
            Self::Json => f.write_str("json"),
            Self::Text => f.write_str("string"),
            Self::LargeText => f.write_str("largestring"),
            Self::Binary => f.write_str("binary"),
            Self::LargeBinary => f.write_str("largebinary"),
            Self::Array(element) => write!(f, "{element}[]"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (position, (name, ty)) in fields.iter().enumerate() {
                    write!(f, "{}{name}:{ty}", if position > 0 { "," } else { "" })?;
                }
                f.write_str(">")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Result<Signature, String> {
        let structs = [("KeyValue".to_owned(), "key:string,value:int32[]".to_owned())].into_iter().collect();
        Signature::parse(text, &structs)
    }

    #[test]
    fn what_the_macro_writes_is_read() {
        let gcd = read("gcd(int32,int32)->int32").unwrap();
        assert_eq!((gcd.name.as_str(), gcd.arguments.len(), gcd.table), ("gcd", 2, false));
        let none = read("state()->binary").unwrap();
        assert_eq!((none.arguments, none.result), (vec![], AbiType::Binary));
        let table = read("split(string)->>struct KeyValue").unwrap();
        assert!(table.table);
        assert_eq!(table.result.to_string(), "struct<key:string,value:int32[]>");
        assert_eq!(table.result.logical().to_string(), "ROW<`key` STRING, `value` ARRAY<INT>>");
        let nested = read("f(struct<a:int64,b:struct<c:decimal>>,float64[])->timestamp").unwrap();
        assert_eq!(nested.arguments.len(), 2);
        assert_eq!(nested.arguments[0].to_string(), "struct<a:int64,b:struct<c:decimal>>");
    }

    #[test]
    fn what_has_no_meaning_is_refused_by_name() {
        for (text, told) in [
            ("gcd", "is no signature"),
            ("(int32)->int32", "is no signature"),
            ("f(int32)", "is no signature"),
            ("f(uint32)->int32", "uint32"),
            ("f(int32)->null", "gives nothing"),
            ("f(int32,)->int32", "''"),
            ("f(interval)->int32", "'interval'"),
            ("f(struct Other)->int32", "no struct 'Other'"),
            ("f(struct<>)->int32", "no fields"),
            (&format!("f(int32{})->int32", "[]".repeat(100)), "deeper"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
