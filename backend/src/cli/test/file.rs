//! Files of tests: TOML with the tables and the script as text, rows as lines of JSON.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use millrace_wire::job_test::{ExpectedSink, RowOrder, TestDraft, TestInput};
use millrace_wire::preview::RowKind;
use millrace_wire::test_run::{ResultView, SuppliedRow};
use serde::Deserialize;
use serde_json::Value;

use crate::engine::CatalogText;

pub(super) struct TestFile {
    pub(super) sql: String,
    /// What stands before the script in `sql`.
    pub(super) lines_before: u32,
    pub(super) catalog: CatalogText,
    pub(super) tests: Vec<TestDraft>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// `CREATE TABLE` statements; a script may also make its own.
    #[serde(default)]
    tables: String,
    sql: Option<String>,
    /// Beside this file.
    sql_file: Option<String>,
    #[serde(default)]
    tests: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    name: String,
    parallelism: Option<u32>,
    /// Lines of JSON by table.
    #[serde(default)]
    inputs: BTreeMap<String, String>,
    expected: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    view: Option<ResultView>,
    order: Option<RowOrder>,
    #[serde(default)]
    float_tolerance: f64,
    #[serde(default)]
    ignore: Vec<String>,
    rows: String,
}

impl TestFile {
    pub(super) fn read(path: &Path) -> anyhow::Result<TestFile> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let script = |name: &str| {
            let script = path.parent().unwrap_or(Path::new("")).join(name);
            std::fs::read_to_string(&script).with_context(|| format!("{} cannot be read", script.display()))
        };
        Self::parse(&text, script).with_context(|| path.display().to_string())
    }

    /// `script` reads the file that `sql_file` names.
    fn parse(text: &str, script: impl Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<TestFile> {
        let content: Content = toml::from_str(text)?;
        let script = match (content.sql, content.sql_file) {
            (Some(sql), None) => sql,
            (None, Some(name)) => script(&name)?,
            _ => bail!("give the script as sql, or the name of its file as sql_file"),
        };
        if content.tests.is_empty() {
            bail!("there are no [[tests]]");
        }
        let before = format!("{}\n", content.tables.trim_end());
        let lines_before = u32::try_from(before.matches('\n').count()).unwrap_or(0);
        Ok(TestFile {
            sql: format!("{before}{script}"),
            lines_before,
            catalog: CatalogText { default_database: "main".to_owned(), ..CatalogText::default() },
            tests: content.tests.into_iter().map(Test::draft).collect::<anyhow::Result<_>>()?,
        })
    }
}

impl Test {
    fn draft(self) -> anyhow::Result<TestDraft> {
        let name = self.name;
        let place = |table: &str| format!("test '{name}', table {table}");
        let inputs = self.inputs.into_iter().map(|(table, lines)| {
            let rows = rows(&lines).with_context(|| place(&table))?;
            Ok(TestInput { table, rows })
        });
        let inputs = inputs.collect::<anyhow::Result<_>>()?;
        let expected = self.expected.into_iter().map(|(table, expected)| {
            let rows = rows(&expected.rows).with_context(|| place(&table))?;
            Ok(ExpectedSink {
                table,
                view: expected.view.unwrap_or(ResultView::State),
                order: expected.order.unwrap_or(RowOrder::Any),
                float_tolerance: expected.float_tolerance,
                ignore: expected.ignore,
                rows,
            })
        });
        let expected = expected.collect::<anyhow::Result<_>>()?;
        Ok(TestDraft { expected, inputs, parallelism: self.parallelism.unwrap_or(1), name })
    }
}

/// One row per line that is not blank: `{"id": 1}`, or `-U {"id": 1}` with the kind of change before it.
fn rows(lines: &str) -> anyhow::Result<Vec<SuppliedRow>> {
    let numbered = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    numbered.map(|(number, line)| row(line.trim()).with_context(|| format!("row in line {}", number + 1))).collect()
}

fn row(line: &str) -> anyhow::Result<SuppliedRow> {
    let word = line.get(..2).and_then(|word| word.parse::<RowKind>().ok());
    let json = if word.is_some() { line.get(2..).unwrap_or_default().trim() } else { line };
    let mut values: Value = serde_json::from_str(json)?;
    // Event time beside the columns: {"@at": 0, "id": 1}.
    let at = values.as_object_mut().and_then(|object| object.remove("@at"));
    let at = match at {
        None => None,
        Some(at) => Some(at.as_i64().context("@at is the event time in milliseconds")?),
    };
    Ok(SuppliedRow { kind: word.unwrap_or(RowKind::Insert), at, values })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::json;

    use super::*;

    const FILE: &str = r#"
tables = '''
CREATE TABLE orders (id INT, price DOUBLE) WITH ('connector' = 'kafka');
CREATE TABLE out (n BIGINT) WITH ('connector' = 'kafka')'''
sql_file = "count.sql"

[[tests]]
name = "counts"
[tests.inputs]
orders = '''
{"@at": 5, "id": 1}

+U [2, 0.5]
'''
[tests.expected.out]
view = "changelog"
order = "exact"
rows = '-D {"n": 1}'
"#;

    #[test]
    fn a_file_is_tables_a_script_and_rows() {
        let file = TestFile::parse(FILE, |name| Ok(format!("-- {name}"))).unwrap();
        assert_eq!(file.lines_before, 2);
        assert!(file.sql.ends_with("'kafka')\n-- count.sql"));
        let test = &file.tests[0];
        assert_eq!((test.name.as_str(), test.parallelism), ("counts", 1));
        let rows = &test.inputs[0].rows;
        assert_eq!((rows[0].at, rows[0].kind, &rows[0].values), (Some(5), RowKind::Insert, &json!({"id": 1})));
        assert_eq!((rows[1].kind, &rows[1].values), (RowKind::UpdateAfter, &json!([2, 0.5])));
        let out = &test.expected[0];
        assert_eq!((out.view, out.order, out.rows[0].kind), (ResultView::Changelog, RowOrder::Exact, RowKind::Delete));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let wrong = |text: &str| format!("{:#}", TestFile::parse(text, |_| Ok(String::new())).err().unwrap());
        let broken = FILE.replace("[2, 0.5]", "[2, ");
        assert!(wrong(&broken).starts_with("test 'counts', table orders: row in line 3:"), "{}", wrong(&broken));
        assert_eq!(wrong("sql = ''"), "there are no [[tests]]");
        assert_eq!(wrong("sql = ''\nsql_file = ''"), "give the script as sql, or the name of its file as sql_file");
        assert!(wrong("sqll = ''").contains("sqll"));
    }
}
