//! `cargo xtask tidy`: the rules of the house, each a file here. They run as the first test suite.

mod colour;
mod direction;
mod link;
mod size;
mod source;
mod word;

use crate::say;
use crate::test::Suite;
use anyhow::bail;
use source::Source;
use std::fmt;

/// One breach of one rule.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    path: String,
    /// Counted from 1; none where the whole file is meant.
    line: Option<usize>,
    what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

/// A rule looks at all sources and names every breach.
type Rule = fn(&[Source]) -> Vec<Breach>;

const RULES: [(&str, Rule); 5] = [
    ("size", size::check),
    ("direction", direction::check),
    ("link", link::check),
    ("word", word::check),
    ("colour", colour::check),
];

/// Prints every breach; an error where there is one.
pub(crate) fn run() -> anyhow::Result<()> {
    let suite = as_suite();
    if suite.failed > 0 {
        bail!("{} of {} rules are broken", suite.failed, RULES.len());
    }
    println!("tidy: {} rules kept", suite.passed);
    Ok(())
}

/// The rules as a test suite: one test per rule.
pub(crate) fn as_suite() -> Suite {
    let mut suite = Suite { name: "Tidy", passed: 0, failed: 0, skipped: 0 };
    let sources = match source::all() {
        Ok(sources) => sources,
        Err(error) => {
            say::failure(&error.context("the list of source files cannot be had"));
            suite.failed = 1;
            return suite;
        }
    };
    for (name, rule) in RULES {
        let breaches = rule(&sources);
        for breach in &breaches {
            println!("{name}: {breach}");
        }
        if breaches.is_empty() {
            suite.passed += 1;
        } else {
            suite.failed += 1;
        }
    }
    suite
}
