-- What the editor keeps for a team and for a person. Portable like 0001.

-- What ${name} in the team's scripts stands for.
CREATE TABLE variables (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- 1: the value is sealed, like the secrets of connections.
    secret BIGINT NOT NULL,
    value TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (team_id, name)
);

-- What a run started with, where its script uses variables: JSON by name. Of secrets a keyed digest, never the value.
CREATE TABLE run_variables (
    run_id TEXT PRIMARY KEY REFERENCES job_runs (id) ON DELETE CASCADE,
    content TEXT NOT NULL
);
