//! Wrong SQL: a code, a text, and the right place in it.

use serde_json::json;

use crate::server::{NO_KAFKA, Server};

/// Line 1 to 4 of every script; what is wrong begins in line 5.
const TABLES: &str = "\
CREATE TABLE t (n BIGINT, name STRING, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
CREATE TABLE u (n BIGINT, other STRING, at TIMESTAMP(3)) WITH ('connector' = 'datagen');
CREATE TABLE files (n BIGINT, c BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
CREATE TABLE dest (n BIGINT, name STRING) WITH ('connector' = 'blackhole');
";

const CASES: &[(&str, &str)] = &[
    ("syntax error", "SELECT n FORM t;"),
    ("nothing after a comma", "SELECT n, FROM t;"),
    ("unknown table", "SELECT n FROM nowhere;"),
    ("a name that is nearly right", "SELECT nam FROM t;"),
    ("unknown column", "SELECT t.n,\n  t.colour\nFROM t;"),
    ("ambiguous column", "SELECT n FROM t JOIN u ON t.n = u.n;"),
    ("wrong type in a comparison", "SELECT n FROM t WHERE price > ts;"),
    ("wrong type in arithmetic", "SELECT name * 2 FROM t;"),
    ("a condition that is none", "SELECT n FROM t WHERE n;"),
    ("wrong type for a sink", "INSERT INTO dest SELECT ts, name FROM t;"),
    ("unknown function", "SELECT UPER(name) FROM t;"),
    ("wrong number of arguments", "SELECT UPPER(name, 2) FROM t;"),
    ("wrong type of an argument", "SELECT CHAR_LENGTH(ts) FROM t;"),
    ("too few columns for a sink", "INSERT INTO dest SELECT n FROM t;"),
    ("too many columns for a sink", "INSERT INTO dest (n) SELECT n, name FROM t;"),
    ("unknown column of a sink", "INSERT INTO dest (n, colour) SELECT n, name FROM t;"),
    ("updates for a sink that only appends", "INSERT INTO files SELECT n, COUNT(*) FROM t GROUP BY n;"),
    (
        "a window without a watermark",
        "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE u, DESCRIPTOR(at), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;",
    ),
    (
        "a window of no size",
        "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '0' SECOND)) GROUP BY window_start, window_end;",
    ),
    ("a column beside an aggregate", "SELECT name, COUNT(*) FROM t;"),
    ("a column that is not grouped", "SELECT name, COUNT(*) FROM t GROUP BY n;"),
    ("an aggregate in an aggregate", "SELECT SUM(COUNT(*)) FROM t;"),
    ("an aggregate in WHERE", "SELECT n FROM t WHERE COUNT(*) > 1 GROUP BY n;"),
    ("an unsupported statement", "UPDATE t SET n = 1;"),
    ("an unsupported clause", "SELECT n FROM t TABLESAMPLE BERNOULLI (10);"),
    ("MATCH_RECOGNIZE", "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS n > 1);"),
    ("unterminated string", "SELECT 'never ended FROM t;"),
    ("unterminated identifier", "SELECT `never ended FROM t;"),
    ("unterminated comment", "SELECT n /* never ended FROM t;"),
    ("a reserved word as a name", "SELECT n AS table FROM t;"),
    ("a number out of range", "SELECT 99999999999999999999999999999999999999999 FROM t;"),
    ("a date that is none", "SELECT DATE '2026-02-30' FROM t;"),
    ("division by a literal zero", "SELECT n / 0 FROM t;"),
    ("a view of itself", "CREATE VIEW v AS SELECT * FROM v;\nSELECT * FROM v;"),
    ("two tables of one name", "CREATE TABLE dest (n BIGINT) WITH ('connector' = 'blackhole');\nSELECT n FROM t;"),
    ("two columns of one name", "CREATE TABLE twice (n BIGINT, n STRING) WITH ('connector' = 'blackhole');"),
    ("an unknown type", "CREATE TABLE odd (n NUMBER) WITH ('connector' = 'blackhole');"),
    ("an unknown connector", "CREATE TABLE odd (n BIGINT) WITH ('connector' = 'kafak');\nSELECT n FROM odd;"),
    ("no connector", "CREATE TABLE odd (n BIGINT) WITH ('path' = 'x');\nSELECT n FROM odd;"),
    (
        "an unknown option",
        "CREATE TABLE odd (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-sceond' = '5');\nSELECT n FROM odd;",
    ),
    (
        "an option with a wrong value",
        "CREATE TABLE odd (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = 'many');\nSELECT n FROM odd;",
    ),
    (
        "a missing option",
        "CREATE TABLE odd (n BIGINT) WITH ('connector' = 'filesystem', 'format' = 'json');\nSELECT n FROM odd;",
    ),
    ("a sink that cannot be read", "SELECT n FROM dest;"),
    (
        "a primary key of an unknown column",
        "CREATE TABLE odd (n BIGINT, PRIMARY KEY (m) NOT ENFORCED) WITH ('connector' = 'blackhole');",
    ),
    (
        "an upsert without a key",
        "CREATE TABLE odd (n BIGINT, c BIGINT) WITH ('connector' = 'upsert-kafka');\nINSERT INTO odd SELECT n, COUNT(*) FROM t GROUP BY n;",
    ),
    (
        "an own way to a broker",
        "CREATE TABLE odd (n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'x', 'format' = 'json', 'properties.bootstrap.servers' = '10.0.0.1:9092');\nSELECT n FROM odd;",
    ),
    ("letters beyond the first thousand", "SELECT 'Größe 😀', colour FROM t;"),
    ("nothing at all", ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_wrong_sql_is_named_and_placed() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let mut said = String::new();
    for (case, sql) in CASES {
        let script = format!("{TABLES}{sql}");
        let validation = server.post("/sql/validate", json!({ "sql": script })).await;
        let diagnostics = validation["diagnostics"].as_array().unwrap();
        said.push_str(&format!("{case}\n"));
        if diagnostics.is_empty() {
            said.push_str("    nothing is wrong\n");
        }
        for found in diagnostics {
            let span = &found["span"];
            let text = |name: &str| found[name].as_str().unwrap_or_default();
            let number = |name: &str| span[name].as_u64().unwrap_or_default();
            let at = |name: &str| usize::try_from(number(name)).unwrap();
            let marked = script.get(at("start")..at("end")).unwrap_or("?").lines().next().unwrap_or_default();
            let marked: String = marked.chars().take(60).collect();
            said.push_str(&format!(
                "    {} {} {}:{}-{}:{} [{marked}] {}{}\n",
                text("severity"),
                text("code"),
                number("line"),
                number("column"),
                number("end_line"),
                number("end_column"),
                text("message"),
                found["hint"].as_str().map(|hint| format!(" -> {hint}")).unwrap_or_default(),
            ));
            assert!(!text("code").is_empty() && text("message").ends_with(['.', '?', '!']), "{case}: {found}");
            assert!(number("line") >= 1, "{case}: {found}");
        }
    }
    insta::assert_snapshot!(said);
}

/// What is wrong is not stored as a version and not started. (A preview tells it itself, at the statement.)
#[tokio::test(flavor = "multi_thread")]
async fn wrong_sql_does_not_become_a_job() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let mut said = String::new();
    let job = server.post("/jobs", json!({ "name": "wrong", "sql": "SELECT n FROM nowhere" })).await;
    let id = job["id"].as_str().unwrap();
    for (what, path, body) in [
        ("version", format!("/jobs/{id}/versions"), json!({})),
        ("start", format!("/jobs/{id}/start"), json!({ "from": "latest" })),
        ("format", "/sql/format".to_owned(), json!({ "sql": "SELECT 'open" })),
        ("too long", "/sql/validate".to_owned(), json!({ "sql": "-".repeat(600 * 1024) })),
        ("wrong shape", "/sql/validate".to_owned(), json!({ "query": "SELECT 1" })),
    ] {
        let answer = server.try_post(&path, body).await;
        assert!((400..500).contains(&answer.status), "{what}: {}", answer.body);
        said.push_str(&format!("{what}: {}\n", super::in_words(&answer)));
    }
    insta::assert_snapshot!(said);
}
