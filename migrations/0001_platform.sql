-- Users, teams, access, connections, tables. Portable: SQLite and PostgreSQL read the same text.
-- Ids are UUIDv7 as text, times UTC milliseconds, truth values 0 or 1, documents JSON as text.

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- Lower case, so that it is found whatever the case it is typed in.
    email TEXT NOT NULL UNIQUE,
    -- A PHC string of argon2id; empty for a user who cannot sign in by password (the demo user).
    password_hash TEXT NOT NULL,
    administrator BIGINT NOT NULL,
    disabled BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

-- Facts about this installation: whether the first run is done, the hash of its one-time token.
CREATE TABLE installation (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE sessions (
    -- SHA-256 of the cookie's value, in hex: the store alone lets nobody in.
    id_hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE teams (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_tokens_by_user ON api_tokens (user_id);

CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- JSON map without secrets.
    options TEXT NOT NULL,
    -- JSON map of name to sealed value (access::secret).
    secrets TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    -- The one for the server's own broker is kept by the server; its address comes from the running broker.
    built_in BIGINT NOT NULL,
    UNIQUE (team_id, name)
);

CREATE TABLE table_databases (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    built_in BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (team_id, name)
);

-- A table is a descriptor of an external stream. `draft` is the form as it was sent, the rest is there to be listed.
CREATE TABLE stream_tables (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    database_id TEXT NOT NULL REFERENCES table_databases (id),
    connection_id TEXT REFERENCES connections (id),
    name TEXT NOT NULL,
    connector TEXT NOT NULL,
    comment TEXT NOT NULL,
    -- JSON of wire TableDraft.
    draft TEXT NOT NULL,
    ddl TEXT NOT NULL,
    -- JSON of the resolved columns.
    resolved TEXT NOT NULL,
    -- The topic it describes, for the topic browser; empty where there is none.
    topic TEXT NOT NULL,
    built_in BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (database_id, name)
);
CREATE INDEX stream_tables_by_team ON stream_tables (team_id);
CREATE INDEX stream_tables_by_connection ON stream_tables (connection_id);

-- Append-only. Each row's hash covers the row and the hash before it, so that a change or a gap shows.
CREATE TABLE audit_entries (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    -- Who: the user's id and e-mail as they were, empty when nobody was signed in.
    user_id TEXT NOT NULL,
    user_email TEXT NOT NULL,
    -- 'session', 'token', 'none' or 'server'.
    via TEXT NOT NULL,
    team_slug TEXT NOT NULL,
    -- Method and path template, as in the policy table.
    action TEXT NOT NULL,
    -- The path as it was asked for.
    object TEXT NOT NULL,
    -- From where: the address the request came from.
    address TEXT NOT NULL,
    request_id TEXT NOT NULL,
    -- HTTP status and stable code of the outcome; refusals are here too.
    status BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    -- JSON: before and after, without secrets.
    detail TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
