-- Shadow runs: two test runs of a job over the same input, and what differs. Portable like 0001.

CREATE TABLE shadow_runs (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    -- The test runs of the two; they may be gone earlier.
    old_run TEXT NOT NULL,
    new_run TEXT NOT NULL,
    old_version BIGINT,
    new_version BIGINT,
    -- Of the new version, as it was written: what is started later may be the same text under another number.
    new_sql TEXT NOT NULL,
    started_by TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- 'running', 'finished', 'cancelled' or 'failed'.
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- JSON: where it was read from, the limits, the keys.
    request TEXT NOT NULL,
    -- JSON: the verdict, counts by sink, notes.
    outcome TEXT NOT NULL,
    -- JSON: the rows that differ, by sink.
    comparison TEXT NOT NULL,
    kept_until BIGINT NOT NULL
);
CREATE INDEX shadow_runs_by_job ON shadow_runs (job_id, id);
CREATE INDEX shadow_runs_by_team ON shadow_runs (team_id, id);
