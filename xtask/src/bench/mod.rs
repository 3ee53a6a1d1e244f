//! `cargo xtask bench`: Nexmark on the engine, and on Apache Flink beside it, with the same records on the same machine;
//! and how long a record takes from Kafka to Kafka. `cargo xtask large-state`: state that is larger than memory.

mod flink;
mod table;

use crate::server::Kafka;
use crate::{command, need, place, say};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::process::Command;

#[derive(Args)]
pub(crate) struct Options {
    /// How many events.
    #[arg(long, default_value_t = 2_000_000)]
    events: u64,
    /// Only these, for example q0,q5.
    #[arg(long, value_delimiter = ',')]
    queries: Vec<String>,
    #[arg(long, default_value_t = 1)]
    parallelism: u32,
    /// The least times of so many rounds count.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// The states of Flink that are measured.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Flink::Heap, Flink::Rocksdb])]
    flink: Vec<Flink>,
    #[arg(long, value_enum, default_value_t = Path::Files)]
    path: Path,
    /// Also compare the final tables of 100,000 events with those of Flink.
    #[arg(long)]
    sums: bool,
    /// Instead: how long a record takes from Kafka through a filter and a projection to Kafka.
    #[arg(long)]
    latency: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Flink {
    No,
    Heap,
    Rocksdb,
}

impl Flink {
    const fn backend(self) -> Option<&'static str> {
        match self {
            Flink::No => None,
            Flink::Heap => Some("hashmap"),
            Flink::Rocksdb => Some("rocksdb"),
        }
    }
}

/// Features as in a whole build: dependencies are compiled once.
const WHOLE: [&str; 6] = ["-p", "millrace-wire", "-p", "millrace-engine", "-p", "millrace-backend"];

/// From where to where.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Path {
    /// JSON files, results to nobody.
    Files,
    /// Topics of Kafka, results to nobody.
    Kafka,
    /// Topics of Kafka into such, exactly once, with a checkpoint every second.
    KafkaToKafka,
}

/// What one query took.
#[derive(Clone, Copy)]
struct Time {
    seconds: f64,
    cpu: f64,
}

/// One query on the engine.
struct Own {
    name: String,
    thousands: f64,
    time: Time,
    peak_mb: u64,
    rows: i64,
    checksum: String,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    need::compilers()?;
    let kafka = if options.latency || options.path != Path::Files {
        Some(say::step("Apache Kafka", Kafka::start)?)
    } else {
        None
    };
    let servers = kafka.as_ref().map(Kafka::address);
    let result = match &servers {
        Some(servers) if options.latency => latency(servers),
        servers => compared(options, servers.as_deref()),
    };
    if let Some(kafka) = kafka {
        kafka.stop()?;
    }
    result
}

/// Sizes by environment variables: see `engine/examples/large_state.rs`.
pub(crate) fn large_state() -> anyhow::Result<()> {
    need::compilers()?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(place::root()).args(["build", "--quiet", "--release", "--example", "large_state"]);
    cargo.args(WHOLE);
    say::step("Build", || command::run(&mut cargo))?;
    let mut program = Command::new(place::target().join("release/examples/large_state"));
    say::step("Large state", || command::run(&mut program))
}

fn compared(options: &Options, servers: Option<&str>) -> anyhow::Result<()> {
    let own = say::step("Nexmark on the engine", || engine(options, servers))?;
    let data = place::target().join(format!("nexmark-{}", options.events));
    let mut theirs = Vec::new();
    for backend in options.flink.iter().filter_map(|flink| flink.backend()) {
        let job = flink::Job {
            data: &data,
            backend,
            parallelism: options.parallelism,
            rounds: options.rounds,
            queries: &options.queries,
            servers,
            into_topics: options.path == Path::KafkaToKafka,
        };
        match say::step(&format!("Nexmark on Apache Flink, {backend}"), || flink::times(&job)) {
            Ok(times) => theirs.push((backend, times)),
            Err(error) => say::skipped(format!("Apache Flink: {error:#}")),
        }
    }
    table::print(&own, &theirs);
    if options.sums {
        let few = place::target().join("nexmark-100000");
        let job = flink::Job {
            data: &few,
            backend: "hashmap",
            parallelism: options.parallelism,
            rounds: 1,
            queries: &options.queries,
            servers: None,
            into_topics: false,
        };
        let sums = say::step("Final tables of Apache Flink", || flink::sums(&job))?;
        same(&own, &sums)?;
    }
    Ok(())
}

fn bench() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(place::root()).args(["bench", "--quiet", "--bench", "nexmark"]);
    cargo.args(WHOLE);
    cargo.stderr(std::process::Stdio::inherit());
    cargo
}

fn latency(servers: &str) -> anyhow::Result<()> {
    let mut cargo = bench();
    cargo.env("LATENCY", servers);
    let output = say::step("Latency from Kafka to Kafka", || cargo.output().context("cargo bench"))?;
    say::note(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() { Ok(()) } else { bail!("the benchmark failed") }
}

fn engine(options: &Options, servers: Option<&str>) -> anyhow::Result<Vec<Own>> {
    let mut cargo = bench();
    cargo.env("EVENTS", options.events.to_string()).env("ROUNDS", options.rounds.to_string());
    cargo.env("PARALLELISM", options.parallelism.to_string()).env("QUERIES", options.queries.join(","));
    cargo.env("KAFKA", servers.unwrap_or_default());
    cargo.env("SINK", if options.path == Path::KafkaToKafka { "kafka" } else { "" });
    let output = cargo.output().context("cargo bench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("the benchmark failed: {text}");
    }
    Ok(text.lines().filter_map(own).collect())
}

/// Name, thousand records, seconds, CPU seconds, thousand records per CPU second, peak of memory, rows, checksum.
fn own(line: &str) -> Option<Own> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [name, thousands, seconds, cpu, _, peak, rows, checksum] = fields.as_slice() else { return None };
    Some(Own {
        name: (*name).to_owned(),
        thousands: thousands.parse().ok()?,
        time: Time { seconds: seconds.parse().ok()?, cpu: cpu.parse().ok()? },
        peak_mb: peak.parse().ok()?,
        rows: rows.parse().ok()?,
        checksum: (*checksum).to_owned(),
    })
}

fn same(own: &[Own], sums: &BTreeMap<String, (i64, String)>) -> anyhow::Result<()> {
    // What q12 gives depends on the clock.
    for own in own.iter().filter(|own| own.name != "q12") {
        match sums.get(&own.name) {
            Some((rows, checksum)) if (*rows, checksum) == (own.rows, &own.checksum) => {}
            Some((rows, checksum)) => {
                bail!("{}: {} rows, {}; Flink has {rows}, {checksum}", own.name, own.rows, own.checksum)
            }
            None => say::note(format!("{}: Flink gave no sum", own.name)),
        }
    }
    say::note("the final tables are those of Flink");
    Ok(())
}
