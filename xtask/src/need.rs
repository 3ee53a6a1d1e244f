//! What the machine must have. Each function looks, installs where it may, else says the one
//! command to type.

use crate::{command, say};
use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Node.js that the npm packages accept.
const NODE_MAJOR: u32 = 18;

/// Everything that building and running needs. Servers and browsers for tests are looked for by the
/// tests themselves.
pub(crate) fn everything() -> anyhow::Result<()> {
    compilers()?;
    wasm_target()?;
    npm_packages(&crate::place::shims())
}

/// The browser target of the Rust toolchain.
pub(crate) fn wasm_target() -> anyhow::Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let libdir = command::capture(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    if Path::new(libdir.trim()).is_dir() {
        return Ok(());
    }
    if !on_path("rustup") {
        bail!("the {TARGET} target is missing; install Rust by rustup, then: rustup target add {TARGET}");
    }
    say::note(format!("rustup target add {TARGET}"));
    command::quietly(Command::new("rustup").args(["target", "add", TARGET]))
        .with_context(|| format!("type this yourself: rustup target add {TARGET}"))
}

/// Node.js and npm, for the bundle and the browser tests.
pub(crate) fn node() -> anyhow::Result<()> {
    programs(&[("node", "nodejs"), ("npm", "npm")])?;
    let version = command::capture(Command::new("node").arg("--version"))?;
    let major =
        version.trim().trim_start_matches('v').split('.').next().and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    if major < NODE_MAJOR {
        bail!("Node.js {} is too old: version {NODE_MAJOR} or newer is needed", version.trim());
    }
    Ok(())
}

/// The C and C++ tools that librdkafka, SQLite and OpenSSL are compiled with.
pub(crate) fn compilers() -> anyhow::Result<()> {
    let mut wanted = Vec::new();
    for (program, package) in [("cc", "gcc"), ("g++", "g++"), ("make", "make"), ("cmake", "cmake")] {
        wanted.extend((!on_path(program)).then_some(package));
    }
    // Debian's essential part of Perl lacks modules that OpenSSL's configuration uses.
    let mut perl = Command::new("perl");
    perl.args(["-MFindBin", "-MIPC::Cmd", "-MFile::Compare", "-MFile::Copy", "-MPod::Usage", "-e", "1"]);
    let has_modules = perl.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success());
    wanted.extend((!has_modules).then_some("perl"));
    // See `.cargo/config.toml`.
    let mut openssl = Command::new("pkg-config");
    openssl.args(["--exists", "openssl"]).stderr(std::process::Stdio::null());
    if !openssl.status().is_ok_and(|status| status.success()) {
        wanted.extend(["pkg-config", "libssl-dev"]);
    }
    if wanted.is_empty() { Ok(()) } else { packages(&wanted) }
}

/// Programs by name, each with the Debian package that brings it.
pub(crate) fn programs(wanted: &[(&str, &str)]) -> anyhow::Result<()> {
    let packages: Vec<&str> =
        wanted.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    self::packages(&packages)
}

/// Installs Debian packages when this may be done without asking, else names the command.
pub(crate) fn packages(packages: &[&str]) -> anyhow::Result<()> {
    let line = format!("apt-get install -y {}", packages.join(" "));
    let is_root = rustix::process::geteuid().is_root();
    if !on_path("apt-get") {
        bail!("missing: {}; install them with your package manager", packages.join(", "));
    }
    if !is_root {
        bail!("missing: {}; type: sudo {line}", packages.join(", "));
    }
    say::note(&line);
    let apt = |arguments: &[&str]| {
        command::quietly(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
    };
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend_from_slice(packages);
    // The package lists of a fresh machine may be empty or old.
    apt(&["update"]).and_then(|()| apt(&arguments)).with_context(|| format!("type this yourself: {line}"))
}

/// Installs the npm packages of `folder` as its lock file says, unless that was done already.
pub(crate) fn npm_packages(folder: &Path) -> anyhow::Result<()> {
    node()?;
    let lock = std::fs::read(folder.join("package-lock.json"))
        .with_context(|| format!("no package-lock.json in {}", folder.display()))?;
    let wanted = hex(&Sha256::digest(&lock));
    let stamp = folder.join("node_modules/.installed-from");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    say::note(format!("npm ci in {}", name_of(folder)));
    command::quietly(
        Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder),
    )?;
    std::fs::write(&stamp, wanted).context("cannot note that npm packages are installed")
}

/// Whether a program can be found on the search path.
pub(crate) fn on_path(program: &str) -> bool {
    find_program(program).is_some()
}

/// The full path of a program on the search path.
pub(crate) fn find_program(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn name_of(folder: &Path) -> String {
    folder.strip_prefix(crate::place::root()).unwrap_or(folder).display().to_string()
}
