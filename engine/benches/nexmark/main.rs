//! Nexmark: records per second and per core of the queries that Flink runs, over frozen JSON files.
//!
//! `EVENTS` says how many events there are (2,000,000), `QUERIES` which queries run (`q0,q5`; all), `PARALLELISM` 1 or
//! more. The files are made once, below the target folder, and are in the cache of the system when time is taken. With
//! `KAFKA=host:port` the same records are read from topics, and with `SINK=kafka` results are written to topics, exactly
//! once, with a checkpoint every second. Each query runs in a process of its own, so that its memory is known; the least
//! time and the least CPU time of `ROUNDS` (2) count. Time is from the text of the query to the end of the run, CPU is
//! user and system time of the whole process. Rows and checksum are those of the final table of 100,000 events, which is
//! known from Flink (`flink-100k.expected`). `LATENCY=host:port` measures latency instead, see `latency.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod generator;
mod latency;
mod queries;
mod topics;
mod twister;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use queries::{Input, Outlet};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The final tables of so many events are summed up, and can be compared with those of Flink.
const FEW: i64 = 100_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--one") {
        one(&arguments[at + 1], Path::new(&arguments[at + 2]), &arguments[at + 3]);
        return;
    }
    if let Some(servers) = variable("LATENCY") {
        latency::measure(&servers, number("SECONDS", 20) as u64);
        return;
    }
    let (events, rounds) = (number("EVENTS", 2_000_000), number("ROUNDS", 2));
    let only = variable("QUERIES").unwrap_or_default();
    let wanted: Vec<&str> = only.split(',').filter(|name| !name.is_empty()).collect();
    let data = self::data(events);
    if let Some(servers) = variable("KAFKA") {
        topics::fill(&servers, &prefix(&data), &data);
    }
    let few = self::data(FEW);
    println!("query  records k  seconds  CPU seconds  k records per CPU second  peak MB    rows out  checksum");
    for (name, query) in queries::all() {
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        if let Some(servers) = variable("KAFKA").filter(|_| variable("SINK").is_some()) {
            // What Flink writes to afterwards.
            (0..rounds).for_each(|round| assert!(topics::create(&servers, &format!("out-flink-{name}-{round}"))));
        }
        let records = input_rows(query, events);
        let runs: Vec<Measured> = (0..rounds).map(|round| measured(name, &data, &round.to_string())).collect();
        let least = |what: fn(&Measured) -> f64| runs.iter().map(what).fold(f64::INFINITY, f64::min);
        let (seconds, cpu) = (least(|run| run.seconds), least(|run| run.cpu));
        let peak = runs.iter().map(|run| run.peak_kb).max().unwrap_or(0);
        let summed = measured(name, &few, "sum");
        println!(
            "{name:<6} {:>9} {seconds:>8.2} {cpu:>12.2} {:>25.0} {:>8} {:>11}  {:016x}",
            records / 1000,
            records as f64 / cpu / 1000.0,
            peak >> 10,
            summed.rows,
            summed.checksum,
        );
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn number(name: &str, otherwise: i64) -> i64 {
    variable(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What the names of the topics begin with that hold these files.
fn prefix(data: &Path) -> String {
    data.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Below the folder that cargo builds in.
fn data(events: i64) -> PathBuf {
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let folder = target.join(format!("nexmark-{events}"));
    if !folder.join("complete").exists() {
        generator::write(events, &folder).unwrap();
        std::fs::write(folder.join("complete"), "").unwrap();
    }
    generator::write_side_input(&folder).unwrap();
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
            format!(", {table} B "),
            format!("TABLE {table},"),
            format!("FROM {table}\n"),
            format!("FROM {table})"),
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

/// `round`: which one it is, or `sum`.
fn measured(name: &str, data: &Path, round: &str) -> Measured {
    let output =
        Command::new(std::env::current_exe().unwrap()).args(["--one", name]).arg(data).arg(round).output().unwrap();
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
fn one(name: &str, data: &Path, round: &str) {
    let (_, query) = queries::all().into_iter().find(|(known, _)| *known == name).unwrap();
    let (servers, prefix) = (variable("KAFKA").filter(|_| round != "sum"), prefix(data));
    let input = Input { folder: data, topics: servers.as_deref().map(|servers| (servers, prefix.as_str())) };
    let topic = format!("out-millrace-{name}-{round}-{}", std::process::id());
    let outlet = match &servers {
        Some(servers) if variable("SINK").is_some() => {
            topics::create(servers, &topic);
            Outlet::Topic(servers, &topic)
        }
        _ if round == "sum" => Outlet::Sum,
        _ => Outlet::Nowhere,
    };
    let parallelism = u32::try_from(number("PARALLELISM", 1)).unwrap();
    let before = millrace_engine::runtime::process_figures().cpu_seconds;
    let since = Instant::now();
    let summary = queries::run(query, &input, parallelism, outlet);
    let seconds = since.elapsed().as_secs_f64();
    let cpu = millrace_engine::runtime::process_figures().cpu_seconds - before;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    let peak = peak.split_whitespace().next().unwrap_or("0");
    println!("{seconds} {cpu} {peak} {} {}", summary.rows, summary.checksum);
}
