//! `cargo xtask run`: from a fresh clone to a console with a living demo pipeline.

use crate::binary::{self, Profile};
use crate::server::Child;
use crate::{place, say, signal, web};
use anyhow::bail;
use clap::Args;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long the server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// How long the server may take to stop its parts in order.
const STOP_WITHIN: Duration = Duration::from_secs(30);

#[derive(Args)]
pub(crate) struct Options {
    /// Optimised programs: slower to build, faster to run.
    #[arg(long)]
    release: bool,
    /// Build the console quickly: no wasm-opt, no compression.
    #[arg(long)]
    dev: bool,
    /// Port of the console.
    #[arg(long, default_value_t = 7878)]
    port: u16,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let started = Instant::now();
    if TcpStream::connect(("127.0.0.1", options.port)).is_ok() {
        bail!(
            "port {0} is taken; choose another: cargo xtask run --port {1}",
            options.port,
            options.port.saturating_add(1)
        );
    }
    let profile = if options.release { Profile::Release } else { Profile::Dev };
    let binaries = binary::build(profile, &web::Options { dev: options.dev })?.binaries;
    say::note(format!("everything is built after {}", say::duration(started.elapsed())));

    let mut serve = Command::new(&binaries.server);
    serve.arg("serve").env("MILLRACE_DEMO", "true");
    serve.env("MILLRACE_LISTEN", format!("127.0.0.1:{}", options.port));
    serve.env("MILLRACE_DATA_DIR", place::root().join(".millrace"));
    binaries.announce(&mut serve);
    if options.dev {
        // Reloading the page after `cargo xtask web --dev` shows the new console.
        serve.env("MILLRACE_WEB_DIST", place::web_dist());
    }
    let stop = signal::flag()?;
    let mut server = say::step("Start the server", || {
        let mut server = Child::start_shown(&mut serve)?;
        wait_for_answer(&mut server, options.port, &stop)?;
        Ok(server)
    })?;
    eprintln!("\nMillrace is at http://127.0.0.1:{}  (Ctrl-C stops it)\n", options.port);

    while !stop.is_asked() {
        match server.ended()? {
            // As by `millrace stop`.
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("the server ended with {status}"),
            None => {}
        }
        signal::pause();
    }
    eprintln!();
    say::step("Stop the server", || server.stop(STOP_WITHIN)).map(|_| ())
}

fn wait_for_answer(server: &mut Child, port: u16, stop: &signal::Stop) -> anyhow::Result<()> {
    let deadline = Instant::now() + ANSWER_WITHIN;
    while Instant::now() < deadline && !stop.is_asked() {
        if let Some(status) = server.ended()? {
            bail!("the server ended with {status}; its last lines are above");
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        signal::pause();
    }
    bail!("the server did not answer within {} s", ANSWER_WITHIN.as_secs())
}
