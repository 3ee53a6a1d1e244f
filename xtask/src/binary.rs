//! Building the three programs: `millrace` with the console inside, `millrace-worker` and `millrace-broker`.

use crate::server::Child;
use crate::web::{self, OverBudget};
use crate::{command, need, place, say, signal};
use anyhow::bail;
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

/// The programs, and what there is to say of the console inside.
pub(crate) struct Built {
    pub(crate) binaries: Binaries,
    pub(crate) over_budget: Option<OverBudget>,
}

/// Builds all three. The demo broker shares nothing with the rest, so it is compiled beside the others, whose last
/// steps would each leave a core idle.
pub(crate) fn build(profile: Profile, console: &web::Options) -> anyhow::Result<Built> {
    need::compilers()?;
    let mut broker = Child::start_shown(&mut broker_build(profile))?;
    let over_budget = web::build_of_any_size(console)?;
    say::step("Build the server and the worker", || {
        let mut cargo = command::cargo();
        cargo.args(["build", "--package", "millrace-backend", "--package", "millrace-engine"]);
        cargo.arg("--bins");
        if profile == Profile::Release {
            // These programs run on machines whose OpenSSL nobody knows.
            cargo.arg("--release").env("OPENSSL_NO_VENDOR", "0");
        }
        embed_bundle(&mut cargo);
        command::run(&mut cargo)
    })?;
    say::step("Build the demo broker, begun before", || wait_for_broker(&mut broker))?;
    let folder = place::target().join(profile.folder());
    let binaries = Binaries {
        server: folder.join("millrace"),
        worker: folder.join("millrace-worker"),
        broker: broker_target().join(profile.folder()).join("millrace-broker"),
    };
    Ok(Built { binaries, over_budget })
}

/// Names the folder that `backend/build.rs` embeds. Every cargo command over the backend names the
/// same one, or it would be compiled again and again.
pub(crate) fn embed_bundle(cargo: &mut Command) {
    cargo.env("MILLRACE_WEB_DIST", place::web_dist());
}

fn broker_target() -> PathBuf {
    place::target().join("broker")
}

/// The demo broker is a workspace of its own; see `broker/Cargo.toml`.
fn broker_build(profile: Profile) -> Command {
    let mut cargo = command::cargo();
    cargo.current_dir(place::root().join("broker"));
    cargo.args(["build", "--locked", "--ignore-rust-version", "--target-dir"]).arg(broker_target());
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    // Two progress bars would overwrite each other.
    cargo.env("CARGO_TERM_PROGRESS_WHEN", "never");
    cargo
}

fn wait_for_broker(build: &mut Child) -> anyhow::Result<()> {
    loop {
        match build.ended()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("compiling the demo broker ended with {status}; its last lines are above"),
            None => signal::pause(),
        }
    }
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Profile::Dev => "debug",
            Profile::Release => "release",
        }
    }
}
