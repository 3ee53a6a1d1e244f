//! `mysql`: tables of MySQL and MariaDB, read, written and looked up. What it shares with other databases is in
//! [`super::database`]; here is how MySQL names, quotes and types things.
//!
//! Zero dates (`0000-00-00`) are read as NULL. A row is replaced by any unique key that it meets, not only the primary
//! one: that is how `ON DUPLICATE KEY` works.

mod catalog;

use arrow::array::ArrayRef;
use async_trait::async_trait;

use super::database::{
    ColumnFacts, Dialect, KeyColumn, KeyLiteral, Offered, Plain, Session, TableFacts, Target, hex, is_scalar, plain,
    push_quoted,
};
use crate::error::{EngineError, Result};
use crate::types::LogicalType;

pub(super) static MYSQL: MySql = MySql;

/// Characters of a text in a key.
const LONGEST_KEY: u32 = 255;

pub(super) struct MySql;

#[async_trait]
impl Dialect for MySql {
    fn title(&self) -> &'static str {
        "MySQL"
    }

    fn port(&self) -> u16 {
        3306
    }

    fn has_schemas(&self) -> bool {
        false
    }

    fn name(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    /// Strict, so that no value is cut silently; a backslash in a text means itself. A reader that is slow must not lose
    /// its connection.
    fn session_settings(&self) -> &'static str {
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES,NO_ENGINE_SUBSTITUTION', \
         time_zone = '+00:00', net_write_timeout = 86400, wait_timeout = 86400"
    }

    async fn facts(&self, session: &mut Session, target: &Target) -> Result<Option<TableFacts>> {
        catalog::facts(session, target).await
    }

    async fn tables(&self, session: &mut Session, target: &Target) -> Result<Vec<String>> {
        catalog::tables(session, target).await
    }

    async fn offered(&self, session: &mut Session, target: &Target) -> Result<Vec<Offered>> {
        catalog::offered(session, target).await
    }

    fn sql_type(&self, column: &ColumnFacts) -> Option<String> {
        catalog::sql_type(&column.ty, &column.base)
    }

    fn supports(&self, ty: &LogicalType) -> bool {
        is_scalar(ty)
    }

    fn read(&self, column: &ColumnFacts, ty: &LogicalType) -> String {
        let name = self.name(&column.name);
        match column.base.as_str() {
            // The text of a FLOAT has six digits only; as a DOUBLE it is shown as it is.
            "float" if matches!(ty, LogicalType::Float | LogicalType::Double) => format!("{name} + 0e0"),
            "bit" if !ty.is_binary() => format!("{name} + 0"),
            _ => name,
        }
    }

    fn key(&self, column: &ColumnFacts) -> KeyColumn {
        let name = self.name(&column.name);
        let key = |select: String, order: String, literal: KeyLiteral| KeyColumn { select, order, literal };
        match column.base.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" | "double" => {
                key(name.clone(), name, KeyLiteral::Number)
            }
            "bit" => key(format!("{name} + 0"), name, KeyLiteral::Number),
            "float" => key(format!("{name} + 0e0"), format!("{name} + 0e0"), KeyLiteral::Number),
            // These are ordered by number and compared by text: ordered by text they agree.
            "enum" | "set" => {
                let text = format!("CAST({name} AS CHAR)");
                key(text.clone(), text, KeyLiteral::Text(None))
            }
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
                key(format!("HEX({name})"), name, KeyLiteral::Hex)
            }
            _ => key(name.clone(), name, KeyLiteral::Text(None)),
        }
    }

    fn row_hash(&self, facts: &TableFacts) -> String {
        // HEX makes no difference between a number and its text; within a column all are of one type.
        let value = |column: &ColumnFacts| {
            let name = self.name(&column.name);
            match column.base.as_str() {
                "float" | "double" => format!("COALESCE(CAST({name} + 0e0 AS CHAR), '-')"),
                _ => format!("COALESCE(HEX(CONCAT({name})), '-')"),
            }
        };
        let values: Vec<String> = facts.columns.iter().map(value).collect();
        format!("MD5(CONCAT_WS(',', {}))", values.join(", "))
    }

    /// Row values are compared without the index here; the long form uses it.
    fn after(&self, keys: &[KeyColumn], values: &[String]) -> Result<String> {
        let literals = keys.iter().zip(values).map(|(key, value)| key.literal(value)).collect::<Result<Vec<_>>>()?;
        let mut ways = Vec::new();
        for (position, (key, literal)) in keys.iter().zip(&literals).enumerate() {
            let equal = keys.iter().zip(&literals).take(position);
            let equal = equal.map(|(key, literal)| format!("{} = {literal}", key.order));
            let parts: Vec<String> = equal.chain([format!("{} > {literal}", key.order)]).collect();
            ways.push(format!("({})", parts.join(" AND ")));
        }
        Ok(format!("({})", ways.join(" OR ")))
    }

    fn literal(&self, array: &ArrayRef, row: usize, out: &mut String) -> Result<()> {
        match plain(array, row)? {
            Plain::Boolean(value) => out.push(if value { '1' } else { '0' }),
            Plain::Integer(value) => out.push_str(&value.to_string()),
            Plain::Decimal(text) => out.push_str(&text),
            Plain::Double(value) => push_float(value.is_finite(), format!("{value:e}"), out)?,
            Plain::Float(value) => push_float(value.is_finite(), format!("{value:e}"), out)?,
            Plain::Text(text) | Plain::Time(text) | Plain::Timestamp { text, .. } => push_quoted(&text, out)?,
            Plain::Bytes(bytes) => out.push_str(&self.bytes_literal(&bytes)),
            Plain::List(_) => return Err(EngineError::user("bad_column", "MySQL has no arrays.")),
        }
        Ok(())
    }

    fn comparable(&self, _column: &ColumnFacts, array: &ArrayRef, row: usize, out: &mut String) -> Result<()> {
        self.literal(array, row, out)
    }

    fn same_equality(&self, column: &ColumnFacts, ty: &LogicalType) -> bool {
        match column.base.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => ty.is_integer(),
            "date" => *ty == LogicalType::Date,
            _ => false,
        }
    }

    fn is_plain_text(&self, column: &ColumnFacts) -> bool {
        matches!(column.base.as_str(), "varchar" | "tinytext" | "text" | "mediumtext" | "longtext")
    }

    fn bytes_literal(&self, bytes: &[u8]) -> String {
        format!("X'{}'", hex(bytes))
    }

    fn on_conflict(&self, key: &[String], others: &[String]) -> String {
        // With nothing else to set, the key is set to itself.
        let set = if others.is_empty() { key } else { others };
        let set: Vec<String> = set.iter().map(|name| format!("{0} = VALUES({0})", self.name(name))).collect();
        format!(" ON DUPLICATE KEY UPDATE {}", set.join(", "))
    }

    fn declared(&self, ty: &LogicalType, keyed: bool) -> Option<String> {
        Some(match ty {
            LogicalType::Boolean => "tinyint(1)".to_owned(),
            LogicalType::TinyInt => "tinyint".to_owned(),
            LogicalType::SmallInt => "smallint".to_owned(),
            LogicalType::Int => "int".to_owned(),
            LogicalType::BigInt => "bigint".to_owned(),
            LogicalType::Float => "float".to_owned(),
            LogicalType::Double => "double".to_owned(),
            LogicalType::Decimal { precision, scale } => format!("decimal({precision}, {scale})"),
            LogicalType::Char(length) if *length <= 255 => format!("char({length})"),
            LogicalType::VarChar(length) if *length <= LONGEST_KEY => format!("varchar({length})"),
            // A key has to have an end; what is longer than this the server refuses.
            LogicalType::Char(_) | LogicalType::VarChar(_) | LogicalType::String if keyed => {
                format!("varchar({LONGEST_KEY})")
            }
            LogicalType::Char(_) | LogicalType::VarChar(_) | LogicalType::String => "longtext".to_owned(),
            LogicalType::Binary(_) | LogicalType::VarBinary(_) | LogicalType::Bytes if keyed => {
                format!("varbinary({LONGEST_KEY})")
            }
            LogicalType::Binary(_) | LogicalType::VarBinary(_) | LogicalType::Bytes => "longblob".to_owned(),
            LogicalType::Date => "date".to_owned(),
            LogicalType::Time(precision) => format!("time({})", precision.min(&6)),
            LogicalType::Timestamp(precision) => format!("datetime({})", precision.min(&6)),
            LogicalType::TimestampLtz(precision) => format!("datetime({})", precision.min(&6)),
            _ => return None,
        })
    }

    fn own_types(&self) -> (&'static str, &'static str) {
        ("varchar(200) CHARACTER SET ascii COLLATE ascii_bin", "longblob")
    }
}

fn push_float(finite: bool, text: String, out: &mut String) -> Result<()> {
    if !finite {
        return Err(EngineError::user("bad_value", "MySQL has no NaN and no infinity."));
    }
    out.push_str(&text);
    Ok(())
}
