//! Processing time: whole scripts, over files and over a source that has no end.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use millrace_wire::job::StopMode;
use serde_json::{Value, json};

use crate::catalog::CatalogText;
use crate::local::{LocalOptions, Prepared, Receive, Row, prepare};
use crate::plan::settings::Settings;

fn prepared(script: &str, runtime: &tokio::runtime::Runtime, receive: Arc<Receive>) -> Prepared {
    let options = LocalOptions {
        catalog: CatalogText::default(),
        settings: Settings { parallelism: 2, ..Settings::default() },
        file_roots: Vec::new(),
        batch_rows: 3,
        runtime: runtime.handle().clone(),
    };
    prepare(script, options, receive).unwrap_or_else(|error| panic!("{error:?}"))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The rows that are left of a query over the table `e`, which has rows of the keys a (6) and b (4).
fn left(query: &str) -> (BTreeMap<String, i64>, bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e");
    let keys = ["a", "b", "a", "a", "b", "a", "b", "a", "b", "a"];
    let lines = keys
        .iter()
        .enumerate()
        .map(|(id, key)| format!("{{\"id\":{id},\"k\":\"{key}\",\"ts\":\"2020-01-01 00:00:0{id}\"}}\n"));
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    let script = format!(
        "CREATE TABLE e (id INT, k STRING, ts TIMESTAMP(3), p AS PROCTIME(), WATERMARK FOR ts AS ts) \
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n{query};",
        path.display()
    );
    let (runtime, rows) = (runtime(), Arc::new(Mutex::new((BTreeMap::new(), true))));
    let into = Arc::clone(&rows);
    let receive = move |row: Row| {
        let mut rows = into.lock().unwrap();
        let adds = row.kind.is_accumulate();
        rows.1 &= row.kind == crate::change::RowKind::Insert;
        *rows.0.entry(Value::Array(row.values).to_string()).or_insert(0) += if adds { 1 } else { -1 };
        Ok(())
    };
    prepared(&script, &runtime, Arc::new(receive)).start().unwrap().finish().unwrap();
    let (mut table, only_inserts) = rows.lock().unwrap().clone();
    table.retain(|_, count| *count != 0);
    (table, only_inserts)
}

fn table(rows: &[Value]) -> BTreeMap<String, i64> {
    rows.iter().map(|row| (row.to_string(), 1)).collect()
}

#[test]
fn windows_of_processing_time_count_every_row_once() {
    let counts = table(&[json!(["a", 6]), json!(["b", 4])]);
    for from in [
        "SELECT k, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(p), INTERVAL '1' SECOND)) \
         GROUP BY k, window_start, window_end",
        "SELECT k, COUNT(*) AS n FROM TABLE(SESSION(TABLE e PARTITION BY k, DESCRIPTOR(p), INTERVAL '10' SECOND)) \
         GROUP BY k, window_start, window_end",
        "SELECT k, COUNT(*) AS n FROM e GROUP BY k, TUMBLE(p, INTERVAL '1' SECOND)",
        // A column of a query, beside an event time that says nothing then.
        "SELECT k, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE (SELECT *, PROCTIME() AS q FROM e), DESCRIPTOR(q), \
         INTERVAL '1' SECOND)) GROUP BY k, window_start, window_end",
    ] {
        assert_eq!(left(&format!("SELECT k, SUM(n) FROM ({from}) GROUP BY k")).0, counts, "{from}");
    }
}

#[test]
fn over_and_deduplication_by_processing_time_only_insert() {
    let (rows, only_inserts) =
        left("SELECT k, COUNT(*) OVER (PARTITION BY k ORDER BY p ROWS UNBOUNDED PRECEDING) AS n FROM e");
    let mut wanted: Vec<Value> = (1..=6).map(|n| json!(["a", n])).collect();
    wanted.extend((1..=4).map(|n| json!(["b", n])));
    assert_eq!((rows, only_inserts), (table(&wanted), true));
    let first = "SELECT k FROM (SELECT k, ROW_NUMBER() OVER (PARTITION BY k ORDER BY p) AS rn FROM e) WHERE rn = 1";
    assert_eq!(left(first), (table(&[json!(["a"]), json!(["b"])]), true));
    let last = "SELECT k, id FROM (SELECT k, id, ROW_NUMBER() OVER (PARTITION BY k ORDER BY p DESC) AS rn FROM e) WHERE rn = 1";
    assert_eq!(left(last).0, table(&[json!(["a", 9]), json!(["b", 8])]));
}

#[test]
fn a_window_closes_by_the_clock_while_no_row_comes() {
    let script = "CREATE TABLE e (id BIGINT, p AS PROCTIME()) WITH ('connector' = 'datagen', 'rows-per-second' = '20');
        SELECT COUNT(*) AS n FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(p), INTERVAL '0.2' SECOND)) GROUP BY window_start, window_end;";
    let (runtime, (sender, receiver)) = (runtime(), std::sync::mpsc::channel::<Row>());
    let sender = Mutex::new(sender);
    let receive = move |row: Row| {
        // Whoever counts may have gone.
        let _ = sender.lock().unwrap().send(row);
        Ok(())
    };
    let started = prepared(script, &runtime, Arc::new(receive)).start().unwrap();
    let handle = started.handle.clone();
    let run = std::thread::spawn(move || started.finish());
    for _ in 0..2 {
        let row = receiver.recv_timeout(std::time::Duration::from_secs(20)).expect("a window closes");
        assert!(row.values[0].as_i64().unwrap() > 0);
    }
    handle.stop(StopMode::Cancel);
    run.join().unwrap().unwrap();
}
