//! A function on sample values: a script around it, run as a preview is, in a process with limits.
//!
//! Scalar functions answer beside their arguments, table functions with a row for each of theirs, an aggregate with one
//! row. Values come as text and are cast to the parameter's type; what has parts is written as an SQL expression. Such
//! an expression may be anything: it runs without any of the team's tables.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use millrace_wire::function::{FunctionKind, FunctionSource};
use millrace_wire::ids::FunctionId;
use millrace_wire::link::PreviewAssignment;
use millrace_wire::preview::{PreviewEvent, PreviewRow, RowKind};
use millrace_wire::user_function::{FunctionParameter, FunctionTest, TestFunction, UserFunctionVersion};
use serde_json::Value;

use super::function;
use super::team::DEFAULT_DATABASE;
use crate::access::identity::TeamCaller;
use crate::clock::new_id;
use crate::error::{Error, Result};
use crate::parameter::Filled;
use crate::preview::{MEMORY_MB, Started};
use crate::state::App;

const MOST_ROWS: usize = 100;
const LONGEST_VALUE: usize = 16 * 1024;
const MOST_ANSWERS: u32 = 1_000;
/// A call has its own limit, which is shorter.
const SECONDS: u32 = 20;

pub async fn test(app: &App, caller: &TeamCaller, id: FunctionId, request: TestFunction) -> Result<FunctionTest> {
    let known = function::get(app, &caller.sight(), id).await?;
    let version = match request.version {
        None => known.versions.first(),
        Some(number) => known.versions.iter().find(|version| version.number == number),
    };
    let version = version.ok_or_else(|| Error::not_found("version"))?;
    check(version, &request.rows)?;
    app.limits.preview(caller.caller.user)?;
    let source = function::source(app, version).ok_or_else(|| Error::not_found("version"))?;
    let sql = script(&known.name, version, &request.rows);
    // A macro may call the others.
    let mut functions = function::for_scripts(app, caller.team).await?;
    functions.insert(known.name.clone(), source);
    let began = Instant::now();
    let assignment = assignment(sql.clone(), functions);
    let started = app.previews.start(caller.team, caller.caller.user, Filled::plain(&sql), assignment).await?;
    let (rows, failure) = outcome(app, caller, &started).await?;
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(FunctionTest { sql, columns: started.columns, rows, failure, ms })
}

fn check(version: &UserFunctionVersion, rows: &[Vec<Option<String>>]) -> Result<()> {
    if rows.is_empty() || rows.len() > MOST_ROWS {
        return Err(Error::field("rows", format!("Give 1 to {MOST_ROWS} rows of values.")));
    }
    let wanted = version.parameters.len();
    for (index, row) in rows.iter().enumerate() {
        if row.len() != wanted {
            let given = row.len();
            return Err(Error::field(
                format!("rows[{index}]"),
                format!("It has {given} values; the function takes {wanted}."),
            ));
        }
        if row.iter().flatten().any(|value| value.len() > LONGEST_VALUE) {
            return Err(Error::field(format!("rows[{index}]"), "A value is longer than 16 KB."));
        }
    }
    Ok(())
}

fn assignment(sql: String, functions: BTreeMap<String, FunctionSource>) -> PreviewAssignment {
    PreviewAssignment {
        sql,
        offset: None,
        tables: BTreeMap::new(),
        functions,
        secrets: BTreeMap::new(),
        default_database: DEFAULT_DATABASE.to_owned(),
        max_rows: MOST_ANSWERS,
        max_seconds: SECONDS,
        memory_limit_mb: MEMORY_MB,
        parallelism: 1,
        file_roots: Vec::new(),
        identity: format!("millrace-function-{}", new_id()),
    }
}

/// `SELECT …, f(a, b) AS result FROM (VALUES …) AS t (a, b)`
fn script(name: &str, version: &UserFunctionVersion, rows: &[Vec<Option<String>>]) -> String {
    let names: Vec<String> = version.parameters.iter().map(|parameter| quoted(&parameter.name)).collect();
    let call = format!("{}({})", quoted(name), names.join(", "));
    if names.is_empty() {
        return match version.kind {
            FunctionKind::Table => format!("SELECT * FROM LATERAL TABLE({call})"),
            _ => format!("SELECT {call} AS `result`"),
        };
    }
    let values: Vec<String> = rows.iter().map(|row| format!("  ({})", literals(&version.parameters, row))).collect();
    let from = format!("(VALUES\n{}\n) AS `input` ({})", values.join(",\n"), names.join(", "));
    match version.kind {
        FunctionKind::Aggregate => format!("SELECT {call} AS `result`\nFROM {from}"),
        FunctionKind::Table => format!("SELECT *\nFROM {from}, LATERAL TABLE({call})"),
        FunctionKind::Scalar | FunctionKind::Window => {
            format!("SELECT {}, {call} AS `result`\nFROM {from}", names.join(", "))
        }
    }
}

fn literals(parameters: &[FunctionParameter], row: &[Option<String>]) -> String {
    let values = parameters.iter().zip(row).map(|(parameter, value)| literal(&parameter.data_type, value.as_deref()));
    values.collect::<Vec<_>>().join(", ")
}

fn literal(data_type: &str, value: Option<&str>) -> String {
    match value {
        None => format!("CAST(NULL AS {data_type})"),
        Some(value) if is_written_as_expression(data_type) => format!("CAST({value} AS {data_type})"),
        Some(value) => format!("CAST('{}' AS {data_type})", value.replace('\'', "''")),
    }
}

/// What has parts, bytes and intervals have no form as text.
fn is_written_as_expression(data_type: &str) -> bool {
    let upper = data_type.to_uppercase();
    let kinds = ["ARRAY", "MAP", "ROW", "MULTISET", "BYTES", "BINARY", "VARBINARY", "INTERVAL"];
    kinds.iter().any(|kind| upper.starts_with(kind))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The rows that hold at the end: an aggregate takes back what it said before.
async fn outcome(app: &App, caller: &TeamCaller, started: &Started) -> Result<(Vec<Vec<Value>>, Option<String>)> {
    let mut reader = app.previews.read(caller.team, caller.caller.user, started.id)?;
    let deadline = tokio::time::sleep(Duration::from_secs(u64::from(SECONDS) * 2));
    tokio::pin!(deadline);
    let mut rows = Vec::new();
    loop {
        let event = tokio::select! {
            event = reader.next() => event,
            () = &mut deadline => None,
        };
        let Some((_, json)) = event else {
            return Ok((rows, Some("The test did not end in time.".to_owned())));
        };
        match serde_json::from_str(&json).map_err(Error::internal)? {
            PreviewEvent::Rows { rows: new } => new.into_iter().for_each(|row| apply(&mut rows, row)),
            PreviewEvent::Progress { .. } => {}
            PreviewEvent::End { reason, .. } => {
                return Ok((rows, (reason != "finished").then(|| end_in_words(&reason))));
            }
            PreviewEvent::Failed { diagnostic } => return Ok((rows, Some(diagnostic.message))),
        }
    }
}

fn end_in_words(reason: &str) -> String {
    match reason {
        "row limit" => format!("Only the first {MOST_ANSWERS} rows are shown."),
        "time limit" => format!("The test was ended after {SECONDS} seconds."),
        other => format!("The test was ended: {other}."),
    }
}

fn apply(rows: &mut Vec<Vec<Value>>, row: PreviewRow) {
    match row.kind {
        RowKind::Insert | RowKind::UpdateAfter => rows.push(row.values),
        RowKind::UpdateBefore | RowKind::Delete => {
            if let Some(place) = rows.iter().rposition(|known| *known == row.values) {
                rows.remove(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use millrace_wire::user_function::FunctionLanguage;
    use serde_json::json;

    use super::*;

    fn version(kind: FunctionKind, types: &[&str]) -> UserFunctionVersion {
        let parameters = types.iter().enumerate();
        UserFunctionVersion {
            number: 1,
            kind,
            language: FunctionLanguage::Wasm,
            signature: String::new(),
            parameters: parameters
                .map(|(index, ty)| FunctionParameter { name: format!("a{}", index + 1), data_type: (*ty).to_owned() })
                .collect(),
            definition: None,
            entry: None,
            module_hash: None,
            module_bytes: None,
            created_by: String::new(),
            created_at: 0,
        }
    }

    #[test]
    fn a_script_stands_around_the_function() {
        let rows = [vec![Some("it's".to_owned()), None], vec![Some("x".to_owned()), Some("2".to_owned())]];
        let scalar = script("f", &version(FunctionKind::Scalar, &["STRING", "INT"]), &rows);
        assert_eq!(
            scalar,
            "SELECT `a1`, `a2`, `f`(`a1`, `a2`) AS `result`\nFROM (VALUES\n  (CAST('it''s' AS STRING), CAST(NULL AS \
             INT)),\n  (CAST('x' AS STRING), CAST('2' AS INT))\n) AS `input` (`a1`, `a2`)"
        );
        let one = [vec![Some("ARRAY[1, 2]".to_owned())]];
        let table = script("g", &version(FunctionKind::Table, &["ARRAY<INT>"]), &one);
        assert!(table.contains("(CAST(ARRAY[1, 2] AS ARRAY<INT>))") && table.ends_with("LATERAL TABLE(`g`(`a1`))"));
        let aggregate = script("h", &version(FunctionKind::Aggregate, &["INT"]), &[vec![Some("1".to_owned())]]);
        assert!(aggregate.starts_with("SELECT `h`(`a1`) AS `result`\nFROM (VALUES"));
        assert_eq!(script("now", &version(FunctionKind::Scalar, &[]), &[vec![]]), "SELECT `now`() AS `result`");
    }

    #[test]
    fn rows_have_a_value_for_each_parameter() {
        let two = version(FunctionKind::Scalar, &["INT", "INT"]);
        let value = || Some("1".to_owned());
        assert!(check(&two, &[vec![value(), None]]).is_ok());
        assert!(check(&two, &[]).is_err());
        assert!(check(&two, &[vec![value()]]).is_err());
        assert!(check(&two, &[vec![value(), Some("x".repeat(LONGEST_VALUE + 1))]]).is_err());
        assert!(check(&two, &vec![vec![value(), value()]; MOST_ROWS + 1]).is_err());
    }

    #[test]
    fn what_an_aggregate_takes_back_is_gone() {
        let mut rows = Vec::new();
        let kinds = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter];
        for (kind, value) in kinds.into_iter().zip([1, 1, 3]) {
            apply(&mut rows, PreviewRow { kind, values: vec![json!(value)] });
        }
        assert_eq!(rows, [vec![json!(3)]]);
    }
}
