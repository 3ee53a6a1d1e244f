//! Savepoints that are taken by themselves, and until when a savepoint is of use.

use crate::ids::RunId;
use crate::macros::{wire, wire_words};
use crate::run::RestoreKind;

wire_words! {
    pub enum Restorability {
        /// Until `until`, as far as the sources' retention tells.
        Until = "until",
        /// Past the retention: what it needs goes with the next clean-up of the broker.
        Overdue = "overdue",
        /// Records that it needs are gone.
        Gone = "gone",
        /// Nothing tells of an end; `reason` says why.
        NoLimit = "no_limit",
        /// It cannot be found out now; `reason` says why.
        Unknown = "unknown",
    }
}

wire! {
    /// When a running job takes a savepoint by itself.
    pub struct SavepointSchedule {
        /// Five fields: minute, hour, day of month, month, day of week; or six, with seconds first.
        pub cron: String,
        /// `Europe/Berlin`, `UTC`
        pub zone: String,
        pub enabled: bool,
        /// How many of those that the schedule took are kept. Others are never removed by it.
        pub keep: u32,
    }

    /// `GET …/jobs/{job}/savepoint-schedule`
    pub struct JobSavepointSchedule {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub schedule: Option<SavepointSchedule>,
        /// The next times; empty when none is taken.
        pub next: Vec<i64>,
        pub updated_by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub updated_at: Option<i64>,
    }

    /// What the retention of the sources means for a savepoint or checkpoint.
    pub struct Restorable {
        pub kind: Restorability,
        /// For `until`, and when it was for `overdue`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub until: Option<i64>,
        /// For `gone`: how many records, where they can be counted.
        pub missing: u64,
        /// The topic that sets the limit; empty where none does.
        pub topic: String,
        /// Sentences; empty where there is nothing to add.
        pub reason: String,
    }

    /// `GET …/jobs/{job}/restorable`: one savepoint or checkpoint.
    pub struct RestorablePoint {
        pub run: RunId,
        pub kind: RestoreKind,
        pub number: u64,
        pub restorable: Restorable,
    }
}
