//! The project's commands, run as `cargo xtask <command>`.
//!
//! Each command finds what it needs, installs it where it may, says what it does, and stops with
//! one helpful line where it cannot go on.

mod bench;
mod binary;
mod command;
mod contract;
mod crash;
mod fuzz;
mod lint;
mod measure;
mod need;
mod place;
mod run;
mod say;
mod scale;
mod server;
mod servers;
mod signal;
mod test;
mod tidy;
mod web;
mod workers;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run and test Millrace.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything and start the console with demo data.
    Run(run::Options),
    /// Run every test, with the servers they need.
    Test(test::Options),
    /// Kill workers again and again on a real Apache Kafka, and count what is lost or doubled.
    Crash(crash::Options),
    /// Two servers on one PostgreSQL: kill one again and again, and see that nothing runs twice and nothing is lost.
    Servers(servers::Options),
    /// Start many jobs one after another, each with a worker of its own, and see that none is stuck.
    Workers(workers::Options),
    /// Try broken SQL until the time is over.
    Fuzz(fuzz::Options),
    /// Try the API by its OpenAPI document, as three roles.
    Contract(contract::Options),
    /// Nexmark on the engine, and on Apache Flink beside it.
    Bench(bench::Options),
    /// A group aggregate of 20 million keys in 2 GB of memory: its answer, its pauses, its restore.
    LargeState,
    /// Thousands of jobs and tables in one team: lists, searches, a server's start and its memory.
    Scale(scale::Options),
    /// Measure what people wait for and what an idle machine spends, with optimised programs.
    Measure,
    /// Install what the machine lacks, as far as that may be done.
    Setup,
    /// Build the programs with the console inside, and start nothing.
    Build {
        /// Optimised programs.
        #[arg(long)]
        release: bool,
    },
    /// Run clippy over everything; a warning fails it.
    Lint,
    /// Build the browser bundle and check its budgets.
    Web(web::Options),
    /// Check the rules of the house.
    Tidy,
    /// Start a throw-away Apache Kafka and print its address, until Ctrl-C.
    Kafka,
    /// Start a throw-away PostgreSQL and print its address, until Ctrl-C.
    Postgres,
    /// Start a throw-away MariaDB and print its address, until Ctrl-C.
    Mariadb,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Crash(options) => crash::run(&options),
        Command::Servers(options) => servers::run(&options),
        Command::Workers(options) => workers::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Contract(options) => contract::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::LargeState => bench::large_state(),
        Command::Scale(options) => scale::run(&options),
        Command::Measure => measure::run(),
        Command::Setup => need::everything(),
        Command::Build { release } => build(release),
        Command::Lint => lint::run(),
        Command::Web(options) => web::build(&options),
        Command::Tidy => tidy::run(),
        Command::Kafka => server::keep_kafka(),
        Command::Postgres => server::keep_postgres(),
        Command::Mariadb => server::keep_mariadb(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn build(release: bool) -> anyhow::Result<()> {
    let profile = if release { binary::Profile::Release } else { binary::Profile::Dev };
    let binaries = binary::build(profile, &web::Options::default())?.binaries;
    for path in [&binaries.server, &binaries.worker, &binaries.broker] {
        say::note(path.display());
    }
    Ok(())
}
