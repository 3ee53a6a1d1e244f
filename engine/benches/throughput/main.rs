//! Records per second on one core, beside the decoder's own ceiling measured in the same run.
//!
//! JSON bids (seeded) are put into a topic of the Kafka that `MILLRACE_TEST_KAFKA` names, or into a file without it.
//! Then three things are measured in turn for each query, five times, the best of each and the middle of the five ratios count: the decoder alone (the same
//! bytes from memory into the columns that the query needs), the source alone (read and decoded, given to nobody), and
//! the whole query into a sink that forgets. `ROWS` sets how many (4,000,000). Figures are of one machine at one time;
//! the ratio to the ceiling is what can be compared. For one core start it with `taskset -c 1`, and the broker on another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod bids;
mod origin;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_engine::catalog::{CatalogText, ColumnKind};
use millrace_engine::connector::{ConnectorContext, SourceEvent, SplitStart};
use millrace_engine::format::{self, FormatOptions};
use millrace_engine::local::BATCH_ROWS;
use millrace_engine::plan::dataflow::{Dataflow, NodeKind, plan};
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::{ConnectorEndpoints, Outcome, Run, RunCommitters, RunOptions};
use millrace_engine::sql::bind;
use millrace_engine::types::Field;

use bids::Bids;
use origin::Origin;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Others use this machine too: the best of a few is what it can do.
const ROUNDS: usize = 5;

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
    let rows: u64 = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(4_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bids = Bids::new(rows);
    let origin = Origin::fill(&bids, &runtime);
    println!("{rows} bids, {} MB of JSON from {}, parallelism 1", bids.text().len() >> 20, origin.name());
    for (name, query) in QUERIES {
        let (mut ceiling, mut source, mut whole) = (Duration::MAX, Duration::MAX, Duration::MAX);
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let decoded = decoder_alone(&planned(&origin, query, runtime.handle()).0, &bids);
            ceiling = ceiling.min(decoded);
            source = source.min(source_alone(&planned(&origin, query, runtime.handle()).0, rows));
            let (dataflow, committers) = planned(&origin, query, runtime.handle());
            let took = run(&dataflow, committers);
            whole = whole.min(took);
            ratios.push(decoded.as_secs_f64() / took.as_secs_f64());
        }
        ratios.sort_by(f64::total_cmp);
        let rate = |time: Duration| rows as f64 / time.as_secs_f64() / 1000.0;
        println!(
            "{name:<24} {:>6.0} k records/s, mostly {:.0} % of the decoder alone (at best {:.0} k records/s); source alone {:.0} k records/s",
            rate(whole),
            100.0 * ratios[ROUNDS / 2],
            rate(ceiling),
            rate(source),
        );
    }
}

fn planned(origin: &Origin, query: &str, runtime: &tokio::runtime::Handle) -> (Dataflow, Arc<RunCommitters>) {
    let script = format!(
        "CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, ts TIMESTAMP(3), extra STRING,
           WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ({});
         CREATE TABLE nowhere (auction BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
         {query};",
        origin.options()
    );
    let committers = Arc::new(RunCommitters::default());
    let context = ConnectorContext {
        file_roots: Vec::new(),
        identity: "bench".to_owned(),
        start_at_ms: None,
        committers: Arc::clone(&committers) as Arc<_>,
        read_only: false,
        bad_records: None,
        batch_rows: BATCH_ROWS,
        runtime: runtime.clone(),
    };
    let script = bind(&script, &CatalogText::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let endpoints = ConnectorEndpoints { context, collect: None };
    let dataflow = plan(&script, &Settings::default(), &endpoints).unwrap_or_else(|problems| panic!("{problems:?}"));
    (dataflow, committers)
}

/// The same records from memory, into the columns that the query's source gives.
fn decoder_alone(dataflow: &Dataflow, bids: &Bids) -> Duration {
    let source = dataflow.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Source { table, read, .. } => Some((table, read)),
        _ => None,
    });
    let (table, read) = source.unwrap();
    assert!(table.columns.iter().all(|column| matches!(column.kind, ColumnKind::Physical)));
    let fields: Vec<Field> = table.columns.iter().map(|column| Field::new(&column.name, column.ty.clone())).collect();
    let options = FormatOptions::of_table(&BTreeMap::new(), "", "json");
    let since = Instant::now();
    let mut decoder = format::find("json").unwrap().decoder(&fields, read, &options).unwrap();
    let mut rows = 0;
    for record in bids.records() {
        decoder.push(record).unwrap();
        if decoder.rows() == BATCH_ROWS {
            rows += std::hint::black_box(decoder.finish().unwrap()).columns[0].len() as u64;
        }
    }
    rows += decoder.finish().unwrap().columns[0].len() as u64;
    assert_eq!(rows, bids.len());
    since.elapsed()
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
        state: millrace_engine::state::StateOptions::default(),
    };
    let since = Instant::now();
    assert_eq!(Run::new(dataflow, options).unwrap().run().unwrap(), Outcome::Finished);
    since.elapsed()
}
