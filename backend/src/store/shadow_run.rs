//! Shadow runs: what was asked for, how it ended, and for some days what differs.

use std::collections::BTreeMap;

use millrace_wire::ids::{JobId, ShadowRunId, TeamId, TestRunId};
use millrace_wire::shadow_run::{ShadowSink, ShadowVerdict};
use millrace_wire::test_run::{SinkComparison, TestRunFrom, TestRunLimits, TestRunState};
use serde::{Deserialize, Serialize};

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct ShadowRunRow {
    pub id: ShadowRunId,
    pub team: TeamId,
    pub job: JobId,
    pub old_run: TestRunId,
    pub new_run: TestRunId,
    pub old_version: Option<u32>,
    pub new_version: Option<u32>,
    /// As it was written.
    pub new_sql: String,
    pub started_by: String,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub state: TestRunState,
    pub reason: String,
    pub request: Request,
    pub outcome: Outcome,
    pub kept_until: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    pub from: TestRunFrom,
    pub at_ms: Option<i64>,
    pub max_records: u32,
    pub limits: TestRunLimits,
    pub keys: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub verdict: Option<ShadowVerdict>,
    pub sinks: Vec<ShadowSink>,
    pub notes: Vec<String>,
    pub old: SideOutcome,
    pub new: SideOutcome,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SideOutcome {
    pub records_read: u64,
    pub reason: String,
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub at: i64,
    pub state: TestRunState,
    pub reason: String,
    pub outcome: Outcome,
    pub comparison: Vec<SinkComparison>,
}

/// All but the comparison, which is large.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, team_id, job_id, old_run, new_run, old_version, new_version, new_sql, started_by, started_at, ",
            "ended_at, state, reason, request, outcome, kept_until FROM shadow_runs ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<ShadowRunRow> {
    let version = |name: &str| -> Result<Option<u32>> {
        Ok(row.int_or_null(name)?.and_then(|number| u32::try_from(number).ok()))
    };
    Ok(ShadowRunRow {
        id: row.parsed("id")?,
        team: row.parsed("team_id")?,
        job: row.parsed("job_id")?,
        old_run: row.parsed("old_run")?,
        new_run: row.parsed("new_run")?,
        old_version: version("old_version")?,
        new_version: version("new_version")?,
        new_sql: row.text("new_sql")?,
        started_by: row.text("started_by")?,
        started_at: row.int("started_at")?,
        ended_at: row.int_or_null("ended_at")?,
        state: row.parsed("state")?,
        reason: row.text("reason")?,
        request: row.json("request")?,
        outcome: row.json("outcome")?,
        kept_until: row.int("kept_until")?,
    })
}

pub async fn insert(tx: &mut Tx, run: &ShadowRunRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO shadow_runs (id, team_id, job_id, old_run, new_run, old_version, new_version, new_sql, started_by, \
         started_at, state, reason, request, outcome, comparison, kept_until) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, '', $15)",
    )
    .bind(run.id.to_string())
    .bind(run.team.to_string())
    .bind(run.job.to_string())
    .bind(run.old_run.to_string())
    .bind(run.new_run.to_string())
    .bind(run.old_version.map(i64::from))
    .bind(run.new_version.map(i64::from))
    .bind(run.new_sql.clone())
    .bind(run.started_by.clone())
    .bind(run.started_at)
    .bind(run.state.as_str())
    .bind(run.reason.clone())
    .bind(serde_json::to_string(&run.request)?)
    .bind(serde_json::to_string(&run.outcome)?)
    .bind(run.kept_until)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those whose time is over, and of this team all but the newest `kept`.
pub async fn trim(tx: &mut Tx, team: TeamId, kept: u32, now: i64) -> Result<()> {
    sqlx::query("DELETE FROM shadow_runs WHERE kept_until < $1").bind(now).execute(&mut **tx).await?;
    sqlx::query(
        "DELETE FROM shadow_runs WHERE team_id = $1 AND ended_at IS NOT NULL AND id NOT IN \
         (SELECT id FROM (SELECT id FROM shadow_runs WHERE team_id = $1 ORDER BY id DESC LIMIT $2) AS newest)",
    )
    .bind(team.to_string())
    .bind(i64::from(kept))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn end(store: &Store, id: ShadowRunId, ended: &Ended) -> Result<()> {
    sqlx::query(
        "UPDATE shadow_runs SET ended_at = $1, state = $2, reason = $3, outcome = $4, comparison = $5 \
         WHERE id = $6 AND ended_at IS NULL",
    )
    .bind(ended.at)
    .bind(ended.state.as_str())
    .bind(ended.reason.clone())
    .bind(serde_json::to_string(&ended.outcome)?)
    .bind(serde_json::to_string(&ended.comparison)?)
    .bind(id.to_string())
    .execute(store.writer())
    .await?;
    Ok(())
}

/// Newest first.
pub async fn list(store: &Store, job: JobId) -> Result<Vec<ShadowRunRow>> {
    let query = select!("WHERE job_id = $1 ORDER BY id DESC LIMIT 1000");
    let rows = sqlx::query(query).bind(job.to_string()).fetch_all(store.reader()).await?;
    rows.iter().map(read).collect()
}

pub async fn get(store: &Store, job: JobId, id: ShadowRunId) -> Result<Option<ShadowRunRow>> {
    let row = sqlx::query(select!("WHERE job_id = $1 AND id = $2"))
        .bind(job.to_string())
        .bind(id.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Nothing while it runs.
pub async fn comparison(store: &Store, id: ShadowRunId) -> Result<Vec<SinkComparison>> {
    let row = sqlx::query("SELECT comparison FROM shadow_runs WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(store.reader())
        .await?;
    let text = row.map(|row| row.text("comparison")).transpose()?.filter(|text| !text.is_empty());
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

/// The newest one of this text that came to its end.
pub async fn newest_of(store: &Store, job: JobId, sql: &str) -> Result<Option<ShadowRunRow>> {
    let query = select!("WHERE job_id = $1 AND new_sql = $2 AND state = 'finished' ORDER BY id DESC LIMIT 1");
    let row = sqlx::query(query).bind(job.to_string()).bind(sql.to_owned()).fetch_optional(store.reader()).await?;
    row.as_ref().map(read).transpose()
}
