//! `postgres`: tables of PostgreSQL, read, written and looked up. What it shares with other databases is in
//! [`super::database`]; here is how PostgreSQL names, quotes and types things.

mod array;
mod catalog;

use arrow::array::ArrayRef;
use async_trait::async_trait;

pub(super) use array::{Item, read_array};

use super::database::{
    ColumnFacts, Dialect, KeyColumn, KeyLiteral, Offered, Plain, Session, TableFacts, Target, hex, plain, push_quoted,
};
use crate::error::Result;
use crate::types::LogicalType;

pub(super) static POSTGRES: Postgres = Postgres;

pub(super) struct Postgres;

#[async_trait]
impl Dialect for Postgres {
    fn title(&self) -> &'static str {
        "PostgreSQL"
    }

    fn port(&self) -> u16 {
        5432
    }

    fn has_schemas(&self) -> bool {
        true
    }

    fn name(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    fn session_settings(&self) -> &'static str {
        "SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex'; \
         SET extra_float_digits = 3; SET standard_conforming_strings = on; SET client_encoding = 'UTF8'; \
         SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET xmlbinary = 'base64'"
    }

    async fn facts(&self, session: &mut Session, target: &Target) -> Result<Option<TableFacts>> {
        catalog::facts(session, target).await
    }

    async fn tables(&self, session: &mut Session, target: &Target) -> Result<Vec<String>> {
        catalog::tables(session, target).await
    }

    async fn offered(&self, session: &mut Session, _target: &Target) -> Result<Vec<Offered>> {
        catalog::offered(session).await
    }

    fn sql_type(&self, column: &ColumnFacts) -> Option<String> {
        catalog::sql_type(&column.ty, &column.base)
    }

    fn supports(&self, ty: &LogicalType) -> bool {
        match ty {
            LogicalType::Array(element) => self.supports(&element.logical),
            ty => super::database::is_scalar(ty),
        }
    }

    fn read(&self, column: &ColumnFacts, ty: &LogicalType) -> String {
        let name = self.name(&column.name);
        match column.base.as_str() {
            "money" if ty.is_numeric() => format!("{name}::numeric"),
            _ => name,
        }
    }

    fn key(&self, column: &ColumnFacts) -> KeyColumn {
        let name = self.name(&column.name);
        KeyColumn { select: name.clone(), order: name, literal: KeyLiteral::Text(Some(column.base.clone())) }
    }

    fn row_hash(&self, _facts: &TableFacts) -> String {
        "md5(t::text)".to_owned()
    }

    fn after(&self, keys: &[KeyColumn], values: &[String]) -> Result<String> {
        let names: Vec<&str> = keys.iter().map(|key| key.order.as_str()).collect();
        let values = keys.iter().zip(values).map(|(key, value)| key.literal(value)).collect::<Result<Vec<_>>>()?;
        Ok(format!("({}) > ({})", names.join(", "), values.join(", ")))
    }

    fn literal(&self, array: &ArrayRef, row: usize, out: &mut String) -> Result<()> {
        match plain(array, row)? {
            // Texts without a type take that of the column.
            Plain::Boolean(value) => out.push_str(if value { "true" } else { "false" }),
            other => push_quoted(&text(other)?, out)?,
        }
        Ok(())
    }

    fn comparable(&self, column: &ColumnFacts, array: &ArrayRef, row: usize, out: &mut String) -> Result<()> {
        push_quoted(&text(plain(array, row)?)?, out)?;
        out.push_str("::");
        out.push_str(&column.base);
        Ok(())
    }

    fn same_equality(&self, column: &ColumnFacts, ty: &LogicalType) -> bool {
        match column.base.as_str() {
            "smallint" | "integer" | "bigint" => ty.is_integer(),
            "date" => *ty == LogicalType::Date,
            _ => false,
        }
    }

    fn is_plain_text(&self, column: &ColumnFacts) -> bool {
        matches!(column.base.as_str(), "text" | "character varying")
    }

    fn bytes_literal(&self, bytes: &[u8]) -> String {
        format!("'\\x{}'", hex(bytes))
    }

    fn on_conflict(&self, key: &[String], others: &[String]) -> String {
        let names = |names: &[String]| names.iter().map(|name| self.name(name)).collect::<Vec<_>>().join(", ");
        if others.is_empty() {
            return format!(" ON CONFLICT ({}) DO NOTHING", names(key));
        }
        let set = others.iter().map(|name| format!("{0} = EXCLUDED.{0}", self.name(name)));
        format!(" ON CONFLICT ({}) DO UPDATE SET {}", names(key), set.collect::<Vec<_>>().join(", "))
    }

    fn declared(&self, ty: &LogicalType, _keyed: bool) -> Option<String> {
        declared(ty)
    }

    fn own_types(&self) -> (&'static str, &'static str) {
        ("varchar(200)", "bytea")
    }
}

/// The type of a column that holds all values of the type.
fn declared(ty: &LogicalType) -> Option<String> {
    Some(match ty {
        LogicalType::Boolean => "boolean".to_owned(),
        LogicalType::TinyInt | LogicalType::SmallInt => "smallint".to_owned(),
        LogicalType::Int => "integer".to_owned(),
        LogicalType::BigInt => "bigint".to_owned(),
        LogicalType::Float => "real".to_owned(),
        LogicalType::Double => "double precision".to_owned(),
        LogicalType::Decimal { precision, scale } => format!("numeric({precision}, {scale})"),
        LogicalType::Char(length) => format!("char({length})"),
        LogicalType::VarChar(length) => format!("varchar({length})"),
        LogicalType::String => "text".to_owned(),
        LogicalType::Binary(_) | LogicalType::VarBinary(_) | LogicalType::Bytes => "bytea".to_owned(),
        LogicalType::Date => "date".to_owned(),
        LogicalType::Time(precision) => format!("time({})", precision.min(&6)),
        LogicalType::Timestamp(precision) => format!("timestamp({})", precision.min(&6)),
        LogicalType::TimestampLtz(precision) => format!("timestamptz({})", precision.min(&6)),
        LogicalType::Array(element) => format!("{}[]", declared(&element.logical)?),
        _ => return None,
    })
}

/// The input text of a value.
fn text(value: Plain) -> Result<String> {
    Ok(match value {
        Plain::Boolean(value) => value.to_string(),
        Plain::Integer(value) => value.to_string(),
        Plain::Double(value) => float(value.to_string()),
        Plain::Float(value) => float(value.to_string()),
        Plain::Decimal(text) | Plain::Text(text) | Plain::Time(text) => text,
        Plain::Timestamp { text, zoned } => text + if zoned { "+00" } else { "" },
        Plain::Bytes(bytes) => format!("\\x{}", hex(&bytes)),
        Plain::List(items) => {
            let mut out = String::new();
            array::write_array(&items, &mut out)?;
            out
        }
    })
}

fn float(text: String) -> String {
    match text.as_str() {
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        _ => text,
    }
}
