-- Functions that a team brings. Portable like 0001.

CREATE TABLE functions (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- The name in lower case: SQL does not tell case.
    name_key TEXT NOT NULL,
    remark TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (team_id, name_key)
);

-- Never changed once written. The bytes of a module are a file of the data directory, named by their hash.
CREATE TABLE function_versions (
    function_id TEXT NOT NULL REFERENCES functions (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    -- 'wasm' or 'sql'.
    language TEXT NOT NULL,
    signature TEXT NOT NULL,
    -- JSON list of wire FunctionParameter.
    parameters TEXT NOT NULL,
    definition TEXT,
    entry TEXT,
    module_hash TEXT,
    module_bytes BIGINT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (function_id, number)
);
CREATE INDEX function_versions_by_module ON function_versions (module_hash);

-- JSON: map of name to wire PinnedFunction.
ALTER TABLE job_versions ADD COLUMN functions TEXT NOT NULL DEFAULT '{}';

-- Which functions a version calls, so that deleting one can be refused and its module is kept as long as it may run.
CREATE TABLE job_function_use (
    version_id TEXT NOT NULL REFERENCES job_versions (id) ON DELETE CASCADE,
    team_id TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    version_number BIGINT NOT NULL,
    function_id TEXT NOT NULL,
    function_version BIGINT NOT NULL,
    module_hash TEXT,
    PRIMARY KEY (version_id, function_id)
);
CREATE INDEX job_function_use_by_function ON job_function_use (team_id, function_id);
