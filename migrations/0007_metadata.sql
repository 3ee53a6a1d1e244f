-- The metadata center: versions of tables, who they belong to, and what finds them. Portable like 0001.

ALTER TABLE stream_tables ADD COLUMN owner TEXT NOT NULL DEFAULT '';
-- JSON lists.
ALTER TABLE stream_tables ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE stream_tables ADD COLUMN sharers TEXT NOT NULL DEFAULT '[]';
-- 'none', 'backward', 'forward' or 'full': which changes are accepted without confirming.
ALTER TABLE stream_tables ADD COLUMN compatibility TEXT NOT NULL DEFAULT 'none';
-- Of the resolved columns; -1 until the table is written or found by the first start after this migration.
ALTER TABLE stream_tables ADD COLUMN column_count BIGINT NOT NULL DEFAULT -1;

-- Goes up with every change of the team's tables and connections: what was parsed of them is kept as long as it stays.
ALTER TABLE teams ADD COLUMN catalog_revision BIGINT NOT NULL DEFAULT 0;

-- Never changed once written. Numbered as the table's revision.
CREATE TABLE table_versions (
    table_id TEXT NOT NULL REFERENCES stream_tables (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    -- JSON of wire TableDraft.
    draft TEXT NOT NULL,
    ddl TEXT NOT NULL,
    -- JSON of the resolved columns.
    resolved TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    comment TEXT NOT NULL,
    PRIMARY KEY (table_id, number)
);
INSERT INTO table_versions (table_id, number, draft, ddl, resolved, created_by, created_at, comment)
SELECT id, revision, draft, ddl, resolved, updated_by, updated_at, '' FROM stream_tables;

-- What searches look into: apart from the tables, so that looking through all of a team's reads little.
CREATE TABLE table_search (
    table_id TEXT PRIMARY KEY REFERENCES stream_tables (id) ON DELETE CASCADE,
    team_id TEXT NOT NULL,
    -- Lower case: `database.table`, connector, comment, owner, tags, and each column and comment on a line of its own.
    words TEXT NOT NULL
);
CREATE INDEX table_search_by_team ON table_search (team_id, table_id);

CREATE TABLE table_tags (
    table_id TEXT NOT NULL REFERENCES stream_tables (id) ON DELETE CASCADE,
    team_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (table_id, tag)
);
CREATE INDEX table_tags_by_team ON table_tags (team_id, tag);
