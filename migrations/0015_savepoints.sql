-- Savepoints that are taken by themselves. Portable like 0001.

CREATE TABLE job_savepoint_schedules (
    job_id TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    -- JSON: when, and how many are kept.
    schedule TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    -- Taken by compare-and-set: of several servers one asks.
    next_at BIGINT,
    -- The one that was asked for and is not there yet: of which run, when, and the newest number of the run before it.
    asked_run TEXT,
    asked_at BIGINT,
    asked_after BIGINT,
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX job_savepoint_schedules_due ON job_savepoint_schedules (enabled, next_at);

-- 1: the schedule asked for it, and may remove it. What a person asked for is removed by people only.
ALTER TABLE job_restore_points ADD COLUMN scheduled BIGINT NOT NULL DEFAULT 0;
