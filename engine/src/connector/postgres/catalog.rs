//! What PostgreSQL's catalog says about tables, and which declared type holds which of its types.

use super::super::database::{ColumnFacts, Offered, Session, TableFacts, Target, TextRow, push_quoted};
use crate::error::Result;

/// The table as a text that `to_regclass` reads, in quotes.
fn regclass(target: &Target) -> Result<String> {
    let mut out = String::new();
    push_quoted(&target.quoted_table(), &mut out)?;
    Ok(format!("to_regclass({out})"))
}

pub(super) async fn facts(session: &mut Session, target: &Target) -> Result<Option<TableFacts>> {
    let table = regclass(target)?;
    // A domain is read and written as the type below it.
    let columns = session
        .rows(format!(
            "SELECT a.attname, format_type(b.oid, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END), \
             format_type(b.oid, -1), a.attnotnull, col_description(a.attrelid, a.attnum) \
             FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
             WHERE a.attrelid = {table} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        ))
        .await?;
    if columns.is_empty() {
        return Ok(None);
    }
    let column = |row: &TextRow| {
        Ok(ColumnFacts {
            name: row.text(0)?,
            ty: row.text(1)?,
            base: row.text(2)?,
            not_null: row.text(3)?.starts_with('t'),
            comment: row.text(4)?,
        })
    };
    let columns = columns.iter().map(column).collect::<Result<Vec<_>>>()?;
    let indexes = session
        .rows(format!(
            "SELECT i.indexrelid, i.indisprimary, a.attname \
             FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place) \
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number \
             WHERE i.indrelid = {table} AND i.indisunique AND i.indisvalid AND i.indpred IS NULL \
             AND i.indexprs IS NULL AND k.place <= i.indnkeyatts ORDER BY i.indexrelid, k.place"
        ))
        .await?;
    let whole = session.rows(format!("SELECT obj_description({table}, 'pg_class')")).await?;
    let comment = whole.first().map_or(Ok(String::new()), |row| row.text(0))?;
    let (primary_key, unique) = (Vec::new(), Vec::new());
    let mut facts = TableFacts { columns, primary_key, unique, transactional: true, comment };
    let mut last = None;
    for row in &indexes {
        let (index, name) = (row.text(0)?, row.text(2)?);
        if last.as_ref() != Some(&index) {
            facts.unique.push(Vec::new());
            last = Some(index);
        }
        if row.text(1)?.starts_with('t') {
            facts.primary_key.push(name.clone());
        }
        if let Some(unique) = facts.unique.last_mut() {
            unique.push(name);
        }
    }
    Ok(Some(facts))
}

/// Of all schemas but the server's own.
pub(super) async fn offered(session: &mut Session) -> Result<Vec<Offered>> {
    let rows = session
        .rows(
            "SELECT n.nspname, c.relname, c.relkind::text, obj_description(c.oid, 'pg_class') \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
             AND n.nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(n.oid, 'USAGE') \
             AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1, 2 LIMIT 10000",
        )
        .await?;
    rows.iter()
        .map(|row| {
            let is_view = matches!(row.text(2)?.as_str(), "v" | "m");
            Ok(Offered { schema: row.text(0)?, name: row.text(1)?, is_view, comment: row.text(3)? })
        })
        .collect()
}

pub(super) async fn tables(session: &mut Session, target: &Target) -> Result<Vec<String>> {
    let mut schema = String::new();
    push_quoted(target.schema.as_deref().unwrap_or("public"), &mut schema)?;
    let rows = session
        .rows(format!(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1 LIMIT 1000"
        ))
        .await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// `None`: no type holds it; such a column can still be declared as STRING.
pub(super) fn sql_type(ty: &str, base: &str) -> Option<String> {
    if let Some(element) = ty.strip_suffix("[]") {
        let base = base.strip_suffix("[]").unwrap_or(element);
        return Some(format!("ARRAY<{}>", sql_type(element, base)?));
    }
    let precision = |default: u8| digits(ty).first().map_or(default, |digits| u8::try_from(*digits).unwrap_or(default));
    Some(match base {
        "boolean" => "BOOLEAN".to_owned(),
        "smallint" => "SMALLINT".to_owned(),
        "integer" => "INT".to_owned(),
        "bigint" => "BIGINT".to_owned(),
        "oid" => "BIGINT".to_owned(),
        "real" => "FLOAT".to_owned(),
        "double precision" => "DOUBLE".to_owned(),
        "numeric" => decimal(&digits(ty)),
        "money" => "DECIMAL(19, 2)".to_owned(),
        "bytea" => "BYTES".to_owned(),
        "date" => "DATE".to_owned(),
        "time without time zone" => format!("TIME({})", precision(3).min(3)),
        "timestamp without time zone" => format!("TIMESTAMP({})", precision(6)),
        "timestamp with time zone" => format!("TIMESTAMP_LTZ({})", precision(6)),
        "bpchar" | "character" => digits(ty).first().map_or_else(|| "STRING".to_owned(), |n| format!("CHAR({n})")),
        "character varying" => digits(ty).first().map_or_else(|| "STRING".to_owned(), |n| format!("VARCHAR({n})")),
        // json, jsonb, uuid, enums, intervals, networks, ranges and all others by their text.
        _ => "STRING".to_owned(),
    })
}

/// The numbers in the parentheses of a type.
fn digits(ty: &str) -> Vec<i64> {
    let inside = ty.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside);
    inside.into_iter().flat_map(|inside| inside.split(',')).filter_map(|part| part.trim().parse().ok()).collect()
}

/// Without a precision `numeric` holds more than any DECIMAL: half of the digits go behind the point, as in Flink.
fn decimal(digits: &[i64]) -> String {
    match digits {
        [precision @ 1..=38, scale] if (0..=*precision).contains(scale) => format!("DECIMAL({precision}, {scale})"),
        [precision @ 1..=38] => format!("DECIMAL({precision}, 0)"),
        _ => "DECIMAL(38, 18)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::sql_type;

    #[test]
    fn types_of_the_catalog() {
        let of = |ty: &str, base: &str| sql_type(ty, base).unwrap_or_default();
        assert_eq!(of("numeric(10,2)", "numeric"), "DECIMAL(10, 2)");
        assert_eq!(of("numeric", "numeric"), "DECIMAL(38, 18)");
        assert_eq!(of("numeric(5,-2)", "numeric"), "DECIMAL(38, 18)");
        assert_eq!(of("timestamp(3) with time zone", "timestamp with time zone"), "TIMESTAMP_LTZ(3)");
        assert_eq!(of("time(6) without time zone", "time without time zone"), "TIME(3)");
        assert_eq!(of("character varying(20)", "character varying"), "VARCHAR(20)");
        assert_eq!(of("character(3)", "bpchar"), "CHAR(3)");
        assert_eq!(of("integer[]", "integer[]"), "ARRAY<INT>");
        assert_eq!(of("mood", "mood"), "STRING");
    }
}
