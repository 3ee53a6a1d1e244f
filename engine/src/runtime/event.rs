//! What tasks, the coordinator and the owner of a run tell each other.

use millrace_wire::job::StopMode;
use millrace_wire::link::CheckpointDone;

use crate::checkpoint::Part;
use crate::connector::SplitId;
use crate::connector::SplitPosition;
use crate::error::EngineError;

/// A checkpoint's cut through the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Barrier {
    pub(super) checkpoint: u64,
    /// Sources give no more rows after it.
    pub(super) last: bool,
}

/// To one task, beside its data.
#[derive(Clone, Debug)]
pub(super) enum Control {
    /// Sources put the barrier into the stream; tasks whose input has ended answer at once.
    Barrier(Barrier),
    /// The checkpoint is durable and committed.
    Complete(u64),
    /// Sources end, as if they were bounded.
    Drain,
    /// Everything is committed: close and leave.
    Close,
}

/// From tasks to the coordinator.
pub(super) enum TaskEvent {
    Snapshot {
        task: usize,
        checkpoint: u64,
        parts: Vec<Part>,
        positions: Vec<(SplitId, SplitPosition)>,
    },
    /// All its input has ended and was worked through.
    Ended {
        task: usize,
    },
    Closed {
        task: usize,
    },
    Failed {
        error: EngineError,
    },
    Persisted {
        checkpoint: u64,
        result: Result<CheckpointDone, EngineError>,
    },
}

/// From the owner to the coordinator.
#[derive(Debug)]
pub(super) enum Request {
    Checkpoint,
    Savepoint,
    Stop(StopMode),
    /// The owner has found a reason why the run must not go on.
    Fail(EngineError),
}

/// From a run to its owner.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEvent {
    CheckpointDone(CheckpointDone),
    CheckpointFailed { number: u64, reason: String },
}
