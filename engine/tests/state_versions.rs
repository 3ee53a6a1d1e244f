//! State of every version that was ever written is read, and the job goes on to the right result.
//!
//! Each folder below `tests/state` holds a job, and a savepoint that was taken in the middle of it by the engine of that
//! time. `version-1` was written by the last commit that knew no segments. Folders are never written again: a change that
//! one of them does not survive loses the state of running jobs. For a new layout there is a new folder, with a test that is
//! run once with its name: `STATE_FIXTURE=version-3 cargo test --test state_versions`.

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(dead_code, reason = "shared with others that use more of the simulation")]

mod simulation;

use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::rngs::StdRng;
use simulation::Simulation;

/// Rounds before the savepoint: some windows have fired, some are open.
const ROUNDS: usize = 90;

fn folder(name: &str) -> PathBuf {
    // Relative, as in `golden.rs`.
    Path::new("tests/state").join(name)
}

fn job(name: &str) -> String {
    std::fs::read_to_string(folder(name).join("job.sql")).unwrap()
}

fn goes_on(name: &str) {
    if std::env::var("STATE_FIXTURE").is_ok_and(|wanted| wanted == name) {
        write(name);
    }
    let script = job(name);
    let undisturbed = Simulation::of(&script).finish_undisturbed();
    assert!(undisturbed.values().all(|table| !table.is_empty()), "a table is empty");
    for (parallelism, simulation) in [(1, Simulation::of(&script)), (3, Simulation::spilling().with_script(&script))] {
        simulation.begin_with(&folder(name).join("savepoint"));
        assert_eq!(simulation.losses(parallelism), Vec::<String>::new(), "{name}");
        assert!(simulation.attempt(parallelism, usize::MAX, &mut StdRng::seed_from_u64(1)));
        let tables = simulation.tables();
        for (table, rows) in &undisturbed {
            assert!(tables[table] == *rows, "{name}, parallelism {parallelism}: {table} differs");
        }
    }
}

#[test]
fn version_1() {
    goes_on("version-1");
}

#[test]
fn version_2() {
    goes_on("version-2");
}

#[test]
fn version_2_in_segments() {
    goes_on("version-2-segments");
}

fn write(name: &str) {
    let script = job(name);
    let simulation =
        if name.ends_with("segments") { Simulation::spilling().with_script(&script) } else { Simulation::of(&script) };
    simulation.stop_with_savepoint(2, ROUNDS);
    simulation.save_to(&folder(name).join("savepoint"));
}
