//! Every route with what it takes and gives, in the order of docs/api.md.

use millrace_wire::access::{NewGrant, Permissions, PermissionsChange, SharedObject};
use millrace_wire::approval::{
    ApprovalDecision, ApprovalNeed, ApprovalSetting, AskForApproval, SetApprovalMode, StartApproval,
};
use millrace_wire::audit::{AuditChain, AuditEntry};
use millrace_wire::connection::{
    Connection, ConnectionDraft, ConnectionTest, ConsumerGroup, ExternalObject, Message, NewTopic, Topic, TopicDetail,
};
use millrace_wire::connector::ConnectorCatalog;
use millrace_wire::function::FunctionInfo;
use millrace_wire::graph::Graph;
use millrace_wire::job::{
    Job, JobChange, JobSummary, NewJob, NewVersion, SaveDraft, Start, StartOptions, Stop, Version, VersionSummary,
};
use millrace_wire::job_life::{
    BinnedJob, BulkReport, BulkRequest, Dependents, JobCounts, NewSavedFilter, RestoreJob, SavedFilter,
};
use millrace_wire::job_test::{JobTest, JobTests, RunTests, SetTestGate, TestDraft, TestGate, TestReport};
use millrace_wire::live::LiveEvent;
use millrace_wire::log::{LogLine, LogPage};
use millrace_wire::metric::{MetricReport, MetricSeries};
use millrace_wire::overview::Overview;
use millrace_wire::preview::{PreviewEvent, PreviewStarted, StartPreview};
use millrace_wire::preview_history::{KeptPreview, PreviewComparison, PreviewSnapshot};
use millrace_wire::report::{DeploymentReport, VersionDiff};
use millrace_wire::request::{AccessRequest, AskForAccess, AskForIngestion, CatalogueEntry, Decision, Inbox, Requests};
use millrace_wire::run::{RestorePoint, Run, RunEvent};
use millrace_wire::savepoint::{JobSavepointSchedule, RestorablePoint, SavepointSchedule};
use millrace_wire::schedule::{CheckSchedule, Fire, JobSchedule, Schedule, ScheduleTimes};
use millrace_wire::search::SearchHit;
use millrace_wire::session::{FirstRun, Session, SetupStatus, SignIn};
use millrace_wire::snippet::{ScriptTemplate, Snippet, SnippetDraft};
use millrace_wire::sql::{Complete, CompletionItem, Format, Formatted, Validate, Validation};
use millrace_wire::table::{
    Database, FetchSchema, FetchedSchema, NewDatabase, Sample, Table, TableCheck, TableDraft, TableSummary,
};
use millrace_wire::table_script::{ExportedTables, ImportReport, ImportTables};
use millrace_wire::table_version::{
    SaveTable, SchemaDiff, SchemaVersion, SchemaVersionSummary, TableChange, TableImpact,
};
use millrace_wire::team::{Member, NewTeam, SetMember, Team};
use millrace_wire::test_run::{SinkRows, StartTestRun, TestRun, TestRunComparison, TestRunEvent, TestRunSummary};
use millrace_wire::token::{ApiToken, IssuedApiToken, NewApiToken};
use millrace_wire::user_function::{
    FunctionChange, FunctionTest, MacroCheck, ModuleContent, NewMacro, TestFunction, UserFunction, UserFunctionSummary,
};
use millrace_wire::variable::{ListParameters, ScriptParameter, Variable, VariableDraft, VariableUses};

use super::build::{Operation, on};

const AUDIT_LIST: &[&str] = &["cursor", "limit", "q", "person", "outcome", "from", "to"];
const AUDIT_FILES: &[&str] = &["text/csv", "application/x-ndjson"];
const AUDIT_EXPORT: &[&str] = &["format", "q", "person", "outcome", "from", "to"];

pub fn operations() -> Vec<Operation> {
    [
        server(),
        teams(),
        connections(),
        tables(),
        functions(),
        scripts(),
        variables(),
        snippets(),
        previews(),
        preview_history(),
        test_runs(),
        jobs(),
        job_tests(),
        runs(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn server() -> Vec<Operation> {
    vec![
        on("GET", "/health", "The store answers.").answers("200"),
        on("GET", "/openapi.json", "This document.").answers("200"),
        on("GET", "/setup", "Whether the first run is done.").gives::<SetupStatus>(),
        on("POST", "/setup", "Create the administrator, with the one-time token.")
            .takes::<FirstRun>()
            .gives::<Session>(),
        on("POST", "/session", "Sign in.").takes::<SignIn>().gives::<Session>(),
        on("POST", "/session/demo", "Sign in as the demo user, in demo mode.").gives::<Session>(),
        on("GET", "/session/sign-on", "To the sign-in provider; a browser follows the redirect.")
            .query(&["next"])
            .answers("303"),
        on("GET", "/session/sign-on/back", "From the sign-in provider, into the console or back to the sign-in page.")
            .query(&["code", "state", "error", "error_description"])
            .answers("303"),
        on("GET", "/session", "Who is signed in.").gives::<Session>(),
        on("DELETE", "/session", "Sign out."),
        on("GET", "/tokens", "My API tokens.").lists::<ApiToken>(),
        on("POST", "/tokens", "Make an API token.").takes::<NewApiToken>().gives::<IssuedApiToken>(),
        on("DELETE", "/tokens/{token}", "Revoke an API token."),
        on("GET", "/audit", "The audit trail of the server, newest first.").query(AUDIT_LIST).lists::<AuditEntry>(),
        on("GET", "/audit/verify", "Whether the audit trail is unbroken.").gives::<AuditChain>(),
        on("GET", "/audit/export", "The audit trail as a file.").query(AUDIT_EXPORT).gives_file(AUDIT_FILES),
        on("GET", "/connectors", "Connectors and formats with their options.").gives::<ConnectorCatalog>(),
        on("GET", "/functions", "Built-in functions.").lists::<FunctionInfo>(),
        on("GET", "/templates", "Scripts to begin with.").lists::<ScriptTemplate>(),
    ]
}

fn teams() -> Vec<Operation> {
    vec![
        on("GET", "/catalogue", "Listed tables of all teams.").lists::<CatalogueEntry>(),
        on("POST", "/catalogue/{table}/requests", "Ask for access to a listed table.").takes::<AskForAccess>(),
        on("POST", "/ingestion-requests", "Ask a team to take a source in.").takes::<AskForIngestion>(),
        on("GET", "/requests", "What I may decide, and what I asked for.").gives::<Requests>(),
        on("GET", "/notices", "My notices, the newest first.").gives::<Inbox>(),
        on("POST", "/notices/read", "Mark all notices read."),
        on("GET", "/teams", "My teams.").lists::<Team>(),
        on("POST", "/teams", "Make a team.").takes::<NewTeam>().gives::<Team>(),
        on("GET", "/teams/{team}", "A team.").gives::<Team>(),
        on("DELETE", "/teams/{team}", "Delete a team; refused while its jobs run."),
        on("GET", "/teams/{team}/members", "Members.").lists::<Member>(),
        on("PUT", "/teams/{team}/members", "Add a member or change a role.").takes::<SetMember>().gives::<Member>(),
        on("DELETE", "/teams/{team}/members/{user}", "Remove a member; the last owner stays."),
        on("GET", "/teams/{team}/audit", "The audit trail of the team, newest first.")
            .query(AUDIT_LIST)
            .lists::<AuditEntry>(),
        on("GET", "/teams/{team}/audit/verify", "Whether the audit trail is unbroken.").gives::<AuditChain>(),
        on("GET", "/teams/{team}/audit/export", "The audit trail of the team as a file.")
            .query(AUDIT_EXPORT)
            .gives_file(AUDIT_FILES),
        on("GET", "/teams/{team}/overview", "The team at a glance.").gives::<Overview>(),
        on("GET", "/teams/{team}/search", "Search the team's objects.").query(&["q"]).lists::<SearchHit>(),
        on("GET", "/teams/{team}/live", "What happens, as it happens; resumes by Last-Event-ID.")
            .streams::<LiveEvent>(),
        on("GET", "/teams/{team}/shared", "What other teams opened to this one, or to me.").lists::<SharedObject>(),
        on("POST", "/teams/{team}/ingestion-requests/{request}", "Accept or decline an ingestion.")
            .takes::<Decision>()
            .gives::<AccessRequest>(),
        on("GET", "/teams/{team}/approval-mode", "Whether starts need approval.").gives::<ApprovalSetting>(),
        on("PUT", "/teams/{team}/approval-mode", "Ask for an approval of starts, or not.")
            .takes::<SetApprovalMode>()
            .gives::<ApprovalSetting>(),
    ]
}

fn connections() -> Vec<Operation> {
    let messages = &["mode", "partition", "offset", "at", "limit", "contains"];
    vec![
        on("GET", "/teams/{team}/connections", "Connections.").lists::<Connection>(),
        on("POST", "/teams/{team}/connections", "Make a connection.").takes::<ConnectionDraft>().gives::<Connection>(),
        on("POST", "/teams/{team}/connections/test", "Try a connection before it is saved.")
            .takes::<ConnectionDraft>()
            .gives::<ConnectionTest>(),
        on("GET", "/teams/{team}/connections/{connection}", "A connection, without secrets.").gives::<Connection>(),
        on("PUT", "/teams/{team}/connections/{connection}", "Change a connection.")
            .takes::<ConnectionDraft>()
            .gives::<Connection>(),
        on("DELETE", "/teams/{team}/connections/{connection}", "Delete a connection; refused while tables use it."),
        on("POST", "/teams/{team}/connections/{connection}/test", "Try a connection.").gives::<ConnectionTest>(),
        on(
            "GET",
            "/teams/{team}/connections/{connection}/objects",
            "Tables of a database server, subjects of a registry.",
        )
        .lists::<ExternalObject>(),
        on("GET", "/teams/{team}/connections/{connection}/topics", "Topics.").lists::<Topic>(),
        on("POST", "/teams/{team}/connections/{connection}/topics", "Make a topic.")
            .takes::<NewTopic>()
            .gives::<Topic>(),
        on("GET", "/teams/{team}/connections/{connection}/topics/{topic}", "Partitions and groups.")
            .gives::<TopicDetail>(),
        on("GET", "/teams/{team}/connections/{connection}/topics/{topic}/messages", "Some messages.")
            .query(messages)
            .lists::<Message>(),
        on("GET", "/teams/{team}/connections/{connection}/groups", "Consumer groups with their lag.")
            .lists::<ConsumerGroup>(),
    ]
}

fn tables() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/databases", "Databases.").lists::<Database>(),
        on("POST", "/teams/{team}/databases", "Make a database.").takes::<NewDatabase>().gives::<Database>(),
        on("DELETE", "/teams/{team}/databases/{database}", "Delete a database; refused while it has tables."),
        on("GET", "/teams/{team}/tables", "Tables.")
            .query(&["cursor", "limit", "q", "database", "connector", "tag", "owner", "sort"])
            .lists::<TableSummary>(),
        on("POST", "/teams/{team}/tables", "Make a table.").takes::<TableDraft>().gives::<Table>(),
        on("POST", "/teams/{team}/tables/check", "The DDL of a form, and what is wrong with it.")
            .takes::<TableDraft>()
            .gives::<TableCheck>(),
        on("POST", "/teams/{team}/tables/test", "Try what a form names.")
            .takes::<TableDraft>()
            .gives::<ConnectionTest>(),
        on("POST", "/teams/{team}/tables/fetch", "Ask the external system for columns.")
            .takes::<FetchSchema>()
            .gives::<FetchedSchema>(),
        on("GET", "/teams/{team}/tables/tags", "Every tag of the team's tables.").lists::<String>(),
        on("POST", "/teams/{team}/tables/import", "Bring in tables from a script; a dry run unless it says apply.")
            .takes::<ImportTables>()
            .gives::<ImportReport>(),
        on("GET", "/teams/{team}/tables/script", "Tables as a script, with placeholders instead of secrets.")
            .query(&["database", "table"])
            .gives::<ExportedTables>(),
        on("GET", "/teams/{team}/tables/{table}", "A table with the jobs that use it.").gives::<Table>(),
        on(
            "PUT",
            "/teams/{team}/tables/{table}",
            "Change a table; refused when it breaks something and that is not accepted.",
        )
        .takes::<SaveTable>()
        .gives::<Table>(),
        on("PATCH", "/teams/{team}/tables/{table}", "Change owner, tags, sharers or compatibility.")
            .takes::<TableChange>()
            .gives::<Table>(),
        on("DELETE", "/teams/{team}/tables/{table}", "Delete a table; refused while jobs use it."),
        on("GET", "/teams/{team}/tables/{table}/sample", "Some decoded rows.").query(&["limit"]).gives::<Sample>(),
        on("POST", "/teams/{team}/tables/{table}/impact", "What saving would change and break.")
            .takes::<SaveTable>()
            .gives::<TableImpact>(),
        on("GET", "/teams/{team}/tables/{table}/versions", "Schema versions, newest first.")
            .lists::<SchemaVersionSummary>(),
        on("GET", "/teams/{team}/tables/{table}/versions/{number}", "A schema version.").gives::<SchemaVersion>(),
        on("GET", "/teams/{team}/tables/{table}/diff", "What differs between two schema versions.")
            .query(&["from", "to"])
            .gives::<SchemaDiff>(),
        on("GET", "/teams/{team}/tables/{table}/permissions", "Who may what with it, and why.").gives::<Permissions>(),
        on("PATCH", "/teams/{team}/tables/{table}/permissions", "Restrict it, or open it to the team again.")
            .takes::<PermissionsChange>()
            .gives::<Permissions>(),
        on("PUT", "/teams/{team}/tables/{table}/grants", "Give somebody a right, or change it.")
            .takes::<NewGrant>()
            .gives::<Permissions>(),
        on("DELETE", "/teams/{team}/tables/{table}/grants/{grant}", "Withdraw a right.").gives::<Permissions>(),
        on("POST", "/teams/{team}/tables/{table}/requests/{request}", "Approve or decline a request for access.")
            .takes::<Decision>()
            .gives::<AccessRequest>(),
    ]
}

fn functions() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/functions", "The team's own functions.").lists::<UserFunctionSummary>(),
        on("POST", "/teams/{team}/functions", "Make a function, or a version of one, of an SQL expression.")
            .takes::<NewMacro>()
            .gives::<UserFunction>(),
        on("POST", "/teams/{team}/functions/modules", "Make a function, or a version of one, of a WebAssembly module.")
            .query(&["name", "entry", "remark", "overwrite"])
            .takes_module()
            .gives::<UserFunction>(),
        on("POST", "/teams/{team}/functions/inspect", "What a module holds; keeps nothing.")
            .takes_module()
            .gives::<ModuleContent>(),
        on("POST", "/teams/{team}/functions/check", "What is wrong with an SQL function; keeps nothing.")
            .takes::<NewMacro>()
            .gives::<MacroCheck>(),
        on("GET", "/teams/{team}/functions/{function}", "A function with its versions and the jobs that use it.")
            .gives::<UserFunction>(),
        on("PATCH", "/teams/{team}/functions/{function}", "Change the remark.")
            .takes::<FunctionChange>()
            .gives::<UserFunction>(),
        on("DELETE", "/teams/{team}/functions/{function}", "Delete a function; refused while jobs use it."),
        on("GET", "/teams/{team}/functions/{function}/module", "The module of the newest version.")
            .gives_file(&["application/wasm"]),
        on("POST", "/teams/{team}/functions/{function}/test", "Run it on sample values.")
            .takes::<TestFunction>()
            .gives::<FunctionTest>(),
    ]
}

fn scripts() -> Vec<Operation> {
    vec![
        on("POST", "/teams/{team}/sql/validate", "Check a script.").takes::<Validate>().gives::<Validation>(),
        on("POST", "/teams/{team}/sql/complete", "What may stand at the caret.")
            .takes::<Complete>()
            .lists::<CompletionItem>(),
        on("POST", "/teams/{team}/sql/format", "Lay out a script.").takes::<Format>().gives::<Formatted>(),
        on("POST", "/teams/{team}/sql/parameters", "What a script's parameters stand for.")
            .takes::<ListParameters>()
            .lists::<ScriptParameter>(),
    ]
}

fn variables() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/variables", "Variables; those that are secret without their values.")
            .lists::<Variable>(),
        on("POST", "/teams/{team}/variables", "Make a variable.").takes::<VariableDraft>().gives::<Variable>(),
        on("GET", "/teams/{team}/variables/{variable}", "A variable.").gives::<Variable>(),
        on("PUT", "/teams/{team}/variables/{variable}", "Change a variable; an absent value stays.")
            .takes::<VariableDraft>()
            .gives::<Variable>(),
        on("DELETE", "/teams/{team}/variables/{variable}", "Delete a variable."),
        on("GET", "/teams/{team}/variables/{variable}/uses", "Jobs whose scripts name it.").gives::<VariableUses>(),
    ]
}

fn snippets() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/snippets", "Saved pieces of SQL.").lists::<Snippet>(),
        on("POST", "/teams/{team}/snippets", "Save a piece of SQL.").takes::<SnippetDraft>().gives::<Snippet>(),
        on("GET", "/teams/{team}/snippets/{snippet}", "A snippet.").gives::<Snippet>(),
        on("PUT", "/teams/{team}/snippets/{snippet}", "Change a snippet.").takes::<SnippetDraft>().gives::<Snippet>(),
        on("DELETE", "/teams/{team}/snippets/{snippet}", "Delete a snippet."),
    ]
}

fn preview_history() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/preview-history", "My previews that ended, newest first.").lists::<KeptPreview>(),
        on("GET", "/teams/{team}/preview-history/{preview}", "One of them with its rows.").gives::<PreviewSnapshot>(),
        on("DELETE", "/teams/{team}/preview-history/{preview}", "Delete it from my history."),
        on("GET", "/teams/{team}/preview-history/{preview}/compare/{other}", "What differs between two of them.")
            .gives::<PreviewComparison>(),
    ]
}

fn previews() -> Vec<Operation> {
    vec![
        on("POST", "/teams/{team}/previews", "Run a query for a while.")
            .takes::<StartPreview>()
            .gives::<PreviewStarted>(),
        on("GET", "/teams/{team}/previews/{preview}/events", "Its rows, as they come.").streams::<PreviewEvent>(),
        on("DELETE", "/teams/{team}/previews/{preview}", "Cancel it."),
    ]
}

fn test_runs() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/test-runs", "Test runs of the last days, newest first.")
            .query(&["cursor", "limit", "q", "job"])
            .lists::<TestRunSummary>(),
        on("POST", "/teams/{team}/test-runs", "Run a script with its sinks replaced by sandbox tables.")
            .takes::<StartTestRun>()
            .gives::<TestRun>(),
        on("GET", "/teams/{team}/test-runs/{run}", "A test run: what was replaced, how it ended.").gives::<TestRun>(),
        on("DELETE", "/teams/{team}/test-runs/{run}", "Cancel it."),
        on("GET", "/teams/{team}/test-runs/{run}/events", "Its rows, as they come.").streams::<TestRunEvent>(),
        on("GET", "/teams/{team}/test-runs/{run}/sinks/{table}/rows", "What a sink would have got.")
            .query(&["view", "offset", "limit"])
            .gives::<SinkRows>(),
        on("GET", "/teams/{team}/test-runs/{run}/compare/{other}", "What differs between two test runs.")
            .gives::<TestRunComparison>(),
        on("PUT", "/teams/{team}/tests-gate", "Whether jobs of the team start only when their tests pass.")
            .takes::<SetTestGate>()
            .gives::<TestGate>(),
    ]
}

fn job_tests() -> Vec<Operation> {
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
    ]
}

fn jobs() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/saved-filters", "My saved filters of the list of jobs.").lists::<SavedFilter>(),
        on("POST", "/teams/{team}/saved-filters", "Save a filter, or change the one of that name.")
            .takes::<NewSavedFilter>()
            .gives::<SavedFilter>(),
        on("DELETE", "/teams/{team}/saved-filters/{filter}", "Remove a saved filter."),
        on("GET", "/teams/{team}/jobs", "Jobs; sort by trouble, name, rate, lag or changed, - turns it round.")
            .query(&["cursor", "limit", "sort", "q", "state", "tag", "owner", "kind"])
            .lists::<JobSummary>(),
        on("POST", "/teams/{team}/jobs", "Make a job.").takes::<NewJob>().gives::<Job>(),
        on("GET", "/teams/{team}/jobs/counts", "Jobs of each state under a filter.")
            .query(&["q", "tag", "owner", "kind"])
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
        on("PATCH", "/teams/{team}/jobs/{job}", "Change name, description or tags.")
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

fn runs() -> Vec<Operation> {
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
