//! What the catalog of MySQL and MariaDB says about tables, and which declared type holds which of its types.

use super::super::database::{ColumnFacts, Offered, Session, TableFacts, Target, TextRow, push_quoted};
use crate::error::Result;

pub(super) async fn facts(session: &mut Session, target: &Target) -> Result<Option<TableFacts>> {
    let (mut database, mut table) = (String::new(), String::new());
    push_quoted(&target.database, &mut database)?;
    push_quoted(&target.table, &mut table)?;
    let here = format!("TABLE_SCHEMA = {database} AND TABLE_NAME = {table}");
    let columns = session
        .rows(format!(
            "SELECT COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, IS_NULLABLE, COLUMN_COMMENT \
             FROM information_schema.COLUMNS WHERE {here} ORDER BY ORDINAL_POSITION"
        ))
        .await?;
    if columns.is_empty() {
        return Ok(None);
    }
    let column = |row: &TextRow| {
        Ok(ColumnFacts {
            name: row.text(0)?,
            ty: row.text(1)?.to_ascii_lowercase(),
            base: row.text(2)?.to_ascii_lowercase(),
            not_null: row.text(3)? == "NO",
            comment: row.text(4)?,
        })
    };
    let columns = columns.iter().map(column).collect::<Result<Vec<_>>>()?;
    let whole = session
        .rows(format!("SELECT ENGINE, TABLE_TYPE, TABLE_COMMENT FROM information_schema.TABLES WHERE {here}"))
        .await?;
    let text = |column: usize| whole.first().map_or(Ok(String::new()), |row| row.text(column));
    // The comment of a view is the word VIEW.
    let comment = if text(1)? == "BASE TABLE" { text(2)? } else { String::new() };
    let engine = text(0)?;
    let indexes = session
        .rows(format!(
            "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS \
             WHERE {here} AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX"
        ))
        .await?;
    let mut facts = TableFacts {
        columns,
        primary_key: Vec::new(),
        unique: Vec::new(),
        comment,
        transactional: ["innodb", "rocksdb", "tokudb", "ndbcluster"].contains(&engine.to_ascii_lowercase().as_str()),
    };
    let mut last = None;
    for row in &indexes {
        let (index, name) = (row.text(0)?, row.text(1)?);
        // A part of a column, or an expression: what it makes unique has no name.
        let name = if name.is_empty() || row.value(2)?.is_some() { String::new() } else { name };
        if last.as_ref() != Some(&index) {
            facts.unique.push(Vec::new());
        }
        if index == "PRIMARY" {
            facts.primary_key.push(name.clone());
        }
        if let Some(unique) = facts.unique.last_mut() {
            unique.push(name);
        }
        last = Some(index);
    }
    if facts.primary_key.iter().any(String::is_empty) {
        facts.primary_key.clear();
    }
    Ok(Some(facts))
}

/// Of the database that the connection is to.
pub(super) async fn offered(session: &mut Session, target: &Target) -> Result<Vec<Offered>> {
    let mut database = String::new();
    push_quoted(&target.database, &mut database)?;
    let rows = session
        .rows(format!(
            "SELECT TABLE_NAME, TABLE_TYPE, TABLE_COMMENT FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = {database} ORDER BY 1 LIMIT 10000"
        ))
        .await?;
    rows.iter()
        .map(|row| {
            let is_view = row.text(1)? != "BASE TABLE";
            let comment = if is_view { String::new() } else { row.text(2)? };
            Ok(Offered { schema: String::new(), name: row.text(0)?, is_view, comment })
        })
        .collect()
}

pub(super) async fn tables(session: &mut Session, target: &Target) -> Result<Vec<String>> {
    let mut database = String::new();
    push_quoted(&target.database, &mut database)?;
    let rows = session
        .rows(format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {database} ORDER BY 1 LIMIT 1000"
        ))
        .await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// `None`: no type holds it.
pub(super) fn sql_type(ty: &str, base: &str) -> Option<String> {
    let unsigned = ty.contains("unsigned");
    let numbers = numbers(ty);
    let first = numbers.first().copied();
    let plain = match base {
        "tinyint" if first == Some(1) && !unsigned => "BOOLEAN",
        "tinyint" if unsigned => "SMALLINT",
        "tinyint" => "TINYINT",
        "smallint" if unsigned => "INT",
        "smallint" | "year" => "SMALLINT",
        "mediumint" => "INT",
        "int" if unsigned => "BIGINT",
        "int" => "INT",
        "bigint" if unsigned => "DECIMAL(20, 0)",
        "bigint" => "BIGINT",
        "bit" if first.unwrap_or(1) == 1 => "BOOLEAN",
        "bit" if first == Some(64) => "DECIMAL(20, 0)",
        "bit" => "BIGINT",
        "float" => "FLOAT",
        "double" => "DOUBLE",
        "date" => "DATE",
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => "BYTES",
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => "BYTES",
        _ => return sized(base, &numbers),
    };
    Some(plain.to_owned())
}

fn sized(base: &str, numbers: &[i64]) -> Option<String> {
    let first = numbers.first().copied();
    Some(match base {
        "decimal" => match numbers {
            [precision @ 1..=38, scale] => format!("DECIMAL({precision}, {scale})"),
            // MySQL has up to 65 digits: text keeps them all.
            _ => "STRING".to_owned(),
        },
        "time" => format!("TIME({})", first.unwrap_or(0).min(3)),
        "datetime" => format!("TIMESTAMP({})", first.unwrap_or(0)),
        "timestamp" => format!("TIMESTAMP_LTZ({})", first.unwrap_or(0)),
        "char" => first.map_or_else(|| "STRING".to_owned(), |length| format!("CHAR({length})")),
        "varchar" => first.map_or_else(|| "STRING".to_owned(), |length| format!("VARCHAR({length})")),
        // Texts, json, enum, set, uuid and addresses by their text.
        _ => "STRING".to_owned(),
    })
}

/// The numbers in the parentheses of a type.
fn numbers(ty: &str) -> Vec<i64> {
    let inside = ty.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside);
    inside.into_iter().flat_map(|inside| inside.split(',')).filter_map(|part| part.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::sql_type;

    #[test]
    fn types_of_the_catalog() {
        let of = |ty: &str, base: &str| sql_type(ty, base).unwrap_or_default();
        assert_eq!(of("tinyint(1)", "tinyint"), "BOOLEAN");
        assert_eq!(of("tinyint(3) unsigned", "tinyint"), "SMALLINT");
        assert_eq!(of("bigint(20) unsigned", "bigint"), "DECIMAL(20, 0)");
        assert_eq!(of("decimal(10,2)", "decimal"), "DECIMAL(10, 2)");
        assert_eq!(of("decimal(65,30)", "decimal"), "STRING");
        assert_eq!(of("datetime(6)", "datetime"), "TIMESTAMP(6)");
        assert_eq!(of("timestamp", "timestamp"), "TIMESTAMP_LTZ(0)");
        assert_eq!(of("enum('a','b')", "enum"), "STRING");
        assert_eq!(of("bit(1)", "bit"), "BOOLEAN");
        assert_eq!(of("longtext", "longtext"), "STRING");
    }
}
