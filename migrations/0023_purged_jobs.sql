-- Jobs that were removed for good and whose lines still stand in the log index: they are not to be found any more.
CREATE TABLE purged_jobs (
    job_id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    purged_at BIGINT NOT NULL
);
CREATE INDEX purged_jobs_by_team ON purged_jobs (team_id);
