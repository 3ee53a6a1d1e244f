//! Runs: one execution of one version, with its attempts, events and restore points.

use crate::approval::GivenApproval;
use crate::ids::{RunId, SavepointId};
use crate::job::StopMode;
use crate::macros::{wire, wire_words};

wire_words! {
    /// `pending → starting → running ⇄ recovering → stopping → stopped | finished | failed`
    pub enum RunState {
        Pending = "pending",
        Starting = "starting",
        Running = "running",
        Recovering = "recovering",
        Stopping = "stopping",
        Stopped = "stopped",
        /// All sources were bounded and have ended.
        Finished = "finished",
        Failed = "failed",
    }

    pub enum RestoreKind {
        Checkpoint = "checkpoint",
        Savepoint = "savepoint",
    }

    pub enum RunCause {
        /// A person started it.
        Manual = "manual",
        /// The command line or another program, by token.
        Api = "api",
        Demo = "demo",
        /// Somebody asked for a restart: it was stopped, then started again.
        Restart = "restart",
        /// By the job's schedule.
        Schedule = "schedule",
        /// A run of the schedule failed and is tried again.
        Retry = "retry",
    }

    pub enum RunEventKind {
        State = "state",
        Attempt = "attempt",
        Checkpoint = "checkpoint",
        Savepoint = "savepoint",
        Warning = "warning",
        Error = "error",
        Person = "person",
    }
}

impl RunState {
    /// No further state follows.
    pub const fn is_terminal(self) -> bool {
        matches!(self, RunState::Stopped | RunState::Finished | RunState::Failed)
    }
}

wire! {
    pub struct Run {
        pub id: RunId,
        pub number: u32,
        pub version: u32,
        pub cause: RunCause,
        pub started_by: String,
        pub state: RunState,
        pub reason: String,
        pub attempt: u32,
        pub restored_from: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub stop_mode: Option<StopMode>,
        pub created_at: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub running_at: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ended_at: Option<i64>,
        pub records_in: u64,
        pub records_out: u64,
        /// Where the team asks for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub approval: Option<GivenApproval>,
    }

    pub struct RunEvent {
        pub at: i64,
        pub run: RunId,
        pub attempt: u32,
        pub kind: RunEventKind,
        pub message: String,
    }

    /// A checkpoint or savepoint one can start from.
    pub struct RestorePoint {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub savepoint: Option<SavepointId>,
        pub kind: RestoreKind,
        /// Number of the checkpoint within its run.
        pub number: u64,
        pub run: RunId,
        pub run_number: u32,
        pub version: u32,
        pub at: i64,
        pub bytes: u64,
        pub by: String,
        /// The job's schedule took it, and removes it when there are newer ones enough.
        #[serde(default)]
        pub scheduled: bool,
        /// What could not be kept when the current draft started from it; empty when all is kept.
        pub incompatible: Vec<String>,
    }
}
