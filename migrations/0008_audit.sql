-- The audit trail is read by team and newest first; and what a token may do at most.
CREATE INDEX audit_entries_by_team ON audit_entries (team_slug, seq);

-- The role that a token acts with at most; the person's own role stays the other limit.
ALTER TABLE api_tokens ADD COLUMN most_role TEXT NOT NULL DEFAULT 'owner';
