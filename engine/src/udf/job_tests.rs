//! Bad functions in jobs: the job ends with the reason, and those beside it go on.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::testing::{ECHO, Guest, kept};
use crate::catalog::CatalogText;
use crate::local::{LocalError, LocalOptions, Prepared, prepare};
use crate::plan::settings::Settings;
use crate::sql::{bind_all, format_sql, validate};

const ENTRY: &str = "f(int32)->int32";

fn script(guest: &Guest, rows: u32) -> String {
    let (path, _) = kept(&guest.bytes());
    format!(
        "CREATE TEMPORARY TABLE n (i INT) WITH ('connector' = 'datagen', 'number-of-rows' = '{rows}',
           'fields.i.kind' = 'sequence', 'fields.i.start' = '1', 'fields.i.end' = '{rows}');
         CREATE TEMPORARY FUNCTION f AS '{ENTRY}' LANGUAGE WASM USING FILE '{path}';
         SELECT i, f(i) AS g FROM n"
    )
}

type Received = Arc<Mutex<Vec<Vec<serde_json::Value>>>>;

fn prepared(runtime: &tokio::runtime::Runtime, sql: &str) -> Result<(Prepared, Received), LocalError> {
    let received = Received::default();
    let into = Arc::clone(&received);
    let options = LocalOptions {
        catalog: CatalogText::default(),
        settings: Settings::default(),
        file_roots: Vec::new(),
        batch_rows: 512,
        runtime: runtime.handle().clone(),
    };
    let receive = Arc::new(move |row: crate::local::Row| {
        into.lock().push(row.values);
        Ok(())
    });
    Ok((prepare(sql, options, receive)?, received))
}

#[test]
fn a_bad_function_ends_its_job_and_no_other() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (good, received) = prepared(&runtime, &script(&Guest::new().function(ENTRY, ECHO), 30_000)).unwrap();
    let good = good.start().unwrap();
    let beside = std::thread::spawn(move || good.finish().unwrap());
    for (body, told) in [
        ("(loop $l (br $l)) (i32.const 0)", "f was stopped: it took longer than 5 seconds"),
        (
            "(loop $l (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable))) (br $l)) (i32.const 0)",
            "f was stopped: it needs more than 64 MB",
        ),
        ("(unreachable)", "f failed: `unreachable` instruction executed"),
        (
            "(i32.store (local.get $out) (i32.const -1)) (i32.store offset=4 (local.get $out) (i32.const 9)) (i32.const 0)",
            "f was stopped: it points outside of its memory",
        ),
    ] {
        let (bad, _) = prepared(&runtime, &script(&Guest::new().function(ENTRY, body), 100)).unwrap();
        let begun = Instant::now();
        let error = bad.start().unwrap().finish().unwrap_err();
        assert!(error.message.contains(told), "{error}");
        assert_eq!((error.code, error.retry), ("function_failed", false), "{error:?}");
        assert!(error.operator.is_some(), "{error:?}");
        assert!(begun.elapsed().as_secs() < 30);
    }
    beside.join().unwrap();
    let rows = received.lock();
    assert_eq!(rows.len(), 30_000);
    assert!(rows.iter().all(|row| row[0] == row[1]));
}

#[test]
fn a_script_cannot_take_any_file() {
    let script = script(&Guest::new().function(ENTRY, ECHO), 10);
    // On the platform modules are uploaded.
    let problems = bind_all(&script, &CatalogText::default()).problems;
    assert!(problems[0].message.contains("Modules cannot be read from files here"), "{problems:?}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = LocalOptions {
        catalog: CatalogText::default(),
        settings: Settings::default(),
        file_roots: vec![folder.path().to_owned()],
        batch_rows: 512,
        runtime: runtime.handle().clone(),
    };
    let Err(LocalError::Problems(problems)) = prepare(&script, options, Arc::new(|_| Ok(()))) else { panic!() };
    assert!(problems[0].message.contains("outside of the folders"), "{problems:?}");
}

#[test]
fn validation_runs_nothing() {
    let guest = Guest::new().function(ENTRY, "(loop $l (br $l)) (i32.const 0)");
    let (path, _) = kept(&guest.bytes());
    let catalog = CatalogText { function_roots: Some(Vec::new()), ..CatalogText::default() };
    let begun = Instant::now();
    // Constant arguments, and a partition that a filter looks at.
    let script = format!(
        "CREATE TEMPORARY FUNCTION f AS 'f' LANGUAGE WASM USING FILE '{path}';
         CREATE TEMPORARY TABLE p (a INT, d INT) PARTITIONED BY (d) WITH ('connector' = 'filesystem', 'path' = '/none', 'format' = 'json');
         CREATE TEMPORARY TABLE s (a INT) WITH ('connector' = 'blackhole');
         INSERT INTO s SELECT f(1) FROM p WHERE f(d) = 3;"
    );
    let validation = validate(&script, &catalog, 1);
    assert_eq!(validation.diagnostics, vec![]);
    assert!(begun.elapsed().as_secs() < 3);
    let formatted = format_sql(&script).unwrap();
    assert!(formatted.contains("CREATE TEMPORARY FUNCTION f AS 'f'"), "{formatted}");
}
