//! The text files of the project, as git sees them: committed or about to be.

use crate::{command, place};
use std::process::Command;

/// One text file.
pub(super) struct Source {
    /// From the root of the workspace, with forward slashes.
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Tests: files or folders of their own.
    pub(super) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs"
            || name.ends_with("_tests.rs")
            || name.ends_with(".spec.ts")
            || name.ends_with(".test.ts")
            || self.path.split('/').any(|folder| folder == "tests" || folder == "benches")
    }

    /// Lines of the file before its test module, numbered from 1. What follows `#[cfg(test)]`
    /// with a module in braces is tests, by habit at the end of a file.
    pub(super) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let end = lines
            .windows(2)
            .position(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{'))
            .unwrap_or(lines.len());
        lines.into_iter().take(end).enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// Every text file that git tracks or would track.
pub(super) fn all() -> anyhow::Result<Vec<Source>> {
    let mut git = Command::new("git");
    git.current_dir(place::root());
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = command::capture(&mut git)?;
    let mut sources = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        // A deleted file may still be listed, and a binary one is no text.
        if let Ok(text) = std::fs::read_to_string(place::root().join(path)) {
            sources.push(Source { path: path.to_owned(), text });
        }
    }
    Ok(sources)
}

/// Sources for tests of rules.
#[cfg(test)]
pub(super) fn sample(path: &str, text: &str) -> Vec<Source> {
    vec![Source { path: path.to_owned(), text: text.to_owned() }]
}
