//! `cargo xtask crash`: campaigns of `kill -9` against workers that copy exactly once, on a real Apache Kafka.
//!
//! Two of them: the whole platform, whose server notices the death and starts the next attempt, and the engine alone,
//! whose workers are told of no checkpoint. Each prints one line of figures behind the word `campaign`; they are repeated
//! at the end.

use crate::server::Kafka;
use crate::{need, say, test};
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// How often a worker is killed, in each campaign.
    #[arg(long, default_value_t = 100)]
    rounds: u64,
    /// Repeats the random instants of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// Run one campaign only.
    #[arg(long)]
    only: Option<Campaign>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Campaign {
    /// Server, supervisor and worker.
    Platform,
    /// The worker alone.
    Engine,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    need::compilers()?;
    let kafka = say::step("Start Apache Kafka", Kafka::start)?;
    // Both are built in any case: that is what builds the server and the worker.
    let filter = match options.only {
        None => "exactly_once",
        Some(Campaign::Platform) => "exactly_once::",
        Some(Campaign::Engine) => "every_number_is_there_exactly_once",
    };
    let mut cargo = test::of_native(&["platform", "kafka_crash"], filter);
    cargo.envs(kafka.variables());
    cargo.env("MILLRACE_CRASH_ROUNDS", options.rounds.to_string());
    if let Some(seed) = options.seed {
        cargo.env("MILLRACE_CRASH_SEED", seed.to_string());
    }
    let outcome = test::campaign("Crash", &mut cargo);
    kafka.stop()?;
    outcome
}
