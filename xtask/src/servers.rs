//! `cargo xtask servers`: two servers on one PostgreSQL, one of them killed or held up again and again while jobs start,
//! stop and are due.

use crate::server::Postgres;
use crate::{need, say, test};
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
    let outcome = test::campaign("Servers", &mut cargo);
    postgres.stop()?;
    outcome
}
