//! Playwright in Debian's Chromium, against the programs just built.

use super::tally::Suite;
use super::{Servers, results};
use crate::binary::Binaries;
use crate::{command, need, place, say};
use anyhow::Context;
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Command;

const NAME: &str = "Browser";

/// The part of Playwright's JSON report that is counted.
#[derive(Deserialize)]
struct Report {
    stats: Stats,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Stats {
    expected: u64,
    unexpected: u64,
    flaky: u64,
    skipped: u64,
}

pub(super) fn run(binaries: &Binaries, servers: &Servers) -> anyhow::Result<Suite> {
    let chromium = match chromium() {
        Ok(chromium) => chromium,
        Err(error) => {
            say::skipped(format!("browser tests: {error:#}"));
            return Ok(Suite { name: NAME, passed: 0, failed: 0, skipped: 1 });
        }
    };
    std::fs::create_dir_all(results())?;
    let report = results().join("browser.json");
    if report.is_file() {
        std::fs::remove_file(&report)?;
    }

    let mut playwright = playwright(chromium, binaries)?;
    playwright.arg("--reporter=list,json");
    playwright.env("PLAYWRIGHT_JSON_OUTPUT_NAME", &report);
    servers.announce(&mut playwright);
    // Failing tests make it end with an error; the report says how many.
    let status = playwright.status().context("cannot start Playwright")?;
    let text = std::fs::read(&report).with_context(|| format!("Playwright ended with {status} and wrote no report"))?;
    let report: Report = serde_json::from_slice(&text)?;
    let broken = report.errors.len() as u64;
    Ok(Suite {
        name: NAME,
        // A flaky test failed at least once; it counts as failed, so that nobody gets used to it.
        passed: report.stats.expected,
        failed: report.stats.unexpected + report.stats.flaky + broken,
        skipped: report.stats.skipped,
    })
}

/// Prints figures; what they should be stands in docs/performance.md.
pub(crate) fn measure(binaries: &Binaries) -> anyhow::Result<()> {
    let mut playwright = playwright(chromium()?, binaries)?;
    command::run(playwright.args(["--config", "measure.config.ts", "--reporter=list"]))
}

fn playwright(chromium: PathBuf, binaries: &Binaries) -> anyhow::Result<Command> {
    let folder = place::root().join("e2e");
    need::npm_packages(&folder)?;
    let mut playwright = command::node(&folder.join("node_modules/@playwright/test/cli.js"));
    playwright.current_dir(&folder).arg("test");
    playwright.env("MILLRACE_CHROMIUM", chromium);
    playwright.env("MILLRACE_E2E_RESULTS", results().join("browser"));
    binaries.announce(&mut playwright);
    Ok(playwright)
}

fn chromium() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("MILLRACE_CHROMIUM") {
        return Ok(path.into());
    }
    for name in ["chromium", "chromium-browser", "google-chrome"] {
        if let Some(path) = need::find_program(name) {
            return Ok(path);
        }
    }
    need::packages(&["chromium"])?;
    need::find_program("chromium").context("the package chromium brought no browser")
}
