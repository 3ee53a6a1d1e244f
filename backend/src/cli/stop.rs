//! `millrace stop`: everything that belongs to a data directory, on this machine.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use rustix::process::Signal;

use super::{Outcome, presence};
use crate::config::Config;
use crate::job::{is_alive, signal};
use crate::state::App;
use crate::tasks;

const LOOK: Duration = Duration::from_millis(100);

/// What the server takes as the wish to stop everything.
pub(super) const EVERYTHING: Signal = Signal::USR1;

#[derive(Args)]
pub(super) struct Stop {
    /// The server's configuration file; the environment (MILLRACE_…) wins over it.
    #[arg(long, env = "MILLRACE_CONFIG")]
    config: Option<PathBuf>,
    /// The server's data directory, instead of the configured one.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// How many seconds it may take.
    #[arg(long, default_value_t = 120)]
    within: u64,
}

impl Stop {
    pub(super) fn run(self) -> Outcome {
        let mut config = Config::load_over(self.config.as_deref(), self.data_dir.as_deref())?;
        if !config.data_dir.is_dir() {
            bail!("there is no data directory {}", config.data_dir.display());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match presence::find(&config.data_dir) {
                Some(server) => {
                    eprintln!("stopping the server (process {}), its workers and its demo broker", server.pid);
                    signal(server, EVERYTHING);
                    let deadline = Instant::now() + Duration::from_secs(self.within);
                    while is_alive(server) {
                        if Instant::now() > deadline {
                            bail!("the server still runs after {} s; its log tells what it waits for", self.within);
                        }
                        tokio::time::sleep(LOOK).await;
                    }
                }
                None => {
                    eprintln!("no server runs; stopping what it left behind");
                    // Nobody is to reach it meanwhile.
                    config.demo = false;
                    let app = Arc::new(App::open(config, crate::engine::front()).await.map_err(plain)?);
                    tasks::stop_all(&app).await.map_err(plain)?;
                    tasks::finish(&app).await;
                    app.store.close().await;
                }
            }
            eprintln!("stopped");
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn plain(error: crate::error::Error) -> anyhow::Error {
    anyhow::anyhow!("{error}")
}
