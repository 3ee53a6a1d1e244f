//! `cargo xtask fuzz`: a seeded campaign of broken scripts against everything that reads SQL, and one of broken records
//! against every decoder.

use crate::{need, say, test};
use anyhow::bail;
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// How long.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Tries the scripts of an earlier run again.
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    need::compilers()?;
    let seed = match options.seed {
        Some(seed) => seed,
        None => u64::from(std::process::id()),
    };
    say::note(format!("seed {seed}"));
    let mut cargo = test::of_native_lib("::fuzz::");
    cargo.env("MILLRACE_FUZZ_SECONDS", options.seconds.to_string());
    cargo.env("MILLRACE_FUZZ_SEED", seed.to_string());
    let suite = say::step("Fuzz", || test::count("Fuzz", &mut cargo, |_| {}))?;
    if suite.failed > 0 {
        bail!("a script or record was found; it stands above, seed {seed}");
    }
    Ok(())
}
