//! Generated queries over generated tables give what SQLite gives: in batch, in streaming with the rows of all inputs in
//! random order, over tables that change, stopped and restored at another parallelism, and with next to no memory.
//!
//! A case that differs is printed in the form of the golden cases, and its seed with it. `ORACLE_SEEDS=5000` tries more
//! of them, `ORACLE_FROM=1234` begins at another one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod generated;
mod harness;

use generated::{Mode, generate};
use harness::case::Case;
use harness::run::{Course, run_case};
use millrace_engine::state::StateOptions;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn generated_queries_give_what_sqlite_gives() {
    let from = number("ORACLE_FROM", 0);
    let seeds = number("ORACLE_SEEDS", 150);
    let (mut passed, mut refused, mut wrong) = (0, Vec::new(), 0);
    for seed in from..from + seeds {
        for mode in [Mode::Batch, Mode::Appended, Mode::Changed] {
            let text = generate(seed, mode);
            let case = Case::parse(&text);
            match run_case(&case, &course(seed, mode)) {
                Ok(()) => passed += 1,
                Err(why) if why.starts_with("refused: ") => refused.push(format!("{seed} {mode:?} {why}")),
                Err(why) => {
                    wrong += 1;
                    if wrong <= 3 {
                        println!("--- seed {seed}, {mode:?}\n{text}\n{why}\n");
                    }
                }
            }
        }
    }
    println!("{passed} passed, {} refused, {wrong} differ", refused.len());
    for why in refused.iter().take(5) {
        println!("{why}");
    }
    assert_eq!(wrong, 0, "generated queries differ from SQLite; the first stand above");
    assert!(passed > 10 * refused.len(), "so many are refused that little is tried");
}

/// Every third streaming case in one go, every third restored from memory, every third from disk.
fn course(seed: u64, mode: Mode) -> Course {
    if mode == Mode::Batch || seed.is_multiple_of(3) {
        return Course::in_one_go();
    }
    let mut random = StdRng::seed_from_u64(seed);
    let stops = [2, 3].map(|next| (random.random_range(0..12), next)).to_vec();
    let state = match seed % 3 {
        1 => StateOptions::default(),
        _ => StateOptions { whole_below: 0, flush_bytes: 200, memory: Some(1_000), ..StateOptions::default() },
    };
    Course { parallelism: 1, stops, state }
}

/// The comparison notices one row too many and one too few.
#[test]
fn a_wrong_row_is_noticed() {
    let text = (0..).map(|seed| generate(seed, Mode::Appended)).find(|text| !text.ends_with("-- final\n\n")).unwrap();
    let (head, rows) = text.split_once("-- final\n").unwrap();
    assert!(run_case(&Case::parse(&text), &Course::in_one_go()).is_ok());
    let extra = format!("{head}-- final\n{rows}{}\n", rows.lines().next().unwrap_or("[1]"));
    assert!(run_case(&Case::parse(&extra), &Course::in_one_go()).is_err());
    let fewer: Vec<&str> = rows.lines().skip(1).collect();
    assert!(run_case(&Case::parse(&format!("{head}-- final\n{}", fewer.join("\n"))), &Course::in_one_go()).is_err());
}
