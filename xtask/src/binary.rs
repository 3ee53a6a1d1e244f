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

/// Builds all three. The demo broker and the worker need nothing of the console, so they are compiled beside it: its last
/// steps would leave a core idle. If the console fails, this program ends, and what is built beside it with it.
pub(crate) fn build(profile: Profile, console: &web::Options) -> anyhow::Result<Built> {
    need::compilers()?;
    let beside = std::thread::spawn(move || {
        to_its_end(&mut broker_build(profile))?;
        to_its_end(&mut programs_build(profile, &["--bin", "millrace-worker"]))
    });
    let over_budget = web::build_of_any_size(console)?;
    say::step("Build the demo broker and the worker, begun before", || match beside.join() {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
    })?;
    say::step("Build the server", || command::run(&mut programs_build(profile, &["--bins"])))?;
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
    cargo
}

/// Both packages are named whatever is built of them: features, and with them all dependencies, follow from that.
fn programs_build(profile: Profile, targets: &[&str]) -> Command {
    let mut cargo = command::cargo();
    cargo.args(["build", "--package", "millrace-backend", "--package", "millrace-engine"]).args(targets);
    if profile == Profile::Release {
        // These programs run on machines whose OpenSSL nobody knows.
        cargo.arg("--release").env("OPENSSL_NO_VENDOR", "0");
    }
    embed_bundle(&mut cargo);
    cargo
}

/// As a child that does not outlive this program.
fn to_its_end(build: &mut Command) -> anyhow::Result<()> {
    // Two progress bars would overwrite each other.
    let mut build = Child::start_shown(build.env("CARGO_TERM_PROGRESS_WHEN", "never"))?;
    loop {
        match build.ended()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("compiling ended with {status}; its last lines are above"),
            None => signal::pause(),
        }
    }
}

impl Profile {
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Profile::Dev => "debug",
            Profile::Release => "release",
        }
    }
}
