//! The sample functions of `assets/udf-sample`, built as its README says, in jobs: each case by itself, and stopped twice
//! with a savepoint and gone on from it at another parallelism. The cases are written like the golden ones; `${module}`
//! stands for the built module.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[allow(dead_code)]
mod harness;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use harness::case::Case;
use harness::run::{Course, run_case};
use millrace_engine::catalog::CatalogText;
use millrace_engine::local::{LocalOptions, Row, prepare};
use millrace_engine::plan::settings::Settings;
use millrace_engine::udf::inspect;

/// The module, built once per run of the tests, or by whoever says where it is.
fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| match std::env::var_os("MILLRACE_TEST_UDF_SAMPLE") {
        Some(built) => built.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("udf-sample");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--target", "wasm32-unknown-unknown"]);
    // Relative, as the tests run in the folder of their package.
    cargo.args(["--manifest-path", "../assets/udf-sample/Cargo.toml", "--target-dir"]).arg(&target);
    // What cargo says to the tests is not meant for another build.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let built = cargo.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target.join("wasm32-unknown-unknown/release/udf_sample.wasm")
}

fn cases() -> Vec<(String, Case, usize)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir("tests/user_functions").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap().replace("${module}", module().to_str().unwrap());
        let case = Case::parse(&text);
        let rows = case.inputs.values().map(|rows| rows.lines().count()).sum();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), case, rows)
    };
    paths.into_iter().map(read).collect()
}

fn try_all(course: impl Fn(usize) -> Course) {
    let cases = cases();
    assert!(cases.len() > 10);
    let tried = cases.iter().map(|(name, case, rows)| (name, run_case(case, &course(*rows))));
    let wrong: Vec<String> = tried.filter_map(|(name, result)| Some(format!("{name}: {}", result.err()?))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_module_has_the_functions_of_its_readme() {
    let bytes = std::fs::read(module()).unwrap();
    println!("{} bytes", bytes.len());
    let entries = inspect(&bytes).unwrap();
    let told: Vec<String> = entries.iter().map(|entry| format!("{} {}", entry.kind, entry.entry)).collect();
    let readme = std::fs::read_to_string("../assets/udf-sample/README.md").unwrap();
    for entry in &entries {
        assert!(readme.contains(&format!("`{}`", entry.name)), "the README does not tell of {}", entry.name);
    }
    assert_eq!(told.len(), 8, "{told:?}");
}

#[test]
fn every_case_gives_what_it_says() {
    try_all(|_| Course::in_one_go());
}

#[test]
fn stopped_and_restored_at_another_parallelism_they_give_the_same() {
    for first in [0, 1, 2] {
        try_all(|rows| Course { stops: vec![(first.min(rows), 2), (1, 3)], ..Course::in_one_go() });
    }
}

/// The rows of a SELECT over `n`, whose `id` goes from 1 to 20,000, in batches of 500.
fn rows(setting: &str, query: &str) -> Vec<Vec<serde_json::Value>> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let module = module().display();
    let script = format!(
        "{setting}
         CREATE TEMPORARY TABLE n (id INT) WITH ('connector' = 'datagen', 'number-of-rows' = '20000',
           'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '20000');
         CREATE TEMPORARY FUNCTION wavg AS 'weighted_avg' LANGUAGE WASM USING FILE '{module}';
         CREATE TEMPORARY FUNCTION gcd AS 'gcd' LANGUAGE WASM USING FILE '{module}';
         {query}"
    );
    let options = LocalOptions {
        catalog: CatalogText::default(),
        settings: Settings { parallelism: 2, ..Settings::default() },
        file_roots: Vec::new(),
        batch_rows: 500,
        runtime: runtime.handle().clone(),
    };
    let received: Arc<Mutex<Vec<Vec<serde_json::Value>>>> = Arc::default();
    let into = Arc::clone(&received);
    let receive = move |row: Row| {
        into.lock().unwrap().push(row.values);
        Ok(())
    };
    let prepared = prepare(&script, options, Arc::new(receive)).unwrap_or_else(|error| panic!("{error:?}"));
    prepared.start().unwrap().finish().unwrap();
    Arc::try_unwrap(received).unwrap().into_inner().unwrap()
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap()
}

/// In batches rows of a group are taken together: by merging where only come, by waves where some leave.
#[test]
fn aggregates_over_large_batches_are_those_of_sql() {
    const BATCH: &str = "SET 'execution.runtime-mode' = 'batch';";
    for groups in [1, 3, 701] {
        let query = format!(
            "SELECT MOD(id, {groups}) AS k, wavg(id, MOD(id, 7)), SUM(CAST(id AS DOUBLE) * MOD(id, 7)) / SUM(MOD(id, 7))
             FROM n GROUP BY MOD(id, {groups})"
        );
        let rows = rows(BATCH, &query);
        assert_eq!(rows.len(), groups);
        for row in rows {
            assert!((number(&row[1]) / number(&row[2]) - 1.0).abs() < 1e-12, "{row:?}");
        }
    }
    let query = "SELECT wavg(c, c), SUM(CAST(c AS DOUBLE) * c) / SUM(c) FROM
                 (SELECT MOD(id, 50) AS k, COUNT(*) AS c FROM n GROUP BY MOD(id, 50))";
    let rows = rows("", query);
    // How many there are depends on how batches meet. Some were taken back, and the last one is that of all rows.
    assert!(rows.len() > 4, "{}", rows.len());
    assert_eq!(rows.last().map(|row| number(&row[0])), Some(400.0), "50 groups of 400");
    for row in rows.iter().filter(|row| !row[0].is_null()) {
        assert!((number(&row[0]) - number(&row[1])).abs() < 1e-6, "{row:?}");
    }
}

#[test]
fn calls_in_calls_give_what_they_say() {
    let rows = rows("", "SELECT id, gcd(id, 360), gcd(gcd(id, 720), 360) FROM n");
    assert_eq!(rows.len(), 20_000);
    assert!(rows.iter().all(|row| row[1] == row[2]));
    assert_eq!(rows.iter().filter(|row| row[1] == 360).count(), 55);
}
