//! Test runs: what was asked for, how it ended, and for some days what came out.

use std::collections::BTreeMap;

use millrace_wire::ids::{JobId, TeamId, TestRunId, UserId};
use millrace_wire::preview::PreviewRow;
use millrace_wire::sql::Diagnostic;
use millrace_wire::test_run::{SuppliedRow, TestRunFrom, TestRunLimits, TestRunSink, TestRunSource, TestRunState};
use serde::{Deserialize, Serialize};

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct TestRunRow {
    pub id: TestRunId,
    pub team: TeamId,
    pub job: Option<JobId>,
    pub job_name: String,
    pub version: Option<u32>,
    pub user: UserId,
    pub started_by: String,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub state: TestRunState,
    pub reason: String,
    pub sql: String,
    pub request: Request,
    pub outcome: Outcome,
    pub kept_until: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    pub from: TestRunFrom,
    pub at_ms: Option<i64>,
    pub limits: TestRunLimits,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub sinks: Vec<TestRunSink>,
    pub sources: Vec<TestRunSource>,
    pub records_read: u64,
    pub diagnostic: Option<Diagnostic>,
}

/// What came out, and the first rows of what went in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Captured {
    /// By sink, in order.
    pub rows: Vec<Vec<PreviewRow>>,
    pub inputs: BTreeMap<String, Vec<SuppliedRow>>,
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub at: i64,
    pub state: TestRunState,
    pub reason: String,
    pub outcome: Outcome,
    pub captured: Captured,
}

/// All but the result, which is large.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, team_id, job_id, job_name, version_number, user_id, started_by, started_at, ended_at, state, ",
            "reason, sql_text, request, outcome, kept_until FROM test_runs ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<TestRunRow> {
    let job = row.text_or_null("job_id")?;
    Ok(TestRunRow {
        id: row.parsed("id")?,
        team: row.parsed("team_id")?,
        job: job.map(|id| id.parse()).transpose().map_err(crate::error::Error::internal)?,
        job_name: row.text("job_name")?,
        version: row.int_or_null("version_number")?.and_then(|number| u32::try_from(number).ok()),
        user: row.parsed("user_id")?,
        started_by: row.text("started_by")?,
        started_at: row.int("started_at")?,
        ended_at: row.int_or_null("ended_at")?,
        state: row.parsed("state")?,
        reason: row.text("reason")?,
        sql: row.text("sql_text")?,
        request: row.json("request")?,
        outcome: row.json("outcome")?,
        kept_until: row.int("kept_until")?,
    })
}

pub async fn insert(tx: &mut Tx, run: &TestRunRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO test_runs (id, team_id, job_id, job_name, version_number, user_id, started_by, started_at, state, \
         reason, sql_text, request, outcome, result, kept_until) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', $14)",
    )
    .bind(run.id.to_string())
    .bind(run.team.to_string())
    .bind(run.job.map(|job| job.to_string()))
    .bind(run.job_name.clone())
    .bind(run.version.map(i64::from))
    .bind(run.user.to_string())
    .bind(run.started_by.clone())
    .bind(run.started_at)
    .bind(run.state.as_str())
    .bind(run.reason.clone())
    .bind(run.sql.clone())
    .bind(serde_json::to_string(&run.request)?)
    .bind(serde_json::to_string(&run.outcome)?)
    .bind(run.kept_until)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those whose time is over, and of this team all but the newest `kept`.
pub async fn trim(tx: &mut Tx, team: TeamId, kept: u32, now: i64) -> Result<()> {
    sqlx::query("DELETE FROM test_runs WHERE kept_until < $1").bind(now).execute(&mut **tx).await?;
    sqlx::query(
        "DELETE FROM test_runs WHERE team_id = $1 AND ended_at IS NOT NULL AND id NOT IN \
         (SELECT id FROM (SELECT id FROM test_runs WHERE team_id = $1 ORDER BY id DESC LIMIT $2) AS newest)",
    )
    .bind(team.to_string())
    .bind(i64::from(kept))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn end(store: &Store, id: TestRunId, ended: &Ended) -> Result<()> {
    sqlx::query(
        "UPDATE test_runs SET ended_at = $1, state = $2, reason = $3, outcome = $4, result = $5 \
         WHERE id = $6 AND ended_at IS NULL",
    )
    .bind(ended.at)
    .bind(ended.state.as_str())
    .bind(ended.reason.clone())
    .bind(serde_json::to_string(&ended.outcome)?)
    .bind(serde_json::to_string(&ended.captured)?)
    .bind(id.to_string())
    .execute(store.writer())
    .await?;
    Ok(())
}

/// Newest first, those of all jobs or of one.
pub async fn list(store: &Store, team: TeamId, job: Option<JobId>) -> Result<Vec<TestRunRow>> {
    let query = select!("WHERE team_id = $1 AND ($2 = '' OR job_id = $2) ORDER BY id DESC LIMIT 1000");
    let rows = sqlx::query(query)
        .bind(team.to_string())
        .bind(job.map_or_else(String::new, |job| job.to_string()))
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

pub async fn get(store: &Store, team: TeamId, id: TestRunId) -> Result<Option<TestRunRow>> {
    let row = sqlx::query(select!("WHERE team_id = $1 AND id = $2"))
        .bind(team.to_string())
        .bind(id.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Nothing while it runs.
pub async fn captured(store: &Store, team: TeamId, id: TestRunId) -> Result<Captured> {
    let row = sqlx::query("SELECT result FROM test_runs WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .fetch_optional(store.reader())
        .await?;
    let text = row.map(|row| row.text("result")).transpose()?.filter(|text| !text.is_empty());
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}
