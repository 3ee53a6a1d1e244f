-- Records that jobs could not decode, kept beside their tables. Portable like 0001.

CREATE TABLE bad_records (
    -- UUIDv7: in order of time.
    id TEXT PRIMARY KEY,
    table_id TEXT NOT NULL REFERENCES stream_tables (id) ON DELETE CASCADE,
    -- Partition (topic/3) or file, and the offset in it.
    split TEXT NOT NULL,
    position BIGINT NOT NULL,
    -- The job that met it first, also after it is gone.
    job_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- In base64, the first part of long ones; null where the record has none.
    record_key TEXT,
    record_value TEXT,
    key_bytes BIGINT NOT NULL,
    value_bytes BIGINT NOT NULL,
    -- Of key and value: the same place with other bytes is another record.
    digest TEXT NOT NULL,
    -- What the row takes.
    size BIGINT NOT NULL,
    replayed_at BIGINT,
    replayed_by TEXT NOT NULL DEFAULT '',
    replay_edited BIGINT NOT NULL DEFAULT 0,
    replays BIGINT NOT NULL DEFAULT 0,
    UNIQUE (table_id, split, position)
);
CREATE INDEX bad_records_of_cause ON bad_records (table_id, cause, seen_at);
CREATE INDEX bad_records_of_table ON bad_records (table_id, seen_at, size);
CREATE INDEX bad_records_by_age ON bad_records (seen_at);

-- Records that were met and are not kept, for they were too many.
CREATE TABLE bad_records_not_kept (
    table_id TEXT NOT NULL REFERENCES stream_tables (id) ON DELETE CASCADE,
    cause TEXT NOT NULL,
    -- Of one attempt, which tells its total again and again; empty for what the server itself made room for.
    run_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    count BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (table_id, cause, run_id, attempt)
);
CREATE INDEX bad_records_not_kept_by_age ON bad_records_not_kept (seen_at);
