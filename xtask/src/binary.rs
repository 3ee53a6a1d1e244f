//! Building the three programs: `millrace`, `millrace-worker` and `millrace-broker`.

use crate::{command, need, place, say};
use std::path::PathBuf;
use std::process::Command;

/// How the programs are compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// Where the programs lie.
pub(crate) struct Binaries {
    pub(crate) server: PathBuf,
    pub(crate) worker: PathBuf,
    pub(crate) broker: PathBuf,
}

impl Binaries {
    /// Tells a server, or tests that start one, where the programs are.
    pub(crate) fn announce(&self, command: &mut Command) {
        command.env("MILLRACE_BIN", &self.server);
        command.env("MILLRACE_WORKER_BINARY", &self.worker);
        command.env("MILLRACE_BROKER_BINARY", &self.broker);
    }
}

/// Builds all three; the browser bundle must lie ready, since the server embeds it.
pub(crate) fn build(profile: Profile) -> anyhow::Result<Binaries> {
    need::compilers()?;
    let broker = say::step("Build the demo broker", || build_broker(profile))?;
    say::step("Build the server and the worker", || {
        let mut cargo = command::cargo();
        cargo.args(["build", "--package", "millrace-backend", "--package", "millrace-engine"]);
        cargo.arg("--bins");
        if profile == Profile::Release {
            cargo.arg("--release");
        }
        embed_bundle(&mut cargo);
        command::run(&mut cargo)
    })?;
    let folder = place::target().join(profile.folder());
    Ok(Binaries { server: folder.join("millrace"), worker: folder.join("millrace-worker"), broker })
}

/// Names the folder that `backend/build.rs` embeds. Every cargo command over the backend names the
/// same one, or it would be compiled again and again.
pub(crate) fn embed_bundle(cargo: &mut Command) {
    cargo.env("MILLRACE_WEB_DIST", place::web_dist());
}

/// The demo broker is a workspace of its own; see `broker/Cargo.toml`.
fn build_broker(profile: Profile) -> anyhow::Result<PathBuf> {
    let target = place::target().join("broker");
    let mut cargo = command::cargo();
    cargo.current_dir(place::root().join("broker"));
    cargo.args(["build", "--locked", "--ignore-rust-version", "--target-dir"]).arg(&target);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    command::run(&mut cargo)?;
    Ok(target.join(profile.folder()).join("millrace-broker"))
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Profile::Dev => "debug",
            Profile::Release => "release",
        }
    }
}
