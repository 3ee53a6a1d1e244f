//! `cargo test`, with its closing lines added up.

use super::tally::Suite;
use super::{Part, Servers};
use crate::binary::{self, Binaries};
use crate::{command, place, say};
use anyhow::Context;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// One call of `cargo test`.
pub(super) struct RustSuite {
    pub(super) name: &'static str,
    arguments: Vec<String>,
}

/// The native crates. They are always selected together: cargo resolves the features of dependencies by
/// selection, and another one would compile the large ones again.
const NATIVE: [&str; 4] = ["millrace-wire", "millrace-logs", "millrace-engine", "millrace-backend"];

/// The calls for a part.
pub(super) fn suites(part: Option<Part>) -> anyhow::Result<Vec<RustSuite>> {
    let tools = || RustSuite::new("xtask", &["xtask"], &[]);
    let console = || RustSuite::new("Console, native part", &["millrace-frontend"], &["--lib"]);
    Ok(match part {
        None => vec![
            tools(),
            RustSuite::new("Engine, server, contract", &NATIVE, &["--lib", "--bins", "--tests"]),
            console(),
        ],
        Some(Part::Unit) => vec![tools(), RustSuite::new("Unit", &NATIVE, &["--lib", "--bins"]), console()],
        Some(Part::Sql) => vec![RustSuite::of_folder("SQL", "engine/tests", &["demo_broker"], &[])?],
        Some(Part::Api) => {
            vec![RustSuite::of_folder("API and store", "backend/tests", &[], &["--lib"])?]
        }
        Some(Part::Udf) => vec![
            RustSuite::new("Users' functions, by hand", &NATIVE, &["--lib", "udf::"]),
            RustSuite::new("Users' functions, the sample", &NATIVE, &["--test", "user_functions"]),
        ],
        Some(Part::Kafka) => vec![RustSuite::new("Apache Kafka", &NATIVE, &["--lib", "--tests", "kafka"])],
        Some(Part::Databases) => vec![RustSuite::new("Databases", &NATIVE, &["--lib", "connector::database"])],
        Some(Part::Tidy | Part::Browser) => Vec::new(),
    })
}

impl RustSuite {
    fn new(name: &'static str, packages: &[&str], further: &[&str]) -> Self {
        let packages = packages.iter().flat_map(|package| ["--package", *package]);
        let arguments = packages.chain(further.iter().copied()).map(str::to_owned).collect();
        Self { name, arguments }
    }

    /// The integration tests of one folder, by name, with all native crates selected.
    fn of_folder(name: &'static str, folder: &str, except: &[&str], further: &[&str]) -> anyhow::Result<Self> {
        let mut suite = Self::new(name, &NATIVE, further);
        let entries = std::fs::read_dir(place::root().join(folder));
        for entry in entries.with_context(|| format!("no tests in {folder}"))? {
            let path = entry?.path();
            let is_target =
                path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if is_target && !except.contains(&stem.as_str()) {
                suite.arguments.extend(["--test".to_owned(), stem]);
            }
        }
        Ok(suite)
    }
}

/// Runs one call to its end. Failing tests are counted; code that does not compile is an error.
pub(super) fn run(suite: &RustSuite, servers: &Servers, binaries: Option<&Binaries>) -> anyhow::Result<Suite> {
    let mut cargo = command::cargo();
    cargo.args(["test", "--no-fail-fast"]).args(&suite.arguments);
    binary::embed_bundle(&mut cargo);
    if let Some(binaries) = binaries {
        binaries.announce(&mut cargo);
    }
    servers.announce(&mut cargo);
    count(suite.name, &mut cargo, |_| {})
}

/// Integration tests of the native crates, with what they print.
pub(crate) fn of_native(targets: &[&str], filter: &str) -> Command {
    native(targets.iter().flat_map(|target| ["--test", *target]), filter)
}

/// Tests inside the native crates, with what they print.
pub(crate) fn of_native_lib(filter: &str) -> Command {
    native(["--lib"].into_iter(), filter)
}

fn native<'a>(targets: impl Iterator<Item = &'a str>, filter: &str) -> Command {
    let mut cargo = command::cargo();
    cargo.arg("test").args(NATIVE.iter().flat_map(|package| ["--package", *package])).args(targets);
    cargo.args(["--", "--nocapture", filter]);
    binary::embed_bundle(&mut cargo);
    cargo
}

/// Runs a long form of tests, and prints at its end what they say of it.
pub(crate) fn campaign(name: &'static str, cargo: &mut Command) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    let suite = say::step(name, || {
        count(name, cargo, |line| {
            if let Some((_, figures)) = line.split_once("campaign ") {
                lines.push(figures.to_owned());
            }
        })
    })?;
    for line in &lines {
        println!("{line}");
    }
    if suite.failed > 0 {
        anyhow::bail!("{} failed", suite.failed);
    }
    Ok(())
}

/// Runs cargo and adds its closing lines up; every line it prints is shown, and `hear` gets it.
pub(crate) fn count(name: &'static str, cargo: &mut Command, mut hear: impl FnMut(&str)) -> anyhow::Result<Suite> {
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("cannot start cargo test")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    let mut suite = Suite { name, passed: 0, failed: 0, skipped: 0 };
    for line in BufReader::new(output).lines() {
        let line = line?;
        hear(&line);
        if let Some(counts) = Counts::of(&line) {
            suite.passed += counts.passed;
            suite.failed += counts.failed;
            suite.skipped += counts.ignored;
            if counts.passed + counts.failed + counts.ignored > 0 {
                println!("{line}");
            }
        } else if !is_noise(&line) {
            println!("{line}");
        }
    }
    let status = child.wait()?;
    if !status.success() && suite.failed == 0 {
        anyhow::bail!("`cargo test` for {name} ended with {status} before any test failed");
    }
    Ok(suite)
}

/// Lines of tests that passed say nothing that the closing line does not.
fn is_noise(line: &str) -> bool {
    line.is_empty()
        || (line.starts_with("test ") && line.ends_with("... ok"))
        || (line.starts_with("running ") && line.contains(" test"))
}

/// The figures of a line like `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    fn of(line: &str) -> Option<Self> {
        let (_, figures) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let figure = |word: &str| {
            figures
                .split("; ")
                .find_map(|part| part.strip_suffix(word))
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0)
        };
        Some(Self { passed: figure("passed"), failed: figure("failed"), ignored: figure("ignored") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_line_of_cargo_test_is_counted() {
        let line = "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.03s";
        assert_eq!(Counts::of(line), Some(Counts { passed: 12, failed: 2, ignored: 1 }));
    }

    #[test]
    fn other_lines_are_not_counted() {
        assert_eq!(Counts::of("test store::tables::passed ... ok"), None);
    }
}
