//! Which teams ask for an approval of starts; requests for one, decisions, and the runs that came of them.

use std::collections::HashMap;

use millrace_wire::approval::{ApprovalMode, ApprovalSetting, ApprovalState, GivenApproval, StartApproval};
use millrace_wire::ids::{ApprovalId, JobId, RunId, TeamId, UserId, VersionId};
use millrace_wire::job::Start;
use millrace_wire::report::DeploymentReport;

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::{Error, Result};

pub async fn setting(store: &Store, team: TeamId) -> Result<ApprovalSetting> {
    let row = sqlx::query("SELECT * FROM approval_modes WHERE team_id = $1")
        .bind(team.to_string())
        .fetch_optional(store.reader())
        .await?;
    let Some(row) = row else {
        return Ok(ApprovalSetting { mode: ApprovalMode::Off, changed_by: String::new(), changed_at: None });
    };
    let (changed_by, changed_at) = (row.text("changed_by")?, Some(row.int("changed_at")?));
    Ok(ApprovalSetting { mode: row.parsed("mode")?, changed_by, changed_at })
}

pub async fn set_mode(tx: &mut Tx, team: TeamId, mode: ApprovalMode, by: &str, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO approval_modes (team_id, mode, changed_by, changed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (team_id) DO UPDATE SET mode = $2, changed_by = $3, changed_at = $4",
    )
    .bind(team.to_string())
    .bind(mode.as_str())
    .bind(by.to_owned())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A request as it is stored.
#[derive(Clone, Debug)]
pub struct NewApproval {
    pub id: ApprovalId,
    pub team: TeamId,
    pub job: JobId,
    pub version: VersionId,
    /// With the number of the version.
    pub start: Start,
    pub restored_from: String,
    pub digest: String,
    /// JSON; empty where none could be made.
    pub report: String,
    pub reason: String,
    pub asked_by: UserId,
    pub token_team: Option<TeamId>,
    pub asked_at: i64,
    pub start_when_approved: bool,
}

pub async fn insert(tx: &mut Tx, asked: &NewApproval) -> Result<()> {
    sqlx::query(
        "INSERT INTO start_approvals (id, team_id, job_id, version_id, version_number, start_from, savepoint_id, \
         at_ms, restored_from, digest, report, reason, asked_by, token_team, asked_at, start_when_approved, state) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'open')",
    )
    .bind(asked.id.to_string())
    .bind(asked.team.to_string())
    .bind(asked.job.to_string())
    .bind(asked.version.to_string())
    .bind(i64::from(asked.start.version.unwrap_or(0)))
    .bind(asked.start.from.as_str())
    .bind(asked.start.savepoint.map(|savepoint| savepoint.to_string()))
    .bind(asked.start.at_ms)
    .bind(asked.restored_from.clone())
    .bind(asked.digest.clone())
    .bind(asked.report.clone())
    .bind(asked.reason.clone())
    .bind(asked.asked_by.to_string())
    .bind(asked.token_team.map(|team| team.to_string()))
    .bind(asked.asked_at)
    .bind(i64::from(asked.start_when_approved))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What the rules need beyond what is shown.
#[derive(Clone, Debug)]
pub struct ApprovalRow {
    /// `own` is not filled in.
    pub shown: StartApproval,
    pub team: TeamId,
    pub asked_by: UserId,
    pub token_team: Option<TeamId>,
}

impl ApprovalRow {
    /// As this person sees it.
    pub fn shown_to(self, user: UserId) -> StartApproval {
        StartApproval { own: self.asked_by == user, ..self.shown }
    }

    /// What was asked for.
    pub fn start(&self) -> Start {
        let StartApproval { version, from, savepoint, at_ms, .. } = self.shown;
        Start { version: Some(version), from, savepoint, at_ms }
    }

    pub fn given(&self) -> GivenApproval {
        GivenApproval {
            by: self.shown.decided_by.clone(),
            at: self.shown.decided_at.unwrap_or(self.shown.asked_at),
            asker: self.shown.asker.clone(),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.team_id, a.job_id, a.version_number, a.start_from, a.savepoint_id, a.at_ms, \
             a.restored_from, a.digest, a.reason, a.asked_by, a.token_team, a.asked_at, a.start_when_approved, \
             a.state, a.decided_by, a.decided_at, a.answer, a.not_started, t.slug AS team_slug, \
             COALESCE(NULLIF(j.bin_name, ''), j.name) AS job_name, u.name AS asker, u.email AS asker_email \
             FROM start_approvals a JOIN teams t ON t.id = a.team_id JOIN jobs j ON j.id = a.job_id \
             JOIN users u ON u.id = a.asked_by ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<ApprovalRow> {
    let id = |column: &str| -> Result<Option<uuid::Uuid>> {
        row.text_or_null(column)?.map(|id| id.parse().map_err(Error::internal)).transpose()
    };
    Ok(ApprovalRow {
        shown: StartApproval {
            id: row.parsed("id")?,
            team_slug: row.text("team_slug")?,
            job: row.parsed("job_id")?,
            job_name: row.text("job_name")?,
            version: u32::try_from(row.int("version_number")?).unwrap_or(0),
            from: row.parsed("start_from")?,
            savepoint: id("savepoint_id")?.map(millrace_wire::ids::SavepointId),
            at_ms: row.int_or_null("at_ms")?,
            restored_from: row.text("restored_from")?,
            digest: row.text("digest")?,
            start_when_approved: row.flag("start_when_approved")?,
            reason: row.text("reason")?,
            asker: row.text("asker")?,
            asker_email: row.text("asker_email")?,
            asked_at: row.int("asked_at")?,
            state: row.parsed("state")?,
            decided_by: row.text("decided_by")?,
            decided_at: row.int_or_null("decided_at")?,
            answer: row.text("answer")?,
            not_started: row.text("not_started")?,
            own: false,
        },
        team: row.parsed("team_id")?,
        asked_by: row.parsed("asked_by")?,
        token_team: id("token_team")?.map(TeamId),
    })
}

/// Of the job, the newest first.
pub async fn list(store: &Store, job: JobId) -> Result<Vec<ApprovalRow>> {
    let rows = sqlx::query(select!("WHERE a.job_id = $1 ORDER BY a.id DESC LIMIT 200"))
        .bind(job.to_string())
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

pub async fn get(store: &Store, job: JobId, approval: ApprovalId) -> Result<Option<ApprovalRow>> {
    let row = sqlx::query(select!("WHERE a.job_id = $1 AND a.id = $2"))
        .bind(job.to_string())
        .bind(approval.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn get_in(tx: &mut Tx, job: JobId, approval: ApprovalId) -> Result<Option<ApprovalRow>> {
    let row = sqlx::query(select!("WHERE a.job_id = $1 AND a.id = $2"))
        .bind(job.to_string())
        .bind(approval.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(read).transpose()
}

/// What is not decided of the job, in the same transaction that may ask for more.
pub async fn open_in(tx: &mut Tx, job: JobId) -> Result<Option<ApprovalRow>> {
    let row = sqlx::query(select!("WHERE a.job_id = $1 AND a.state = 'open' ORDER BY a.id"))
        .bind(job.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(read).transpose()
}

/// All that were given for this version, the newest first.
pub async fn given_for(store: &Store, job: JobId, version: u32) -> Result<Vec<ApprovalRow>> {
    let rows = sqlx::query(select!(
        "WHERE a.job_id = $1 AND a.version_number = $2 AND a.state = 'approved' ORDER BY a.id DESC"
    ))
    .bind(job.to_string())
    .bind(i64::from(version))
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// The deployment report as it was when the approval was asked for.
pub async fn report(store: &Store, job: JobId, approval: ApprovalId) -> Result<Option<DeploymentReport>> {
    let row = sqlx::query("SELECT report FROM start_approvals WHERE job_id = $1 AND id = $2 AND report <> ''")
        .bind(job.to_string())
        .bind(approval.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(|row| row.json("report")).transpose()
}

/// Who decided, and what.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub state: ApprovalState,
    pub by: UserId,
    pub name: String,
    pub at: i64,
    pub answer: String,
}

/// An approved one whose asker wished so is to be started. False when it is not open any more.
pub async fn decide(tx: &mut Tx, approval: ApprovalId, verdict: &Verdict) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE start_approvals SET state = $1, decided_by_id = $2, decided_by = $3, decided_at = $4, answer = $5, \
         start_due = CASE WHEN $1 = 'approved' THEN start_when_approved ELSE 0 END WHERE id = $6 AND state = 'open'",
    )
    .bind(verdict.state.as_str())
    .bind(verdict.by.to_string())
    .bind(verdict.name.clone())
    .bind(verdict.at)
    .bind(verdict.answer.clone())
    .bind(approval.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Open requests of the job become stale; they are returned. What was approved and is not started yet is not started,
/// since `why`.
pub async fn make_stale(tx: &mut Tx, job: JobId, why: &str, now: i64) -> Result<Vec<ApprovalRow>> {
    let rows = sqlx::query(select!("WHERE a.job_id = $1 AND a.state = 'open' ORDER BY a.id"))
        .bind(job.to_string())
        .fetch_all(&mut **tx)
        .await?;
    let stale = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    sqlx::query("UPDATE start_approvals SET state = 'stale', decided_at = $1 WHERE job_id = $2 AND state = 'open'")
        .bind(now)
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE start_approvals SET start_due = 0, not_started = $1 WHERE job_id = $2 AND start_due = 1")
        .bind(why.to_owned())
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(stale)
}

/// Of all teams: approved, and to be started.
pub async fn to_start(store: &Store) -> Result<Vec<ApprovalRow>> {
    let rows = sqlx::query(select!("WHERE a.start_due = 1 AND j.deleted_at IS NULL ORDER BY a.id"))
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

/// The start was made, or `why` it was not. False when that was settled before, perhaps by another server.
pub async fn settle(tx: &mut Tx, approval: ApprovalId, why: &str) -> Result<bool> {
    let done =
        sqlx::query("UPDATE start_approvals SET start_due = 0, not_started = $1 WHERE id = $2 AND start_due = 1")
            .bind(why.to_owned())
            .bind(approval.to_string())
            .execute(&mut **tx)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// By which approval the run was started. What could not be started before is started now.
pub async fn note_run(tx: &mut Tx, run: RunId, approval: ApprovalId) -> Result<()> {
    sqlx::query("UPDATE start_approvals SET start_due = 0, not_started = '' WHERE id = $1")
        .bind(approval.to_string())
        .execute(&mut **tx)
        .await?;
    sqlx::query("INSERT INTO run_approvals (run_id, approval_id) VALUES ($1, $2)")
        .bind(run.to_string())
        .bind(approval.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Who approved which run of the job.
pub async fn of_runs(store: &Store, job: JobId) -> Result<HashMap<RunId, GivenApproval>> {
    let rows = sqlx::query(
        "SELECT r.run_id, a.decided_by, COALESCE(a.decided_at, a.asked_at) AS at, u.name AS asker \
         FROM run_approvals r JOIN start_approvals a ON a.id = r.approval_id JOIN users u ON u.id = a.asked_by \
         WHERE a.job_id = $1",
    )
    .bind(job.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter()
        .map(|row| {
            let given = GivenApproval { by: row.text("decided_by")?, at: row.int("at")?, asker: row.text("asker")? };
            Ok((row.parsed("run_id")?, given))
        })
        .collect()
}

/// Open requests that the person may approve: of jobs that they may operate, in teams where they are at least operator.
/// `token`: an API token's team, which alone counts.
pub async fn to_decide(store: &Store, user: UserId, token: Option<TeamId>) -> Result<Vec<ApprovalRow>> {
    let rows = sqlx::query(select!(
        "JOIN members m ON m.team_id = a.team_id AND m.user_id = $1 AND ($2 = '' OR m.team_id = $2) \
         WHERE a.state = 'open' AND a.asked_by <> $1 AND j.deleted_at IS NULL AND m.role IN ('operator', 'owner') \
         AND (j.restricted = 0 OR j.owner_id = $1 OR m.role = 'owner' OR EXISTS (SELECT 1 FROM grants g \
         WHERE g.job_id = j.id AND g.level IN ('write', 'manage') AND (g.user_id = $1 OR g.team_id IN \
         (SELECT own.team_id FROM members own WHERE own.user_id = $1 AND ($2 = '' OR own.team_id = $2))))) \
         ORDER BY a.id"
    ))
    .bind(user.to_string())
    .bind(token.map(|team| team.to_string()).unwrap_or_default())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// The newest first.
pub async fn asked_by(store: &Store, user: UserId) -> Result<Vec<ApprovalRow>> {
    let rows = sqlx::query(select!("WHERE a.asked_by = $1 ORDER BY a.id DESC LIMIT 100"))
        .bind(user.to_string())
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

/// Who is to be told of a request: those who may decide it.
pub async fn deciders(tx: &mut Tx, job: JobId, asker: UserId) -> Result<Vec<UserId>> {
    let rows = sqlx::query(
        "SELECT m.user_id FROM jobs j JOIN members m ON m.team_id = j.team_id \
         JOIN users u ON u.id = m.user_id AND u.disabled = 0 WHERE j.id = $1 AND m.user_id <> $2 AND m.role IN ('operator', 'owner') AND (j.restricted = 0 \
         OR j.owner_id = m.user_id OR m.role = 'owner' OR EXISTS (SELECT 1 FROM grants g WHERE g.job_id = j.id \
         AND g.level IN ('write', 'manage') AND (g.user_id = m.user_id OR g.team_id IN \
         (SELECT own.team_id FROM members own WHERE own.user_id = m.user_id))))",
    )
    .bind(job.to_string())
    .bind(asker.to_string())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|row| row.parsed("user_id")).collect()
}
