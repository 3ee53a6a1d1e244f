-- Servers that share this database. A server that does not renew its lease is taken for gone.
CREATE TABLE servers (
    -- Of one process: a server that is started again is another one.
    id TEXT PRIMARY KEY,
    -- The machine: ids of processes mean something there only.
    host TEXT NOT NULL,
    -- Its process there: one that has ended needs no lease to run out.
    pid BIGINT NOT NULL,
    process_start BIGINT NOT NULL,
    -- Where the other servers, and workers, reach it: http://host:port
    address TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    -- By the clock of the database, as is every look at it.
    lease_until BIGINT NOT NULL
);

-- The server that takes care of the run; empty when none does yet.
ALTER TABLE job_runs ADD COLUMN keeper TEXT NOT NULL DEFAULT '';
-- The machine on which the current attempt was launched.
ALTER TABLE job_runs ADD COLUMN host TEXT NOT NULL DEFAULT '';
-- What another server asks the keeper to do, and for whom.
ALTER TABLE job_runs ADD COLUMN asked TEXT NOT NULL DEFAULT '';
ALTER TABLE job_runs ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';
CREATE INDEX job_runs_by_keeper ON job_runs (keeper) WHERE ended_at IS NULL;
