//! When a batch job starts by itself, and what became of each time.

use crate::macros::{wire, wire_words};

wire_words! {
    /// What happens to times that passed while no server was there.
    pub enum CatchUp {
        /// They are noted as missed.
        Skip = "skip",
        /// The newest of them is made up for, the others are noted as missed.
        Once = "once",
        /// All of them are made up for, one after the other, the newest up to `catch_up_most`.
        All = "all",
    }

    pub enum FireOutcome {
        /// Is about to start, or waits for the run before it.
        Waiting = "waiting",
        Started = "started",
        /// The run before it was still going.
        Skipped = "skipped",
        /// No server was there at that time.
        Missed = "missed",
        /// It could not be started.
        Refused = "refused",
    }
}

wire! {
    pub struct Schedule {
        /// Five fields: minute, hour, day of month, month, day of week; or six, with seconds first.
        pub cron: String,
        /// `Europe/Berlin`, `UTC`
        pub zone: String,
        pub enabled: bool,
        pub catch_up: CatchUp,
        /// For `all`.
        pub catch_up_most: u32,
        /// How often a run that failed is tried again.
        pub retry_attempts: u32,
        pub retry_delay_ms: u64,
    }

    /// `GET …/jobs/{job}/schedule`
    pub struct JobSchedule {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub schedule: Option<Schedule>,
        /// The next times at which it starts; empty when it does not.
        pub next: Vec<i64>,
        pub updated_by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub updated_at: Option<i64>,
    }

    /// `POST …/schedule/check`: keeps nothing.
    pub struct CheckSchedule {
        pub cron: String,
        pub zone: String,
    }

    pub struct ScheduleTimes {
        /// The expression in words.
        pub words: String,
        pub next: Vec<i64>,
    }

    /// What became of a time that was due.
    pub struct Fire {
        pub due_at: i64,
        /// 0 for the time itself, from 1 for tries after a failure.
        pub attempt: u32,
        pub at: i64,
        pub outcome: FireOutcome,
        pub detail: String,
        /// Number of the run that it started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub run: Option<u32>,
        /// State of that run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub state: Option<crate::run::RunState>,
    }
}
