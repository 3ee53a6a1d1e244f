//! Every route of jobs, their tests and their runs.

use millrace_wire::access::{NewGrant, Permissions, PermissionsChange};
use millrace_wire::approval::{ApprovalDecision, ApprovalNeed, AskForApproval, StartApproval};
use millrace_wire::graph::Graph;
use millrace_wire::job::{
    Job, JobChange, JobSummary, NewJob, NewVersion, SaveDraft, Start, StartOptions, Stop, Version, VersionSummary,
};
use millrace_wire::job_life::{
    BinnedJob, BulkReport, BulkRequest, Dependents, JobCounts, NewSavedFilter, RestoreJob, SavedFilter,
};
use millrace_wire::job_test::{JobTest, JobTests, RunTests, SetTestGate, TestDraft, TestGate, TestReport};
use millrace_wire::log::{LogLine, LogPage};
use millrace_wire::metric::{MetricReport, MetricSeries};
use millrace_wire::report::{DeploymentReport, VersionDiff};
use millrace_wire::run::{RestorePoint, Run, RunEvent};
use millrace_wire::savepoint::{JobSavepointSchedule, RestorablePoint, SavepointSchedule};
use millrace_wire::schedule::{CheckSchedule, Fire, JobSchedule, Schedule, ScheduleTimes};
use millrace_wire::shadow_run::{ShadowRun, ShadowRunSummary, StartShadowRun};

use super::build::{Operation, on};

pub(super) fn job_tests() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/jobs/{job}/tests", "SQL tests of a job with their newest results.")
            .gives::<JobTests>(),
        on("POST", "/teams/{team}/jobs/{job}/tests", "Keep a test.").takes::<TestDraft>().gives::<JobTest>(),
        on("POST", "/teams/{team}/jobs/{job}/tests/run", "Run all tests or some, on the draft, a text or a version.")
            .takes::<RunTests>()
            .gives::<TestReport>(),
        on("PUT", "/teams/{team}/jobs/{job}/tests/{test}", "Change a test.").takes::<TestDraft>().gives::<JobTest>(),
        on("DELETE", "/teams/{team}/jobs/{job}/tests/{test}", "Delete a test."),
        on("PUT", "/teams/{team}/jobs/{job}/tests-gate", "Whether versions start only when the tests pass.")
            .takes::<SetTestGate>()
            .gives::<TestGate>(),
        on("GET", "/teams/{team}/jobs/{job}/shadow-runs", "Shadow runs of the last days, newest first.")
            .query(&["cursor", "limit", "q"])
            .lists::<ShadowRunSummary>(),
        on("POST", "/teams/{team}/jobs/{job}/shadow-runs", "Run two versions in the sandbox over the same input.")
            .takes::<StartShadowRun>()
            .gives::<ShadowRun>(),
        on("GET", "/teams/{team}/jobs/{job}/shadow-runs/{run}", "A shadow run: what differs, once it is finished.")
            .gives::<ShadowRun>(),
        on("DELETE", "/teams/{team}/jobs/{job}/shadow-runs/{run}", "Cancel it."),
    ]
}

pub(super) fn jobs() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/saved-filters", "My saved filters of the list of jobs.").lists::<SavedFilter>(),
        on("POST", "/teams/{team}/saved-filters", "Save a filter, or change the one of that name.")
            .takes::<NewSavedFilter>()
            .gives::<SavedFilter>(),
        on("DELETE", "/teams/{team}/saved-filters/{filter}", "Remove a saved filter."),
        on("GET", "/teams/{team}/jobs", "Jobs; sort by trouble, name, rate, lag or changed, - turns it round.")
            .query(&["cursor", "limit", "sort", "q", "state", "tag", "owner", "kind", "folder"])
            .lists::<JobSummary>(),
        on("POST", "/teams/{team}/jobs", "Make a job.").takes::<NewJob>().gives::<Job>(),
        on("GET", "/teams/{team}/jobs/counts", "Jobs of each state under a filter.")
            .query(&["q", "tag", "owner", "kind", "folder"])
            .gives::<JobCounts>(),
        on("POST", "/teams/{team}/jobs/bulk", "One action on many jobs, with a report for each.")
            .takes::<BulkRequest>()
            .gives::<BulkReport>(),
        on("GET", "/teams/{team}/jobs/bin", "The recycle bin, newest first.").lists::<BinnedJob>(),
        on("POST", "/teams/{team}/jobs/bin/{job}/restore", "Take a job out of the bin.")
            .takes::<RestoreJob>()
            .gives::<Job>(),
        on("DELETE", "/teams/{team}/jobs/bin/{job}", "Delete a job in the bin for good; asks for its name.")
            .query(&["name"]),
        on("GET", "/teams/{team}/jobs/{job}", "A job.").gives::<Job>(),
        on("PATCH", "/teams/{team}/jobs/{job}", "Change name, description, tags or folder.")
            .takes::<JobChange>()
            .gives::<Job>(),
        on("DELETE", "/teams/{team}/jobs/{job}", "Move a job into the bin; refused while it runs."),
        on("GET", "/teams/{team}/jobs/{job}/dependents", "Tables that only this job writes, and who reads them.")
            .gives::<Dependents>(),
        on("PUT", "/teams/{team}/jobs/{job}/draft", "Save the draft.").takes::<SaveDraft>().gives::<Job>(),
        on("GET", "/teams/{team}/jobs/{job}/versions", "Versions, newest first.").lists::<VersionSummary>(),
        on("POST", "/teams/{team}/jobs/{job}/versions", "Freeze the draft.").takes::<NewVersion>().gives::<Version>(),
        on("GET", "/teams/{team}/jobs/{job}/versions/{number}", "A version.").gives::<Version>(),
        on(
            "POST",
            "/teams/{team}/jobs/{job}/versions/{number}/rollback",
            "Make a version the draft and freeze it as a new one.",
        )
        .gives::<Version>(),
        on("GET", "/teams/{team}/jobs/{job}/diff", "What two versions, or a version and the draft, differ in.")
            .query(&["from", "to"])
            .gives::<VersionDiff>(),
        on("GET", "/teams/{team}/jobs/{job}/report", "What a start would change, keep, lose and read again.")
            .query(&["version", "from", "savepoint", "at_ms"])
            .gives::<DeploymentReport>(),
        on("GET", "/teams/{team}/jobs/{job}/schedule", "When the job starts by itself.").gives::<JobSchedule>(),
        on("PUT", "/teams/{team}/jobs/{job}/schedule", "Set the schedule of a batch job.")
            .takes::<Schedule>()
            .gives::<JobSchedule>(),
        on("DELETE", "/teams/{team}/jobs/{job}/schedule", "Remove the schedule."),
        on("POST", "/teams/{team}/jobs/{job}/schedule/check", "The next times of an expression; keeps nothing.")
            .takes::<CheckSchedule>()
            .gives::<ScheduleTimes>(),
        on("GET", "/teams/{team}/jobs/{job}/fires", "What became of the times of the schedule, newest first.")
            .lists::<Fire>(),
        on("GET", "/teams/{team}/jobs/{job}/savepoint-schedule", "When the running job takes a savepoint by itself.")
            .gives::<JobSavepointSchedule>(),
        on("PUT", "/teams/{team}/jobs/{job}/savepoint-schedule", "Set when it takes one, and how many are kept.")
            .takes::<SavepointSchedule>()
            .gives::<JobSavepointSchedule>(),
        on("DELETE", "/teams/{team}/jobs/{job}/savepoint-schedule", "Take none by itself any more."),
        on(
            "GET",
            "/teams/{team}/jobs/{job}/restorable",
            "Until when its savepoints, and the newest checkpoint, can be started from, by the retention of its sources.",
        )
        .lists::<RestorablePoint>(),
        on("GET", "/teams/{team}/jobs/{job}/start-options", "What it can be started from.").gives::<StartOptions>(),
        on(
            "GET",
            "/teams/{team}/jobs/{job}/approvals",
            "What was asked for and decided about its starts, newest first.",
        )
        .lists::<StartApproval>(),
        on("POST", "/teams/{team}/jobs/{job}/approvals", "Ask for the approval of a start.")
            .takes::<AskForApproval>()
            .gives::<StartApproval>(),
        on(
            "GET",
            "/teams/{team}/jobs/{job}/approvals/needed",
            "What a start needs; the draft when no version is named.",
        )
        .query(&["version", "from", "savepoint", "at_ms"])
        .gives::<ApprovalNeed>(),
        on(
            "POST",
            "/teams/{team}/jobs/{job}/approvals/{approval}",
            "Approve or decline: in person, as an operator or owner who did not ask.",
        )
        .takes::<ApprovalDecision>()
        .gives::<StartApproval>(),
        on("DELETE", "/teams/{team}/jobs/{job}/approvals/{approval}", "Withdraw what I asked for.")
            .gives::<StartApproval>(),
        on(
            "GET",
            "/teams/{team}/jobs/{job}/approvals/{approval}/report",
            "What was known of the start when it was asked for.",
        )
        .gives::<DeploymentReport>(),
        on(
            "POST",
            "/teams/{team}/jobs/{job}/start",
            "Start; refused with approval_needed where the team asks for an approval that was not given.",
        )
        .takes::<Start>()
        .gives::<Job>(),
        on("POST", "/teams/{team}/jobs/{job}/stop", "Stop.").takes::<Stop>().gives::<Job>(),
        on("POST", "/teams/{team}/jobs/{job}/savepoints", "Ask for a savepoint.").answers("202"),
        on("GET", "/teams/{team}/jobs/{job}/savepoints", "Savepoints and checkpoints.").lists::<RestorePoint>(),
    ]
}

pub(super) fn runs() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/jobs/{job}/runs", "Runs, newest first.").lists::<Run>(),
        on("GET", "/teams/{team}/jobs/{job}/runs/{number}/report", "What was known before the run was started.")
            .gives::<DeploymentReport>(),
        on("GET", "/teams/{team}/jobs/{job}/events", "What happened, newest first.").lists::<RunEvent>(),
        on("GET", "/teams/{team}/jobs/{job}/graph", "The graph of the running version, else of the draft.")
            .gives::<Graph>(),
        on("GET", "/teams/{team}/jobs/{job}/metrics", "Series for charts.")
            .query(&["from", "to", "points"])
            .gives::<MetricSeries>(),
        on("GET", "/teams/{team}/jobs/{job}/figures", "The newest figures of every operator.").gives::<MetricReport>(),
        on("GET", "/teams/{team}/jobs/{job}/logs", "Log lines of a run.")
            .query(&["run", "after", "before", "level", "contains", "limit"])
            .gives::<LogPage>(),
        on("GET", "/teams/{team}/jobs/{job}/logs/tail", "Log lines as they come; the id is the line's number.")
            .query(&["run", "after"])
            .streams::<LogLine>(),
        on("GET", "/teams/{team}/jobs/{job}/permissions", "Who may what with it, and why.").gives::<Permissions>(),
        on("PATCH", "/teams/{team}/jobs/{job}/permissions", "Restrict it, or open it to the team again.")
            .takes::<PermissionsChange>()
            .gives::<Permissions>(),
        on("PUT", "/teams/{team}/jobs/{job}/grants", "Give somebody a right, or change it.")
            .takes::<NewGrant>()
            .gives::<Permissions>(),
        on("DELETE", "/teams/{team}/jobs/{job}/grants/{grant}", "Withdraw a right.").gives::<Permissions>(),
        on("GET", "/link", "The worker link, a WebSocket.").answers("101"),
    ]
}
