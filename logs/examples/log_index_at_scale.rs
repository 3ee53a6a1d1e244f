//! How fast lines are indexed, how fast they are found, and what they cost on disk.
//!
//! ```text
//! cargo run --release -p millrace-logs --example log_index_at_scale -- --lines 20000000 --queries 400 --seed 1
//! ```
//! Lines are made in the same process; what that takes is printed, so that it can be taken off. All lines are of one day, which is
//! the worst case: one index.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use millrace_logs::{
    Allowed, Facet, Line, LogIndex, Options, Order, Page, Query, Search, Source, Stream, Wanted, Window,
};
use millrace_wire::ids::{JobId, RunId};
use millrace_wire::log::LogLevel;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 1_000_000)]
    lines: u64,
    #[arg(long, default_value_t = 200)]
    queries: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Lines of one append; each is acknowledged on disk.
    #[arg(long, default_value_t = 500)]
    batch: u64,
    /// Keep the index here, or ask the one that is here.
    #[arg(long)]
    root: Option<PathBuf>,
}

const MIDNIGHT: i64 = 1_795_392_000_000;
const DAY: i64 = 24 * 60 * 60 * 1000;
const JOBS: u128 = 300;
const TEAMS: u128 = 20;
const TOPICS: [&str; 12] = [
    "orders",
    "payments",
    "clicks",
    "shipments",
    "users",
    "sessions",
    "inventory",
    "prices",
    "returns",
    "reviews",
    "carts",
    "alerts",
];
const OPERATORS: [&str; 8] =
    ["kafka_source", "decode", "filter", "window_agg", "interval_join", "lookup_join", "dedup", "kafka_sink"];

/// Lines as workers write them: many of a few kinds, few of many.
struct Maker {
    random: StdRng,
    made: u64,
    lines: u64,
    numbers: Vec<u64>,
}

impl Maker {
    fn line(&mut self) -> Line {
        let job = self.random.random_range(0..JOBS) * self.random.random_range(0..JOBS) / JOBS;
        let number = &mut self.numbers[job as usize];
        *number += 1;
        let seq = *number;
        let (level, message) = self.message();
        let at = MIDNIGHT + (self.made as i128 * i128::from(DAY) / i128::from(self.lines.max(1))) as i64;
        self.made += 1;
        let operator = OPERATORS[self.random.random_range(0..OPERATORS.len())];
        Line {
            stream: Stream::Run(RunId(Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_0000_0000 + job))),
            seq,
            at,
            level,
            source: Source::Worker,
            organisation: "acme".into(),
            team: format!("team-{}", job % TEAMS),
            job: Some(JobId(Uuid::from_u128(0x019b_0000_0000_7000_8000_0000_0000_0000 + job))),
            job_name: format!("{} per minute {job}", TOPICS[job as usize % TOPICS.len()]),
            attempt: 1 + (seq / 50_000) as u32,
            worker: format!("worker-{:02}.example.org", job % 40),
            operator: operator.into(),
            version: format!("v{}", 1 + seq / 100_000),
            target: format!("millrace_engine::operator::{operator}"),
            message,
        }
    }

    fn message(&mut self) -> (LogLevel, String) {
        let random = &mut self.random;
        let topic = TOPICS[random.random_range(0..TOPICS.len())];
        let partition = random.random_range(0..48);
        let (big, small): (u64, u64) = (random.random_range(0..9_000_000_000), random.random_range(1..5000));
        match random.random_range(0..1000) {
            0..300 => (LogLevel::Debug, format!("fetched {small} records of {topic}-{partition} at offset {big}")),
            300..450 => (LogLevel::Debug, format!("watermark of {topic}-{partition} is {big}, delay {small} ms")),
            450..600 => (LogLevel::Info, format!("committed offset {big} of {topic}-{partition}")),
            600..700 => {
                (LogLevel::Info, format!("Checkpoint {} completed in {small} ms, state_bytes={big}", big % 100_000))
            }
            700..780 => {
                (LogLevel::Info, format!("flushed {small} rows into segment {:016x} of level {}", big * 7919, big % 7))
            }
            780..850 => (
                LogLevel::Info,
                format!("wrote {small} records to {topic}, request_id={}", Uuid::from_u128(u128::from(big) << 40)),
            ),
            850..900 => (
                LogLevel::Warn,
                format!("record of {topic}-{partition} at offset {big} is late by {small} ms and was dropped"),
            ),
            900..930 => (
                LogLevel::Warn,
                format!(
                    "broker {} (10.0.{}.{}:9092) does not answer, next try in {small} ms",
                    big % 9,
                    big % 250,
                    small % 250
                ),
            ),
            930..950 => (
                LogLevel::Error,
                format!(
                    "cannot decode record of {topic}-{partition} at offset {big}: expected value at line 1 column {small}"
                ),
            ),
            950..960 => (
                LogLevel::Error,
                format!("java.net.SocketTimeoutException: {small} millis timeout while waiting for channel"),
            ),
            960..980 => {
                (LogLevel::Error, "\tat org.apache.kafka.clients.NetworkClient.poll(NetworkClient.java:571)".into())
            }
            980..990 => (LogLevel::Info, format!("作业 {topic} 的检查点 {} 已完成", big % 1000)),
            990..998 => (
                LogLevel::Info,
                format!("SELECT user_id, COUNT(*) FROM {topic} GROUP BY TUMBLE(ts, INTERVAL '{}' MINUTE)", small % 60),
            ),
            _ => {
                (LogLevel::Error, format!("run ends: state of {topic} cannot be restored from savepoint sp-{small:04}"))
            }
        }
    }

    /// What people look for: mostly something rare, sometimes something that is everywhere.
    fn phrase(&mut self) -> String {
        let random = &mut self.random;
        let topic = TOPICS[random.random_range(0..TOPICS.len())];
        let (partition, small) = (random.random_range(0..48), random.random_range(1..5000));
        match random.random_range(0..10) {
            0 => format!("\"cannot decode record of {topic}-{partition}\""),
            1 => format!("\"is late by {small} ms\""),
            2 => format!("\"checkpoint {} completed\"", small * 3),
            3 => "\"cannot be restored from savepoint\"".into(),
            4 => "\"waiting for channel\" level:error".into(),
            5 => format!("\"broker {} \" \"does not answer\" operator:kafka_source", small % 9),
            6 => format!("\"flushed {small} rows\""),
            7 => "\"的检查点\"".into(),
            8 => format!("\"from {topic} group by\""),
            _ => "\"cannot decode record\"".into(),
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir().expect("a folder");
    let root = arguments.root.clone().unwrap_or_else(|| temporary.path().to_owned());
    let there = root.join("groups.json").exists() || root.join("2026-11-23").exists();
    let options = Options::new(root.clone(), Arc::new(|| MIDNIGHT + DAY - 1));
    let index = LogIndex::open(options).expect("the index opens");
    let random = StdRng::seed_from_u64(arguments.seed);
    let mut maker = Maker { random, made: 0, lines: arguments.lines, numbers: vec![0; JOBS as usize] };
    if !there {
        fill(&index, &mut maker, &arguments);
        print_disk(&root, arguments.lines);
    }
    ask(&index, &mut maker, arguments.queries);
    read(&index);
    memory();
}

fn fill(index: &LogIndex, maker: &mut Maker, arguments: &Arguments) {
    let mut making = Duration::ZERO;
    let started = Instant::now();
    let mut done = 0;
    let mut told = 0;
    while done < arguments.lines {
        let begun = Instant::now();
        let lines: Vec<Line> = (0..arguments.batch.min(arguments.lines - done)).map(|_| maker.line()).collect();
        making += begun.elapsed();
        index.append(&lines).expect("lines are taken");
        index.sync().expect("lines are on the disk");
        done += lines.len() as u64;
        if done / 1_000_000 > told {
            told = done / 1_000_000;
            eprintln!("{told} million taken, {:.0} lines/s", done as f64 / started.elapsed().as_secs_f64());
        }
    }
    let taken = started.elapsed();
    index.flush().expect("lines can be found");
    let found = started.elapsed();
    let work = work_of_process();
    println!("processor time: {work:.1} s, {:.1} µs a line", work * 1e6 / done as f64);
    println!(
        "{done} lines: all can be found after {:.1} s, {:.0} lines/s (acknowledged after {:.1} s; making them took {:.1} s of it)",
        found.as_secs_f64(),
        done as f64 / found.as_secs_f64(),
        taken.as_secs_f64(),
        making.as_secs_f64()
    );
}

fn ask(index: &LogIndex, maker: &mut Maker, queries: u64) {
    let page = Page { order: Order::NewestFirst, limit: 50, after: None };
    let facets = vec![(Facet::Level, 10), (Facet::JobName, 10)];
    let two_facets = Wanted { page: Some(page.clone()), facets: facets.clone(), histogram: None };
    let with_histogram = Wanted { page: Some(page), facets, histogram: Some(60) };
    for (name, wanted) in
        [("phrase, page of 50, two facets", two_facets), ("the same with a histogram of 60", with_histogram)]
    {
        let (mut times, mut works) = (Vec::new(), Vec::new());
        let mut slowest = (Duration::ZERO, String::new(), 0);
        for _ in 0..queries {
            let text = maker.phrase();
            let query = Query::parse(&text, MIDNIGHT).expect("a query");
            let search = Search { query, window: Window::ALWAYS };
            let before = work_of_threads();
            let started = Instant::now();
            let answer = index.search(&Allowed::All, &search, &wanted).expect("an answer");
            let time = started.elapsed();
            times.push(time);
            works.push(work_of_threads().saturating_sub(before));
            if time > slowest.0 {
                slowest = (time, text, answer.total.unwrap_or_default());
            }
        }
        times.sort_unstable();
        works.sort_unstable();
        println!(
            "{name}: {queries} queries over all, p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms; slowest {:.1} ms: {} with {} hits",
            share(&times, 0.5),
            share(&times, 0.9),
            share(&times, 0.99),
            millis(&slowest.0),
            slowest.1,
            slowest.2
        );
        let (half, most) = (share(&works, 0.5), share(&works, 0.99));
        println!("    processor time over all threads: p50 {half:.1} ms, p99 {most:.1} ms");
    }
    for text in ["", "level:>=warn", "offset", "broker OR checkpoint -decode"] {
        let search = Search::new(Query::parse(text, MIDNIGHT).expect("a query"));
        let wanted = Wanted { page: None, facets: vec![(Facet::Level, 10), (Facet::JobName, 10)], histogram: Some(60) };
        let started = Instant::now();
        let answer = index.search(&Allowed::All, &search, &wanted).expect("an answer");
        println!(
            "everything counted for {text:?}: {:.1} ms, {} hits",
            millis(&started.elapsed()),
            answer.total.unwrap_or_default()
        );
    }
}

/// Single lines, what stands around them, and groups of errors.
fn read(index: &LogIndex) {
    let page = Page { order: Order::NewestFirst, limit: 200, after: None };
    let wanted = Wanted { page: Some(page), ..Wanted::default() };
    let search = |text: &str| Search::new(Query::parse(text, MIDNIGHT).expect("a query"));
    let started = Instant::now();
    let answer = index.search(&Allowed::All, &search("checkpoint"), &wanted).expect("an answer");
    println!("page of {} alone: {:.1} ms", answer.hits.len(), millis(&started.elapsed()));
    let mut times: Vec<Duration> = Vec::new();
    for hit in &answer.hits {
        let started = Instant::now();
        index.context(&Allowed::All, &hit.id, 20, 20).expect("an answer").expect("the line is there");
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let slowest = times.last().map_or(0.0, millis);
    println!("20 lines before and after one: p50 {:.1} ms, slowest {slowest:.1} ms", millis(&times[times.len() / 2]));
    let started = Instant::now();
    let groups = index.groups(&Allowed::All, &search(""), 20).expect("an answer");
    println!("groups of errors over all: {:.1} ms, {} groups", millis(&started.elapsed()), groups.len());
}

fn share(sorted: &[Duration], share: f64) -> f64 {
    sorted.get((sorted.len() as f64 * share) as usize).or(sorted.last()).map_or(0.0, millis)
}

/// Time on a processor of the threads that there are: what a question costs, also where others use the machine.
fn work_of_threads() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").expect("threads are listed").flatten();
    let spent = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}

/// Seconds on a processor of the whole process, threads that are gone included.
fn work_of_process() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

fn millis(time: &Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn print_disk(root: &Path, lines: u64) {
    let day = root.join("2026-11-23");
    let texts = std::fs::metadata(day.join("lines")).map_or(0, |file| file.len());
    let mut by_kind = std::collections::BTreeMap::new();
    let mut index = 0;
    for entry in std::fs::read_dir(day.join("index")).expect("the index").flatten() {
        let bytes = entry.metadata().map_or(0, |file| file.len());
        let kind = entry.path().extension().and_then(|kind| kind.to_str()).unwrap_or("other").to_owned();
        *by_kind.entry(kind).or_insert(0_u64) += bytes;
        index += bytes;
    }
    let each = |bytes: u64| bytes as f64 / lines as f64;
    println!(
        "on disk: texts {} MB ({:.0} bytes a line), index {} MB ({:.0} bytes a line): {:?}",
        texts >> 20,
        each(texts),
        index >> 20,
        each(index),
        by_kind.iter().map(|(kind, bytes)| format!("{kind} {:.0}", each(*bytes))).collect::<Vec<_>>()
    );
}

fn memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("RssAnon")) {
        println!("{line}");
    }
}
