//! Every route with what it takes and gives, in the order of docs/api.md. Those of jobs: `jobs`.

use millrace_wire::access::{NewGrant, Permissions, PermissionsChange, SharedObject};
use millrace_wire::approval::{ApprovalSetting, SetApprovalMode};
use millrace_wire::audit::{AuditChain, AuditEntry};
use millrace_wire::connection::{
    Connection, ConnectionDraft, ConnectionTest, ConsumerGroup, ExternalObject, Message, NewTopic, Topic, TopicDetail,
};
use millrace_wire::connector::ConnectorCatalog;
use millrace_wire::function::FunctionInfo;
use millrace_wire::job_test::{SetTestGate, TestGate};
use millrace_wire::live::LiveEvent;
use millrace_wire::organisation::{
    NameTeamOwner, NewOrganisation, Organisation, OrganisationChange, OrganisationMember, OrganisationTeam,
    SetOrganisationMember, TeamTaken,
};
use millrace_wire::overview::Overview;
use millrace_wire::preview::{PreviewEvent, PreviewStarted, StartPreview};
use millrace_wire::preview_history::{KeptPreview, PreviewComparison, PreviewSnapshot};
use millrace_wire::request::{AccessRequest, AskForAccess, AskForIngestion, CatalogueEntry, Decision, Inbox, Requests};
use millrace_wire::sandbox_target::{
    ListSandboxOffers, SandboxObject, SandboxOffer, SandboxTarget, SandboxTargetDraft,
};
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
use super::{bad_records, jobs, logs};

const AUDIT_LIST: &[&str] = &["cursor", "limit", "q", "person", "outcome", "from", "to"];
const AUDIT_FILES: &[&str] = &["text/csv", "application/x-ndjson"];
const AUDIT_EXPORT: &[&str] = &["format", "q", "person", "outcome", "from", "to"];

pub fn operations() -> Vec<Operation> {
    [
        server(),
        teams(),
        connections(),
        tables(),
        bad_records::bad_records(),
        functions(),
        scripts(),
        variables(),
        snippets(),
        previews(),
        preview_history(),
        sandbox_targets(),
        test_runs(),
        jobs::jobs(),
        jobs::job_tests(),
        jobs::runs(),
        logs::logs(),
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
        on("GET", "/catalogue", "Listed tables of all teams in my organisations.").lists::<CatalogueEntry>(),
        on("POST", "/catalogue/{table}/requests", "Ask for access to a listed table.").takes::<AskForAccess>(),
        on("POST", "/ingestion-requests", "Ask a team to take a source in.").takes::<AskForIngestion>(),
        on("GET", "/requests", "What I may decide, and what I asked for.").gives::<Requests>(),
        on("GET", "/notices", "My notices, the newest first.").gives::<Inbox>(),
        on("POST", "/notices/read", "Mark all notices read."),
        on("GET", "/organisations", "Organisations I belong to.").lists::<Organisation>(),
        on("POST", "/organisations", "Make an organisation.").takes::<NewOrganisation>().gives::<Organisation>(),
        on("GET", "/organisations/{organisation}", "An organisation.").gives::<Organisation>(),
        on("PATCH", "/organisations/{organisation}", "Rename an organisation.")
            .takes::<OrganisationChange>()
            .gives::<Organisation>(),
        on("DELETE", "/organisations/{organisation}", "Delete an organisation that has no teams."),
        on("GET", "/organisations/{organisation}/teams", "Teams of the organisation.").lists::<OrganisationTeam>(),
        on("PUT", "/organisations/{organisation}/teams/{team}", "Take a team in from another organisation.")
            .gives::<TeamTaken>(),
        on("PUT", "/organisations/{organisation}/teams/{team}/owners", "Name an owner of one of its teams.")
            .takes::<NameTeamOwner>()
            .gives::<Member>(),
        on("GET", "/organisations/{organisation}/members", "Members of the organisation.")
            .lists::<OrganisationMember>(),
        on("PUT", "/organisations/{organisation}/members", "Take somebody in, or set their role.")
            .takes::<SetOrganisationMember>()
            .gives::<OrganisationMember>(),
        on(
            "DELETE",
            "/organisations/{organisation}/members/{user}",
            "Remove somebody from the organisation and its teams.",
        ),
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

fn sandbox_targets() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/sandbox-targets", "Where test runs of the team may write for real.")
            .lists::<SandboxTarget>(),
        on("POST", "/teams/{team}/sandbox-targets", "Set one for a connection, or for files.")
            .takes::<SandboxTargetDraft>()
            .gives::<SandboxTarget>(),
        on(
            "POST",
            "/teams/{team}/sandbox-targets/offers",
            "The sinks of a script, and where a test run could write them.",
        )
        .takes::<ListSandboxOffers>()
        .lists::<SandboxOffer>(),
        on("PUT", "/teams/{team}/sandbox-targets/{target}", "Change its place.")
            .takes::<SandboxTargetDraft>()
            .gives::<SandboxTarget>(),
        on("DELETE", "/teams/{team}/sandbox-targets/{target}", "Delete it; what was written there stays."),
        on("GET", "/teams/{team}/sandbox-objects", "Topics, tables and folders that test runs wrote, newest first.")
            .query(&["cursor", "limit", "q"])
            .lists::<SandboxObject>(),
        on("DELETE", "/teams/{team}/sandbox-objects/{object}", "Remove one outside, and from the list."),
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
