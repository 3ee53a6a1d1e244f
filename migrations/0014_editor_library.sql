-- What the editor keeps beside drafts: previews with their rows, and saved pieces of SQL. Portable like 0001.

-- Previews that ended, of the person who ran them and of nobody else.
CREATE TABLE kept_previews (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sql_text TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    records_read BIGINT NOT NULL,
    -- finished, cancelled, failed; and in words.
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- All rows that came; those that are kept are the first ones of them.
    row_count BIGINT NOT NULL,
    columns TEXT NOT NULL,
    content TEXT NOT NULL,
    -- JSON: ids of the tables whose rows may be in it. Who may not read one of them does not see it any more.
    tables TEXT NOT NULL
);

CREATE INDEX kept_previews_of_person ON kept_previews (team_id, user_id, started_at);

CREATE TABLE snippets (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    sql_text TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (team_id, name)
);
