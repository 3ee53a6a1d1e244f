//! Whose log lines are whose: what the search has to leave out, and the run that a line came from.

use std::collections::BTreeSet;

use millrace_wire::ids::{JobId, RunId, TeamId};

use super::row::Columns;
use super::sight::{visible, with_sight};
use super::{Store, Tx};
use crate::access::sight::Sight;
use crate::error::Result;

/// Jobs of the team whose lines these eyes do not see: hidden ones, and those that are gone for good.
pub async fn left_out(store: &Store, sight: &Sight) -> Result<BTreeSet<JobId>> {
    let sql = concat!(
        "SELECT j.id FROM jobs j WHERE j.team_id = $1 AND NOT ",
        visible!("j", "job_id"),
        " UNION ALL SELECT p.job_id AS id FROM purged_jobs p WHERE p.team_id = $1"
    );
    let rows = with_sight(sqlx::query(sql), sight).fetch_all(store.reader()).await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// Remembers that the job, which is still there, goes for good.
pub async fn purged(tx: &mut Tx, job: JobId, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO purged_jobs (job_id, team_id, purged_at) SELECT j.id, j.team_id, $2 FROM jobs j WHERE j.id = $1 \
         ON CONFLICT DO NOTHING",
    )
    .bind(job.to_string())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Their lines are gone by now.
pub async fn forget_purged(store: &Store, before: i64) -> Result<()> {
    sqlx::query("DELETE FROM purged_jobs WHERE purged_at < $1").bind(before).execute(store.writer()).await?;
    Ok(())
}

/// What every line of a run says about where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub team: TeamId,
    pub organisation: String,
    pub job: JobId,
    pub version: u32,
}

/// `None` where the run is gone.
pub async fn origin_of(store: &Store, run: RunId) -> Result<Option<Origin>> {
    let row = sqlx::query(
        "SELECT j.team_id, j.id, r.version_number, o.slug FROM job_runs r JOIN jobs j ON j.id = r.job_id \
         JOIN teams t ON t.id = j.team_id JOIN organisations o ON o.id = t.organisation_id WHERE r.id = $1",
    )
    .bind(run.to_string())
    .fetch_optional(store.reader())
    .await?;
    let origin = row.map(|row| -> Result<Origin> {
        Ok(Origin {
            team: row.parsed("team_id")?,
            organisation: row.text("slug")?,
            job: row.parsed("id")?,
            version: u32::try_from(row.int("version_number")?).unwrap_or(0),
        })
    });
    origin.transpose()
}

/// Runs that are not over, whichever server keeps them.
pub async fn live_runs(store: &Store) -> Result<Vec<RunId>> {
    let rows = sqlx::query("SELECT id FROM job_runs WHERE ended_at IS NULL").fetch_all(store.reader()).await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}
