//! The golden cases: SQL with the exact changelog that Apache Flink 2.3 gives. The format is in `golden/README.md`.
//!
//! Every case passes, or stands in `golden/known.txt` with a reason. A listed case that passes fails the test as well,
//! so that the list can only shrink. `GOLDEN_ONLY=window_tvf/` runs a part and shows what differs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod harness;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harness::case::Case;
use harness::run::run_case;

#[test]
fn all_cases_give_the_result_of_flink_or_are_known_not_to() {
    // Relative, as cargo runs tests in the folder of their package: a path compiled in would be that of another clone
    // where two share a target directory.
    let root = Path::new("tests/golden");
    let only = std::env::var("GOLDEN_ONLY").unwrap_or_default();
    let known = known(root);
    let (mut passed, mut failed, mut unlisted, mut fixed) = (0, 0, Vec::new(), Vec::new());
    for path in cases(root) {
        let name = path.strip_prefix(root).unwrap().with_extension("").to_string_lossy().into_owned();
        if !name.starts_with(&only) {
            continue;
        }
        let case = Case::parse(&std::fs::read_to_string(&path).unwrap());
        let listed = known.contains_key(&name);
        match run_case(&case) {
            Ok(()) => {
                passed += 1;
                if listed {
                    fixed.push(name);
                }
            }
            Err(why) => {
                failed += 1;
                if !only.is_empty() {
                    println!("--- {name}\n{why}");
                }
                if !listed {
                    unlisted.push(format!("{name}: {}", why.lines().next().unwrap_or_default()));
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed, {} known", known.len());
    let stale: Vec<&String> = known.keys().filter(|name| !root.join(format!("{name}.case")).exists()).collect();
    assert!(stale.is_empty(), "known.txt names cases that are not there: {stale:?}");
    assert!(fixed.is_empty(), "these pass now; take them out of known.txt:\n{}", fixed.join("\n"));
    assert!(unlisted.is_empty(), "{} cases fail:\n{}", unlisted.len(), unlisted.join("\n"));
}

fn cases(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        found.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    found.sort();
    assert!(found.len() > 300, "the golden cases are missing");
    found
}

/// Name → reason.
fn known(root: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root.join("known.txt")).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, reason) = line.split_once(' ').expect("a reason behind the name");
            (name.to_owned(), reason.trim().to_owned())
        })
        .collect()
}
