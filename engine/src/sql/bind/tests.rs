//! Rules of binding that the golden cases do not show: each script with its problem, or with its plan.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::catalog::CatalogText;
use crate::plan::logical::{Rel, RelNode};
use crate::sql::bind_all;

const TABLES: &str = "
CREATE TABLE t (id INT, k STRING, v INT NOT NULL, big BIGINT, flag BOOLEAN, r ROW<a INT, b STRING>, tags ARRAY<STRING>, m MAP<STRING, INT>,
  ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');
CREATE TABLE s (id INT, k STRING) WITH ('connector' = 'blackhole');
CREATE TABLE parts (id INT, k STRING, day STRING) PARTITIONED BY (day) WITH ('connector' = 'filesystem', 'path' = '/out', 'format' = 'json');
CREATE TABLE strict (id INT NOT NULL, k STRING) WITH ('connector' = 'blackhole');
";

fn catalog() -> CatalogText {
    let table =
        |ddl: &str| millrace_wire::link::TableSource { ddl: ddl.to_owned(), hidden_options: Default::default() };
    CatalogText {
        default_database: "shop".to_owned(),
        tables: [
            (
                "shop.orders".to_owned(),
                table("CREATE TABLE whatever (id BIGINT, amount DOUBLE) WITH ('connector' = 'datagen')"),
            ),
            ("ads-eu.shop.clicks".to_owned(), table("CREATE TABLE clicks (id BIGINT) WITH ('connector' = 'datagen')")),
            ("other.broken".to_owned(), table("CREATE TABLE broken (id NOPE) WITH ('connector' = 'datagen')")),
        ]
        .into(),
        ..CatalogText::default()
    }
}

/// `code@text` of every problem.
fn problems(sql: &str) -> Vec<String> {
    let script = format!("{TABLES}{sql}");
    let bound = bind_all(&script, &catalog());
    bound
        .problems
        .iter()
        .map(|problem| {
            let span = problem.span.unwrap();
            format!("{}@{}", problem.code, &script[span.start..span.end])
        })
        .collect()
}

/// Operators of the last statement's plan, from the top, with their expressions.
fn plan(sql: &str) -> String {
    let script = format!("{TABLES}{sql}");
    let bound = bind_all(&script, &catalog());
    assert!(bound.problems.is_empty(), "{sql}: {:?}", bound.problems);
    shape(&bound.script.sinks.last().unwrap().query)
}

fn shape(rel: &Rel) -> String {
    let list = |items: Vec<String>| items.join(", ");
    let own = match &rel.node {
        RelNode::Scan { table } => return table.name.clone(),
        RelNode::Values { rows } => return format!("values {}", rows.len()),
        RelNode::Project { exprs, .. } => format!("project[{}]", list(exprs.iter().map(ToString::to_string).collect())),
        RelNode::Filter { predicate, .. } => format!("filter[{predicate}]"),
        RelNode::ProcessingTime { column, .. } => format!("clock[{column}]"),
        RelNode::Window { window, .. } => format!("window[{:?}]", window.kind),
        RelNode::TableCall { call, .. } => format!("table[{}]", call.function.name()),
        RelNode::Aggregate { aggregate, .. } => {
            let windowed = if aggregate.window.is_some() { " windowed" } else { "" };
            format!("aggregate[{:?}; {}{windowed}]", aggregate.group, aggregate.calls.len())
        }
        RelNode::Expand { expand, .. } => format!("expand[{:?}; {}]", expand.keys, expand.sets.len()),
        RelNode::UnionAll { inputs } => return format!("union({})", list(inputs.iter().map(shape).collect())),
        RelNode::Limit { fetch, .. } => format!("limit[{fetch:?}]"),
        RelNode::Sort { .. } => "sort".to_owned(),
        RelNode::Merge { key, .. } => format!("merge{key:?}"),
        RelNode::Repeat { times, .. } => format!("repeat[${times}]"),
        RelNode::Join { left, right, join } => {
            let keys: Vec<String> = join.keys.iter().map(|key| format!("{}={}", key.left, key.right)).collect();
            let rest = join.condition.as_ref().map_or_else(String::new, |condition| format!(" {condition}"));
            return format!("{:?}[{}{rest}]({}, {})", join.kind, keys.join(" "), shape(left), shape(right));
        }
        RelNode::Over { over, .. } => format!("over[{:?}; {}]", over.partition, over.calls.len()),
        RelNode::Rank { rank, .. } => format!("rank[{:?}; {}..={}]", rank.partition, rank.from, rank.to),
    };
    format!("{own} < {}", rel.inputs().into_iter().map(shape).collect::<Vec<_>>().join(", "))
}

#[test]
fn wrong_scripts_are_told_what_and_where() {
    for (sql, expected) in [
        ("SELECT nope FROM t", &["unknown-column@nope"][..]),
        ("SELECT x.id FROM t", &["unknown-column@x.id"]),
        ("SELECT id, nope, also FROM t", &["unknown-column@nope", "unknown-column@also"]),
        ("SELECT r.c FROM t", &["unknown-column@r.c"]),
        ("SELECT id FROM orderz", &["unknown-table@orderz"]),
        ("SELECT id FROM other.broken", &["unsupported@other.broken"]),
        ("SELECT UPER(k) FROM t", &["unknown-function@UPER(k)"]),
        ("SELECT UPPER(k, k) FROM t", &["wrong-arguments@UPPER(k, k)"]),
        ("SELECT SUM(k) FROM t", &["wrong-arguments@SUM(k)"]),
        ("SELECT x FROM t CROSS JOIN UNNEST(k) AS u(x)", &["type-mismatch@UNNEST(k)"]),
        ("SELECT x FROM t CROSS JOIN UNNEST(tags) AS u(x, y)", &["wrong-arguments@u"]),
        (
            "SELECT x FROM t RIGHT JOIN UNNEST(tags) AS u(x) ON TRUE",
            &["unsupported@t RIGHT JOIN UNNEST(tags) AS u(x) ON TRUE"],
        ),
        ("SELECT x FROM t LEFT JOIN UNNEST(tags) AS u(x) ON x = k", &["unsupported@x = k"]),
        ("SELECT * FROM t, LATERAL TABLE(SPLIT_TO_ROW(k, ','))", &["unknown-function@SPLIT_TO_ROW(k, ',')"]),
        ("SELECT * FROM t, LATERAL TABLE(UPPER(k))", &["wrong-arguments@UPPER(k)"]),
        ("SELECT * FROM t, TABLE(SPLIT_TO_ROWS(k, ','))", &["unknown-column@k"]),
        ("SELECT id FROM t WHERE v", &["type-mismatch@v"]),
        ("SELECT k + flag FROM t", &["type-mismatch@k + flag"]),
        ("SELECT id FROM t GROUP BY k", &["not-grouped@id"]),
        ("SELECT SUM(COUNT(*)) FROM t", &["not-grouped@COUNT(*)"]),
        ("SELECT LISTAGG(k, k) FROM t", &["wrong-arguments@LISTAGG(k, k)"]),
        ("SELECT LISTAGG(id) FROM t", &["wrong-arguments@LISTAGG(id)"]),
        ("SELECT PERCENTILE(v, 1.5) FROM t", &["wrong-arguments@PERCENTILE(v, 1.5)"]),
        ("SELECT PERCENTILE(v, id) FROM t", &["unsupported@PERCENTILE(v, id)"]),
        ("SELECT COUNT(DISTINCT id, k) FROM t", &["unsupported@COUNT(DISTINCT id, k)"]),
        ("SELECT APPROX_COUNT_DISTINCT(id) FROM t", &["unsupported@APPROX_COUNT_DISTINCT(id)"]),
        ("SELECT FIRST_VALUE(id) RESPECT NULLS FROM t", &["unsupported@FIRST_VALUE(id) RESPECT NULLS"]),
        ("SELECT SUM(id) IGNORE NULLS FROM t", &["unsupported@SUM(id) IGNORE NULLS"]),
        (
            "SELECT LAG(id) IGNORE NULLS OVER (ORDER BY ts) FROM t",
            &["unsupported@LAG(id) IGNORE NULLS OVER (ORDER BY ts)"],
        ),
        ("SELECT CURRENT_WATERMARK(k) FROM t", &["wrong-arguments@CURRENT_WATERMARK(k)"]),
        (
            "SELECT CURRENT_WATERMARK(ts + INTERVAL '1' SECOND) FROM t",
            &["wrong-arguments@CURRENT_WATERMARK(ts + INTERVAL '1' SECOND)"],
        ),
        (
            "SELECT t.id FROM t JOIN t AS u ON CURRENT_WATERMARK(t.ts) > t.ts AND t.id = u.id",
            &["unsupported@CURRENT_WATERMARK(t.ts)"],
        ),
        ("INSERT OVERWRITE parts SELECT id, k, k FROM t", &["unsupported@OVERWRITE"]),
        ("SET 'execution.runtime-mode' = 'batch'; INSERT OVERWRITE s SELECT id, k FROM t", &["unsupported@OVERWRITE"]),
        ("INSERT INTO parts PARTITION (id = 1) SELECT k, k FROM t", &["unknown-column@id"]),
        ("INSERT INTO parts PARTITION (day = ARRAY[1]) SELECT id, k FROM t", &["wrong-arguments@ARRAY[1]"]),
        ("INSERT INTO parts PARTITION (day = 5) SELECT id, k FROM t", &["type-mismatch@5"]),
        ("INSERT INTO parts PARTITION (day = 'x', day = 'y') SELECT id, k FROM t", &["duplicate-column@day"]),
        ("INSERT INTO parts PARTITION (day = 'x') (id, day) SELECT id, k FROM t", &["duplicate-column@day"]),
        ("INSERT INTO parts PARTITION (day = 'x') SELECT id, k, k FROM t", &["sink-schema@SELECT id, k, k FROM t"]),
        ("CREATE TABLE n WITH ('connector' = 'blackhole') AS SELECT NULL AS x", &["type-mismatch@SELECT NULL AS x"]),
        (
            "CREATE TABLE n (k INT) WITH ('connector' = 'blackhole') AS SELECT k FROM t",
            &["sink-schema@SELECT k FROM t"],
        ),
        ("CREATE TABLE s WITH ('connector' = 'blackhole') AS SELECT k FROM t", &["exists-already@s"]),
        ("CREATE OR REPLACE TABLE orders (a INT) WITH ('connector' = 'print')", &["exists-already@orders"]),
        ("CREATE TABLE n LIKE t AS SELECT k FROM t", &["unsupported@n"]),
        ("SELECT id, SUM(v) FROM t GROUP BY ROLLUP (k)", &["not-grouped@id"]),
        ("SELECT GROUPING(id) FROM t GROUP BY CUBE (k)", &["not-grouped@id"]),
        ("SELECT k FROM t WHERE GROUPING(k) = 0 GROUP BY CUBE (k)", &["not-grouped@GROUPING(k)"]),
        (
            "SELECT id FROM t UNION ALL SELECT id, k FROM t",
            &["type-mismatch@SELECT id FROM t UNION ALL SELECT id, k FROM t"],
        ),
        ("INSERT INTO s SELECT id FROM t", &["sink-schema@SELECT id FROM t"]),
        ("INSERT INTO s SELECT big, k FROM t", &["sink-schema@SELECT big, k FROM t"]),
        ("INSERT INTO s (id, nope) SELECT id, k FROM t", &["unknown-column@nope"]),
        ("INSERT INTO strict (k) SELECT k FROM t", &["sink-schema@SELECT k FROM t"]),
        ("CREATE TABLE t (a INT) WITH ('connector' = 'print')", &["exists-already@t"]),
        ("CREATE TABLE orders (a INT) WITH ('connector' = 'print')", &["exists-already@orders"]),
        ("CREATE VIEW w AS SELECT id, id AS id FROM t; SELECT * FROM w", &[]),
        (
            "CREATE TABLE x (a INT) WITH ('connector' = 'printt'); INSERT INTO x SELECT id FROM t",
            &["unknown-connector@'printt'"],
        ),
        (
            "CREATE TABLE x (a INT) WITH ('connector' = 'print', 'nope' = '1'); INSERT INTO x SELECT id FROM t",
            &["unknown-option@'nope'"],
        ),
        ("SELECT RANK() OVER (ORDER BY id) FROM t", &["unsupported@RANK() OVER (ORDER BY id)"]),
        ("SELECT NTILE(3) OVER (ORDER BY id) FROM t", &["unsupported@NTILE(3) OVER (ORDER BY id)"]),
        ("SELECT NTILE(0) OVER (ORDER BY id) FROM t", &["wrong-arguments@NTILE(0) OVER (ORDER BY id)"]),
        ("SELECT LAG() OVER (ORDER BY id) FROM t", &["wrong-arguments@LAG() OVER (ORDER BY id)"]),
        (
            "SELECT SUM(id) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM t",
            &["wrong-arguments@SUM(id) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 1 PRECEDING)"],
        ),
        (
            "SELECT id FROM t WHERE v = 1 OR id IN (SELECT id, amount FROM orders)",
            &["type-mismatch@id IN (SELECT id, amount FROM orders"],
        ),
        ("SELECT TUMBLE_START(ts, INTERVAL '1' DAY) FROM t", &["wrong-arguments@TUMBLE_START(ts, INTERVAL '1' DAY)"]),
        (
            "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), SIZE => 5))",
            &["wrong-arguments@TUMBLE(TABLE t, DESCRIPTOR(ts), SIZE => 5)"],
        ),
        ("SELECT INTERVAL '3600' SECOND FROM t", &["parse@INTERVAL '3600' SECOND"]),
        ("SET 'no.such.key' = '1'", &["unknown-option@SET 'no.such.key' = '1'"]),
        ("UPDATE s SET k = 'x'", &["unsupported@UPDATE"]),
        ("SELECT id FROM t /*+ LOOKUP('a' = 'b') */", &["unsupported@LOOKUP('a' = 'b')"]),
        ("CREATE TABLE x (a INT) PARTITIONED BY (b) WITH ('connector' = 'print')", &["unknown-column@b"]),
        ("CREATE TABLE x (a INT) PARTITIONED BY (a, a) WITH ('connector' = 'print')", &["duplicate-column@a"]),
        ("CREATE TABLE x (a INT, b AS a + 1) PARTITIONED BY (b) WITH ('connector' = 'print')", &["unsupported@b"]),
        ("SELECT id FROM t LIMIT -1", &["wrong-arguments@-1"]),
    ] {
        let found = problems(sql);
        assert_eq!(found, expected, "{sql}");
    }
}

#[test]
fn several_values_of_one_when_are_one_branch() {
    let plan = plan("SELECT CASE k WHEN 'a', 'b' THEN 1 ELSE 2 END FROM t");
    assert!(plan.matches("THEN").count() == 1 && plan.contains("'a'") && plan.contains("'b'"), "{plan}");
    assert_eq!(problems("SELECT CASE WHEN flag, flag THEN 1 END FROM t").len(), 1);
}

#[test]
fn right_scripts_become_plans() {
    for (sql, expected) in [
        ("SELECT id FROM shop.orders AS o WHERE o.amount > 1", "project[$0] < filter[($1 > 1)] < shop.orders"),
        ("SELECT id FROM default_catalog.shop.orders", "project[$0] < shop.orders"),
        ("SELECT clicks.id FROM `ads-eu`.shop.clicks", "project[$0] < ads-eu.shop.clicks"),
        ("USE `ads-eu`.shop; SELECT id FROM clicks", "project[$0] < ads-eu.shop.clicks"),
        ("SELECT r.a, tags[1], m['x'] FROM t", "project[($5 . 'a'), ITEM($6, 1), ITEM($7, 'x')] < t"),
        ("SELECT v + 1 * 2 FROM t", "project[($2 + 2)] < t"),
        ("SELECT x FROM t LEFT JOIN UNNEST(tags) AS x ON TRUE", "project[$9] < table[UNNEST] < t"),
        (
            "SELECT id, y FROM t, UNNEST(m) AS u(x, y) WHERE y > 1",
            "project[$0, $10] < filter[($10 > 1)] < table[UNNEST] < t",
        ),
        ("SELECT * FROM UNNEST(ARRAY[1, 2]) AS x", "project[$0] < project[$1] < table[UNNEST] < values 1"),
        ("SELECT part FROM t, LATERAL TABLE(split_to_rows(k, ',')) AS p", "project[$9] < table[SPLIT_TO_ROWS] < t"),
        ("INSERT INTO s (k) SELECT k FROM t", "project[NULL, $0] < project[$1] < t"),
        ("INSERT INTO parts PARTITION (day = 'x') SELECT id, k FROM t", "project[$0, $1, 'x'] < project[$0, $1] < t"),
        (
            "SET 'execution.runtime-mode' = 'batch'; INSERT OVERWRITE parts PARTITION (day = 'x') (k) SELECT k FROM t",
            "project[NULL, $0, 'x'] < project[$1] < t",
        ),
        (
            "CREATE TABLE n (twice AS v * 2, v BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'blackhole')
             AS SELECT k, v FROM t WHERE k IS NOT NULL",
            "project[CAST($1 AS BIGINT), $0] < project[$1, $2] < filter[IS NOT NULL($1)] < t",
        ),
        (
            "CREATE OR REPLACE TABLE s WITH ('connector' = 'blackhole') AS SELECT v FROM t; INSERT INTO s SELECT v FROM t",
            "project[$2] < t",
        ),
        (
            "CREATE VIEW w AS SELECT id FROM t; CREATE TEMPORARY VIEW IF NOT EXISTS w AS SELECT k FROM t;
             CREATE OR REPLACE TEMPORARY VIEW w AS SELECT id, id + 1 AS n FROM w; SELECT n FROM w",
            "project[$1] < project[$0, ($0 + 1)] < project[$0] < t",
        ),
        ("SELECT FIRST_VALUE(id) IGNORE NULLS FROM t", "project[$0] < aggregate[[]; 1] < project[$0] < t"),
        ("SELECT id FROM t WHERE ts > CURRENT_WATERMARK(ts)", "project[$0] < filter[($8 > CURRENT_WATERMARK($8))] < t"),
        ("SELECT DISTINCT k FROM t", "aggregate[[0]; 0] < project[$1] < t"),
        (
            "SELECT COUNT(*) FROM t HAVING COUNT(*) > 1",
            "project[$0] < filter[($0 > 1)] < aggregate[[]; 1] < project[$0] < t",
        ),
        (
            "SELECT id FROM t UNION SELECT big FROM t",
            "aggregate[[0]; 0] < union(project[CAST($0 AS BIGINT)] < project[$0] < t, project[$3] < t)",
        ),
        (
            "SELECT window_end, COUNT(*) FROM TABLE(TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '10' SECOND)) GROUP BY window_start, window_end",
            "project[$1, $2] < aggregate[[0, 1]; 1 windowed] < project[$9, $10, $8] < window[Tumble { size: 10000, offset: 0 }] < t",
        ),
        (
            "SELECT k, COUNT(*) FROM t GROUP BY k, HOP(ts, INTERVAL '2' SECOND, INTERVAL '5' SECOND)",
            "project[$0, $4] < aggregate[[0, 1, 2, 3]; 1 windowed] < project[$1, $9, $10, $11, $8] < window[Hop { slide: 2000, size: 5000, offset: 0 }] < t",
        ),
        (
            "SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY)) GROUP BY window_start",
            "project[$0, $1] < aggregate[[0]; 1] < project[$9] < window[Tumble { size: 86400000, offset: 0 }] < t",
        ),
        (
            "WITH a AS (SELECT id FROM t), b AS (SELECT id + 1 AS id FROM a) SELECT * FROM b",
            "project[$0] < project[($0 + 1)] < project[$0] < t",
        ),
        (
            "CREATE TABLE like_t (w AS v * 2) WITH ('path' = '/other') LIKE t; SELECT w FROM like_t",
            "project[$9] < like_t",
        ),
        ("SELECT id FROM t WHERE v IN (1, 2, 3, 4)", "project[$0] < filter[IN($2, 1, 2, 3, 4)] < t"),
        ("SELECT id FROM t WHERE v IN (1, 2)", "project[$0] < filter[OR(($2 = 1), ($2 = 2))] < t"),
        (
            "SELECT id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v) AS rn FROM t) WHERE rn < 3 AND v > 0",
            "project[$0] < filter[($2 > 0)] < project[$0, $1, $2, $3, $4, $5, $6, $7, $8, $9] < rank[[1]; 1..=2] < t",
        ),
        ("SELECT id FROM t ORDER BY v DESC LIMIT 2", "project[$0] < limit[Some(2)] < project[$0, $2] < t"),
        (
            "EXECUTE STATEMENT SET BEGIN INSERT INTO s SELECT id, k FROM t; INSERT INTO s SELECT 1, 'x'; END;",
            "project[$0, CAST($1 AS STRING)] < project[1, 'x'] < values 1",
        ),
    ] {
        assert_eq!(plan(sql), expected, "{sql}");
    }
}

#[test]
fn grouping_sets_repeat_rows_below_one_aggregation() {
    for (keys, wanted) in [
        ("ROLLUP (k, id)", "expand[[0, 1]; 3]"),
        ("CUBE (k, (id, v))", "expand[[0, 1, 2]; 4]"),
        ("k, CUBE (id)", "expand[[1]; 2]"),
        ("GROUPING SETS (ROLLUP (k), (k, id), CUBE (k))", "expand[[0, 1]; 5]"),
        ("DISTINCT GROUPING SETS (ROLLUP (k), (k, id), CUBE (k))", "expand[[0, 1]; 3]"),
        ("ROLLUP (k), ROLLUP (id)", "expand[[0, 1]; 4]"),
    ] {
        let plan = plan(&format!("SELECT COUNT(*) AS n FROM t GROUP BY {keys}"));
        assert!(plan.contains(wanted), "{keys}: {plan}");
    }
    for keys in ["()", "GROUPING SETS (())", "GROUPING SETS ((k, id))", "(k, id)"] {
        let plan = plan(&format!("SELECT COUNT(*) AS n FROM t GROUP BY {keys}"));
        assert!(!plan.contains("expand"), "{keys}: {plan}");
    }
    let many: Vec<String> = (0..11).map(|number| format!("id + {number}")).collect();
    let refused = problems(&format!("SELECT 1 FROM t GROUP BY CUBE ({})", many.join(", ")));
    assert!(refused[0].starts_with("unsupported@CUBE"), "{refused:?}");
}

#[test]
fn event_time_goes_through_projections_and_windows_only() {
    let times = |sql: &str| {
        let bound = bind_all(&format!("{TABLES}{sql}"), &catalog());
        assert!(bound.problems.is_empty(), "{sql}: {:?}", bound.problems);
        bound.script.sinks.last().unwrap().query.schema.event_time.clone()
    };
    assert_eq!(times("SELECT id, ts FROM (SELECT ts, id FROM t WHERE id > 1)"), [1]);
    assert_eq!(times("SELECT ts + INTERVAL '1' SECOND FROM t"), Vec::<usize>::new());
    assert_eq!(times("SELECT ts, window_time FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY))"), [1]);
    assert_eq!(
        times(
            "SELECT COUNT(*), window_time FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY)) GROUP BY window_start, window_end, window_time"
        ),
        [1]
    );
    assert_eq!(times("SELECT ts, COUNT(*) FROM t GROUP BY ts"), Vec::<usize>::new());
}

#[test]
fn views_that_double_each_time_are_stopped() {
    let mut sql = String::from("CREATE VIEW v0 AS SELECT id FROM t;");
    for level in 1..40 {
        sql.push_str(&format!("CREATE VIEW v{level} AS SELECT * FROM v{0} UNION ALL SELECT * FROM v{0};", level - 1));
    }
    assert!(problems(&sql).iter().any(|problem| problem.starts_with("unsupported@")));
}

/// Tables for joins with states of the right side.
const STATES: &str = "
CREATE TABLE o (id INT, k STRING, ts TIMESTAMP(3), pt AS PROCTIME(), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');
CREATE TABLE rates (k STRING, rate INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts, PRIMARY KEY (k) NOT ENFORCED)
  WITH ('connector' = 'filesystem', 'path' = '/rates', 'format' = 'debezium-json');
CREATE TABLE timeless (k STRING, rate INT, PRIMARY KEY (k) NOT ENFORCED)
  WITH ('connector' = 'filesystem', 'path' = '/rates', 'format' = 'debezium-json');
CREATE TABLE keyless (k STRING, rate INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'filesystem', 'path' = '/rates', 'format' = 'json');
CREATE TABLE d (k STRING, v INT, w AS v + 1) WITH ('connector' = 'test-lookup', 'lookup.cache' = 'PARTIAL');
";

#[test]
fn joins_with_a_state_of_the_right_side_are_refused_where_it_is_not_known() {
    for (sql, expected) in [
        ("SELECT * FROM o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.k = r.k", None),
        ("SELECT * FROM o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.k = r.k AND r.rate > o.id", None),
        ("SELECT * FROM o, rates FOR SYSTEM_TIME AS OF o.ts AS r WHERE o.k = r.k", None),
        ("SELECT * FROM o JOIN d FOR SYSTEM_TIME AS OF o.pt ON o.k = d.k", None),
        ("SELECT * FROM o JOIN keyless FOR SYSTEM_TIME AS OF o.ts AS r ON o.k = r.k", Some("unsupported@keyless")),
        ("SELECT * FROM o JOIN timeless FOR SYSTEM_TIME AS OF o.ts AS r ON o.k = r.k", Some("unsupported@timeless")),
        ("SELECT * FROM o JOIN rates FOR SYSTEM_TIME AS OF o.id AS r ON o.k = r.k", Some("unsupported@o.id")),
        (
            "SELECT * FROM o JOIN rates FOR SYSTEM_TIME AS OF PROCTIME() AS r ON o.k = r.k",
            Some("unsupported@PROCTIME()"),
        ),
        ("SELECT * FROM o JOIN rates FOR SYSTEM_TIME AS OF o.pt AS r ON o.k = r.k", Some("unsupported@rates")),
        ("SELECT * FROM rates FOR SYSTEM_TIME AS OF ts", Some("unsupported@FOR SYSTEM_TIME AS OF ts")),
        (
            "SELECT /*+ LOOKUP('table' = 'x') */ * FROM o JOIN d FOR SYSTEM_TIME AS OF o.pt ON o.k = d.k",
            Some("wrong-arguments@LOOKUP('table' = 'x')"),
        ),
        (
            "SELECT /*+ LOOKUP('table' = 'd', 'capacity' = '0') */ * FROM o JOIN d FOR SYSTEM_TIME AS OF o.pt ON o.k = d.k",
            Some("wrong-arguments@LOOKUP('table' = 'd', 'capacity' = '0')"),
        ),
    ] {
        let found = problems(&format!("{STATES}{sql}"));
        assert_eq!(found.first().map(String::as_str), expected, "{sql}");
    }
    for (sql, expected) in [
        ("SELECT * FROM o RIGHT JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.k = r.k", "LEFT JOIN"),
        ("SELECT * FROM o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.id = r.rate", "primary key"),
        ("SELECT * FROM o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.k < r.k", "primary key"),
    ] {
        let bound = bind_all(&format!("{TABLES}{STATES}{sql}"), &catalog());
        assert!(
            bound.problems.first().is_some_and(|problem| problem.message.contains(expected)),
            "{sql}: {:?}",
            bound.problems
        );
    }
}

#[test]
fn a_filter_of_versions_is_not_moved_below_a_temporal_join() {
    let sql =
        "SELECT o.id FROM o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.k = r.k WHERE r.rate > 1 AND o.id > 2";
    let found = plan(&format!("{STATES}{sql}"));
    assert!(found.contains("($5 > 1)") && !found.contains("filter[($1 > 1)]"), "{found}");
    assert!(found.contains("filter[($0 > 2)] < o"), "{found}");
}

#[test]
fn one_scan_can_be_asked_for() {
    let once = "SELECT id FROM t /*+ REUSE_SOURCE */ UNION ALL SELECT v FROM t";
    assert_eq!(problems(once), Vec::<String>::new());
    let twice = format!("{once} /*+ OPTIONS('scan.watermark.idle-timeout' = '1 s') */");
    assert_eq!(problems(&twice), ["unsupported@REUSE_SOURCE"]);
}

#[test]
fn a_secret_goes_into_credentials_and_into_nothing_that_is_read() {
    let secrets = [("token".to_owned(), "hush".to_owned())].into();
    let catalog = CatalogText { secrets, ..catalog() };
    let bound = |sql: &str| {
        let bound = bind_all(sql, &catalog);
        let scans = bound.script.sinks.iter().map(|sink| sink.query.clone()).collect::<Vec<_>>();
        (format!("{:?}", bound.problems), scans)
    };
    let options = |rel: &Rel| {
        let mut open = vec![rel];
        while let Some(rel) = open.pop() {
            if let RelNode::Scan { table } = &rel.node {
                return table.options.clone();
            }
            open.extend(rel.inputs());
        }
        panic!("no scan")
    };
    let hinted = "SELECT '${token}' AS t, id FROM orders /*+ OPTIONS('password' = '${token}', 'topic' = '${token}') */";
    let (problems, scans) = bound(hinted);
    for scan in &scans {
        let options = options(scan);
        assert_eq!((options["password"].as_str(), options["topic"].as_str()), ("hush", "${token}"));
    }
    assert!(!problems.contains("hush"), "{problems}");
    let made = "CREATE TEMPORARY TABLE p (id INT) WITH ('connector' = 'postgres', 'hostname' = 'h', 'database-name' = 'd', \
                'table-name' = 't', 'username' = '${token}', 'password' = 'a${token}b'); SELECT '${token}' AS t, id FROM p";
    let (problems, scans) = bound(made);
    assert_eq!((problems.as_str(), scans.len()), ("[]", 1));
    let options = options(&scans[0]);
    assert_eq!((options["password"].as_str(), options["username"].as_str()), ("ahushb", "${token}"));
    let RelNode::Project { exprs, .. } = &scans[0].node else { panic!("a projection") };
    assert!(!format!("{exprs:?}").contains("hush"));
}
