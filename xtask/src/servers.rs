//! `cargo xtask servers`: two servers on one PostgreSQL, one of them killed or held up again and again while jobs start,
//! stop and are due.

use crate::server::Postgres;
use crate::{need, say, test};
use anyhow::bail;
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// How often a server is killed or held up.
    #[arg(long, default_value_t = 50)]
    kills: u64,
    /// Repeats the random instants of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    need::compilers()?;
    let postgres = say::step("Start PostgreSQL", Postgres::start)?;
    // Both are built in any case: that is what builds the server and the worker.
    let mut cargo = test::of_native(&["platform", "recovery"], "killed_at_random_nothing_runs_twice");
    cargo.env("MILLRACE_TEST_POSTGRES_URL", postgres.url());
    cargo.env("MILLRACE_SERVER_KILLS", options.kills.to_string());
    if let Some(seed) = options.seed {
        cargo.env("MILLRACE_TEST_SEED", seed.to_string());
    }
    let mut lines = Vec::new();
    let suite = say::step("Servers", || {
        test::count("Servers", &mut cargo, |line| {
            if let Some((_, figures)) = line.split_once("campaign ") {
                lines.push(figures.to_owned());
            }
        })
    })?;
    postgres.stop()?;
    for line in &lines {
        println!("{line}");
    }
    if suite.failed > 0 {
        bail!("{} failed", suite.failed);
    }
    Ok(())
}
