//! My team at a glance.

use crate::ids::JobId;
use crate::job::JobSummary;
use crate::macros::wire;
use crate::run::RunEvent;

wire! {
    pub struct Overview {
        pub states: Vec<StateCount>,
        pub records_in_per_s: f64,
        pub records_out_per_s: f64,
        /// Running jobs, the most late first.
        pub latest: Vec<JobSummary>,
        pub events: Vec<OverviewEvent>,
        pub tables: u64,
        pub connections: u64,
        pub jobs: u64,
    }

    pub struct StateCount {
        /// A run state, or `draft` for jobs that never ran.
        pub state: String,
        pub jobs: u64,
    }

    pub struct OverviewEvent {
        pub job: JobId,
        pub job_name: String,
        pub event: RunEvent,
    }
}
