-- Passwords and tokens of tables that have no connection, sealed: JSON of name to sealed value.
ALTER TABLE stream_tables ADD COLUMN secrets TEXT NOT NULL DEFAULT '{}';
