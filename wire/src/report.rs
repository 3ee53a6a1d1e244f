//! What would happen if a version were started: shown before a start, to whoever approves it, and kept with the run.

use crate::approval::GivenApproval;
use crate::connection::JobRef;
use crate::ids::ShadowRunId;
use crate::job::StartFrom;
use crate::macros::{wire, wire_words};
use crate::run::RestorePoint;
use crate::savepoint::Restorable;
use crate::shadow_run::ShadowVerdict;

wire_words! {
    pub enum StateVerdict {
        Kept = "kept",
        /// The script has no such operator any more; its state is left behind.
        Lost = "lost",
        /// Starts empty.
        New = "new",
        /// The state cannot be taken over: the job would not start.
        Refused = "refused",
    }

    pub enum ChangeKind {
        Added = "added",
        Removed = "removed",
        Changed = "changed",
    }
}

wire! {
    /// Something with a name that is not the same on both sides; an empty text where it is not there.
    pub struct NamedChange {
        pub change: ChangeKind,
        pub name: String,
        pub from: String,
        pub to: String,
    }

    /// An operator of the plan that is not the same on both sides.
    pub struct OperatorChange {
        pub change: ChangeKind,
        /// `Kafka source`, `Window aggregate`, …
        pub kind: String,
        pub name: String,
        pub from: String,
        pub to: String,
    }

    /// What two versions, or a version and the draft, differ in.
    pub struct VersionDiff {
        /// `v3`, `draft`; empty when there is nothing to compare with.
        pub from: String,
        pub to: String,
        pub sql_from: String,
        pub sql_to: String,
        /// By the name of the setting.
        pub settings: Vec<NamedChange>,
        /// By `database.table`, the DDL.
        pub tables: Vec<NamedChange>,
        /// The team's functions, by name, the version.
        pub functions: Vec<NamedChange>,
        pub plan: Vec<OperatorChange>,
        /// Why the plan cannot be compared, such as errors of the draft.
        pub problems: Vec<String>,
    }

    /// A stateful operator and what becomes of its state.
    pub struct OperatorState {
        pub kind: String,
        pub name: String,
        pub verdict: StateVerdict,
        /// Where there is something to say.
        pub detail: String,
    }

    /// From where a source would be read.
    pub struct SourceRead {
        /// `database.table`
        pub table: String,
        /// It comes to an end by itself.
        pub bounded: bool,
        /// Goes on from what the checkpoint holds; else as its options or the chosen time say.
        pub goes_on: bool,
        /// `scan.startup.mode`, where the table has one.
        pub startup: String,
        pub positions: Vec<SourcePosition>,
    }

    pub struct SourcePosition {
        /// Partition or file.
        pub split: String,
        /// The next offset, or whatever the source counts in.
        pub position: String,
    }

    /// What a script makes of the state of a checkpoint, or of none.
    pub struct StateReport {
        pub operators: Vec<OperatorState>,
        pub sources: Vec<SourceRead>,
        /// Why the checkpoint cannot be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub problem: Option<String>,
    }

    /// A table that the job writes, and the other jobs that read it.
    pub struct Downstream {
        pub table: String,
        pub readers: Vec<JobRef>,
    }

    /// Tables that the job begins or ceases to read and write.
    pub struct LineageChange {
        pub reads_added: Vec<String>,
        pub reads_removed: Vec<String>,
        pub writes_added: Vec<String>,
        pub writes_removed: Vec<String>,
    }

    /// One `${name}` of the script.
    pub struct ReportedVariable {
        pub name: String,
        pub secret: bool,
        /// Of a secret empty, and of one that is not used any more.
        pub value: String,
        /// The value is the default that the script gives.
        pub is_default: bool,
        /// Against the last run's start; absent when it is the same, or when there was no run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub change: Option<ChangeKind>,
        /// What the last run started with; of a secret empty.
        pub before: String,
    }

    /// A SQL test of the job.
    pub struct ReportedTest {
        pub name: String,
        /// The newest result for what would be started; absent when it was not run for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub result: Option<ReportedResult>,
    }

    pub struct ReportedResult {
        pub passed: bool,
        pub at: i64,
    }

    /// The newest shadow run of what would be started.
    pub struct ReportedShadowRun {
        pub id: ShadowRunId,
        /// The version that it was compared with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub old: Option<u32>,
        pub at: i64,
        pub verdict: ShadowVerdict,
        /// By the new version.
        pub records_read: u64,
        /// Rows, over all sinks.
        pub differences: u64,
    }

    pub struct DeploymentReport {
        /// When it was made.
        pub at: i64,
        /// What would be started; absent for the draft, which becomes a version first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
        /// The version of the last run; absent when there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub against: Option<u32>,
        pub difference: VersionDiff,
        pub from: StartFrom,
        /// What it would be started from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub restore: Option<RestorePoint>,
        /// What the retention of the sources means for that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub restorable: Option<Restorable>,
        /// The SQL tests of the job, by name.
        #[serde(default)]
        pub tests: Vec<ReportedTest>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub shadow_run: Option<ReportedShadowRun>,
        pub state: StateReport,
        pub downstream: Vec<Downstream>,
        pub lineage: LineageChange,
        /// What the script's parameters stand for, and which of them changed since the last run started.
        #[serde(default)]
        pub variables: Vec<ReportedVariable>,
        pub warnings: Vec<String>,
        /// What stops the start.
        pub errors: Vec<String>,
        /// Of a run: who approved its start, where the team asks for that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub approval: Option<GivenApproval>,
    }
}
