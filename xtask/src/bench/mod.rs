//! `cargo xtask bench`: Nexmark on the engine, and on Apache Flink beside it, with the same files on the same machine.
//! `cargo xtask large-state`: state that is larger than memory.

mod flink;

use crate::{need, place, say};
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
    /// The better of so many rounds counts.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// The state of Flink that is measured.
    #[arg(long, value_enum, default_value_t = Flink::Heap)]
    flink: Flink,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Flink {
    No,
    Heap,
    Rocksdb,
}

/// Seconds and CPU seconds of one query.
#[derive(Clone, Copy)]
struct Time {
    seconds: f64,
    cpu: f64,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    need::compilers()?;
    let ours = say::step("Nexmark on the engine", || engine(options))?;
    let backend = match options.flink {
        Flink::No => return Ok(()),
        Flink::Heap => "hashmap",
        Flink::Rocksdb => "rocksdb",
    };
    let data = place::target().join(format!("nexmark-{}", options.events));
    let theirs = match say::step("Nexmark on Apache Flink", || {
        flink::run(&data, backend, options.parallelism, options.rounds, &options.queries)
    }) {
        Ok(times) => times,
        Err(error) => {
            say::skipped(format!("Apache Flink: {error:#}"));
            return Ok(());
        }
    };
    compare(&ours, &theirs, backend);
    Ok(())
}

/// Sizes by environment variables: see `engine/examples/large_state.rs`.
pub(crate) fn large_state() -> anyhow::Result<()> {
    need::compilers()?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(place::root()).args(["run", "--quiet", "--release", "-p", "millrace-engine"]);
    cargo.args(["--example", "large_state"]);
    let status = say::step("Large state", || cargo.status().context("cargo run"))?;
    if status.success() { Ok(()) } else { bail!("it did not end as it should") }
}

fn engine(options: &Options) -> anyhow::Result<Vec<(String, Time)>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(place::root()).args(["bench", "--quiet", "-p", "millrace-engine", "--bench", "nexmark"]);
    cargo.env("EVENTS", options.events.to_string()).env("ROUNDS", options.rounds.to_string());
    cargo.env("PARALLELISM", options.parallelism.to_string()).env("QUERIES", options.queries.join(","));
    let output = cargo.stderr(std::process::Stdio::inherit()).output().context("cargo bench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    say::note(&text);
    if !output.status.success() {
        bail!("the benchmark failed");
    }
    // Name, seconds, thousand records per second, thousand records per CPU second, …
    let time = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<f64>().ok();
        let (seconds, per_second, per_cpu) = (number(1)?, number(2)?, number(3)?);
        let cpu = seconds * per_second / per_cpu.max(f64::MIN_POSITIVE);
        Some(((*fields.first()?).to_owned(), Time { seconds, cpu }))
    };
    Ok(text.lines().filter(|line| line.starts_with('q') && !line.starts_with("query")).filter_map(time).collect())
}

fn compare(ours: &[(String, Time)], theirs: &BTreeMap<String, Time>, backend: &str) {
    say::note(format!("query   engine s   Flink s ({backend})   faster   less CPU"));
    let mut logs = Vec::new();
    for (name, own) in ours {
        let Some(other) = theirs.get(name) else { continue };
        let faster = other.seconds / own.seconds;
        logs.push(faster.ln());
        let less = other.cpu / own.cpu;
        say::note(format!("{name:<6} {:>9.2} {:>19.2} {faster:>7.1}x {less:>9.1}x", own.seconds, other.seconds));
    }
    if !logs.is_empty() {
        let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
        say::note(format!("geometric mean over {} queries: {mean:.2} times Flink", logs.len()));
    }
}
