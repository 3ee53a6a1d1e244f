//! The command line: `serve`, and what programs and people do without a browser.
//!
//! Answers go to standard output, everything else to standard error. A command that fails ends with 1 and one message;
//! a command line that is wrong ends with 2.

mod agree;
mod api;
mod bad_records;
mod client;
mod connections;
mod files;
mod functions;
mod job_life;
mod jobs;
mod login;
mod logs;
mod members;
mod output;
mod presence;
mod run;
mod savepoints;
mod script_variables;
mod search;
mod serve;
mod shadow_run;
mod stop;
mod tables;
mod test;
mod test_run;
mod validate;
mod variables;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(name = "millrace", version, about = "Streaming SQL over Kafka, from a browser or a terminal.")]
struct Cli {
    /// How answers are printed.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server and the console.
    Serve(serve::Serve),
    /// Stop the server of a data directory with its workers, each after a checkpoint, and its demo broker.
    Stop(stop::Stop),
    /// Remember a server and an API token for the other commands.
    Login(login::Login),
    /// Check a script: against the server's tables, or by itself.
    Validate(validate::Validate),
    /// Run a script on this machine, without a server.
    Run(run::Run),
    /// Write a team as files: connections, tables, functions, jobs.
    Export(files::Export),
    /// Bring a team to what its files say; shows first what would happen.
    Apply(files::Apply),
    /// Run the SQL tests of a job of the server, or those of files on this machine.
    Test(test::Test),
    /// List, start, stop and compare jobs, and read their logs.
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// List, show, make, change and delete tables.
    #[command(subcommand)]
    Tables(tables::Tables),
    /// List, show, try and delete connections.
    #[command(subcommand)]
    Connections(connections::Connections),
    /// List, set and delete the variables of the team's scripts.
    #[command(subcommand)]
    Variables(variables::Variables),
    /// List, bring and delete the team's own functions.
    #[command(subcommand)]
    Functions(functions::Functions),
    /// List, set and remove the members of the team.
    #[command(subcommand)]
    Members(members::Members),
    /// Search the team's tables, columns, jobs, functions and connections.
    Search(search::Search),
    /// Search the log lines of all jobs of the team, or follow them.
    Logs(logs::Logs),
    /// Any call of the API, for what has no command of its own.
    Api(api::Api),
}

/// What every command answers: whether all is well, or the one message why not.
type Outcome = anyhow::Result<ExitCode>;

pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::Stop(stop) => stop.run(),
        Command::Login(login) => on_one_thread(login.run(cli.output)),
        Command::Validate(validate) => on_one_thread(validate.run(cli.output)),
        Command::Run(run) => run.run(cli.output),
        Command::Export(export) => on_one_thread(export.run(cli.output)),
        Command::Apply(apply) => on_one_thread(apply.run(cli.output)),
        Command::Test(test) => test.run(cli.output),
        Command::Jobs(jobs) => on_one_thread(jobs.run(cli.output)),
        Command::Tables(tables) => on_one_thread(tables.run(cli.output)),
        Command::Connections(connections) => on_one_thread(connections.run(cli.output)),
        Command::Variables(variables) => on_one_thread(variables.run(cli.output)),
        Command::Functions(functions) => on_one_thread(functions.run(cli.output)),
        Command::Members(members) => on_one_thread(members.run(cli.output)),
        Command::Search(search) => on_one_thread(search.run(cli.output)),
        Command::Logs(logs) => on_one_thread(logs.run(cli.output)),
        Command::Api(api) => on_one_thread(api.run(cli.output)),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("millrace: {error:#}");
        ExitCode::FAILURE
    })
}

fn on_one_thread<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// A script from a file, or from standard input for `-`.
fn read_script(path: &PathBuf) -> anyhow::Result<String> {
    use anyhow::Context as _;
    if path.as_os_str() == "-" {
        return std::io::read_to_string(std::io::stdin()).context("standard input cannot be read");
    }
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}
