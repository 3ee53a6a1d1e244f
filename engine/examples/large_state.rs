//! A group aggregate whose state is larger than the memory it may take: the answer, the memory, the pauses at its
//! checkpoints, and how long a restore takes.
//!
//! `KEYS` groups (20,000,000) get two rows each, under a limit of `MEMORY_MB` (2048) for the whole process. Then the same
//! job starts again from its last checkpoint. Checkpoints are taken every `CHECKPOINT_S` seconds (5) into a folder below
//! `FOLDER` (that of temporary files).
//!
//! With `TTL_S`, instead: a stream of ever new keys, `RATE` (50,000) a second for `SECONDS` (600), each forgotten after so
//! many seconds; the memory of the process every ten seconds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use millrace_engine::catalog::CatalogText;
use millrace_engine::change::ChangeBatch;
use millrace_engine::checkpoint::{CheckpointStore, Restored};
use millrace_engine::collect::CollectSink;
use millrace_engine::connector::ConnectorContext;
use millrace_engine::local::BATCH_ROWS;
use millrace_engine::plan::dataflow::plan;
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::{ConnectorEndpoints, Run, RunCommitters, RunEvent, RunOptions};
use millrace_engine::sql::bind;
use millrace_engine::state::StateOptions;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Shorter ones between two batches are work, not pauses.
const PAUSE: Duration = Duration::from_millis(100);

/// What the sink saw: the sums over the table that is left, and pauses between two batches.
#[derive(Clone)]
struct Seen {
    rows: i64,
    count: i64,
    sum: i64,
    first: Option<Instant>,
    last: Instant,
    /// When they ended.
    pauses: Vec<(Instant, Duration)>,
}

fn main() {
    let number =
        |name: &str, otherwise: i64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (keys, memory_mb) = (number("KEYS", 20_000_000), number("MEMORY_MB", 2048));
    let every = Duration::from_secs(number("CHECKPOINT_S", 5).unsigned_abs());
    let folder = std::env::var_os("FOLDER").map_or_else(std::env::temp_dir, Into::into);
    let root = folder.join(format!("millrace-large-state-{}", std::process::id()));
    let store = CheckpointStore::open(&root).unwrap();
    let ttl = number("TTL_S", 0);
    if ttl > 0 {
        forget(&Load { rate: number("RATE", 50_000), seconds: number("SECONDS", 600), ttl, memory_mb, every }, &store);
        std::fs::remove_dir_all(root).unwrap();
        return;
    }

    let seen = run(keys, memory_mb, every, &store, None);
    assert_eq!((seen.rows, seen.count), (keys, keys * 2), "groups and rows");
    assert_eq!(seen.sum, keys * (keys * 2 - 1), "sum of all values");
    println!("the answer is right; peak memory of the process {} MB of {memory_mb} MB", peak_mb());

    let since = Instant::now();
    let (path, manifest, restored) = store.newest_whole(None).unwrap().unwrap();
    println!(
        "checkpoint {} of {} MB read and verified in {:.2} s",
        manifest.number,
        bytes(&path) >> 20,
        since.elapsed().as_secs_f64()
    );
    run(keys, memory_mb, every, &store, Some((restored, since)));
    std::fs::remove_dir_all(root).unwrap();
}

fn run(keys: i64, memory_mb: i64, every: Duration, store: &CheckpointStore, from: Option<(Restored, Instant)>) -> Seen {
    // The job that is restored has ended: more rows come, so that it has something to do.
    let rows = if from.is_some() { keys * 2 + keys / 10 } else { keys * 2 };
    let script = format!(
        "CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '0',
           'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{}');
         SELECT k, COUNT(*), SUM(id) FROM (SELECT MOD(id, {keys}) AS k, id FROM numbers) GROUP BY k;",
        rows - 1
    );
    let now = Instant::now();
    let seen = Arc::new(Mutex::new(Seen { rows: 0, count: 0, sum: 0, first: None, last: now, pauses: Vec::new() }));
    let into = Arc::clone(&seen);
    let collect = CollectSink::new(move |batch: &ChangeBatch| {
        let mut seen = into.lock().unwrap();
        let (counts, sums) = (batch.rows.column(1), batch.rows.column(2));
        let (counts, sums) = (counts.as_primitive::<Int64Type>(), sums.as_primitive::<Int64Type>());
        for row in 0..batch.len() {
            let sign = if batch.kind(row).is_accumulate() { 1 } else { -1 };
            seen.rows += sign;
            seen.count += sign * counts.value(row);
            seen.sum += sign * sums.value(row);
        }
        let now = Instant::now();
        let pause = now - seen.last;
        if seen.first.is_some() && pause > PAUSE {
            seen.pauses.push((now, pause));
        }
        seen.first.get_or_insert(now);
        seen.last = now;
        Ok(())
    });
    let settings = Settings { checkpoint_interval: Some(every), ..Settings::default() };
    let (restored, asked) = from.map_or((None, Instant::now()), |(restored, asked)| (Some(restored), asked));
    let (run, _runtime) = start(&script, &settings, collect, memory_mb, store, restored);
    let events = run.events();
    let listener = std::thread::spawn(move || {
        let done = |event| match event {
            RunEvent::CheckpointDone(done) => Some((Instant::now(), done.bytes, Duration::from_millis(done.ms))),
            RunEvent::CheckpointFailed { .. } => None,
        };
        events.iter().filter_map(done).collect::<Vec<_>>()
    });
    let built = asked.elapsed();
    let since = Instant::now();
    run.run().unwrap();
    let took = since.elapsed().as_secs_f64();
    let checkpoints = listener.join().unwrap();
    let seen = seen.lock().unwrap().clone();
    println!(
        "built in {:.2} s, first row out {:.2} s after that; {rows} rows in {took:.1} s",
        built.as_secs_f64(),
        seen.first.map_or(0.0, |first| (first - since).as_secs_f64()),
    );
    let text = checkpoints.iter().map(|(_, bytes, took)| format!("{} MB in {} ms", bytes >> 20, took.as_millis()));
    println!("checkpoints: {}", text.collect::<Vec<_>>().join(", "));
    let beside = |end: Instant, pause: Duration| {
        checkpoints.iter().any(|(done, _, took)| end >= *done - *took && end - pause <= *done)
    };
    let (beside, others): (Vec<_>, Vec<_>) = seen.pauses.iter().partition(|(end, pause)| beside(*end, *pause));
    println!("pauses at the sink above {} ms", PAUSE.as_millis());
    println!("  while a checkpoint was under way: {}", longest(beside, since));
    println!("  otherwise: {}", longest(others, since));
    seen
}

/// How many there are, and the longest ten.
fn longest(mut pauses: Vec<(Instant, Duration)>, since: Instant) -> String {
    pauses.sort_by_key(|(_, pause)| std::cmp::Reverse(*pause));
    let one = |(end, pause): &(Instant, Duration)| {
        format!("{} ms at {:.1} s", pause.as_millis(), (*end - since).as_secs_f64())
    };
    let text: Vec<String> = pauses.iter().take(10).map(one).collect();
    format!("{}; {}", pauses.len(), text.join(", "))
}

/// The job, and the runtime that it lives on.
fn start(
    script: &str,
    settings: &Settings,
    collect: CollectSink,
    memory_mb: i64,
    store: &CheckpointStore,
    restored: Option<Restored>,
) -> (Run, tokio::runtime::Runtime) {
    let bound = bind(script, &CatalogText::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let committers = Arc::new(RunCommitters::default());
    let context = ConnectorContext {
        file_roots: Vec::new(),
        identity: "large-state".to_owned(),
        start_at_ms: None,
        committers: Arc::clone(&committers) as Arc<_>,
        read_only: false,
        bad_records: None,
        batch_rows: BATCH_ROWS,
        runtime: runtime.handle().clone(),
    };
    let endpoints = ConnectorEndpoints { context, collect: Some(Arc::new(collect)) };
    let dataflow = plan(&bound, settings, &endpoints).unwrap_or_else(|problems| panic!("{problems:?}"));
    let options = RunOptions {
        store: Some(store.clone()),
        run: "large-state".to_owned(),
        kept: 2,
        committers,
        next_checkpoint: store.list().unwrap().first().map_or(1, |(number, _)| number + 1),
        restored,
        batch_rows: BATCH_ROWS,
        state: StateOptions::within(memory_mb.unsigned_abs() << 20),
    };
    (Run::new(&dataflow, options).unwrap(), runtime)
}

struct Load {
    rate: i64,
    seconds: i64,
    ttl: i64,
    memory_mb: i64,
    every: Duration,
}

/// Ever new keys that are forgotten again.
fn forget(load: &Load, store: &CheckpointStore) {
    let script = format!(
        "CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '{}',
           'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{}');
         SELECT id, COUNT(*) FROM numbers GROUP BY id;",
        load.rate,
        load.rate * load.seconds - 1
    );
    let settings = Settings {
        checkpoint_interval: Some(load.every),
        state_ttl: Duration::from_secs(load.ttl.unsigned_abs()),
        ..Settings::default()
    };
    let given = Arc::new(Mutex::new(0_usize));
    let into = Arc::clone(&given);
    let collect = CollectSink::new(move |batch: &ChangeBatch| {
        *into.lock().unwrap() += batch.len();
        Ok(())
    });
    let (run, _runtime) = start(&script, &settings, collect, load.memory_mb, store, None);
    let (over, waits) = std::sync::mpsc::channel::<()>();
    let sampler = std::thread::spawn(move || {
        let mut samples = Vec::new();
        while waits.recv_timeout(Duration::from_secs(10)).is_err() {
            samples.push(status_mb("VmRSS:"));
        }
        samples
    });
    let since = Instant::now();
    run.run().unwrap();
    over.send(()).unwrap();
    let samples = sampler.join().unwrap();
    println!("{} rows in {:.0} s", given.lock().unwrap(), since.elapsed().as_secs_f64());
    println!("memory of the process every 10 s, in MB: {samples:?}");
}

fn bytes(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|about| about.len()).sum()
}

fn peak_mb() -> u64 {
    status_mb("VmHWM:")
}

fn status_mb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() >> 10
}
