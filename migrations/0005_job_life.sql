-- The life of jobs: lists of many, the recycle bin, saved filters, reports, schedules. Portable like 0001.

-- 'stream' or 'batch'.
ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'stream';
-- In the bin since; null for a job that is in use. Its name is its id then, so that the name is free for others, and
-- `bin_name` is what it was called.
ALTER TABLE jobs ADD COLUMN deleted_at BIGINT;
ALTER TABLE jobs ADD COLUMN deleted_by TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN bin_name TEXT NOT NULL DEFAULT '';
-- Who asked that it be started again once it has stopped; empty when nobody did.
ALTER TABLE jobs ADD COLUMN restart_by TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_in_bin ON jobs (team_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX jobs_to_restart ON jobs (restart_by) WHERE restart_by <> '';

-- What lists of jobs are filtered and sorted by: one narrow row per job that is not in the bin, written together with
-- what it repeats. Scripts are long, and lists must not read them.
CREATE TABLE job_list (
    job_id TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    -- Lower case: the name; and name, description, owner and tags together.
    name_key TEXT NOT NULL,
    words TEXT NOT NULL,
    -- JSON list.
    tags TEXT NOT NULL,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- Of the newest run, or 'draft'.
    state TEXT NOT NULL,
    -- What is not right comes first: failed 4, recovering 3, live 1, else 0.
    trouble BIGINT NOT NULL,
    run_number BIGINT NOT NULL,
    -- Figures of a few seconds ago; -1 where they are not known. Rates in thousandths of records per second.
    lag_ms BIGINT NOT NULL DEFAULT -1,
    rate_in BIGINT NOT NULL DEFAULT 0,
    rate_out BIGINT NOT NULL DEFAULT 0,
    updated_at BIGINT NOT NULL
);
CREATE INDEX job_list_by_state ON job_list (team_id, state);
CREATE INDEX job_list_by_name ON job_list (team_id, name_key, job_id);
CREATE INDEX job_list_by_change ON job_list (team_id, updated_at DESC, name_key, job_id);
CREATE INDEX job_list_by_trouble ON job_list (team_id, trouble DESC, lag_ms DESC, name_key, job_id);

INSERT INTO job_list (job_id, team_id, name_key, words, tags, owner, kind, state, trouble, run_number, updated_at)
SELECT j.id, j.team_id, lower(j.name), lower(j.name || ' ' || j.description || ' ' || j.owner || ' ' || j.tags),
    j.tags, j.owner, 'stream', COALESCE(r.state, 'draft'),
    CASE WHEN r.state = 'failed' THEN 4 WHEN r.state = 'recovering' THEN 3 WHEN r.ended_at IS NULL AND r.id IS NOT NULL THEN 1 ELSE 0 END,
    COALESCE(r.number, 0), j.updated_at
FROM jobs j
LEFT JOIN job_runs r ON r.job_id = j.id
    AND r.number = (SELECT MAX(o.number) FROM job_runs o WHERE o.job_id = j.id);

CREATE INDEX job_runs_by_team ON job_runs (team_id, job_id, number);

-- A filter that somebody named: the query of the address of a list.
CREATE TABLE saved_filters (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (team_id, user_id, name)
);

-- Answers to calls with an Idempotency-Key, so that the same call again does nothing again. Kept for a day.
CREATE TABLE idempotent_calls (
    -- SHA-256 of caller, call and key, in hex.
    id_hash TEXT PRIMARY KEY,
    -- SHA-256 of what was sent.
    request_hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- 0 while it is being answered.
    status BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX idempotent_calls_by_time ON idempotent_calls (at);

-- What was known before a run was started: JSON of wire DeploymentReport.
CREATE TABLE job_reports (
    run_id TEXT PRIMARY KEY REFERENCES job_runs (id) ON DELETE CASCADE,
    report TEXT NOT NULL
);

-- When a job starts by itself.
CREATE TABLE job_schedules (
    job_id TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    -- JSON of wire Schedule.
    schedule TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    -- The next fire; null when none comes. A server that fires moves it on by compare-and-set.
    next_at BIGINT,
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX job_schedules_by_next ON job_schedules (enabled, next_at);

-- What became of each due time. The key keeps two servers from firing the same one.
CREATE TABLE job_fires (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    due_at BIGINT NOT NULL,
    -- 0 for the fire itself, from 1 for its retries.
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- 'waiting', 'started', 'skipped', 'missed' or 'refused'.
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    run_id TEXT REFERENCES job_runs (id) ON DELETE SET NULL,
    -- When a run that failed was seen, so that it is tried again once only.
    retried BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, due_at, attempt)
);
