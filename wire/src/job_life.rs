//! What is done with many jobs, and what becomes of them: counters, saved filters, bulk actions, the recycle bin.

use crate::connection::JobRef;
use crate::ids::{FilterId, JobId};
use crate::job::{StartFrom, StopMode};
use crate::macros::{wire, wire_words};
use crate::overview::StateCount;

wire_words! {
    pub enum BulkAction {
        Start = "start",
        /// With a savepoint, unless the options say otherwise.
        Stop = "stop",
        /// Stops with a savepoint and starts again from it; what does not run is started.
        Restart = "restart",
        Tag = "tag",
        Untag = "untag",
        /// Into another folder.
        Move = "move",
        /// Into the recycle bin.
        Delete = "delete",
    }
}

wire! {
    /// `GET …/jobs/counts`: jobs of each state under the filter, whatever state it names.
    pub struct JobCounts {
        pub states: Vec<StateCount>,
        pub total: u64,
    }

    /// A filter of the list of jobs, as in its query; an empty text filters nothing.
    pub struct JobFilter {
        /// Words that must occur in name, description, owner or tags, whatever their case.
        #[serde(default)]
        pub q: String,
        /// A run state, or `draft` for jobs that never ran.
        #[serde(default)]
        pub state: String,
        #[serde(default)]
        pub tag: String,
        #[serde(default)]
        pub owner: String,
        #[serde(default)]
        pub kind: String,
        /// A folder, with those below it.
        #[serde(default)]
        pub folder: String,
    }

    /// A filter of the list of jobs that a person named for themselves.
    pub struct SavedFilter {
        pub id: FilterId,
        pub name: String,
        /// The query of the list's address, without the question mark.
        pub query: String,
        pub created_at: i64,
    }

    /// `POST …/saved-filters`; a name that is there already gets the new query.
    pub struct NewSavedFilter {
        pub name: String,
        pub query: String,
    }

    /// `POST …/jobs/bulk`: the jobs named, or all that the filter admits.
    pub struct BulkRequest {
        pub action: BulkAction,
        #[serde(default)]
        pub jobs: Vec<JobId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub filter: Option<JobFilter>,
        /// For `tag` and `untag`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub tag: Option<String>,
        /// For `move`: where to; empty for the root.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub folder: Option<String>,
        /// For `move`: the folder that `folder` takes the place of, so that what lies below it moves along. Absent: the
        /// jobs lie in `folder` itself afterwards.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub from_folder: Option<String>,
        /// For `start`: `latest` when absent; `savepoint` is for single jobs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub from: Option<StartFrom>,
        /// For `stop`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub mode: Option<StopMode>,
    }

    /// What came of it for each job, in the order in which they were named.
    pub struct BulkReport {
        pub items: Vec<BulkItem>,
        pub done: u64,
        pub refused: u64,
    }

    pub struct BulkItem {
        pub job: JobId,
        /// Empty for a job that is not there.
        pub name: String,
        pub done: bool,
        /// The code of the refusal, as a single call would give it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub code: Option<String>,
        /// What was done, or why not.
        pub message: String,
    }

    /// A job in the recycle bin.
    pub struct BinnedJob {
        pub id: JobId,
        pub name: String,
        pub description: String,
        pub owner: String,
        pub tags: Vec<String>,
        pub deleted_at: i64,
        pub deleted_by: String,
        /// When it is removed for good.
        pub purge_at: i64,
        pub versions: u64,
        pub savepoints: u64,
    }

    /// `POST …/jobs/bin/{job}/restore`
    pub struct RestoreJob {
        /// Another name than it had.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
    }

    /// `GET …/jobs/{job}/dependents`: what would stand still without the job.
    pub struct Dependents {
        pub tables: Vec<DependentTable>,
    }

    /// A table that only this job writes, and the other jobs that read it.
    pub struct DependentTable {
        /// `database.table`
        pub table: String,
        pub readers: Vec<JobRef>,
    }
}

impl Default for JobFilter {
    /// Everything.
    fn default() -> Self {
        let nothing = String::new;
        JobFilter {
            q: nothing(),
            state: nothing(),
            tag: nothing(),
            owner: nothing(),
            kind: nothing(),
            folder: nothing(),
        }
    }
}
