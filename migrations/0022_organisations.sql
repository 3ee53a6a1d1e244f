-- Organisations above teams. What one lists or opens stays within its organisation.
CREATE TABLE organisations (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- The one that all teams belong to which are there already, and the first team of a new installation.
INSERT INTO organisations (id, slug, name, created_at)
VALUES ('01900000-0000-7000-8000-000000000001', 'default', 'Default', 0);

-- Never null: SQLite adds a column with a foreign key only where it may be.
ALTER TABLE teams ADD COLUMN organisation_id TEXT REFERENCES organisations (id);
UPDATE teams SET organisation_id = '01900000-0000-7000-8000-000000000001';
CREATE INDEX teams_by_organisation ON teams (organisation_id);

-- Whoever is in a team is in its organisation as well; who leaves the last team stays.
CREATE TABLE organisation_members (
    organisation_id TEXT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, user_id)
);
CREATE INDEX organisation_members_by_user ON organisation_members (user_id);
INSERT INTO organisation_members (organisation_id, user_id, role, since)
SELECT '01900000-0000-7000-8000-000000000001', id, 'member', created_at FROM users;
