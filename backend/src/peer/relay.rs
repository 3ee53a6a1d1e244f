//! What the other servers tell browsers, brought here: each server shows every job, whoever takes care of it.
//!
//! A server follows each of the others: one request that does not end, with an event on each line of data. What comes is
//! shown to this server's browsers and kept as the newest figures of these jobs. It is not passed on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use millrace_wire::graph::Graph;
use millrace_wire::ids::{JobId, RunId};
use millrace_wire::job::CurrentRun;
use millrace_wire::live::LiveEvent;
use millrace_wire::run::RunState;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::access::secret::{Keys, hex};
use crate::live::Told;
use crate::state::App;
use crate::store;
use crate::store::server::ServerRow;

const AGAIN: Duration = Duration::from_secs(1);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The stream carries a sign of life every few seconds.
const SILENT: Duration = Duration::from_secs(40);
/// Longer lines are no events.
const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// What servers of one installation prove themselves with to each other.
pub fn bearer(keys: &Keys) -> String {
    hex(&keys.derive("servers of this installation"))
}

/// The newest that was told of runs that other servers take care of. Cheap to clone.
#[derive(Clone, Default)]
pub struct Relayed {
    runs: Arc<Mutex<HashMap<JobId, CurrentRun>>>,
}

impl Relayed {
    /// What was told of this run, unless the store knows newer.
    pub fn newest(&self, job: JobId, run: RunId, state_at: i64) -> Option<CurrentRun> {
        self.runs.lock().get(&job).filter(|told| told.run == run && told.since >= state_at).cloned()
    }

    fn note(&self, job: JobId, current: Option<&CurrentRun>) {
        let mut runs = self.runs.lock();
        match current.filter(|run| !run.state.is_terminal()) {
            Some(run) => drop(runs.insert(job, run.clone())),
            None => drop(runs.remove(&job)),
        }
    }
}

/// Follows every server that comes, until this one stops.
pub async fn follow(app: Arc<App>) {
    let mut others = app.membership.others();
    let mut followed: HashMap<String, CancellationToken> = HashMap::new();
    loop {
        let now = others.borrow_and_update().clone();
        followed.retain(|id, stop| {
            let stays = now.iter().any(|server| server.id == *id);
            if !stays {
                stop.cancel();
            }
            stays
        });
        for server in now {
            followed.entry(server.id.clone()).or_insert_with(|| {
                let stop = app.shutdown.child_token();
                let (app, until) = (app.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = follow_one(&app, &server) => {}
                        () = until.cancelled() => {}
                    }
                });
                stop
            });
        }
        tokio::select! {
            changed = others.changed() => if changed.is_err() { return },
            () = app.shutdown.cancelled() => return,
        }
    }
}

/// Comes back as long as the server is there: the caller ends it.
async fn follow_one(app: &App, server: &ServerRow) {
    let client = match reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).build() {
        Ok(client) => client,
        Err(cause) => {
            tracing::error!(%cause, "the other servers cannot be asked");
            return;
        }
    };
    let url = format!("{}/peer/events", server.address);
    let mut follower = Follower { app, graphs: HashMap::new() };
    loop {
        let why = match client.get(&url).bearer_auth(bearer(&app.keys)).send().await {
            Ok(answer) if answer.status().is_success() => follower.read(answer).await,
            Ok(answer) => format!("it answers {}", answer.status()),
            Err(cause) => cause.to_string(),
        };
        tracing::warn!(server = server.id, address = server.address, why, "another server is not heard");
        tokio::time::sleep(AGAIN).await;
    }
}

struct Follower<'a> {
    app: &'a App,
    /// Of which attempt of a job, and what its worker does: which operators are sinks.
    graphs: HashMap<JobId, KnownRun>,
}

struct KnownRun {
    /// Number of the run, and of its attempt.
    attempt: (u32, u32),
    graph: Option<Graph>,
}

impl Follower<'_> {
    /// Until the stream ends; why it did.
    async fn read(&mut self, mut answer: reqwest::Response) -> String {
        // What was told before is not told again.
        self.missed_something().await;
        let mut pending = Vec::new();
        loop {
            let chunk = match tokio::time::timeout(SILENT, answer.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return "it ended the stream".to_owned(),
                Ok(Err(cause)) => return cause.to_string(),
                Err(_) => return "it says nothing".to_owned(),
            };
            pending.extend_from_slice(&chunk);
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                if let Some(data) = line.strip_prefix(b"data:") {
                    self.take(data).await;
                }
            }
            if pending.len() > LONGEST_LINE {
                return "it sends lines without an end".to_owned();
            }
        }
    }

    async fn take(&mut self, data: &[u8]) {
        match serde_json::from_slice(data) {
            Ok(Told::Event { team, event }) => {
                self.event(&event).await;
                self.app.live.publish_here(team, &event);
            }
            Ok(Told::Figures { team, event }) => {
                self.event(&event).await;
                self.app.live.pass_here(team, &event);
            }
            Ok(Told::Forget { team, object }) => self.app.live.forget_here(team, object),
            Err(cause) => tracing::warn!(%cause, "what another server tells cannot be read"),
        }
    }

    async fn event(&mut self, event: &LiveEvent) {
        match event {
            LiveEvent::Job { job, current, .. } => self.run_changed(*job, current.as_ref()).await,
            LiveEvent::Metrics { job, report } => {
                if let Some(known) = self.graphs.get(job) {
                    self.app.metrics.relay(*job, known.attempt, known.graph.as_ref(), report.clone());
                }
            }
            LiveEvent::Reset => self.look_at_rights().await,
            _ => {}
        }
    }

    async fn run_changed(&mut self, job: JobId, current: Option<&CurrentRun>) {
        self.app.relayed.note(job, current);
        let Some(run) = current.filter(|run| !run.state.is_terminal()) else {
            self.graphs.remove(&job);
            self.app.metrics.run_ended(job);
            return;
        };
        if let Some((at, ms)) =
            run.figures.as_ref().and_then(|figures| figures.checkpoint_at.zip(figures.checkpoint_ms))
        {
            self.app.metrics.relay_checkpoint(job, at, ms);
        }
        let attempt = (run.number, run.attempt);
        let is_known = self.graphs.get(&job).is_some_and(|known| known.attempt == attempt && known.graph.is_some());
        // The graph is stored when the worker begins to run.
        if is_known || run.state != RunState::Running {
            return;
        }
        match store::run::get(&self.app.store, run.run).await {
            Ok(row) => drop(self.graphs.insert(job, KnownRun { attempt, graph: row.and_then(|row| row.graph) })),
            Err(error) => tracing::warn!(%job, %error, "the graph of a job cannot be read"),
        }
    }

    /// Browsers load what they show again, and rights are looked at anew.
    async fn missed_something(&mut self) {
        self.look_at_rights().await;
        match store::team::slugs(&self.app.store).await {
            Ok(teams) => teams.iter().for_each(|(team, _)| self.app.live.publish_here(*team, &LiveEvent::Reset)),
            Err(error) => tracing::warn!(%error, "teams cannot be listed"),
        }
    }

    /// Which jobs are restricted: their lines do not go to their team's topics.
    async fn look_at_rights(&self) {
        match store::grant::restricted_jobs(&self.app.store).await {
            Ok(jobs) => self.app.mirror.leave_out_only(jobs),
            Err(error) => tracing::warn!(%error, "restricted jobs cannot be listed"),
        }
    }
}
