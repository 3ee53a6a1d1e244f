//! A seeded simulation: the dataflow is killed at random points, and its committed output equals that of an undisturbed
//! run. Each attempt runs at another parallelism and starts from the newest whole checkpoint; now and then the newest one
//! is damaged first. Seeds are printed when something differs; `RECOVERY_SEEDS=200` runs more of them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod simulation;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use simulation::{Simulation, Table};

fn seeds() -> u64 {
    std::env::var("RECOVERY_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(8)
}

#[test]
fn killed_at_random_points_the_output_is_that_of_an_undisturbed_run() {
    killed_at_random_points(seeds(), Simulation::new);
}

#[test]
fn also_where_state_does_not_fit_into_memory() {
    // Every file is made durable, which takes its time.
    killed_at_random_points(seeds().div_ceil(3), Simulation::spilling);
}

fn killed_at_random_points(seeds: u64, make: impl Fn() -> Simulation) {
    let undisturbed = Simulation::new().finish_undisturbed();
    assert!(undisturbed["windows"].len() > 50, "{}", undisturbed["windows"].len());
    for seed in 0..seeds {
        let simulation = make();
        let mut random = StdRng::seed_from_u64(seed);
        let mut kills = 0;
        loop {
            let parallelism = random.random_range(1..=4);
            let rounds = random.random_range(0..120);
            if simulation.attempt(parallelism, rounds, &mut random) {
                break;
            }
            kills += 1;
            if random.random_bool(0.2) {
                simulation.damage_newest(&mut random);
            }
        }
        let disturbed = simulation.tables();
        for (name, rows) in &undisturbed {
            compare(name, rows, &disturbed[name], seed, kills);
        }
    }
}

fn compare(name: &str, wanted: &Table, got: &Table, seed: u64, kills: u32) {
    if wanted != got {
        let lost: Vec<_> = wanted.iter().filter(|(row, count)| got.get(*row) != Some(count)).take(5).collect();
        let extra: Vec<_> = got.iter().filter(|(row, count)| wanted.get(*row) != Some(count)).take(5).collect();
        panic!("seed {seed}, {kills} kills: {name} differs\n  wanted {lost:?}\n  got {extra:?}");
    }
}

/// The comparison itself notices a sink that loses or doubles one row.
#[test]
fn one_lost_or_doubled_row_is_noticed() {
    let whole = Simulation::new().finish_undisturbed();
    let lossy = Simulation::with_fault(simulation::Fault::DropOne).finish_undisturbed();
    let doubling = Simulation::with_fault(simulation::Fault::DoubleOne).finish_undisturbed();
    assert_ne!(whole, lossy);
    assert_ne!(whole, doubling);
}

/// A stop with savepoint and a start from it, at another parallelism, neither loses nor doubles.
#[test]
fn stopped_with_a_savepoint_and_started_from_it() {
    let undisturbed = Simulation::new().finish_undisturbed();
    let simulation = Simulation::new();
    let mut random = StdRng::seed_from_u64(7);
    simulation.stop_with_savepoint(2, 60);
    assert!(simulation.attempt(3, usize::MAX, &mut random));
    assert_eq!(undisturbed, simulation.tables());
}

/// The same on real threads: channels, back-pressure, barriers that overtake nothing.
#[test]
fn on_threads_the_output_is_the_same_at_any_parallelism_and_after_a_cancel() {
    let undisturbed = Simulation::new().finish_undisturbed();
    for parallelism in [1, 2, 3] {
        assert_eq!(undisturbed, Simulation::new().finish_on_threads(parallelism), "parallelism {parallelism}");
        let simulation = Simulation::new();
        simulation.cancel_on_threads(parallelism, 3);
        assert_eq!(
            undisturbed,
            simulation.finish_on_threads(4 - parallelism),
            "cancelled at parallelism {parallelism}"
        );
    }
}
