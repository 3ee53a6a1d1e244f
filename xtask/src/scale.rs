//! `cargo xtask scale`: 15,000 jobs, 2,000 of them running, 20,000 tables; a server over them, and 1,000 reads a second.

use crate::binary::{self, Profile};
use crate::{command, place, say, web};
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// Optimised programs, as people run them; the others are slower.
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let profile = if options.release { Profile::Release } else { Profile::Dev };
    let binaries = binary::build(profile, &web::Options::default())?.binaries;
    let mut cargo = command::cargo();
    cargo.args(["build", "--package", "millrace-backend", "--package", "millrace-engine"]);
    cargo.args(["--example", "jobs_at_scale"]);
    if options.release {
        cargo.arg("--release").env("OPENSSL_NO_VENDOR", "0");
    }
    binary::embed_bundle(&mut cargo);
    say::step("Build what measures", || command::run(&mut cargo))?;
    let mut measure = std::process::Command::new(place::target().join(profile.folder()).join("examples/jobs_at_scale"));
    binaries.announce(&mut measure);
    say::step("Measure", || command::run(&mut measure))
}
