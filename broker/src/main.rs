//! The demo broker: a Kafka-protocol broker on one SQLite file.
//!
//! `millrace serve` starts it when no broker is configured. It is a process of its own and outlives
//! the server: a server that was killed finds it again by the presence file in the data directory
//! and goes on using it. It ends on SIGTERM or SIGINT.
//!
//! What holds and what does not is written in `docs/demo-broker.md`. In short: topics, groups and
//! committed offsets survive a killed process; there are no transactions.

mod presence;

use anyhow::{Context, bail};
use clap::Parser;
use nisshi_broker::broker::Broker;
use nisshi_broker::coordinator::group::administrator::{Controller, GroupCoordinatorConfig};
use nisshi_storage::ArcDynStorage;
use presence::{DataLock, Presence};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use url::Url;
use uuid::Uuid;

/// One broker is the whole cluster.
const NODE: i32 = 1;
const CLUSTER: &str = "millrace-demo";
/// The first member of a group waits this long for others. Kafka's 3 s would be felt at each start
/// of a job; here all members are on this machine.
const FIRST_JOIN: Duration = Duration::from_millis(200);
/// How long the listener may take to answer after the database is open.
const LISTEN_WITHIN: Duration = Duration::from_secs(20);

#[derive(Parser)]
#[command(about = "The demo broker of Millrace.")]
struct Arguments {
    /// Address to listen on, and the one told to clients. Port 0 takes any free port.
    #[arg(long, default_value = "127.0.0.1:9092")]
    listen: SocketAddr,
    /// Directory of the database and the presence file.
    #[arg(long)]
    data: PathBuf,
}

fn main() -> ExitCode {
    let filter =
        EnvFilter::try_from_env("MILLRACE_BROKER_LOG").unwrap_or_else(|_| EnvFilter::new("warn,millrace_broker=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let data = &arguments.data;
    std::fs::create_dir_all(data).with_context(|| format!("cannot create the data directory {}", data.display()))?;
    // The library resolves the database's name against the working directory; this way no
    // character of the path can be misread as part of a URL.
    std::env::set_current_dir(data).with_context(|| format!("cannot enter the data directory {}", data.display()))?;
    let _lock = DataLock::take()?;
    let listen = with_port(arguments.listen)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(listen))
}

async fn serve(listen: SocketAddr) -> anyhow::Result<()> {
    let address = Url::parse(&format!("tcp://{listen}"))?;
    let broker = Broker::<Controller<ArcDynStorage>, ArcDynStorage>::builder()
        .node_id(NODE)
        .cluster_id(CLUSTER)
        .incarnation_id(Uuid::new_v4())
        .listener(address.clone())
        .advertised_listener(address)
        .storage(Url::parse("sqlite://broker.db?busy_timeout=10s")?)
        .silent(true)
        .group_coordinator(GroupCoordinatorConfig {
            initial_rebalance_delay: FIRST_JOIN,
            ..GroupCoordinatorConfig::default()
        })
        .build()
        .await
        .context("cannot open the broker's database")?;

    // `main` of the library serves, and stops on SIGTERM and SIGINT.
    let mut serving = tokio::spawn(broker.main(tokio::time::Instant::now()));
    tokio::select! {
        ended = &mut serving => {
            ended?.with_context(|| format!("cannot listen on {listen}"))?;
            bail!("the broker ended before it answered on {listen}");
        }
        answered = answers(listen) => answered?,
    }
    let presence = Presence::announce(listen)?;
    tracing::info!(%listen, "ready");
    let ended = serving.await?;
    drop(presence);
    ended.context("the broker stopped")?;
    tracing::info!("stopped");
    Ok(())
}

/// Waits until the listener takes connections.
async fn answers(listen: SocketAddr) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + LISTEN_WITHIN;
    while tokio::time::Instant::now() < deadline {
        if TcpStream::connect_timeout(&listen, Duration::from_millis(200)).is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("no answer on {listen} within {} s", LISTEN_WITHIN.as_secs())
}

/// The address with a free port in the place of port 0; an address that is taken is refused here,
/// before the database is touched.
fn with_port(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    let probe = TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    Ok(probe.local_addr()?)
}
