//! `|` marks the caret.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn labels(marked: &str) -> Vec<String> {
    let offset = marked.find('|').unwrap();
    let sql = marked.replacen('|', "", 1);
    let source =
        |ddl: &str| millrace_wire::link::TableSource { ddl: ddl.to_owned(), hidden_options: Default::default() };
    let catalog = CatalogText {
        default_database: "shop".to_owned(),
        tables: [
            ("shop.orders", "CREATE TABLE orders (id BIGINT, amount DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'blackhole')"),
            ("ads-eu.main.clicks", "CREATE TABLE clicks (id BIGINT) WITH ('connector' = 'blackhole')"),
            ("millrace.logs", "CREATE TABLE logs (line STRING) WITH ('connector' = 'blackhole')"),
        ]
        .into_iter()
        .map(|(name, ddl)| (name.to_owned(), source(ddl)))
        .collect(),
        ..CatalogText::default()
    };
    complete(&sql, offset, &catalog).into_iter().map(|item| item.label).collect()
}

fn check(marked: &str, expected: &[&str]) {
    let found = labels(marked);
    for label in expected {
        assert!(found.iter().any(|known| known == label), "{marked}: no {label} in {found:?}");
    }
}

#[test]
fn tables_after_from_join_and_into() {
    assert_eq!(labels("SELECT * FROM ord|"), ["orders"]);
    check("SELECT * FROM |", &["orders", "millrace.logs", "millrace", "TABLE(TUMBLE(…))"]);
    assert_eq!(labels("SELECT * FROM millrace.|"), ["logs"]);
    assert_eq!(labels("SELECT * FROM `ads-eu`.main.|"), ["clicks"]);
    check("CREATE VIEW v AS SELECT id FROM orders; INSERT INTO |", &["v", "orders"]);
    check("INSERT OVERWRITE |", &["orders"]);
    check("SELECT * FROM TABLE(TUMBLE(TABLE |", &["orders"]);
    check("WITH big AS (SELECT id FROM orders) SELECT * FROM |", &["big"]);
}

#[test]
fn columns_of_what_is_read_also_before_from() {
    check("SELECT am| FROM orders", &["amount"]);
    check("SELECT o.| FROM orders AS o", &["id", "amount", "ts"]);
    check("SELECT r.| FROM orders AS o JOIN orders FOR SYSTEM_TIME AS OF o.ts AS r ON o.id = r.id", &["amount"]);
    check("SELECT * FROM orders AS o JOIN orders FOR SYSTEM_TIME AS OF | AS r ON o.id = r.id", &["ts"]);
    check("SELECT SUM(a|) FROM orders", &["amount"]);
    check("SELECT x.| FROM (SELECT id AS number FROM orders) AS x", &["number"]);
    check(
        "SELECT win| FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
        &["window_start", "window_end"],
    );
    assert_eq!(labels("SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(|")[0], "ts");
    check("SELECT u.| FROM orders AS o CROSS JOIN UNNEST(ARRAY[o.id]) WITH ORDINALITY AS u(x, pos)", &["x", "pos"]);
    check(
        "SELECT p| FROM orders AS o LEFT JOIN LATERAL TABLE(SPLIT_TO_ROWS('a', ',')) AS p ON TRUE WHERE id > 1",
        &["part", "position"],
    );
    check("SELECT * FROM orders CROSS JOIN un|", &["UNNEST()"]);
    check("SELECT coun|", &["COUNT"]);
    check("SELECT s|", &["STDDEV_POP", "SUM"]);
    assert!(
        !labels("SELECT id FROM orders WHERE am| > 1 UNION ALL SELECT line FROM millrace.logs")
            .contains(&"line".to_owned())
    );
}

#[test]
fn options_and_their_values() {
    check("CREATE TABLE t (a INT) WITH ('con|", &["connector"]);
    check("CREATE TABLE t (a INT) WITH ('connector' = '|", &["kafka", "filesystem", "blackhole"]);
    check("CREATE TABLE t (a INT) WITH ('connector' = 'kafka', '|", &["topic", "format"]);
    check("CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'format' = |", &["json"]);
    assert_eq!(labels("SELECT 'a|"), Vec::<String>::new());
    assert_eq!(labels("SELECT 1 -- FROM |"), Vec::<String>::new());
}

#[test]
fn keywords_at_the_start_and_behind_a_name() {
    check("SEL|", &["SELECT"]);
    check("SELECT id FROM orders WH|", &["WHERE"]);
    check("SELECT id FROM orders WHERE id > 1 GR|", &["GROUP"]);
    check("SET 'para|", &["parallelism.default"]);
}
