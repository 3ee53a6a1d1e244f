//! One run of a dataflow, from start to end.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use millrace_wire::job::StopMode;

use super::construct::{Constructed, Constructor};
use super::coordinator::{Coordinator, CoordinatorParts, Outcome, Persist, TaskHandle};
use super::event::{Control, Request, RunEvent, TaskEvent};
use super::inbox::Pressure;
use super::metrics::MetricsHub;
use super::{inline, threads};
use crate::checkpoint::{CheckpointStore, NodeEntry, Restored};
use crate::connector::Committers;
use crate::error::{EngineError, Result};
use crate::plan::dataflow::{Dataflow, NodeKind};
use crate::state::{StateHome, StateOptions};

/// What a run needs besides its dataflow.
pub struct RunOptions {
    /// Without one, checkpoints only commit sinks.
    pub store: Option<CheckpointStore>,
    /// Names the run in its checkpoints.
    pub run: String,
    /// Checkpoints that stay; at least one.
    pub kept: usize,
    pub committers: Arc<dyn Committers>,
    pub restored: Option<Restored>,
    /// Number of the next checkpoint: above all that were ever taken for the job.
    pub next_checkpoint: u64,
    /// Rows per batch where the runtime makes batches itself.
    pub batch_rows: usize,
    /// How much memory state may take. Where it goes on disk follows from the store.
    pub state: StateOptions,
}

/// A run that is built and can be driven.
pub struct Run {
    pub(super) constructed: Constructed,
    pub(super) coordinator: Coordinator,
    pub(super) events: Receiver<TaskEvent>,
    pub(super) requests: Receiver<Request>,
    handle: RunHandle,
    owner: Receiver<RunEvent>,
}

/// Talks to a run from elsewhere.
#[derive(Clone)]
pub struct RunHandle {
    requests: Sender<Request>,
    metrics: Arc<std::sync::OnceLock<Arc<MetricsHub>>>,
}

impl RunHandle {
    pub fn checkpoint(&self) {
        let _ = self.requests.send(Request::Checkpoint);
    }

    pub fn savepoint(&self) {
        let _ = self.requests.send(Request::Savepoint);
    }

    pub fn stop(&self, mode: StopMode) {
        let _ = self.requests.send(Request::Stop(mode));
    }

    /// Ends the run with this error.
    pub fn fail(&self, error: EngineError) {
        let _ = self.requests.send(Request::Fail(error));
    }

    pub fn metrics(&self) -> Option<Arc<MetricsHub>> {
        self.metrics.get().cloned()
    }
}

impl Run {
    /// A run on threads.
    pub fn new(dataflow: &Dataflow, options: RunOptions) -> Result<Self> {
        Self::build(dataflow, options, Pressure::Block, Persist::OnThread)
    }

    /// A run on the caller's thread, one row after the other.
    pub fn inline(dataflow: &Dataflow, options: RunOptions) -> Result<inline::Inline> {
        Self::build(dataflow, options, Pressure::Never, Persist::Here).map(inline::Inline::new)
    }

    fn build(dataflow: &Dataflow, options: RunOptions, pressure: Pressure, persist: Persist) -> Result<Self> {
        let (events_in, events) = unbounded();
        let (requests_in, requests) = unbounded();
        let (owner_in, owner) = unbounded();
        let home = StateHome::new(StateOptions {
            directory: options.store.as_ref().map(|store| store.work(&options.run)),
            inline: persist == Persist::Here,
            ..options.state
        });
        let restored = options.restored.as_ref();
        let constructor = Constructor::new(dataflow, restored, pressure, options.batch_rows, home, events_in.clone());
        let constructed = constructor.build()?;
        let tasks: Vec<TaskHandle> = constructed
            .tasks
            .iter()
            .map(|task| TaskHandle { inbox: Arc::clone(&task.inbox), source: task.is_source() })
            .collect();
        if let Some(restored) = &options.restored {
            // What was prepared by the attempt that died becomes visible before anything else happens.
            tasks.iter().for_each(|task| task.inbox.control(Control::Complete(restored.number)));
        }
        let coordinator = Coordinator::new(CoordinatorParts {
            tasks,
            store: options.store,
            run: options.run,
            kept: options.kept,
            committers: options.committers,
            plan_hash: dataflow.hash(),
            nodes: node_entries(dataflow),
            interval: dataflow.settings.checkpoint_interval,
            next_number: options.next_checkpoint,
            persist,
            events: events_in,
            owner: owner_in,
        });
        let handle = RunHandle { requests: requests_in, metrics: Arc::default() };
        Ok(Run { constructed, coordinator, events, requests, handle, owner })
    }

    pub fn handle(&self) -> RunHandle {
        self.handle.clone()
    }

    /// Checkpoints as they are done or fail.
    pub fn events(&self) -> Receiver<RunEvent> {
        self.owner.clone()
    }

    /// Runs to the end on threads of its own; the caller's thread coordinates.
    pub fn run(mut self) -> Result<Outcome> {
        let metrics = std::mem::replace(&mut self.constructed.metrics, MetricsHub::new());
        let _ = self.handle.metrics.set(Arc::new(metrics));
        threads::drive(self)
    }
}

/// The nodes whose state a checkpoint of this dataflow holds.
pub fn node_entries(dataflow: &Dataflow) -> Vec<NodeEntry> {
    let graph = dataflow.to_wire();
    let stateful = dataflow
        .nodes
        .iter()
        .zip(graph.nodes)
        .filter(|(node, _)| !node.state.is_empty() || matches!(node.kind, NodeKind::Sink { .. }));
    let entry = |(node, words): (&crate::plan::dataflow::Node, millrace_wire::graph::GraphNode)| NodeEntry {
        id: node.id.to_string(),
        kind: words.kind,
        name: words.name,
        state: node.state.clone(),
    };
    stateful.map(entry).collect()
}
