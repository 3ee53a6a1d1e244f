//! The peer: the same tables and query in SQLite.

use std::sync::OnceLock;

use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row, TypeInfo, ValueRef};

use super::data::Table;

/// The rows of the query as JSON arrays, sorted.
pub(crate) fn answer(tables: &[Table], sql: &str) -> Vec<String> {
    runtime().block_on(async {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for table in tables {
            let create = format!("CREATE TABLE {} (id BIGINT, a BIGINT, b BIGINT, c TEXT)", table.name);
            sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut database).await.unwrap();
            for row in &table.rows {
                let insert = format!("INSERT INTO {} VALUES ({})", table.name, row.each_ref().map(literal).join(", "));
                sqlx::query(sqlx::AssertSqlSafe(insert)).execute(&mut database).await.unwrap();
            }
        }
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&mut database).await;
        let rows = rows.unwrap_or_else(|error| panic!("SQLite: {error}\n{sql}"));
        let mut lines: Vec<String> = rows.iter().map(|row| Value::Array(values(row)).to_string()).collect();
        lines.sort();
        lines
    })
}

fn values(row: &SqliteRow) -> Vec<Value> {
    let value = |column: usize| match row.try_get_raw(column).unwrap() {
        raw if raw.is_null() => Value::Null,
        raw if raw.type_info().name() == "TEXT" => json!(row.get::<String, _>(column)),
        _ => json!(row.get::<i64, _>(column)),
    };
    (0..row.len()).map(value).collect()
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
}
