//! Kill -9 while lines are indexed, for as many rounds as asked for.
//!
//! ```text
//! cargo run --release -p millrace-logs --example log_index_kills -- --rounds 20 --seed 1
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clap::Parser;

#[path = "../tests/logs/kills.rs"]
mod kills;

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 20)]
    rounds: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the killed process is started with.
    #[arg(long, hide = true)]
    child: bool,
}

fn main() {
    let arguments = Arguments::parse();
    if arguments.child {
        kills::work_as_child();
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let done = kills::campaign(folder.path(), arguments.rounds, arguments.seed, &["--child"]);
    println!(
        "{} rounds, {} lines, nothing acknowledged is missing, nothing is there twice; slowest start until all was found: {} ms",
        done.rounds,
        done.lines,
        done.slowest_start.as_millis()
    );
}
