-- Where test runs of a team may write for real, and what they have written there. Portable like 0001.

CREATE TABLE sandbox_targets (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    -- Null: files, which need no connection.
    connection_id TEXT REFERENCES connections (id) ON DELETE CASCADE,
    -- The connection, or 'files': one of each.
    subject TEXT NOT NULL,
    -- A topic prefix, a schema or database, or a folder: the kind of the connection says which.
    place TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (team_id, subject)
);

-- Topics, tables and folders of test runs. They outlive the results of the runs.
CREATE TABLE sandbox_objects (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    connection_id TEXT REFERENCES connections (id) ON DELETE CASCADE,
    -- No reference: a test run is forgotten after some days.
    test_run_id TEXT NOT NULL,
    -- The sink that it stands for.
    table_name TEXT NOT NULL,
    connector TEXT NOT NULL,
    -- As people call it.
    name TEXT NOT NULL,
    -- JSON: the options of a table that name it.
    options TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE INDEX sandbox_objects_by_team ON sandbox_objects (team_id, created_at);
