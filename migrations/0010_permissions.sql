-- Permissions on single jobs and tables. Portable like 0001.

-- The user whose object it is; empty for what was made before this was kept, and for the platform's own.
ALTER TABLE jobs ADD COLUMN owner_id TEXT NOT NULL DEFAULT '';
ALTER TABLE stream_tables ADD COLUMN owner_id TEXT NOT NULL DEFAULT '';
-- Inside the team, only its owner, the team's owners and those with a grant see it.
ALTER TABLE jobs ADD COLUMN restricted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stream_tables ADD COLUMN restricted BIGINT NOT NULL DEFAULT 0;
-- Shown to everybody who is signed in: name, description and columns, nothing else.
ALTER TABLE stream_tables ADD COLUMN listed BIGINT NOT NULL DEFAULT 0;

-- One object (job or table), opened to one grantee (person or team).
CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    job_id TEXT REFERENCES jobs (id) ON DELETE CASCADE,
    table_id TEXT REFERENCES stream_tables (id) ON DELETE CASCADE,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    team_id TEXT REFERENCES teams (id) ON DELETE CASCADE,
    -- 'read', 'write' or 'manage'.
    level TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    CHECK ((job_id IS NULL) <> (table_id IS NULL)),
    CHECK ((user_id IS NULL) <> (team_id IS NULL))
);
CREATE UNIQUE INDEX grants_of_job_to_user ON grants (job_id, user_id);
CREATE UNIQUE INDEX grants_of_job_to_team ON grants (job_id, team_id);
CREATE UNIQUE INDEX grants_of_table_to_user ON grants (table_id, user_id);
CREATE UNIQUE INDEX grants_of_table_to_team ON grants (table_id, team_id);
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_team ON grants (team_id);

-- Tables of other teams that a version names, beside job_table_use, which holds those of the job's own team.
CREATE TABLE job_foreign_use (
    version_id TEXT NOT NULL REFERENCES job_versions (id) ON DELETE CASCADE,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    version_number BIGINT NOT NULL,
    table_id TEXT NOT NULL REFERENCES stream_tables (id) ON DELETE CASCADE,
    -- 'read' or 'write'.
    direction TEXT NOT NULL,
    PRIMARY KEY (version_id, table_id, direction)
);
CREATE INDEX job_foreign_use_by_table ON job_foreign_use (table_id);

-- Somebody asks for a right to a listed table, or that a team takes a source in.
CREATE TABLE access_requests (
    id TEXT PRIMARY KEY,
    -- 'access' or 'ingestion'.
    kind TEXT NOT NULL,
    -- Who decides: the team that owns the table, or that is asked to take the source in.
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    table_id TEXT REFERENCES stream_tables (id) ON DELETE CASCADE,
    asked_by TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- For a team of the asker; null for the person.
    for_team TEXT REFERENCES teams (id) ON DELETE CASCADE,
    -- What was asked for and, once it is decided, what was given: 'read', 'write' or 'manage'; empty for an ingestion.
    level TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- JSON of wire IngestionSource, null for a right.
    source TEXT,
    -- 'open', 'accepted' or 'declined'.
    state TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL DEFAULT '',
    decided_at BIGINT,
    answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX access_requests_by_team ON access_requests (team_id, state);
CREATE INDEX access_requests_by_asker ON access_requests (asked_by);

-- What the console tells a person.
CREATE TABLE notices (
    -- UUIDv7: in order of time.
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    -- Path in the console.
    href TEXT NOT NULL,
    read_at BIGINT
);
CREATE INDEX notices_by_user ON notices (user_id, id);

-- Notices that go by mail as well: written with the notice, sent later, at least once.
CREATE TABLE mails (
    -- UUIDv7: in order of time. Also the first half of the Message-ID, so that a mail sent twice is known as one.
    id TEXT PRIMARY KEY,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- Null when it was sent or given up.
    next_try_at BIGINT,
    sent_at BIGINT,
    -- Why the last try failed.
    failure TEXT NOT NULL DEFAULT ''
);
CREATE INDEX mails_by_next_try ON mails (next_try_at);
