//! `cargo xtask test`: every test of the project, with the servers they need.
//!
//! A suite whose server cannot be had is counted as skipped, with the reason, and does not fail
//! the run. Everything else that does not pass does.

mod browser;
mod rust;
mod tally;

use crate::binary::{self, Profile};
use crate::server::{Kafka, MariaDb, Postgres};
use crate::{contract, need, place, say, tidy, web};
use anyhow::bail;
pub(crate) use browser::measure;
use clap::{Args, ValueEnum};
pub(crate) use rust::{campaign, count, of_native, of_native_lib};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
pub(crate) use tally::Suite;
use tally::Tally;

#[derive(Args)]
pub(crate) struct Options {
    /// Run one part only.
    #[arg(long)]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Rules of the house: sizes, import directions, links, words, colours.
    Tidy,
    /// Tests inside the crates, without servers.
    Unit,
    /// Statements and their results on the engine.
    Sql,
    /// The server's API and store, on SQLite and PostgreSQL.
    Api,
    /// Users' functions: bad modules, and the sample built and run.
    Udf,
    /// Exactly-once on a real Apache Kafka.
    Kafka,
    /// Tables of PostgreSQL and MariaDB.
    Databases,
    /// Journeys and pages in Chromium.
    Browser,
}

/// Addresses of servers that tests may use, and the program that tries the API by its document.
#[derive(Default)]
pub(crate) struct Servers {
    postgres: Option<Postgres>,
    mariadb: Option<MariaDb>,
    kafka: Option<Kafka>,
    schemathesis: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut tally = Tally::default();
    let part = options.only;
    let wants = |wanted: Part| part.is_none_or(|part| part == wanted);

    if wants(Part::Tidy) {
        tally.add(say::step("Tidy", || Ok(tidy::as_suite()))?);
    }
    let needs_programs =
        part.is_none_or(|part| !matches!(part, Part::Tidy | Part::Unit | Part::Sql | Part::Udf | Part::Databases));
    let (binaries, over_budget) = if needs_programs {
        let built = binary::build(Profile::Dev, &web::Options::default())?;
        (Some(built.binaries), built.over_budget)
    } else {
        (None, None)
    };
    if wants(Part::Udf) || wants(Part::Sql) {
        need::wasm_target()?;
    }
    let suites = rust::suites(part)?;
    let servers = Servers::start(part, &mut tally);
    for suite in suites.iter().filter(|_| part != Some(Part::Kafka) || servers.kafka.is_some()) {
        tally.add(say::step(suite.name, || rust::run(suite, &servers, binaries.as_ref()))?);
    }
    if let Some(binaries) = binaries.as_ref().filter(|_| wants(Part::Browser)) {
        tally.add(say::step("Browser", || browser::run(binaries, &servers))?);
    }
    servers.stop()?;

    tally.print(started.elapsed());
    if let Some(over) = over_budget {
        bail!("{over}");
    }
    if tally.failed() > 0 {
        bail!("{} failed", tally.failed());
    }
    Ok(())
}

impl Servers {
    /// Those that the part needs. One that cannot be had is counted as a skip.
    fn start(part: Option<Part>, tally: &mut Tally) -> Self {
        let needs = |parts: &[Part]| part.is_none_or(|part| parts.contains(&part));
        let mut servers = Self::default();
        if needs(&[Part::Api, Part::Databases, Part::Browser]) {
            servers.postgres = had(say::step("Start PostgreSQL", Postgres::start), "PostgreSQL", tally);
        }
        if needs(&[Part::Api]) {
            let program = say::step("Install Schemathesis", contract::program);
            servers.schemathesis = had(program, "Schemathesis", tally);
        }
        if needs(&[Part::Databases]) {
            servers.mariadb = had(say::step("Start MariaDB", MariaDb::start), "MariaDB", tally);
        }
        if needs(&[Part::Kafka, Part::Browser]) {
            servers.kafka = had(say::step("Start Apache Kafka", Kafka::start), "Apache Kafka", tally);
        }
        servers
    }

    fn stop(self) -> anyhow::Result<()> {
        if let Some(postgres) = self.postgres {
            postgres.stop()?;
        }
        if let Some(mariadb) = self.mariadb {
            mariadb.stop()?;
        }
        self.kafka.map_or(Ok(()), Kafka::stop)
    }

    /// Tells a test run where they are.
    fn announce(&self, command: &mut Command) {
        if let Some(postgres) = &self.postgres {
            command.env("MILLRACE_TEST_POSTGRES_URL", postgres.url());
        }
        if let Some(mariadb) = &self.mariadb {
            command.env("MILLRACE_TEST_MYSQL_URL", mariadb.url());
        }
        if let Some(program) = &self.schemathesis {
            command.env("MILLRACE_SCHEMATHESIS", program);
        }
        if let Some(kafka) = &self.kafka {
            command.envs(kafka.variables());
        }
    }
}

/// The server, or a counted skip with the reason why it is not there.
fn had<T>(server: anyhow::Result<T>, name: &'static str, tally: &mut Tally) -> Option<T> {
    match server {
        Ok(server) => Some(server),
        Err(error) => {
            let reason = format!("tests on {name}: {error:#}");
            say::skipped(&reason);
            tally.skip(name);
            None
        }
    }
}

/// Where results and traces of this run are kept.
fn results() -> std::path::PathBuf {
    place::target().join("test-results")
}
