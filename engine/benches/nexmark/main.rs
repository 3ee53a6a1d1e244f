//! Nexmark: records per second and per core of the queries that Flink runs, over frozen JSON files.
//!
//! `EVENTS` says how many events there are (2,000,000), `QUERIES` which queries run (`q0,q5`; all), `PARALLELISM` 1 or
//! more. The files are made once, below the target folder, and are in the cache of the system when time is taken. Each
//! query runs in a process of its own, so that its memory is known; the better of `ROUNDS` (2) counts. Time is from the
//! text of the query to the end of the run, CPU is user and system time of the whole process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod generator;
mod queries;
mod twister;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--one") {
        one(&arguments[at + 1], Path::new(&arguments[at + 2]));
        return;
    }
    let number =
        |name: &str, otherwise: i64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (events, rounds) = (number("EVENTS", 2_000_000), number("ROUNDS", 2));
    let only = std::env::var("QUERIES").unwrap_or_default();
    let wanted: Vec<&str> = only.split(',').filter(|name| !name.is_empty()).collect();
    let data = data(events);
    println!("query   seconds  k records/s  k records per CPU second  peak MB   rows out  checksum");
    for (name, query) in queries::all() {
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let records = input_rows(query, events);
        let best = (0..rounds).map(|_| measured(name, &data, false)).min_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let (best, summed) = (best.unwrap(), measured(name, &data, true));
        println!(
            "{name:<6} {:>8.2} {:>12.0} {:>25.0} {:>8} {:>10}  {:016x}",
            best.seconds,
            records as f64 / best.seconds / 1000.0,
            records as f64 / best.cpu / 1000.0,
            best.peak_kb >> 10,
            summed.rows,
            summed.checksum,
        );
    }
}

/// Below the folder that cargo builds in.
fn data(events: i64) -> PathBuf {
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let folder = target.join(format!("nexmark-{events}"));
    if !folder.join("complete").exists() {
        generator::write(events, &folder).unwrap();
        std::fs::write(folder.join("complete"), "").unwrap();
    }
    for file in ["person.json", "auction.json", "bid.json"] {
        std::hint::black_box(std::fs::read(folder.join(file)).unwrap());
    }
    folder
}

/// Rows of the files that a query reads, each once.
fn input_rows(query: &str, events: i64) -> i64 {
    let reads = |table: &str| query.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == table);
    let rows = [("person", 1), ("auction", 3), ("bid", 46)];
    // `auction` is a column of bids as well.
    let is_table = |table: &str| {
        [
            format!("FROM {table} "),
            format!("JOIN {table} "),
            format!(", {table} "),
            format!("TABLE {table},"),
            format!("FROM {table}\n"),
            format!("TABLE {table} "),
        ]
        .iter()
        .any(|text| format!("{query} \n").replace('\n', " \n").contains(text.as_str()))
    };
    rows.iter().filter(|(table, _)| reads(table) && is_table(table)).map(|(_, share)| events / 50 * share).sum()
}

struct Measured {
    seconds: f64,
    cpu: f64,
    peak_kb: u64,
    rows: i64,
    checksum: u64,
}

fn measured(name: &str, data: &Path, sum: bool) -> Measured {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--one", name])
        .arg(data)
        .env("SUM", if sum { "1" } else { "" })
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let fields: Vec<&str> = text.split_whitespace().collect();
    Measured {
        seconds: fields[0].parse().unwrap(),
        cpu: fields[1].parse().unwrap(),
        peak_kb: fields[2].parse().unwrap(),
        rows: fields[3].parse().unwrap(),
        checksum: fields[4].parse().unwrap(),
    }
}

/// One query in this process: seconds, CPU seconds, peak of memory in KB, rows, checksum.
fn one(name: &str, data: &Path) {
    let (_, query) = queries::all().into_iter().find(|(known, _)| *known == name).unwrap();
    let sum = std::env::var("SUM").is_ok_and(|sum| !sum.is_empty());
    let parallelism = std::env::var("PARALLELISM").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let since = Instant::now();
    let summary = queries::run(query, data, parallelism, sum);
    let seconds = since.elapsed().as_secs_f64();
    let cpu = millrace_engine::runtime::process_figures().cpu_seconds;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    let peak = peak.split_whitespace().next().unwrap_or("0");
    println!("{seconds} {cpu} {peak} {} {}", summary.rows, summary.checksum);
}
