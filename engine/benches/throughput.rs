//! Records per second on one core, beside the decoder's own ceiling measured in the same run.
//!
//! `cargo bench -p millrace-engine --bench throughput` makes JSON bids (seeded), then measures in turn: the source alone
//! (read, split into lines, decoded), a filter with projection, a tumbling count by key, and an updating count by key,
//! each into a sink that forgets. `ROWS` sets how many (2,000,000). Figures are of one machine at one time; the ratio to
//! the ceiling is what can be compared.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_engine::catalog::CatalogText;
use millrace_engine::connector::{ConnectorContext, SourceEvent, SplitStart};
use millrace_engine::local::BATCH_ROWS;
use millrace_engine::plan::dataflow::{Dataflow, NodeKind, plan};
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::{ConnectorEndpoints, Outcome, Run, RunCommitters, RunOptions};
use millrace_engine::sql::bind;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const QUERIES: [(&str, &str); 3] = [
    ("filter and projection", "INSERT INTO nowhere SELECT auction, price * 2 FROM bid WHERE MOD(auction, 3) <> 0"),
    (
        "tumbling count by key",
        "INSERT INTO nowhere SELECT auction, COUNT(*) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' SECOND))
         GROUP BY auction, window_start, window_end",
    ),
    ("updating count by key", "INSERT INTO nowhere SELECT auction, COUNT(*) FROM bid GROUP BY auction"),
];

fn main() {
    let rows: u64 = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(2_000_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bids.json");
    let bytes = write_bids(&path, rows);
    println!("{rows} bids, {} MB of JSON, parallelism 1", bytes >> 20);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for (name, query) in QUERIES {
        // The second time around, with warm caches; source and whole query alternate.
        let (mut ceiling, mut whole) = (Duration::MAX, Duration::MAX);
        for _ in 0..3 {
            ceiling = ceiling.min(source_alone(&planned(&path, query, runtime.handle()).0, rows));
            let (dataflow, committers) = planned(&path, query, runtime.handle());
            whole = whole.min(run(&dataflow, committers));
        }
        let rate = |time: Duration| rows as f64 / time.as_secs_f64() / 1000.0;
        println!(
            "{name:<24} {:>8.0} k records/s; its source alone {:>8.0} k records/s; {:.0} % of it",
            rate(whole),
            rate(ceiling),
            100.0 * ceiling.as_secs_f64() / whole.as_secs_f64()
        );
    }
}

fn write_bids(path: &Path, rows: u64) -> usize {
    let mut random = StdRng::seed_from_u64(1);
    let mut text = String::new();
    for row in 0..rows {
        let ts = chrono::DateTime::from_timestamp_millis(1_600_000_000_000 + row as i64 / 10).unwrap();
        let (auction, bidder, price) =
            (random.random_range(0..10_000), random.random_range(0..50_000), random.random_range(1..1_000_000));
        let ts = ts.format("%Y-%m-%d %H:%M:%S%.3f");
        writeln!(
            text,
            r#"{{"auction":{auction},"bidder":{bidder},"price":{price},"channel":"channel-{}","url":"https://example.org/item/{auction}","ts":"{ts}","extra":"{:032x}"}}"#,
            bidder % 100,
            u128::from(random.random::<u64>())
        )
        .unwrap();
    }
    std::fs::write(path, &text).unwrap();
    text.len()
}

fn planned(path: &Path, query: &str, runtime: &tokio::runtime::Handle) -> (Dataflow, Arc<RunCommitters>) {
    let script = format!(
        "CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, ts TIMESTAMP(3), extra STRING,
           WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
           WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');
         CREATE TABLE nowhere (auction BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
         {query};",
        path.display()
    );
    let committers = Arc::new(RunCommitters::default());
    let context = ConnectorContext {
        file_roots: Vec::new(),
        identity: "bench".to_owned(),
        start_at_ms: None,
        committers: Arc::clone(&committers) as Arc<_>,
        read_only: false,
        batch_rows: BATCH_ROWS,
        runtime: runtime.clone(),
    };
    let script = bind(&script, &CatalogText::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let endpoints = ConnectorEndpoints { context, collect: None };
    let dataflow = plan(&script, &Settings::default(), &endpoints).unwrap_or_else(|problems| panic!("{problems:?}"));
    (dataflow, committers)
}

/// Everything that the query's source reads, given to nobody.
fn source_alone(dataflow: &Dataflow, rows: u64) -> Duration {
    let source = dataflow.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Source { source, .. } => Some(source),
        _ => None,
    });
    let source = source.unwrap();
    let since = Instant::now();
    let splits = source.splits().unwrap().into_iter().map(|split| SplitStart { split, position: None }).collect();
    let mut reader = source.reader(splits).unwrap();
    let mut read = 0;
    loop {
        match reader.next(Duration::from_millis(10)).unwrap() {
            SourceEvent::Batch { batch, .. } => read += batch.len() as u64,
            SourceEvent::End => break,
            SourceEvent::Idle | SourceEvent::SplitEnd { .. } => {}
        }
    }
    assert_eq!(read, rows);
    since.elapsed()
}

fn run(dataflow: &Dataflow, committers: Arc<RunCommitters>) -> Duration {
    let options = RunOptions {
        store: None,
        run: "bench".to_owned(),
        kept: 1,
        committers,
        restored: None,
        next_checkpoint: 1,
        batch_rows: BATCH_ROWS,
    };
    let since = Instant::now();
    assert_eq!(Run::new(dataflow, options).unwrap().run().unwrap(), Outcome::Finished);
    since.elapsed()
}
