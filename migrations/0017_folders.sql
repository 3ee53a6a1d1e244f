-- Where a job lies in the team's tree: `billing/daily`, empty for the root. Folders have no rows of their own: one is
-- there as long as a job lies in it or below.
ALTER TABLE jobs ADD COLUMN folder TEXT NOT NULL DEFAULT '';
ALTER TABLE job_list ADD COLUMN folder TEXT NOT NULL DEFAULT '';
