//! Counting: what each suite gave, and the closing lines.

use crate::say;
use std::time::Duration;

/// What one suite gave.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

#[derive(Default)]
pub(super) struct Tally {
    suites: Vec<Suite>,
}

impl Tally {
    pub(super) fn add(&mut self, suite: Suite) {
        self.suites.push(suite);
    }

    /// Counts a suite that could not run at all.
    pub(super) fn skip(&mut self, name: &'static str) {
        self.add(Suite { name, passed: 0, failed: 0, skipped: 1 });
    }

    pub(super) fn failed(&self) -> u64 {
        self.suites.iter().map(|suite| suite.failed).sum()
    }

    /// One line per suite, then the line that counts everything.
    pub(super) fn print(&self, took: Duration) {
        println!();
        for suite in &self.suites {
            println!(
                "{:<28} {:>6} passed {:>4} failed {:>4} skipped",
                suite.name, suite.passed, suite.failed, suite.skipped
            );
        }
        let passed: u64 = self.suites.iter().map(|suite| suite.passed).sum();
        let skipped: u64 = self.suites.iter().map(|suite| suite.skipped).sum();
        println!("{passed} passed, {} failed, {skipped} skipped in {}", self.failed(), say::duration(took));
    }
}
