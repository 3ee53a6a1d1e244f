//! Binding of whole scripts: what the golden cases say, and rules that they do not show.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use super::*;

/// Cargo runs tests in the folder of their package. A path compiled in would be that of another clone where two share
/// a target directory.
fn golden() -> PathBuf {
    PathBuf::from("tests/golden")
}

/// A case's sections by name; the text on the same line for `about`, `mode` and the like.
struct Case {
    name: String,
    sections: Vec<(String, String)>,
}

impl Case {
    fn read(path: &Path) -> Case {
        const NAMES: &[&str] = &[
            "about",
            "mode",
            "config",
            "tables",
            "input",
            "arrival",
            "query",
            "key",
            "compare",
            "columns",
            "expected",
            "final",
            "expected-error",
        ];
        let text = std::fs::read_to_string(path).unwrap();
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let head = line.strip_prefix("-- ").map(|rest| rest.split_once(' ').unwrap_or((rest, "")));
            match head {
                Some((name, rest)) if NAMES.contains(&name) => sections.push((name.to_owned(), rest.to_owned())),
                _ => {
                    let Some((_, body)) = sections.last_mut() else { continue };
                    if !body.is_empty() {
                        body.push('\n');
                    }
                    body.push_str(line);
                }
            }
        }
        let folder = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        Case { name: format!("{folder}/{}", path.file_stem().unwrap().to_string_lossy()), sections }
    }

    fn section(&self, name: &str) -> Option<&str> {
        self.sections.iter().find(|(known, _)| known == name).map(|(_, body)| body.as_str())
    }

    /// The script, and where the query begins in it.
    fn script(&self) -> (String, usize) {
        let mut script = String::new();
        if self.section("mode") == Some("batch") {
            script.push_str("SET 'execution.runtime-mode' = 'batch';\n");
        }
        let tables = self
            .section("tables")
            .unwrap_or("")
            .replace("${input:", "/tmp/input-")
            .replace("${output:", "/tmp/output-");
        script.push_str(&tables.replace('}', ""));
        script.push('\n');
        let start = script.len();
        script.push_str(self.section("query").unwrap());
        (script, start)
    }
}

fn cases() -> Vec<Case> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in std::fs::read_dir(golden()).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        paths.extend(std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path()));
    }
    paths.sort();
    paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "case"))
        .map(|path| Case::read(path))
        .collect()
}

fn problems(sql: &str) -> Vec<Problem> {
    bind_all(sql, &CatalogText { default_database: "default_database".to_owned(), ..CatalogText::default() }).problems
}

#[test]
fn golden_results_have_the_columns_of_flink_or_are_refused_by_name() {
    let mut wrong = Vec::new();
    let (mut right, mut refused) = (0, 0);
    for case in cases().iter().filter(|case| case.section("columns").is_some()) {
        let (script, _) = case.script();
        let bound = bind_all(
            &script,
            &CatalogText { default_database: "default_database".to_owned(), ..CatalogText::default() },
        );
        if bound.problems.is_empty() {
            let rel = &bound.script.sinks.last().unwrap().query;
            let found: Vec<String> =
                rel.schema.fields.iter().map(|field| format!("{} {}", field.name, field.ty.logical)).collect();
            let expected: Vec<String> = case
                .section("columns")
                .unwrap()
                .lines()
                .map(|line| line.trim_end_matches(" NOT NULL").to_owned())
                .collect();
            if found == expected {
                right += 1;
            } else {
                wrong.push(format!("{}: {found:?} instead of {expected:?}", case.name));
            }
        } else if bound.problems.iter().all(|problem| problem.code == "unsupported") {
            eprintln!(
                "{}: {}",
                case.name,
                bound.problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join(" | ")
            );
            refused += 1;
        } else {
            wrong.push(format!("{}: {:?}", case.name, bound.problems));
        }
    }
    eprintln!("{right} right, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Errors of Flink that are others here, with the reason.
const DIFFERENT: &[(&str, &str)] = &[
    ("errors/insert_outer_join_into_append_sink", "joins are refused as a whole"),
    ("errors/two_statements", "a script may have several statements"),
];

#[test]
fn golden_errors_have_the_category_and_place_of_flink() {
    let mut wrong = Vec::new();
    for case in cases() {
        let Some(error) = case.section("expected-error") else { continue };
        let mut lines = error.lines();
        let category = lines.next().unwrap();
        let position = lines.find_map(|line| line.strip_prefix("position "));
        if category == "runtime" || DIFFERENT.iter().any(|(name, _)| *name == case.name) {
            continue;
        }
        let (script, start) = case.script();
        let index = LineIndex::new(&script[start..]);
        let found: Vec<(String, String)> = problems(&script)
            .iter()
            .map(|problem| {
                let place = problem.span.filter(|span| span.start >= start).map(|span| {
                    let wire = index.wire(Span { start: span.start - start, end: span.end - start });
                    (format!("{}:{}", wire.line, wire.column), format!("{}:{}", wire.end_line, wire.end_column))
                });
                let place = place.map_or(String::new(), |(from, to)| {
                    if position.is_some_and(|position| position.contains('-')) { format!("{from}-{to}") } else { from }
                });
                (problem.code.to_owned(), place)
            })
            .collect();
        let fits =
            found.iter().any(|(code, place)| code == category && position.is_none_or(|position| position == place));
        if !fits {
            wrong.push(format!("{}: {found:?} instead of {category} at {position:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_form_with_hostile_text_gives_errors_at_its_fields_and_never_other_sql() {
    use millrace_wire::table::{Column, ColumnKind, EventTime, TableDraft};
    let column = |name: &str, data_type: &str, kind, source: Option<&str>| Column {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        kind,
        source: source.map(str::to_owned),
        nullable: true,
        comment: "it's\n, a comment".to_owned(),
    };
    let draft = |columns, watermark: &str| TableDraft {
        database: "d".to_owned(),
        name: "t`x".to_owned(),
        comment: String::new(),
        connector: "blackhole".to_owned(),
        connection: None,
        format: None,
        options: std::collections::BTreeMap::new(),
        columns,
        event_time: Some(EventTime { column: "ts".to_owned(), watermark: watermark.to_owned() }),
        primary_key: vec!["id".to_owned()],
    };
    let fields = |draft: &TableDraft| {
        let report = check_table(&write_ddl(draft), &std::collections::BTreeMap::new());
        report.problems.into_iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    let good = || {
        vec![
            column("id", "BIGINT", ColumnKind::Physical, None),
            column("m", "MAP<STRING, ROW<a INT, b INT>>", ColumnKind::Physical, None),
            column("small", "", ColumnKind::Computed, Some("id < 3 -- few")),
            column("ts", "TIMESTAMP(3)", ColumnKind::Physical, None),
        ]
    };
    let right = draft(good(), "ts - INTERVAL '5' SECOND");
    assert_eq!(fields(&right), Vec::<String>::new(), "{}", write_ddl(&right));
    let report = check_table(&write_ddl(&right), &std::collections::BTreeMap::new());
    let types: Vec<&str> = report.resolved.iter().map(|column| column.data_type.as_str()).collect();
    assert_eq!(types, ["BIGINT NOT NULL", "MAP<STRING, ROW<`a` INT, `b` INT>>", "BOOLEAN", "TIMESTAMP(3)"]);

    assert_eq!(fields(&draft(good(), "nope")), ["event_time.watermark"]);
    assert_eq!(fields(&draft(good(), "ts) WITH ('connector'='kafka') --")), ["event_time.watermark"]);
    let mut columns = good();
    columns[0].data_type = "BIGINT) WITH ('connector'='kafka') --".to_owned();
    assert_eq!(fields(&draft(columns, "ts")), ["columns[0].data_type"]);
    let mut columns = good();
    columns[3].data_type = "STRING".to_owned();
    columns[2].source = Some("nope + 1".to_owned());
    assert_eq!(fields(&draft(columns, "ts")), ["columns[2].source", "event_time.column"]);
    let mut columns = good();
    columns[1].name = "id".to_owned();
    columns[1].data_type = String::new();
    assert_eq!(fields(&draft(columns, "ts")), ["columns[1].data_type"]);
    assert_eq!(fields(&TableDraft { primary_key: vec!["nope".to_owned()], ..right.clone() }), ["primary_key"]);
    assert_eq!(fields(&TableDraft { connector: "nope".to_owned(), ..right }), ["connector"]);
}

#[test]
fn a_whole_job_is_validated_with_its_graph() {
    let table =
        |ddl: &str| millrace_wire::link::TableSource { ddl: ddl.to_owned(), hidden_options: Default::default() };
    let tables = [
        (
            "shop.orders",
            "CREATE TABLE orders (id BIGINT, k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json')",
        ),
        (
            "shop.out",
            "CREATE TABLE `out` (k STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '/out', 'format' = 'json')",
        ),
        ("shop.hole", "CREATE TABLE hole (k STRING, n BIGINT) WITH ('connector' = 'blackhole')"),
    ];
    let catalog = CatalogText {
        default_database: "shop".to_owned(),
        tables: tables.into_iter().map(|(name, ddl)| (name.to_owned(), table(ddl))).collect(),
        ..CatalogText::default()
    };
    let windowed = "SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, k";
    let sql = format!("INSERT INTO `out` {windowed};\nINSERT INTO hole SELECT k, id FROM orders WHERE id > 1;");
    let right = validate(&sql, &catalog, 2);
    assert_eq!(right.diagnostics, vec![]);
    let sources =
        right.graph.unwrap().nodes.into_iter().filter(|node| node.table.as_deref() == Some("shop.orders")).count();
    assert_eq!(sources, 1, "a table that two INSERTs read is read once");
    assert!(right.guarantee.is_some());
    assert_eq!(
        (right.reads, right.writes),
        (vec!["shop.orders".to_owned()], vec!["shop.hole".to_owned(), "shop.out".to_owned()])
    );
    assert_eq!(
        right.statements.iter().map(|statement| (statement.kind.as_str(), statement.span.line)).collect::<Vec<_>>(),
        [("insert", 1), ("insert", 2)]
    );

    let wrong = validate(
        "INSERT INTO hole SELECT k, id FROM orders;\nINSERT INTO `out` SELECT k, COUNT(*) FROM orders GROUP BY k",
        &catalog,
        1,
    );
    assert!(wrong.graph.is_none());
    let [diagnostic] = wrong.diagnostics.as_slice() else { panic!("{:?}", wrong.diagnostics) };
    let span = diagnostic.span.as_ref().unwrap();
    assert_eq!((diagnostic.code.as_str(), span.line, span.column), ("sink-changelog", 2, 13));
}

#[test]
fn a_recommended_replacement_repairs_the_script() {
    for (sql, repaired) in [
        ("SELECT ammount FROM (SELECT 1 AS amount)", "SELECT amount FROM (SELECT 1 AS amount)"),
        ("SELECT UPER('a')", "SELECT UPPER('a')"),
        ("SELECT CAST(1 AS BIGNT)", "SELECT CAST(1 AS BIGINT)"),
    ] {
        let found = problems(sql);
        let problem = found.first().unwrap();
        let span = problem.span.unwrap();
        let replacement = problem.replacement.as_deref().unwrap_or_else(|| panic!("{sql}: {problem:?}"));
        assert_eq!(format!("{}{replacement}{}", &sql[..span.start], &sql[span.end..]), repaired);
    }
}

/// Statements that the console's form writes, kept by the console's tests: each binds, with the columns that the form
/// says come out.
#[test]
fn what_the_form_of_the_console_writes_is_right() {
    let texts = ["tables", "queries"].map(|name| std::fs::read_to_string(format!("tests/form/{name}.sql")).unwrap());
    let [tables, queries] = texts;
    let named = |ddl: &str| {
        let name = ddl.split_whitespace().nth(2).unwrap().to_owned();
        let source = millrace_wire::link::TableSource { ddl: ddl.to_owned(), hidden_options: Default::default() };
        (format!("shop.{name}"), source)
    };
    let catalog = CatalogText {
        default_database: "main".to_owned(),
        tables: tables.split(';').map(str::trim).filter(|ddl| !ddl.is_empty()).map(named).collect(),
        ..CatalogText::default()
    };
    let mut wrong = Vec::new();
    let mut right = 0;
    for case in queries.split("\n-- case ").skip(1) {
        let (name, rest) = case.split_once("\n-- columns ").unwrap();
        let (columns, sql) = rest.split_once('\n').unwrap();
        let problems = validate(sql, &catalog, 1).diagnostics;
        let bound = bind_all(sql, &catalog);
        let schema = bound.script.sinks.last().map(|sink| &sink.query.schema);
        let found: Vec<String> = schema
            .iter()
            .flat_map(|schema| &schema.fields)
            .map(|field| format!("{}: {}", field.name, field.ty.logical))
            .collect();
        if problems.is_empty() && found.join(" | ") == columns {
            right += 1;
        } else {
            wrong.push(format!("{name}: {problems:?}\n{}\n{columns}\n{sql}", found.join(" | ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(right > 20, "{right} statements");
}
