//! The golden cases: SQL with the exact changelog that Apache Flink 2.3 gives. The format is in `golden/README.md`.
//!
//! Every case passes, or stands in `golden/known.txt` with a reason. A listed case that passes fails the test as well,
//! so that the list can only shrink. `GOLDEN_ONLY=window_tvf/` runs a part and shows what differs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod harness;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harness::case::Case;
use harness::run::{Course, run_case};
use millrace_engine::state::StateOptions;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

#[test]
fn all_cases_give_the_result_of_flink_or_are_known_not_to() {
    let Outcome { passed, failed, wrong, fixed } = try_all(|_, _| Course::in_one_go());
    println!("{passed} passed, {failed} failed");
    assert!(fixed.is_empty(), "these pass now; take them out of known.txt:\n{}", fixed.join("\n"));
    assert!(wrong.is_empty(), "{} cases fail:\n{}", wrong.len(), wrong.join("\n"));
}

/// Stopped twice at random instants, each time with a savepoint, and gone on from it at another parallelism.
#[test]
fn stopped_and_restored_at_another_parallelism_all_cases_give_the_same() {
    let Outcome { passed, wrong, .. } =
        try_all(|name, rows| Course { parallelism: 1, stops: stops(name, rows), state: StateOptions::default() });
    println!("{passed} passed after two restores");
    assert!(wrong.is_empty(), "{} cases fail:\n{}", wrong.len(), wrong.join("\n"));
}

/// The same where memory holds next to nothing.
#[test]
fn also_where_state_does_not_fit_into_memory() {
    let Outcome { passed, wrong, .. } = try_all(|name, rows| Course {
        parallelism: 1,
        stops: stops(name, rows),
        state: StateOptions { whole_below: 0, flush_bytes: 200, memory: Some(1_000), ..StateOptions::default() },
    });
    println!("{passed} passed after two restores, from disk");
    assert!(wrong.is_empty(), "{} cases fail:\n{}", wrong.len(), wrong.join("\n"));
}

/// Two instants within the rows of a case, the same in each run of the test.
fn stops(name: &str, rows: usize) -> Vec<(usize, u32)> {
    let mut random = StdRng::seed_from_u64(name.bytes().fold(7, |seed, byte| seed * 31 % 1_000_003 + u64::from(byte)));
    [2, 3].map(|next| (random.random_range(0..=rows.div_ceil(2)), next)).to_vec()
}

#[derive(Default)]
struct Outcome {
    passed: usize,
    failed: usize,
    wrong: Vec<String>,
    fixed: Vec<String>,
}

/// Runs every case on the course that its name and number of rows ask for.
fn try_all(course: impl Fn(&str, usize) -> Course) -> Outcome {
    // Relative, as cargo runs tests in the folder of their package: a path compiled in would be that of another clone
    // where two share a target directory.
    let root = Path::new("tests/golden");
    let only = std::env::var("GOLDEN_ONLY").unwrap_or_default();
    let known = known(root);
    let stale: Vec<&String> = known.keys().filter(|name| !root.join(format!("{name}.case")).exists()).collect();
    assert!(stale.is_empty(), "known.txt names cases that are not there: {stale:?}");
    let mut outcome = Outcome::default();
    for path in cases(root) {
        let name = path.strip_prefix(root).unwrap().with_extension("").to_string_lossy().into_owned();
        if !name.starts_with(&only) {
            continue;
        }
        let case = Case::parse(&std::fs::read_to_string(&path).unwrap());
        let course = course(&name, case.inputs.values().map(|rows| rows.lines().count()).sum());
        let listed = known.contains_key(&name);
        match run_case(&case, &course) {
            Ok(()) => {
                outcome.passed += 1;
                if listed {
                    outcome.fixed.push(name);
                }
            }
            Err(why) => {
                outcome.failed += 1;
                if !only.is_empty() {
                    println!("--- {name} {course:?}\n{why}");
                }
                if !listed {
                    outcome.wrong.push(format!("{name}: {}", why.lines().next().unwrap_or_default()));
                }
            }
        }
    }
    outcome
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
