-- Test runs with their results, SQL tests of jobs. Portable like 0001.

CREATE TABLE test_runs (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    -- Of the job as it was then: history outlives it.
    job_id TEXT,
    job_name TEXT NOT NULL,
    version_number BIGINT,
    user_id TEXT NOT NULL,
    started_by TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- 'running', 'finished', 'cancelled' or 'failed'.
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    sql_text TEXT NOT NULL,
    -- JSON: where it was read from, and the limits.
    request TEXT NOT NULL,
    -- JSON: sinks, sources, counts, what went wrong.
    outcome TEXT NOT NULL,
    -- JSON: the rows of each sink, the first rows of each source.
    result TEXT NOT NULL,
    kept_until BIGINT NOT NULL
);
CREATE INDEX test_runs_by_team ON test_runs (team_id, id);
CREATE INDEX test_runs_by_end ON test_runs (kept_until);

CREATE TABLE job_tests (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- JSON of wire TestDraft.
    definition TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (job_id, name)
);

-- The newest result of each test for each version; version 0 is the draft.
CREATE TABLE job_test_results (
    test_id TEXT NOT NULL REFERENCES job_tests (id) ON DELETE CASCADE,
    version_number BIGINT NOT NULL,
    passed BIGINT NOT NULL,
    at BIGINT NOT NULL,
    ms BIGINT NOT NULL,
    -- JSON of wire TestResult.
    result TEXT NOT NULL,
    PRIMARY KEY (test_id, version_number)
);

-- A row means: versions start only when their tests pass. An empty job means every job of the team.
CREATE TABLE job_test_gates (
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    job_id TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, job_id)
);
