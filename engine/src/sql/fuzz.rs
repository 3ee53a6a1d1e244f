//! A seeded campaign of broken scripts against every entry of this module: none may panic, overflow the stack or hang.
//!
//! A short one runs with the tests; `MILLRACE_FUZZ_SECONDS` makes it longer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::token::tokenize;
use super::*;

const SEEDS: &[&str] = &[
    "CREATE TABLE t (id INT, k STRING, r ROW<a INT, b ARRAY<STRING>>, m MAP<STRING, INT>, c AS id * 2, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED) COMMENT 'x' WITH ('connector' = 'datagen');",
    "CREATE TEMPORARY VIEW v (a, b) AS SELECT id, UPPER(k) FROM t WHERE k LIKE 'a%' ESCAPE '!';",
    "WITH c AS (SELECT * FROM v) SELECT a, COUNT(*) FILTER (WHERE b IS NOT NULL) AS n, SUM(DISTINCT a) FROM c GROUP BY a HAVING COUNT(*) > 1 ORDER BY n DESC NULLS LAST LIMIT 3 OFFSET 1;",
    "SELECT window_start, k, AVG(id) FROM TABLE(HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '5' SECOND, SIZE => INTERVAL '10' SECOND)) GROUP BY window_start, window_end, k;",
    "SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE), CASE k WHEN 'a' THEN 1.5 WHEN NULL THEN 2E3 ELSE CAST(id AS DECIMAL(10, 2)) END FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), k, id;",
    "SELECT k, GROUPING(k), LISTAGG(DISTINCT k, '; '), ARRAY_AGG(id) IGNORE NULLS, JSON_OBJECTAGG(KEY k VALUE id ABSENT ON NULL), JSON_ARRAYAGG(id NULL ON NULL) FILTER (WHERE id > 1), PERCENTILE(id, 0.5) FROM t GROUP BY DISTINCT id, ROLLUP (k, (id, r)), GROUPING SETS (CUBE (k, id), (k, id), ());",
    "EXECUTE STATEMENT SET BEGIN INSERT INTO t (id, k) SELECT id, TRIM(BOTH ' ' FROM k) FROM t /*+ OPTIONS('rows-per-second' = '1') */ UNION ALL VALUES (1, U&'\\00e9'), (2, X'0aff'); END;",
    "SELECT EXTRACT(DAY FROM ts), FLOOR(ts TO HOUR), POSITION('a' IN k), OVERLAY(k PLACING 'x' FROM 1 FOR 2), (id, k) = (1, 'a'), id BETWEEN SYMMETRIC 1 AND 2, id IN (1, 2), EXISTS (SELECT 1), r.a, m['x'], -9223372036854775808 FROM t AS x(a, b) JOIN u ON x.a = u.b CROSS JOIN UNNEST(z);",
    "SELECT /*+ LOOKUP('table' = 'r', 'async' = 'true') */ o.id, r.k FROM t AS o LEFT JOIN v FOR SYSTEM_TIME AS OF o.ts AS r ON o.k = r.k AND r.id > 1;",
    "SET 'parallelism.default' = '4'; USE db; EXPLAIN SELECT 1; DROP VIEW IF EXISTS v; -- end\n/* more */ SELECT DATE '2020-02-30', INTERVAL '1-2' YEAR TO MONTH, TIMESTAMP '2020-01-01 00:00:00.123456789'",
];

/// Cuts, doubles, swaps and inserts tokens and bytes.
fn mutate(random: &mut StdRng) -> String {
    let mut text = SEEDS[random.random_range(0..SEEDS.len())].to_owned();
    if random.random_bool(0.5) {
        text.push_str(SEEDS[random.random_range(0..SEEDS.len())]);
    }
    let mut pieces: Vec<String> =
        tokenize(&text).iter().map(|token| text[token.span.start..token.span.end].to_owned()).collect();
    for _ in 0..random.random_range(0..6) {
        if pieces.is_empty() {
            break;
        }
        let at = random.random_range(0..pieces.len());
        let other = random.random_range(0..pieces.len());
        match random.random_range(0..7) {
            0 => drop(pieces.remove(at)),
            1 => pieces.insert(at, pieces[other].clone()),
            2 => pieces.swap(at, other),
            3 => pieces.truncate(at),
            4 => {
                pieces[at] =
                    ["(", ")", "'", "`", "é😀", "--", "/*", "NULL", "ROW", "<", "0", ".", "1e999", ";", "[", "\u{0}"]
                        [random.random_range(0..16)]
                    .to_owned()
            }
            5 => pieces[at] = pieces[at].repeat(random.random_range(1..400)),
            _ => {
                let (from, to) = (at.min(other), at.max(other));
                let copied = pieces[from..to].to_vec();
                pieces.splice(at..at, copied);
            }
        }
    }
    let separator = if random.random_bool(0.9) { " " } else { "" };
    let mut text = pieces.join(separator);
    if text.len() > MAX_SCRIPT && random.random_bool(0.9) {
        let end = (0..=MAX_SCRIPT / 4).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
    }
    text
}

/// Panics on the threads of this module, which its entries turn into an answer.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some("sql") {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        before(panic);
    }));
}

#[test]
fn no_script_panics_or_overflows() {
    let seconds = std::env::var("MILLRACE_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(3);
    let seed = std::env::var("MILLRACE_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut random = StdRng::seed_from_u64(seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    let catalog = CatalogText { default_database: "d".to_owned(), ..CatalogText::default() };
    let mut rounds = 0_u64;
    count_panics();
    while Instant::now() < end {
        let sql = mutate(&mut random);
        let began = Instant::now();
        let bound = bind_all(&sql, &catalog);
        for problem in &bound.problems {
            let span = problem.span.expect("every problem has a span");
            assert!(span.start <= span.end && span.end <= sql.len(), "{problem:?} of {sql}");
            assert!(sql.is_char_boundary(span.start) && sql.is_char_boundary(span.end), "{problem:?} of {sql}");
        }
        let mut caret = random.random_range(0..=sql.len());
        while !sql.is_char_boundary(caret) {
            caret -= 1;
        }
        complete(&sql, caret, &catalog);
        if let Ok(formatted) = format_sql(&sql) {
            assert_eq!(parse(&formatted).len(), 0, "formatted to something else: {sql}\n{formatted}");
        }
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "a panic: {sql}");
        assert!(began.elapsed() < Duration::from_secs(20), "took {:?}: {sql}", began.elapsed());
        rounds += 1;
    }
    eprintln!("{rounds} scripts");
    assert!(rounds > 0);
}
