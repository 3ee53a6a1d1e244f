//! The server's own broker: the one that is configured, watched from here; or the demo broker, started, watched,
//! adopted and restarted from here.
//!
//! The demo broker is a process of its own in a session of its own: it outlives the server. It announces itself by
//! `broker.json` in its data directory (id, start time, address), by which the next server finds it again.

mod demo;
mod presence;
mod watcher;

pub use demo::stop;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use millrace_wire::live::LiveEvent;
use millrace_wire::session::BrokerStatus;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::live::LiveHub;

const DEMO_NOTE: &str = "This is the demo broker. It has no transactions, so delivery is at least once. Data is kept in one file on this machine.";

/// What keeping a broker takes.
pub struct Keeper {
    pub config: Arc<Config>,
    pub live: LiveHub,
    pub status: watch::Sender<BrokerStatus>,
    pub shutdown: CancellationToken,
}

impl Keeper {
    /// Keeps the broker until the server ends. The demo broker is left running.
    pub async fn keep(self) {
        match self.config.kafka.clone() {
            Some(bootstrap) => watcher::watch(&self, bootstrap).await,
            None => demo::keep(&self).await,
        }
    }

    fn data(&self) -> PathBuf {
        folder_in(&self.config.data_dir)
    }

    fn tell(&self, bootstrap: &str, up: bool, note: &str) {
        let status = BrokerStatus {
            demo: self.config.kafka.is_none(),
            bootstrap: bootstrap.to_owned(),
            up,
            note: note.to_owned(),
        };
        let changed = self.status.send_if_modified(|known| {
            let changed = *known != status;
            known.clone_from(&status);
            changed
        });
        if changed {
            self.live.publish_to_all(&LiveEvent::Broker { status });
        }
    }
}

fn folder_in(data_dir: &Path) -> PathBuf {
    data_dir.join("broker")
}

/// Whether something listens there; what it is shows when it is used.
async fn answers(address: &str) -> bool {
    let connect = tokio::net::TcpStream::connect(address);
    matches!(tokio::time::timeout(std::time::Duration::from_secs(2), connect).await, Ok(Ok(_)))
}
