//! One actor per live run; at start, one for each run that was live when the last server ended.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use millrace_wire::ids::{RunId, TeamId};
use millrace_wire::job::CurrentRun;
use millrace_wire::link::TableSource;
use millrace_wire::run::RunState;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::actor::{Actor, Message};
use super::asked::SavepointBy;
use super::launch::Launcher;
use super::lifecycle::{Limits, Process};
use super::process;
use super::steps::Steps;
use super::view::{View, current_run};
use crate::config::FileRoots;
use crate::error::Result;
use crate::live::LiveHub;
use crate::log::LogStore;
use crate::metric::MetricStore;
use crate::peer::{Membership, Relayed};
use crate::store::Store;
use crate::store::run::{ProcessRow, RunRow};
use crate::store::server::{self, Ask};
use crate::watch::Mirror;

/// Messages that wait for an actor. A link waits for each answer, so that few are ever under way.
const INBOX: usize = 64;

/// The tables of a team with what their connections fill in, credentials included.
pub trait Tables: Send + Sync {
    /// The name of the database that bare names belong to, and the tables of these names (`database.table`).
    fn named(
        &self,
        team: TeamId,
        names: BTreeSet<String>,
    ) -> BoxFuture<'_, Result<(String, BTreeMap<String, TableSource>)>>;

    /// The script of a run with the values it started with, and the secrets that it names.
    fn script(
        &self,
        team: TeamId,
        run: RunId,
        sql: String,
    ) -> BoxFuture<'_, Result<(String, BTreeMap<String, String>)>>;

    /// The team's short name, for identities.
    fn team_slug(&self, team: TeamId) -> BoxFuture<'_, Result<String>>;
}

/// What all actors share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) launcher: Launcher,
    pub(crate) logs: Arc<LogStore>,
    pub(crate) metrics: Arc<MetricStore>,
    pub(crate) live: LiveHub,
    pub(crate) mirror: Mirror,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) file_roots: FileRoots,
    pub(crate) modules: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) steps: Steps,
    pub(crate) membership: Membership,
    pub(crate) relayed: Relayed,
    pub(crate) shutdown: CancellationToken,
    links: AtomicU64,
    actors: Mutex<HashMap<RunId, Handle>>,
}

#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) inbox: mpsc::Sender<Message>,
    pub(crate) view: Arc<Mutex<View>>,
}

/// Where workers come from and what they may touch.
pub struct Places {
    pub worker_binary: Option<PathBuf>,
    /// `ws://…/api/v1/link` of this server.
    pub link_url: String,
    /// Folders of runs are made below.
    pub runs: PathBuf,
    pub file_roots: FileRoots,
    /// Uploaded modules lie here.
    pub modules: PathBuf,
}

/// The stores and hubs that supervision reads and feeds.
pub struct Surroundings {
    pub store: Store,
    pub logs: Arc<LogStore>,
    pub metrics: Arc<MetricStore>,
    pub live: LiveHub,
    pub mirror: Mirror,
    pub tables: Arc<dyn Tables>,
    pub membership: Membership,
    pub relayed: Relayed,
    pub shutdown: CancellationToken,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Supervisor {
    pub(crate) shared: Arc<Shared>,
}

impl Supervisor {
    pub fn new(places: Places, around: Surroundings) -> Supervisor {
        Supervisor::with(places, around, Limits::default(), Steps::default())
    }

    pub(crate) fn with(places: Places, around: Surroundings, limits: Limits, steps: Steps) -> Supervisor {
        let launcher = Launcher { binary: places.worker_binary, link_url: places.link_url, folder: places.runs };
        Supervisor {
            shared: Arc::new(Shared {
                store: around.store,
                launcher,
                logs: around.logs,
                metrics: around.metrics,
                live: around.live,
                mirror: around.mirror,
                tables: around.tables,
                file_roots: places.file_roots,
                modules: places.modules,
                limits,
                steps,
                membership: around.membership,
                relayed: around.relayed,
                shutdown: around.shutdown,
                links: AtomicU64::new(1),
                actors: Mutex::default(),
            }),
        }
    }

    /// The id of this server, as it stands on the runs it takes care of.
    pub fn keeper(&self) -> String {
        self.shared.membership.id().to_owned()
    }

    /// Takes care of a run whose keeper this server is, from now on; once is enough, again does nothing.
    pub fn take_care(&self, row: RunRow) {
        let mut actors = self.shared.actors.lock();
        if actors.contains_key(&row.id) || row.state.is_terminal() {
            return;
        }
        let (inbox, messages) = mpsc::channel(INBOX);
        let (actor, view) = Actor::new(self.shared.clone(), row.clone(), messages, inbox.clone());
        actors.insert(row.id, Handle { inbox, view });
        drop(actors);
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let run = row.id;
            actor.run().await;
            shared.actors.lock().remove(&run);
            shared.logs.close(run);
        });
    }

    /// Something about the run changed in the store, asked for by `by`.
    pub async fn look_at(&self, run: RunId, by: &str) {
        if !self.send(run, Message::Look { by: by.to_owned() }).await {
            self.leave_word(run, Ask::Look, by).await;
        }
    }

    /// False when no worker is linked that could take one. Of a run that another server takes care of it is only asked
    /// whether that server is there.
    pub async fn take_savepoint(&self, run: &RunRow, by: SavepointBy) -> bool {
        if self.shared.membership.other(&run.keeper).is_some() {
            return match by {
                SavepointBy::Person(by) if run.state == RunState::Running => {
                    self.leave_word(run.id, Ask::Savepoint, &by).await
                }
                // What the schedule asks for is asked by the server that takes care of the run.
                SavepointBy::Person(_) | SavepointBy::Schedule => false,
            };
        }
        let (asked, answer) = tokio::sync::oneshot::channel();
        self.send(run.id, Message::Savepoint { by, asked }).await && answer.await.unwrap_or(false)
    }

    /// For the server that takes care of the run.
    async fn leave_word(&self, run: RunId, what: Ask, by: &str) -> bool {
        match server::ask(&self.shared.store, run, what, by).await {
            Ok(left) => left,
            Err(error) => {
                tracing::error!(%run, %error, "the server that takes care of a run cannot be asked");
                false
            }
        }
    }

    /// The run as it looks now.
    pub fn current(&self, run: &RunRow) -> CurrentRun {
        let elsewhere = self.shared.membership.other(&run.keeper);
        if let Some(told) = elsewhere.and_then(|_| self.shared.relayed.newest(run.job, run.id, run.state_at)) {
            return told;
        }
        let view = self.shared.handle(run.id).map(|handle| handle.view.lock().clone());
        current_run(run, view.as_ref(), self.shared.metrics.figures(run.job))
    }

    /// Whether an actor takes care of the run.
    pub fn cares_for(&self, run: RunId) -> bool {
        self.shared.handle(run).is_some()
    }

    /// Folder of a run's own files, for clearing up after a deleted job.
    pub fn run_folder(&self, run: RunId) -> PathBuf {
        self.shared.launcher.run_folder(run)
    }

    pub(super) async fn send(&self, run: RunId, message: Message) -> bool {
        match self.shared.handle(run) {
            Some(handle) => handle.inbox.send(message).await.is_ok(),
            None => false,
        }
    }
}

impl Shared {
    pub(crate) fn handle(&self, run: RunId) -> Option<Handle> {
        self.actors.lock().get(&run).cloned()
    }

    /// Whether any run is taken care of.
    pub(super) fn cares(&self) -> bool {
        !self.actors.lock().is_empty()
    }

    /// What this machine knows of a process that was launched on `host`.
    pub(super) fn look_at_process(&self, host: &str, process: ProcessRow) -> Process {
        match (host.is_empty() || host == self.membership.host(), process::is_alive(process)) {
            (false, _) => Process::Elsewhere,
            (true, true) => Process::Alive,
            (true, false) => Process::Gone,
        }
    }

    pub(crate) fn next_link(&self) -> u64 {
        self.links.fetch_add(1, Ordering::Relaxed)
    }
}
