//! Starting other programs: cargo, npm, node, package managers.

use anyhow::{Context, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a command to its end with its output shown; an exit code other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Runs a command whose output matters only when it fails; then the output is shown.
pub(crate) fn quietly(command: &mut Command) -> anyhow::Result<()> {
    capture(command).map(|_| ())
}

/// Runs a command and returns what it printed on standard output.
pub(crate) fn capture(command: &mut Command) -> anyhow::Result<String> {
    let shown = show(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        bail!("`{shown}` ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The cargo that runs this program, started in the workspace.
///
/// Variables that an outer `cargo run` sets for this program are removed: they would change the
/// fingerprints of build scripts and rebuild dependencies for nothing.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::place::root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// A script of an npm package, run by node.
pub(crate) fn node(script: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg(script);
    command
}

/// The command line as a person would type it, with the program's name without its path.
fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args().take(8) {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
