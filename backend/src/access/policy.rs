//! The one policy table: for every route who may call it, and whether that is written to the audit trail.
//!
//! The router takes its rules from here and refuses to register a route that has none; the authorisation matrix test
//! is generated from here. Refusals (401, 403, 404 of a team) of audited routes are audited as well.

use millrace_wire::access::Level;
use millrace_wire::organisation::OrganisationRole;
use millrace_wire::team::Role;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Public,
    /// Any user, by session or by token.
    SignedIn,
    /// Any user, in person: an API token does not do, so that a stolen one cannot make others.
    InPerson,
    /// An administrator of the server, in person.
    Administrator,
    /// Who belongs to the organisation named in the path with at least this role; owners in person. Administrators
    /// count as owners of all. Other people get 404.
    Organisation(OrganisationRole),
    /// A member of the team named in the path with at least this role. Other people get 404.
    Team(Role),
    /// The job in the path: a member of its team with at least this role, as long as the job is not restricted, or
    /// whoever has a grant of at least this level. From others it is hidden: 404.
    Job(Level, Role),
    /// The table in the path, likewise.
    Table(Level, Role),
    /// Whoever calls from this machine itself, and not for somebody else. Other people get 404.
    Machine,
    /// Another server of the installation, by a key that both derive from the same secret.
    Server,
    /// A worker with its per-attempt token, which the handler checks itself.
    Worker,
    /// Nobody: the rule of a route that was registered without one.
    Nobody,
}

/// Whether a call leaves an entry in the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audit {
    /// Every call, done or refused.
    Always,
    /// Only refusals: 401, 403, and 404 for somebody else's team.
    Refusals,
    /// Nothing: it is public and changes nothing.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub method: &'static str,
    /// Below `/api/v1`, in the router's syntax.
    pub path: &'static str,
    pub who: Who,
    pub audit: Audit,
}

const fn rule(method: &'static str, path: &'static str, who: Who, audit: Audit) -> Rule {
    Rule { method, path, who, audit }
}

const PUBLIC: Who = Who::Public;
const SIGNED_IN: Who = Who::SignedIn;
const IN_PERSON: Who = Who::InPerson;
const ADMINISTRATOR: Who = Who::Administrator;
const OF_ORGANISATION: Who = Who::Organisation(OrganisationRole::Member);
const ORGANISATION_OWNER: Who = Who::Organisation(OrganisationRole::Owner);
const VIEWER: Who = Who::Team(Role::Viewer);
const DEVELOPER: Who = Who::Team(Role::Developer);
const OPERATOR: Who = Who::Team(Role::Operator);
const OWNER: Who = Who::Team(Role::Owner);
const READ_JOB: Who = Who::Job(Level::Read, Role::Viewer);
const EDIT_JOB: Who = Who::Job(Level::Write, Role::Developer);
const OPERATE_JOB: Who = Who::Job(Level::Write, Role::Operator);
const MANAGE_JOB: Who = Who::Job(Level::Manage, Role::Operator);
const READ_TABLE: Who = Who::Table(Level::Read, Role::Viewer);
const WRITE_TABLE: Who = Who::Table(Level::Write, Role::Developer);
const EDIT_TABLE: Who = Who::Table(Level::Manage, Role::Developer);
const MANAGE_TABLE: Who = Who::Table(Level::Manage, Role::Operator);

use Audit::{Always, Never, Refusals};

/// In the order of docs/api.md.
pub const RULES: &[Rule] = &[
    rule("GET", "/health", PUBLIC, Never),
    rule("GET", "/openapi.json", PUBLIC, Never),
    rule("GET", "/setup", PUBLIC, Never),
    rule("POST", "/setup", PUBLIC, Always),
    rule("POST", "/session", PUBLIC, Always),
    rule("POST", "/session/demo", PUBLIC, Always),
    rule("GET", "/session/sign-on", PUBLIC, Refusals),
    rule("GET", "/session/sign-on/back", PUBLIC, Always),
    rule("GET", "/session", SIGNED_IN, Never),
    rule("DELETE", "/session", SIGNED_IN, Always),
    rule("GET", "/tokens", SIGNED_IN, Refusals),
    rule("POST", "/tokens", IN_PERSON, Always),
    rule("DELETE", "/tokens/{token}", IN_PERSON, Always),
    rule("GET", "/audit", ADMINISTRATOR, Refusals),
    rule("GET", "/audit/verify", ADMINISTRATOR, Refusals),
    // What leaves the server as a whole is worth an entry, though it changes nothing.
    rule("GET", "/audit/export", ADMINISTRATOR, Always),
    rule("GET", "/connectors", SIGNED_IN, Refusals),
    rule("GET", "/functions", SIGNED_IN, Refusals),
    rule("GET", "/templates", SIGNED_IN, Refusals),
    rule("GET", "/catalogue", SIGNED_IN, Refusals),
    rule("POST", "/catalogue/{table}/requests", SIGNED_IN, Always),
    rule("POST", "/ingestion-requests", SIGNED_IN, Always),
    rule("GET", "/requests", IN_PERSON, Refusals),
    rule("GET", "/notices", IN_PERSON, Refusals),
    rule("POST", "/notices/read", IN_PERSON, Always),
    rule("GET", "/organisations", SIGNED_IN, Refusals),
    rule("POST", "/organisations", ADMINISTRATOR, Always),
    rule("GET", "/organisations/{organisation}", OF_ORGANISATION, Refusals),
    rule("PATCH", "/organisations/{organisation}", ORGANISATION_OWNER, Always),
    rule("DELETE", "/organisations/{organisation}", ADMINISTRATOR, Always),
    rule("GET", "/organisations/{organisation}/teams", OF_ORGANISATION, Refusals),
    rule("GET", "/organisations/{organisation}/members", ORGANISATION_OWNER, Refusals),
    rule("PUT", "/organisations/{organisation}/teams/{team}", ADMINISTRATOR, Always),
    rule("PUT", "/organisations/{organisation}/teams/{team}/owners", ORGANISATION_OWNER, Always),
    // Beyond this: only administrators take in who has an account elsewhere on the server.
    rule("PUT", "/organisations/{organisation}/members", ORGANISATION_OWNER, Always),
    rule("DELETE", "/organisations/{organisation}/members/{user}", ORGANISATION_OWNER, Always),
    rule("GET", "/teams", SIGNED_IN, Refusals),
    // Beyond this: owners of the organisation that is named, and administrators.
    rule("POST", "/teams", IN_PERSON, Always),
    rule("GET", "/teams/{team}", VIEWER, Refusals),
    rule("DELETE", "/teams/{team}", OWNER, Always),
    rule("GET", "/teams/{team}/members", VIEWER, Refusals),
    rule("PUT", "/teams/{team}/members", OWNER, Always),
    rule("DELETE", "/teams/{team}/members/{user}", OWNER, Always),
    rule("GET", "/teams/{team}/audit", OWNER, Refusals),
    rule("GET", "/teams/{team}/audit/verify", OWNER, Refusals),
    rule("GET", "/teams/{team}/audit/export", OWNER, Always),
    rule("GET", "/teams/{team}/overview", VIEWER, Refusals),
    rule("GET", "/teams/{team}/search", VIEWER, Refusals),
    rule("GET", "/teams/{team}/live", VIEWER, Refusals),
    rule("GET", "/teams/{team}/shared", VIEWER, Refusals),
    rule("POST", "/teams/{team}/ingestion-requests/{request}", OPERATOR, Always),
    rule("GET", "/teams/{team}/approval-mode", VIEWER, Refusals),
    rule("PUT", "/teams/{team}/approval-mode", OWNER, Always),
    rule("GET", "/teams/{team}/connections", VIEWER, Refusals),
    rule("POST", "/teams/{team}/connections", DEVELOPER, Always),
    rule("POST", "/teams/{team}/connections/test", DEVELOPER, Always),
    rule("GET", "/teams/{team}/connections/{connection}", VIEWER, Refusals),
    rule("PUT", "/teams/{team}/connections/{connection}", DEVELOPER, Always),
    rule("DELETE", "/teams/{team}/connections/{connection}", DEVELOPER, Always),
    rule("POST", "/teams/{team}/connections/{connection}/test", DEVELOPER, Always),
    rule("GET", "/teams/{team}/connections/{connection}/objects", DEVELOPER, Refusals),
    rule("GET", "/teams/{team}/connections/{connection}/topics", VIEWER, Refusals),
    rule("POST", "/teams/{team}/connections/{connection}/topics", DEVELOPER, Always),
    rule("GET", "/teams/{team}/connections/{connection}/topics/{topic}", VIEWER, Refusals),
    rule("GET", "/teams/{team}/connections/{connection}/topics/{topic}/messages", VIEWER, Refusals),
    rule("GET", "/teams/{team}/connections/{connection}/groups", VIEWER, Refusals),
    rule("GET", "/teams/{team}/databases", VIEWER, Refusals),
    rule("POST", "/teams/{team}/databases", DEVELOPER, Always),
    rule("DELETE", "/teams/{team}/databases/{database}", DEVELOPER, Always),
    rule("GET", "/teams/{team}/tables", VIEWER, Refusals),
    rule("POST", "/teams/{team}/tables", DEVELOPER, Always),
    // Checking changes nothing and is asked with every key stroke: only refusals are kept.
    rule("POST", "/teams/{team}/tables/check", DEVELOPER, Refusals),
    rule("POST", "/teams/{team}/tables/test", DEVELOPER, Always),
    rule("POST", "/teams/{team}/tables/fetch", DEVELOPER, Always),
    rule("GET", "/teams/{team}/tables/tags", VIEWER, Refusals),
    rule("POST", "/teams/{team}/tables/import", DEVELOPER, Always),
    rule("GET", "/teams/{team}/tables/script", VIEWER, Refusals),
    rule("GET", "/teams/{team}/tables/{table}", READ_TABLE, Refusals),
    rule("PUT", "/teams/{team}/tables/{table}", EDIT_TABLE, Always),
    rule("PATCH", "/teams/{team}/tables/{table}", EDIT_TABLE, Always),
    rule("DELETE", "/teams/{team}/tables/{table}", EDIT_TABLE, Always),
    rule("GET", "/teams/{team}/tables/{table}/sample", READ_TABLE, Refusals),
    // Says what saving would do, and saves nothing.
    rule("POST", "/teams/{team}/tables/{table}/impact", EDIT_TABLE, Refusals),
    rule("GET", "/teams/{team}/tables/{table}/versions", READ_TABLE, Refusals),
    rule("GET", "/teams/{team}/tables/{table}/versions/{number}", READ_TABLE, Refusals),
    rule("GET", "/teams/{team}/tables/{table}/diff", READ_TABLE, Refusals),
    rule("GET", "/teams/{team}/tables/{table}/permissions", Who::Table(Level::Manage, Role::Viewer), Refusals),
    rule("PATCH", "/teams/{team}/tables/{table}/permissions", MANAGE_TABLE, Always),
    rule("PUT", "/teams/{team}/tables/{table}/grants", MANAGE_TABLE, Always),
    rule("DELETE", "/teams/{team}/tables/{table}/grants/{grant}", MANAGE_TABLE, Always),
    rule("POST", "/teams/{team}/tables/{table}/requests/{request}", MANAGE_TABLE, Always),
    rule("GET", "/teams/{team}/tables/{table}/bad-records", READ_TABLE, Refusals),
    rule("DELETE", "/teams/{team}/tables/{table}/bad-records", WRITE_TABLE, Always),
    rule("GET", "/teams/{team}/tables/{table}/bad-records/causes", READ_TABLE, Refusals),
    // Whole records leave the server.
    rule("GET", "/teams/{team}/tables/{table}/bad-records/export", READ_TABLE, Always),
    // Decoding tells, and keeps nothing.
    rule("POST", "/teams/{team}/tables/{table}/bad-records/decode", READ_TABLE, Refusals),
    rule("GET", "/teams/{team}/tables/{table}/bad-records/{record}", READ_TABLE, Refusals),
    rule("DELETE", "/teams/{team}/tables/{table}/bad-records/{record}", WRITE_TABLE, Always),
    rule("POST", "/teams/{team}/tables/{table}/bad-records/{record}/decode", READ_TABLE, Refusals),
    rule("POST", "/teams/{team}/tables/{table}/bad-records/{record}/replay", WRITE_TABLE, Always),
    rule("GET", "/teams/{team}/functions", VIEWER, Refusals),
    rule("POST", "/teams/{team}/functions", DEVELOPER, Always),
    rule("POST", "/teams/{team}/functions/modules", DEVELOPER, Always),
    // These keep nothing.
    rule("POST", "/teams/{team}/functions/inspect", DEVELOPER, Refusals),
    rule("POST", "/teams/{team}/functions/check", DEVELOPER, Refusals),
    rule("GET", "/teams/{team}/functions/{function}", VIEWER, Refusals),
    rule("PATCH", "/teams/{team}/functions/{function}", DEVELOPER, Always),
    rule("DELETE", "/teams/{team}/functions/{function}", DEVELOPER, Always),
    rule("GET", "/teams/{team}/functions/{function}/module", VIEWER, Refusals),
    rule("POST", "/teams/{team}/functions/{function}/test", DEVELOPER, Always),
    rule("POST", "/teams/{team}/sql/validate", VIEWER, Refusals),
    rule("POST", "/teams/{team}/sql/complete", VIEWER, Refusals),
    rule("POST", "/teams/{team}/sql/format", VIEWER, Refusals),
    rule("POST", "/teams/{team}/sql/parameters", VIEWER, Refusals),
    rule("GET", "/teams/{team}/variables", VIEWER, Refusals),
    rule("POST", "/teams/{team}/variables", DEVELOPER, Always),
    rule("GET", "/teams/{team}/variables/{variable}", VIEWER, Refusals),
    rule("PUT", "/teams/{team}/variables/{variable}", DEVELOPER, Always),
    rule("DELETE", "/teams/{team}/variables/{variable}", DEVELOPER, Always),
    rule("GET", "/teams/{team}/variables/{variable}/uses", VIEWER, Refusals),
    rule("POST", "/teams/{team}/previews", DEVELOPER, Always),
    rule("GET", "/teams/{team}/previews/{preview}/events", DEVELOPER, Refusals),
    rule("DELETE", "/teams/{team}/previews/{preview}", DEVELOPER, Always),
    rule("GET", "/teams/{team}/snippets", VIEWER, Refusals),
    rule("POST", "/teams/{team}/snippets", DEVELOPER, Always),
    rule("GET", "/teams/{team}/snippets/{snippet}", VIEWER, Refusals),
    rule("PUT", "/teams/{team}/snippets/{snippet}", DEVELOPER, Always),
    rule("DELETE", "/teams/{team}/snippets/{snippet}", DEVELOPER, Always),
    // Each person has their own.
    rule("GET", "/teams/{team}/preview-history", DEVELOPER, Refusals),
    rule("GET", "/teams/{team}/preview-history/{preview}", DEVELOPER, Refusals),
    rule("DELETE", "/teams/{team}/preview-history/{preview}", DEVELOPER, Always),
    rule("GET", "/teams/{team}/preview-history/{preview}/compare/{other}", DEVELOPER, Refusals),
    rule("GET", "/teams/{team}/saved-filters", VIEWER, Refusals),
    rule("POST", "/teams/{team}/saved-filters", VIEWER, Always),
    rule("DELETE", "/teams/{team}/saved-filters/{filter}", VIEWER, Always),
    rule("GET", "/teams/{team}/sandbox-targets", VIEWER, Refusals),
    rule("POST", "/teams/{team}/sandbox-targets", OWNER, Always),
    // Says what could be chosen, and changes nothing.
    rule("POST", "/teams/{team}/sandbox-targets/offers", DEVELOPER, Refusals),
    rule("PUT", "/teams/{team}/sandbox-targets/{target}", OWNER, Always),
    rule("DELETE", "/teams/{team}/sandbox-targets/{target}", OWNER, Always),
    rule("GET", "/teams/{team}/sandbox-objects", DEVELOPER, Refusals),
    rule("DELETE", "/teams/{team}/sandbox-objects/{object}", DEVELOPER, Always),
    rule("GET", "/teams/{team}/test-runs", DEVELOPER, Refusals),
    rule("POST", "/teams/{team}/test-runs", DEVELOPER, Always),
    rule("GET", "/teams/{team}/test-runs/{run}", DEVELOPER, Refusals),
    rule("DELETE", "/teams/{team}/test-runs/{run}", DEVELOPER, Always),
    rule("GET", "/teams/{team}/test-runs/{run}/events", DEVELOPER, Refusals),
    rule("GET", "/teams/{team}/test-runs/{run}/sinks/{table}/rows", DEVELOPER, Refusals),
    rule("GET", "/teams/{team}/test-runs/{run}/compare/{other}", DEVELOPER, Refusals),
    rule("PUT", "/teams/{team}/tests-gate", OWNER, Always),
    rule("GET", "/teams/{team}/jobs", VIEWER, Refusals),
    rule("POST", "/teams/{team}/jobs", DEVELOPER, Always),
    rule("GET", "/teams/{team}/jobs/counts", VIEWER, Refusals),
    // The least that an action needs in general; what it needs of each job, the rules of bulk see to.
    rule("POST", "/teams/{team}/jobs/bulk", DEVELOPER, Always),
    rule("GET", "/teams/{team}/jobs/bin", VIEWER, Refusals),
    rule("POST", "/teams/{team}/jobs/bin/{job}/restore", MANAGE_JOB, Always),
    rule("DELETE", "/teams/{team}/jobs/bin/{job}", MANAGE_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}", READ_JOB, Refusals),
    rule("PATCH", "/teams/{team}/jobs/{job}", EDIT_JOB, Always),
    rule("DELETE", "/teams/{team}/jobs/{job}", MANAGE_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/dependents", READ_JOB, Refusals),
    rule("PUT", "/teams/{team}/jobs/{job}/draft", EDIT_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/versions", READ_JOB, Refusals),
    rule("POST", "/teams/{team}/jobs/{job}/versions", EDIT_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/versions/{number}", READ_JOB, Refusals),
    rule("POST", "/teams/{team}/jobs/{job}/versions/{number}/rollback", EDIT_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/diff", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/report", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/schedule", READ_JOB, Refusals),
    rule("PUT", "/teams/{team}/jobs/{job}/schedule", OPERATE_JOB, Always),
    rule("DELETE", "/teams/{team}/jobs/{job}/schedule", OPERATE_JOB, Always),
    // Keeps nothing.
    rule("POST", "/teams/{team}/jobs/{job}/schedule/check", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/fires", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/savepoint-schedule", READ_JOB, Refusals),
    rule("PUT", "/teams/{team}/jobs/{job}/savepoint-schedule", OPERATE_JOB, Always),
    rule("DELETE", "/teams/{team}/jobs/{job}/savepoint-schedule", OPERATE_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/restorable", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/tests", READ_JOB, Refusals),
    rule("POST", "/teams/{team}/jobs/{job}/tests", EDIT_JOB, Always),
    rule("POST", "/teams/{team}/jobs/{job}/tests/run", EDIT_JOB, Always),
    rule("PUT", "/teams/{team}/jobs/{job}/tests/{test}", EDIT_JOB, Always),
    rule("DELETE", "/teams/{team}/jobs/{job}/tests/{test}", EDIT_JOB, Always),
    rule("PUT", "/teams/{team}/jobs/{job}/tests-gate", OPERATE_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/shadow-runs", EDIT_JOB, Refusals),
    rule("POST", "/teams/{team}/jobs/{job}/shadow-runs", EDIT_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/shadow-runs/{run}", EDIT_JOB, Refusals),
    rule("DELETE", "/teams/{team}/jobs/{job}/shadow-runs/{run}", EDIT_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/start-options", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/approvals", READ_JOB, Refusals),
    rule("POST", "/teams/{team}/jobs/{job}/approvals", OPERATE_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/approvals/needed", READ_JOB, Refusals),
    // Beyond this, members with that role only, in person, and never on what they asked for.
    rule("POST", "/teams/{team}/jobs/{job}/approvals/{approval}", OPERATE_JOB, Always),
    rule("DELETE", "/teams/{team}/jobs/{job}/approvals/{approval}", READ_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/approvals/{approval}/report", READ_JOB, Refusals),
    rule("POST", "/teams/{team}/jobs/{job}/start", OPERATE_JOB, Always),
    rule("POST", "/teams/{team}/jobs/{job}/stop", OPERATE_JOB, Always),
    rule("POST", "/teams/{team}/jobs/{job}/savepoints", OPERATE_JOB, Always),
    rule("GET", "/teams/{team}/jobs/{job}/savepoints", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/runs", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/runs/{number}/report", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/events", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/graph", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/metrics", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/figures", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/logs", VIEWER, Refusals),
    rule("GET", "/teams/{team}/logs/counts", VIEWER, Refusals),
    rule("GET", "/teams/{team}/logs/groups", VIEWER, Refusals),
    rule("GET", "/teams/{team}/logs/marks", VIEWER, Refusals),
    rule("GET", "/teams/{team}/logs/tail", VIEWER, Refusals),
    rule("GET", "/teams/{team}/logs/download", VIEWER, Refusals),
    rule("GET", "/teams/{team}/logs/lines/{line}", VIEWER, Refusals),
    // Lines of the server itself.
    rule("GET", "/logs", ADMINISTRATOR, Refusals),
    rule("GET", "/logs/counts", ADMINISTRATOR, Refusals),
    rule("GET", "/logs/groups", ADMINISTRATOR, Refusals),
    rule("GET", "/logs/tail", ADMINISTRATOR, Refusals),
    rule("GET", "/logs/download", ADMINISTRATOR, Refusals),
    rule("GET", "/logs/lines/{line}", ADMINISTRATOR, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/logs", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/logs/tail", READ_JOB, Refusals),
    rule("GET", "/teams/{team}/jobs/{job}/permissions", Who::Job(Level::Manage, Role::Viewer), Refusals),
    rule("PATCH", "/teams/{team}/jobs/{job}/permissions", MANAGE_JOB, Always),
    rule("PUT", "/teams/{team}/jobs/{job}/grants", MANAGE_JOB, Always),
    rule("DELETE", "/teams/{team}/jobs/{job}/grants/{grant}", MANAGE_JOB, Always),
    rule("GET", "/link", Who::Worker, Never),
];

/// Beside the API, at the root of the server.
pub const OUTSIDE: &[Rule] =
    &[rule("GET", "/metrics", Who::Machine, Never), rule("GET", "/peer/events", Who::Server, Refusals)];

/// What a route without a rule gets: nobody passes, and every try is kept.
pub const DENY: Rule = rule("", "", Who::Nobody, Audit::Always);

pub fn rule_for(method: &str, path: &str) -> Option<&'static Rule> {
    RULES.iter().chain(OUTSIDE).find(|rule| rule.method == method && rule.path == path)
}
