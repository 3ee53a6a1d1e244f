-- Starts that somebody else approves first. Portable like 0001.

-- What a team asks for before its jobs start: 'off' or 'required'. A team that never chose has no row.
CREATE TABLE approval_modes (
    team_id TEXT PRIMARY KEY REFERENCES teams (id) ON DELETE CASCADE,
    mode TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- A request to start one version in one way, and what became of it. Rows are kept: an approval is good for every later
-- start of its version, until a newer one takes its place.
CREATE TABLE start_approvals (
    -- UUIDv7: in order of time.
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    version_id TEXT NOT NULL REFERENCES job_versions (id) ON DELETE CASCADE,
    version_number BIGINT NOT NULL,
    -- 'latest', 'savepoint' or 'fresh'.
    start_from TEXT NOT NULL,
    savepoint_id TEXT,
    at_ms BIGINT,
    -- What 'latest' meant when it was asked for, in words; empty without earlier state.
    restored_from TEXT NOT NULL,
    -- SHA-256 of script, settings, tables, functions and connections.
    digest TEXT NOT NULL,
    -- JSON of the deployment report as it was then; empty where none could be made.
    report TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_by TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The team that the asker's API token is good for; null when asked for in person.
    token_team TEXT REFERENCES teams (id) ON DELETE CASCADE,
    asked_at BIGINT NOT NULL,
    -- The job starts as soon as it is approved.
    start_when_approved BIGINT NOT NULL,
    -- 'open', 'approved', 'declined', 'withdrawn' or 'stale'.
    state TEXT NOT NULL,
    decided_by_id TEXT NOT NULL DEFAULT '',
    decided_by TEXT NOT NULL DEFAULT '',
    decided_at BIGINT,
    answer TEXT NOT NULL DEFAULT '',
    -- It was approved, and its start is still to be made.
    start_due BIGINT NOT NULL DEFAULT 0,
    -- Why it was approved and yet not started.
    not_started TEXT NOT NULL DEFAULT ''
);
CREATE INDEX start_approvals_by_job ON start_approvals (job_id, state);
CREATE INDEX start_approvals_by_team ON start_approvals (team_id, state);
CREATE INDEX start_approvals_by_asker ON start_approvals (asked_by);
CREATE INDEX start_approvals_due ON start_approvals (start_due);

-- By which approval a run was started.
CREATE TABLE run_approvals (
    run_id TEXT PRIMARY KEY REFERENCES job_runs (id) ON DELETE CASCADE,
    approval_id TEXT NOT NULL REFERENCES start_approvals (id) ON DELETE CASCADE
);
CREATE INDEX run_approvals_by_approval ON run_approvals (approval_id);
