//! Servers for tests: started on a free port with a fresh directory, stopped and removed at the end.

mod child;
mod kafka;
mod mariadb;
mod postgres;

pub(crate) use child::Child;
pub(crate) use kafka::Kafka;
pub(crate) use mariadb::MariaDb;
pub(crate) use postgres::Postgres;

use crate::signal;
use anyhow::bail;
use std::time::{Duration, Instant};

/// Starts Apache Kafka, prints its address, and keeps it until a signal comes.
pub(crate) fn keep_kafka() -> anyhow::Result<()> {
    let kafka = Kafka::start()?;
    for (name, value) in kafka.variables() {
        println!("{name}={value}");
    }
    signal::wait()?;
    kafka.stop()
}

/// Starts PostgreSQL, prints its address, and keeps it until a signal comes.
pub(crate) fn keep_postgres() -> anyhow::Result<()> {
    let postgres = Postgres::start()?;
    println!("MILLRACE_TEST_POSTGRES_URL={}", postgres.url());
    signal::wait()?;
    postgres.stop()
}

/// Starts MariaDB, prints its address, and keeps it until a signal comes.
pub(crate) fn keep_mariadb() -> anyhow::Result<()> {
    let mariadb = MariaDb::start()?;
    println!("MILLRACE_TEST_MYSQL_URL={}", mariadb.url());
    signal::wait()?;
    mariadb.stop()
}

/// Asks again and again until `ready` says yes; gives up when the server ended or time is over.
fn wait_until(what: &str, child: &mut Child, within: Duration, ready: impl Fn() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + within;
    while Instant::now() < deadline {
        if ready() {
            return Ok(());
        }
        if let Some(status) = child.ended()? {
            bail!("{what} ended with {status}; its log:\n{}", child.log_tail());
        }
        signal::pause();
    }
    bail!("{what} was not ready within {} s; its log:\n{}", within.as_secs(), child.log_tail())
}
