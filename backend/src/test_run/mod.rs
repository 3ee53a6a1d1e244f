//! Test runs: a child process runs a job's script over real input, with every sink replaced in the plan.
//!
//! ```text
//! POST ──▶ start ──▶ millrace-worker test-run ──JSON lines──▶ buffer (bounded) ──▶ readers, and at the end the store
//!                         ▲ killed on cancel and limits
//! ```
//! Promises: whatever happens the process ends, and how it ended is stored; nobody has to watch it meanwhile; a team
//! has at most [`MOST_PER_TEAM`] test runs at a time. Why nothing is written outside: `millrace_engine::sandbox`.

mod buffer;
mod child;
pub mod compare;
mod shadow;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use millrace_wire::ids::{TeamId, TestRunId};
use millrace_wire::link::TestRunAssignment;
use millrace_wire::sql::Diagnostic;
use millrace_wire::test_run::{InputRange, TestRunState};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::job::beside_this_one;
use crate::parameter::Filled;
use crate::store::test_run::{Captured, Ended, Outcome};
use crate::store::{self, Store};
use buffer::Buffer;
pub use buffer::Reader;
pub use shadow::{Half, Shadow};

const MOST_PER_TEAM: usize = 4;
/// Of all teams together: each one is a process.
const MOST: usize = 16;
/// After its end, for readers that are still on the way to it.
const KEPT_AFTER_END: Duration = Duration::from_secs(60);
const PLANNED_WITHIN: Duration = Duration::from_secs(30);
pub const MOST_ROWS: u32 = 10_000;
pub const MOST_SECONDS: u32 = 1_800;
pub const MOST_MEMORY_MB: u32 = 2_048;

/// Cheap to clone.
#[derive(Clone)]
pub struct TestRuns {
    inner: Arc<Inner>,
}

struct Inner {
    worker_binary: Option<PathBuf>,
    folder: PathBuf,
    store: Store,
    shutdown: CancellationToken,
    running: Mutex<HashMap<TestRunId, Running>>,
    /// Whose test runs are about to start.
    reserved: Mutex<Vec<TeamId>>,
}

/// Kept for a test run that is about to start.
pub struct Place {
    runs: TestRuns,
    team: TeamId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut reserved = self.runs.inner.reserved.lock();
        if let Some(at) = reserved.iter().position(|team| *team == self.team) {
            reserved.swap_remove(at);
        }
    }
}

struct Running {
    team: TeamId,
    buffer: Arc<Buffer>,
    cancel: CancellationToken,
    /// How it ended, once that is stored.
    ended: watch::Receiver<Option<(TestRunState, String)>>,
}

impl TestRuns {
    pub fn new(worker_binary: Option<PathBuf>, folder: PathBuf, store: Store, shutdown: CancellationToken) -> TestRuns {
        TestRuns {
            inner: Arc::new(Inner {
                worker_binary,
                folder,
                store,
                shutdown,
                running: Mutex::default(),
                reserved: Mutex::default(),
            }),
        }
    }

    /// Takes one of the places, if one more may run. Asked before anything is planned or written down; the place is
    /// free again when what is returned is dropped.
    pub fn reserve(&self, team: TeamId) -> Result<Place> {
        let mut reserved = self.inner.reserved.lock();
        let running = self.inner.running.lock();
        let live = running.values().filter(|run| !run.buffer.is_over()).map(|run| run.team);
        let (mut all, mut of_team) = (0, 0);
        for one in live.chain(reserved.iter().copied()) {
            all += 1;
            of_team += usize::from(one == team);
        }
        if of_team >= MOST_PER_TEAM {
            let message = format!("The team has {MOST_PER_TEAM} test runs running. Wait for one, or cancel it.");
            return Err(Error::too_many_requests(message));
        }
        if all >= MOST {
            return Err(Error::too_many_requests("Too many test runs on this server. Try again in a minute."));
        }
        reserved.push(team);
        Ok(Place { runs: self.clone(), team })
    }

    /// Starts the process and waits until it has planned the script, or has said why it cannot. The run is in the store
    /// already; how it ends is written there, also when it cannot be started.
    /// `place`: given up once the run itself counts. `script`: what the assignment's text came from.
    pub async fn start(
        &self,
        place: Place,
        id: TestRunId,
        script: Filled,
        assignment: TestRunAssignment,
    ) -> Result<()> {
        let started = self.begin(place, id, script, assignment).await;
        if let Err(error) = &started {
            self.end_unstarted(id, error.message()).await?;
        }
        started
    }

    /// For a run that is in the store and gets no process.
    async fn end_unstarted(&self, id: TestRunId, why: &str) -> Result<()> {
        let (outcome, captured) = Default::default();
        let ended = Ended { at: now_ms(), state: TestRunState::Failed, reason: why.to_owned(), outcome, captured };
        store::test_run::end(&self.inner.store, id, &ended).await
    }

    async fn begin(&self, place: Place, id: TestRunId, script: Filled, assignment: TestRunAssignment) -> Result<()> {
        let program = beside_this_one(self.inner.worker_binary.as_deref(), "millrace-worker", "MILLRACE_WORKER_BINARY")
            .map_err(|why| Error::unavailable(format!("A test run cannot be started: {why}.")))?;
        let buffer = Arc::new(Buffer::default());
        let cancel = self.inner.shutdown.child_token();
        let (tell_end, ended) = watch::channel(None);
        let running = Running { team: place.team, buffer: buffer.clone(), cancel: cancel.clone(), ended };
        self.inner.running.lock().insert(id, running);
        drop(place);
        let folder = self.inner.folder.clone();
        let job = child::Job { program, folder, script, assignment, buffer: buffer.clone(), cancel };
        let runs = self.clone();
        tokio::spawn(async move {
            let (state, reason) = child::run(job).await;
            let (outcome, captured) = runs.content(id);
            let ended = Ended { at: now_ms(), state, reason: reason.clone(), outcome, captured };
            if let Err(error) = store::test_run::end(&runs.inner.store, id, &ended).await {
                tracing::warn!(%error, test_run = %id, "the result of a test run is not stored");
            }
            tell_end.send_replace(Some((state, reason)));
            tokio::time::sleep(KEPT_AFTER_END).await;
            runs.inner.running.lock().remove(&id);
        });
        if tokio::time::timeout(PLANNED_WITHIN, buffer.planned()).await.is_err() {
            // Its end is told like any other.
            if let Some(run) = self.inner.running.lock().get(&id) {
                run.cancel.cancel();
            }
        }
        Ok(())
    }

    /// Waits for the end of a run that was started here a moment ago.
    async fn ended(&self, id: TestRunId) -> (TestRunState, String) {
        let lost = || (TestRunState::Failed, "It was lost.".to_owned());
        let Some(mut ended) = self.inner.running.lock().get(&id).map(|run| run.ended.clone()) else { return lost() };
        let how = ended.wait_for(Option::is_some).await.ok().and_then(|how| how.clone());
        how.unwrap_or_else(lost)
    }

    fn content(&self, id: TestRunId) -> (Outcome, Captured) {
        self.live(id).map(|buffer| buffer.content()).unwrap_or_default()
    }

    fn ranges(&self, id: TestRunId) -> BTreeMap<String, InputRange> {
        self.live(id).map(|buffer| buffer.ranges()).unwrap_or_default()
    }

    fn live(&self, id: TestRunId) -> Option<Arc<Buffer>> {
        self.inner.running.lock().get(&id).map(|run| run.buffer.clone())
    }

    /// All events from the start on; `None` when it is over for a while. Another team's run does not exist.
    pub fn read(&self, team: TeamId, id: TestRunId) -> Option<Reader> {
        self.of_team(team, id).map(|buffer| buffer.read())
    }

    /// What there is so far of a run that is not stored yet.
    pub fn so_far(&self, team: TeamId, id: TestRunId) -> Option<(Outcome, Captured)> {
        let buffer = self.of_team(team, id)?;
        Some(buffer.content())
    }

    fn of_team(&self, team: TeamId, id: TestRunId) -> Option<Arc<Buffer>> {
        let running = self.inner.running.lock();
        running.get(&id).filter(|run| run.team == team).map(|run| run.buffer.clone())
    }

    /// False when it does not run on this server.
    pub fn cancel(&self, team: TeamId, id: TestRunId) -> bool {
        let running = self.inner.running.lock();
        let Some(run) = running.get(&id).filter(|run| run.team == team) else { return false };
        run.cancel.cancel();
        true
    }
}

fn diagnostic(message: String) -> Diagnostic {
    Diagnostic {
        severity: millrace_wire::sql::Severity::Error,
        code: "test_run".to_owned(),
        message,
        hint: None,
        span: None,
        replacement: None,
    }
}
