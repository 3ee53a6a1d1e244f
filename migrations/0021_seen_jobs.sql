-- Who may see a job, beside what lists sort and count by: what is counted under a filter need not be looked up job by job.
ALTER TABLE job_list ADD COLUMN restricted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_list ADD COLUMN owner_id TEXT NOT NULL DEFAULT '';

UPDATE job_list SET
    restricted = (SELECT j.restricted FROM jobs j WHERE j.id = job_list.job_id),
    owner_id = (SELECT j.owner_id FROM jobs j WHERE j.id = job_list.job_id);

DROP INDEX job_list_by_state;
CREATE INDEX job_list_by_state ON job_list (team_id, state, restricted, owner_id, job_id);
