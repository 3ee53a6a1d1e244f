//! `millrace serve`: from the configuration to a server that answers, and in order down again.

use std::future::IntoFuture as _;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::stop::EVERYTHING;
use super::{Outcome, presence};
use crate::app::account;
use crate::config::Config;
use crate::http::router;
use crate::state::App;
use crate::tasks;
use crate::watch::server_log::ServerLog;

const HOUSEKEEPING: Duration = Duration::from_secs(10 * 60);
/// Requests that are under way when the server is asked to stop get this long.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(super) struct Serve {
    /// TOML file; the environment (MILLRACE_…) wins over it.
    #[arg(long, env = "MILLRACE_CONFIG")]
    config: Option<PathBuf>,
}

impl Serve {
    pub(super) fn run(self) -> Outcome {
        let config = Config::load(self.config.as_deref())?;
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(config))
    }
}

async fn serve(config: Config) -> Outcome {
    prepare_folders(&config)?;
    // The port first: two servers on one data directory would be worse than a refusal.
    let listen = config.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("listen: {listen} cannot be used"))?;
    let app = Arc::new(App::open(config, crate::engine::front()).await.map_err(|error| anyhow::anyhow!("{error}"))?);
    log_to(&app);
    first_start(&app).await.map_err(|error| anyhow::anyhow!("{error}"))?;

    tokio::spawn(keep_house(app.clone()));
    let service = router::server(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let stopping = app.shutdown.clone().cancelled_owned();
    let server = axum::serve(listener, service).with_graceful_shutdown(stopping).into_future();
    let mut server = tokio::spawn(server);
    tasks::start(&app).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    tracing::info!("Millrace is at {}", app.config.origin());

    let mut wishes = Wishes::listen()?;
    presence::announce(&app.config.data_dir)?;
    tokio::select! {
        ended = &mut server => bail!("the server ended: {ended:?}"),
        asked = wishes.next() => match asked {
            Asked::Server(name) => tracing::info!("{name} received, stopping; workers go on"),
            Asked::Everything => {
                tracing::info!("stopping, with all workers");
                tasks::stop_all(&app).await.map_err(|error| anyhow::anyhow!("{error}"))?;
            }
        },
    }
    app.shutdown.cancel();
    if tokio::time::timeout(DRAIN, &mut server).await.is_err() {
        tracing::warn!("requests were still under way after {} s", DRAIN.as_secs());
        server.abort();
    }
    tasks::finish(&app).await;
    app.store.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// To standard error, to the log index, and to the platform's own topic once the broker is up. `MILLRACE_LOG` filters as usual with
/// `tracing`: a level, or levels by module.
fn log_to(app: &App) {
    let filter = EnvFilter::try_from_env("MILLRACE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    let to_stderr = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(std::io::stderr);
    let to_topic = ServerLog { mirror: app.mirror.clone(), search: app.log_search.clone() };
    tracing_subscriber::registry().with(filter).with(to_stderr).with(to_topic).init();
}

fn prepare_folders(config: &Config) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    // Keys, the database and what jobs read lie there: nobody else's business.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data_dir)
        .with_context(|| format!("data_dir: {} cannot be made", config.data_dir.display()))?;
    Ok(())
}

async fn first_start(app: &App) -> crate::error::Result<()> {
    if app.config.demo {
        account::ensure_demo(app).await?;
        tracing::warn!("demo mode: anybody who reaches this server may sign in");
    }
    if let Some(token) = account::prepare_first_run(app).await? {
        let address = format!("{}/first-run", app.config.origin());
        tracing::info!("there is no administrator yet; open {address} with the one-time token {token}");
    }
    Ok(())
}

enum Asked {
    /// By this signal; workers and the demo broker live on.
    Server(&'static str),
    Everything,
}

/// Listens before anybody is told that there is a server: a signal without a listener would end it at once.
struct Wishes {
    terminate: Signal,
    interrupt: Signal,
    everything: Signal,
}

impl Wishes {
    fn listen() -> anyhow::Result<Wishes> {
        Ok(Wishes {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            everything: signal(SignalKind::from_raw(EVERYTHING.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Server("SIGTERM"),
            _ = self.interrupt.recv() => Asked::Server("SIGINT"),
            _ = self.everything.recv() => Asked::Everything,
        }
    }
}

/// What is forgotten from time to time: sessions that are over, rate limits at rest.
async fn keep_house(app: Arc<App>) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = app.shutdown.cancelled() => return,
        }
        app.limits.forget_idle();
        match account::forget_old_sessions(&app).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(count, "sessions that were over are forgotten"),
            Err(error) => tracing::warn!("old sessions could not be forgotten: {error}"),
        }
    }
}
