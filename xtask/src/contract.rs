//! `cargo xtask contract`: Schemathesis tries the API by its own document, as an owner, a developer and a viewer.

use crate::{command, need, place, say, test};
use anyhow::{Context, bail};
use clap::Args;
use std::path::PathBuf;
use std::process::Command;

const VERSION: &str = "4.32.5";

#[derive(Args)]
pub(crate) struct Options {
    /// How long, for each role.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Asks what an earlier run asked.
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    need::compilers()?;
    let program = say::step("Install Schemathesis", program)?;
    // Both are built in any case: that is what builds the server and the worker.
    let mut cargo = test::of_native(&["platform", "recovery"], "answers_are_documented");
    cargo.env("MILLRACE_SCHEMATHESIS", program);
    cargo.env("MILLRACE_SCHEMATHESIS_SECONDS", options.seconds.to_string());
    if let Some(seed) = options.seed {
        cargo.env("MILLRACE_SCHEMATHESIS_SEED", seed.to_string());
    }
    let suite = say::step("Contract", || test::count("Contract", &mut cargo, |_| {}))?;
    if suite.failed > 0 {
        bail!("an answer is not as documented; it stands above with its seed");
    }
    Ok(())
}

/// From PyPI, into an environment of its own below the target directory.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    let folder = place::target().join(format!("schemathesis-{VERSION}"));
    let program = folder.join("bin/schemathesis");
    // The environment exists before the program is in it: an installation that was cut off is begun again.
    let complete = folder.join("complete");
    if complete.is_file() {
        return Ok(program);
    }
    need::programs(&[("python3", "python3")])?;
    let make = |folder: &PathBuf| {
        let mut venv = Command::new("python3");
        command::quietly(venv.args(["-m", "venv", "--clear"]).arg(folder))
    };
    if make(&folder).is_err() {
        // Debian keeps what fills a new environment apart.
        need::packages(&["python3-venv"])?;
        make(&folder)?;
    }
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).arg(format!("schemathesis=={VERSION}"));
    command::quietly(&mut pip).context("it could not be had from PyPI")?;
    std::fs::write(complete, "")?;
    Ok(program)
}
