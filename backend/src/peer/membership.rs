//! This server's lease, and who else is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::new_id;
use crate::error::Result;
use crate::job::{is_alive, this_process};
use crate::store::Store;
use crate::store::server::{self, ServerRow};

/// So long after its last sign a server is taken for gone.
pub const LEASE: Duration = Duration::from_secs(6);
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// This much before others may claim its runs, a server stops to act on them.
const MARGIN: Duration = Duration::from_secs(1);

/// Cheap to clone.
#[derive(Clone)]
pub struct Membership {
    me: Arc<ServerRow>,
    /// Until when this server may act; `None` before the first renewal. Always, where it is alone for good.
    held: Arc<Mutex<Held>>,
    others: watch::Sender<Vec<ServerRow>>,
    addresses: watch::Sender<Vec<String>>,
}

enum Held {
    Always,
    Until(Option<Instant>),
}

impl Membership {
    pub fn new(address: String) -> Membership {
        let me = this_server(new_id().to_string(), address);
        Membership {
            me: Arc::new(me),
            held: Arc::new(Mutex::new(Held::Until(None))),
            others: watch::Sender::new(Vec::new()),
            addresses: watch::Sender::new(Vec::new()),
        }
    }

    /// Of a server that shares its database with nobody and keeps no lease.
    pub fn alone() -> Membership {
        let me = this_server(String::new(), String::new());
        Membership {
            me: Arc::new(me),
            held: Arc::new(Mutex::new(Held::Always)),
            others: watch::Sender::new(Vec::new()),
            addresses: watch::Sender::new(Vec::new()),
        }
    }

    pub fn id(&self) -> &str {
        &self.me.id
    }

    pub fn host(&self) -> &str {
        &self.me.host
    }

    /// Whether this server may act on its runs now.
    pub fn holds(&self) -> bool {
        match *self.held.lock() {
            Held::Always => true,
            Held::Until(until) => until.is_some_and(|until| Instant::now() < until),
        }
    }

    pub fn others(&self) -> watch::Receiver<Vec<ServerRow>> {
        self.others.subscribe()
    }

    /// Where other servers are or were within a day: one that is gone may be back by the time somebody asks there.
    pub fn addresses(&self) -> watch::Receiver<Vec<String>> {
        self.addresses.subscribe()
    }

    pub fn is_alone(&self) -> bool {
        self.others.borrow().is_empty()
    }

    /// The server with this id, if its lease held at the last look.
    pub fn other(&self, id: &str) -> Option<ServerRow> {
        self.others.borrow().iter().find(|server| server.id == id).cloned()
    }

    /// Whether workers can lie where this server cannot look at their processes.
    pub fn is_spread(&self) -> bool {
        self.others.borrow().iter().any(|server| server.host != self.me.host)
    }

    /// Renews the lease and looks who else is there.
    pub async fn renew(&self, store: &Store) -> Result<()> {
        if matches!(*self.held.lock(), Held::Always) {
            return Ok(());
        }
        // Taken before the database's clock is read: what this server believes ends before what the others believe.
        let asked = Instant::now();
        let lease_ms = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        server::renew(store, &self.me, lease_ms).await?;
        if let Held::Until(until) = &mut *self.held.lock() {
            *until = Some(asked + LEASE - MARGIN);
        }
        let known = server::known(store).await?;
        self.note_addresses(&known);
        let (mut alive, mut ended) = (Vec::new(), Vec::new());
        for (server, _) in known.into_iter().filter(|(server, holds)| *holds && server.id != self.me.id) {
            if self.has_ended(&server) { ended.push(server) } else { alive.push(server) }
        }
        for server in ended {
            server::leave(store, &server.id).await?;
        }
        self.others.send_if_modified(|known| {
            let changed = *known != alive;
            if changed {
                for server in alive.iter().filter(|server| !known.contains(server)) {
                    tracing::info!(server = server.id, address = server.address, "another server is there");
                }
                for server in known.iter().filter(|server| !alive.contains(server)) {
                    tracing::warn!(server = server.id, address = server.address, "a server is gone");
                }
                *known = alive;
            }
            changed
        });
        Ok(())
    }

    fn note_addresses(&self, known: &[(ServerRow, bool)]) {
        let mut addresses: Vec<String> = Vec::new();
        for (server, _) in known {
            if server.address != self.me.address && !addresses.contains(&server.address) {
                addresses.push(server.address.clone());
            }
        }
        self.addresses.send_if_modified(|held| {
            // The order changes with every renewal and means little.
            let same = held.len() == addresses.len() && addresses.iter().all(|address| held.contains(address));
            if !same {
                *held = addresses;
            }
            !same
        });
    }

    /// Known without waiting for the end of its lease, where its process can be looked at.
    fn has_ended(&self, server: &ServerRow) -> bool {
        server.host == self.me.host && !is_alive(server.process)
    }

    /// Renews until the server stops, and takes its leave then.
    pub async fn keep(self, store: Store, shutdown: CancellationToken) {
        if let Err(error) = server::forget_gone(&store).await {
            tracing::warn!(%error, "servers that are gone stay known");
        }
        let mut tick = tokio::time::interval(RENEW_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = shutdown.cancelled() => break,
            }
            if let Err(error) = self.renew(&store).await {
                tracing::warn!(%error, "the lease of this server could not be renewed; it is tried again");
            }
        }
    }

    /// The others need not wait for the end of the lease.
    pub async fn leave(&self, store: &Store) -> Result<()> {
        server::leave(store, &self.me.id).await
    }
}

fn this_server(id: String, address: String) -> ServerRow {
    ServerRow { id, host: this_host(), process: this_process(), address }
}

/// Ids of processes mean something on one machine, in one container only.
fn this_host() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    format!("{name}/{}", machine.trim())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::store::{connect, migrate};

    async fn store(folder: &tempfile::TempDir) -> Store {
        let store = connect::open(&format!("sqlite://{}", folder.path().join("m.db").display())).await.unwrap();
        migrate::run(&store).await.unwrap();
        store
    }

    #[tokio::test]
    async fn nobody_acts_before_the_lease_is_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let server = Membership::new("http://127.0.0.1:1".to_owned());
        assert!(!server.holds());
        server.renew(&store).await.unwrap();
        assert!(server.holds());
    }

    #[tokio::test]
    async fn servers_see_each_other_come_and_leave() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let (one, two) = (Membership::new("http://a:1".to_owned()), Membership::new("http://b:2".to_owned()));
        one.renew(&store).await.unwrap();
        assert!(one.is_alone());
        two.renew(&store).await.unwrap();
        one.renew(&store).await.unwrap();
        assert_eq!(one.other(two.id()).unwrap().address, "http://b:2");
        assert!(!one.is_spread(), "both are on this machine");
        two.leave(&store).await.unwrap();
        one.renew(&store).await.unwrap();
        assert!(one.is_alone());
        assert_eq!(*one.addresses().borrow(), ["http://b:2"], "it may come back there");
    }
}
