//! `cargo xtask workers`: many jobs started one after another, each with a real worker process.

use crate::{need, test};
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// How many jobs run at last. Each takes some 60 MB of memory.
    #[arg(long, default_value_t = 200)]
    count: u64,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    need::compilers()?;
    // Both are built in any case: that is what builds the server and the worker.
    let mut cargo = test::of_native(&["platform", "recovery"], "started_one_after_another");
    cargo.env("MILLRACE_WORKERS", options.count.to_string());
    test::campaign("Workers", &mut cargo)
}
