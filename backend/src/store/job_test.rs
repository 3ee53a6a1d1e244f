//! SQL tests of jobs, their newest results by version, and which jobs need them to pass.

use std::collections::BTreeMap;

use millrace_wire::ids::{JobId, JobTestId, TeamId};
use millrace_wire::job_test::{JobTest, LastResult, TestDraft, TestGate, TestResult};

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

/// What stands for the draft among the version numbers.
const DRAFT: i64 = 0;

fn read(row: &Row) -> Result<JobTest> {
    Ok(JobTest {
        id: row.parsed("id")?,
        job: row.parsed("job_id")?,
        draft: row.json("definition")?,
        updated_by: row.text("updated_by")?,
        updated_at: row.int("updated_at")?,
        last: None,
    })
}

fn read_result(row: &Row) -> Result<LastResult> {
    let version = row.int("version_number")?;
    Ok(LastResult {
        passed: row.flag("passed")?,
        at: row.int("at")?,
        version: u32::try_from(version).ok().filter(|_| version != DRAFT),
        ms: row.count("ms")?,
    })
}

/// Of the version, or of the draft as it is now: a result from before the draft was changed tells nothing of it.
pub async fn results_for(store: &Store, job: JobId, version: Option<u32>) -> Result<BTreeMap<JobTestId, LastResult>> {
    let rows = sqlx::query(
        "SELECT r.test_id, r.version_number, r.passed, r.at, r.ms FROM job_test_results r \
         JOIN job_tests t ON t.id = r.test_id JOIN jobs j ON j.id = t.job_id \
         WHERE t.job_id = $1 AND r.version_number = $2 AND (r.version_number <> 0 OR r.at >= j.draft_updated_at)",
    )
    .bind(job.to_string())
    .bind(version.map_or(DRAFT, i64::from))
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(|row| Ok((row.parsed("test_id")?, read_result(row)?))).collect()
}

/// By name, each with its newest result.
pub async fn list(store: &Store, job: JobId) -> Result<Vec<JobTest>> {
    let rows = sqlx::query("SELECT * FROM job_tests WHERE job_id = $1 ORDER BY name")
        .bind(job.to_string())
        .fetch_all(store.reader())
        .await?;
    let mut tests = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let results = sqlx::query(
        "SELECT r.test_id, r.version_number, r.passed, r.at, r.ms FROM job_test_results r \
         JOIN job_tests t ON t.id = r.test_id WHERE t.job_id = $1 ORDER BY r.at",
    )
    .bind(job.to_string())
    .fetch_all(store.reader())
    .await?;
    let mut newest: BTreeMap<String, LastResult> = BTreeMap::new();
    for row in &results {
        newest.insert(row.text("test_id")?, read_result(row)?);
    }
    for test in &mut tests {
        test.last = newest.remove(&test.id.to_string());
    }
    Ok(tests)
}

pub async fn count(tx: &mut Tx, job: JobId) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) AS tests FROM job_tests WHERE job_id = $1")
        .bind(job.to_string())
        .fetch_one(&mut **tx)
        .await?;
    row.count("tests")
}

pub async fn insert(tx: &mut Tx, team: TeamId, test: &JobTest) -> Result<()> {
    sqlx::query(
        "INSERT INTO job_tests (id, team_id, job_id, name, definition, updated_by, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(test.id.to_string())
    .bind(team.to_string())
    .bind(test.job.to_string())
    .bind(test.draft.name.clone())
    .bind(serde_json::to_string(&test.draft)?)
    .bind(test.updated_by.clone())
    .bind(test.updated_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// False when the job has no such test. What was found out about it before counts no longer.
pub async fn change(tx: &mut Tx, job: JobId, id: JobTestId, draft: &TestDraft, by: &str, now: i64) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_tests SET name = $1, definition = $2, updated_by = $3, updated_at = $4 \
         WHERE id = $5 AND job_id = $6",
    )
    .bind(draft.name.clone())
    .bind(serde_json::to_string(draft)?)
    .bind(by.to_owned())
    .bind(now)
    .bind(id.to_string())
    .bind(job.to_string())
    .execute(&mut **tx)
    .await?;
    sqlx::query("DELETE FROM job_test_results WHERE test_id = $1").bind(id.to_string()).execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(tx: &mut Tx, job: JobId, id: JobTestId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM job_tests WHERE id = $1 AND job_id = $2")
        .bind(id.to_string())
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The newest result of this test for this version, or for the draft.
pub async fn keep_result(
    tx: &mut Tx,
    test: JobTestId,
    version: Option<u32>,
    result: &TestResult,
    now: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO job_test_results (test_id, version_number, passed, at, ms, result) \
         SELECT id, $2, $3, $4, $5, $6 FROM job_tests WHERE id = $1 \
         ON CONFLICT (test_id, version_number) DO UPDATE SET passed = $3, at = $4, ms = $5, result = $6",
    )
    .bind(test.to_string())
    .bind(version.map_or(DRAFT, i64::from))
    .bind(i64::from(result.passed))
    .bind(now)
    .bind(i64::try_from(result.ms).unwrap_or(i64::MAX))
    .bind(serde_json::to_string(result)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn gate(store: &Store, team: TeamId, job: JobId) -> Result<TestGate> {
    let rows = sqlx::query("SELECT job_id FROM job_test_gates WHERE team_id = $1 AND (job_id = '' OR job_id = $2)")
        .bind(team.to_string())
        .bind(job.to_string())
        .fetch_all(store.reader())
        .await?;
    let mut gate = TestGate { job: false, team: false };
    for row in &rows {
        if row.text("job_id")?.is_empty() { gate.team = true } else { gate.job = true }
    }
    Ok(gate)
}

/// `job`: of the whole team when absent.
pub async fn set_gate(
    tx: &mut Tx,
    team: TeamId,
    job: Option<JobId>,
    must_pass: bool,
    by: &str,
    now: i64,
) -> Result<()> {
    let job = job.map_or_else(String::new, |job| job.to_string());
    if !must_pass {
        sqlx::query("DELETE FROM job_test_gates WHERE team_id = $1 AND job_id = $2")
            .bind(team.to_string())
            .bind(job)
            .execute(&mut **tx)
            .await?;
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO job_test_gates (team_id, job_id, set_by, set_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (team_id, job_id) DO NOTHING",
    )
    .bind(team.to_string())
    .bind(job)
    .bind(by.to_owned())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
