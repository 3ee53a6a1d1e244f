-- Jobs, versions, runs and what belongs to them. Portable like 0001.

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    owner TEXT NOT NULL,
    -- JSON list.
    tags TEXT NOT NULL,
    -- 'running' or 'stopped': what a person asked for. What is, stands in job_runs.
    desired TEXT NOT NULL,
    demo BIGINT NOT NULL,
    draft_sql TEXT NOT NULL,
    -- JSON of wire JobSettings.
    draft_settings TEXT NOT NULL,
    draft_revision BIGINT NOT NULL,
    draft_updated_by TEXT NOT NULL,
    draft_updated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (team_id, name)
);

-- Never changed once written.
CREATE TABLE job_versions (
    id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    sql_text TEXT NOT NULL,
    settings TEXT NOT NULL,
    -- JSON: wire Graph, Guarantee, lists of tables, map of table to DDL.
    graph TEXT NOT NULL,
    guarantee TEXT NOT NULL,
    reads TEXT NOT NULL,
    writes TEXT NOT NULL,
    tables TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    comment TEXT NOT NULL,
    UNIQUE (job_id, number)
);

-- Which tables a version reads and writes, so that deleting one can be refused and lineage can be asked for.
CREATE TABLE job_table_use (
    version_id TEXT NOT NULL REFERENCES job_versions (id) ON DELETE CASCADE,
    team_id TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    version_number BIGINT NOT NULL,
    database_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    -- 'read' or 'write'.
    direction TEXT NOT NULL,
    PRIMARY KEY (version_id, database_name, table_name, direction)
);
CREATE INDEX job_table_use_by_table ON job_table_use (team_id, database_name, table_name);

CREATE TABLE job_runs (
    id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    team_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    version_id TEXT NOT NULL REFERENCES job_versions (id) ON DELETE CASCADE,
    version_number BIGINT NOT NULL,
    cause TEXT NOT NULL,
    started_by TEXT NOT NULL,
    -- Observed state; every change names the attempt it was seen in.
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    state_at BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    -- 'over', 'intent', 'spawned' or 'linked': written before each step of launching the attempt.
    phase TEXT NOT NULL,
    -- SHA-256 of the attempt's token in hex; empty when no attempt is valid.
    token_hash TEXT NOT NULL,
    -- A process is known by id and start time; null until it was spawned.
    pid BIGINT,
    process_start BIGINT,
    -- How a person asked it to end.
    stop_mode TEXT,
    -- What it was started from, and where the next attempt starts from.
    restored_from TEXT NOT NULL,
    restore_path TEXT,
    restore_number BIGINT,
    restore_kind TEXT,
    start_at_ms BIGINT,
    -- Absolute directory. Runs that go on from each other's newest checkpoint share one, all others have their own.
    checkpoint_root TEXT NOT NULL,
    -- JSON, as the worker reported them.
    graph TEXT,
    guarantee TEXT,
    created_at BIGINT NOT NULL,
    running_at BIGINT,
    ended_at BIGINT,
    last_seen_at BIGINT,
    -- Totals over all attempts, and what they were when the current attempt began.
    records_in BIGINT NOT NULL,
    records_out BIGINT NOT NULL,
    base_in BIGINT NOT NULL DEFAULT 0,
    base_out BIGINT NOT NULL DEFAULT 0,
    UNIQUE (job_id, number)
);
-- A job has one live run at most, whoever asks.
CREATE UNIQUE INDEX job_runs_one_live ON job_runs (job_id) WHERE ended_at IS NULL;

CREATE TABLE job_attempts (
    run_id TEXT NOT NULL REFERENCES job_runs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    reason TEXT NOT NULL,
    PRIMARY KEY (run_id, attempt)
);

CREATE TABLE job_events (
    -- UUIDv7: in order of time.
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    run_id TEXT NOT NULL REFERENCES job_runs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX job_events_by_job ON job_events (job_id, id);
CREATE INDEX job_events_by_team ON job_events (team_id, id);

-- Checkpoints that still exist, and savepoints.
CREATE TABLE job_restore_points (
    id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    run_id TEXT NOT NULL REFERENCES job_runs (id) ON DELETE CASCADE,
    run_number BIGINT NOT NULL,
    version_number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    number BIGINT NOT NULL,
    -- Directory of the manifest, absolute.
    path TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    ms BIGINT NOT NULL,
    at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (run_id, kind, number)
);
CREATE INDEX job_restore_points_by_job ON job_restore_points (job_id, at);
