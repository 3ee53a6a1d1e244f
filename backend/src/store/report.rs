//! What was known before a run was started.

use millrace_wire::ids::RunId;
use millrace_wire::report::DeploymentReport;

use super::row::Columns;
use super::{Store, Tx};
use crate::error::Result;

/// `report`: JSON of a [`DeploymentReport`].
pub async fn insert(tx: &mut Tx, run: RunId, report: &str) -> Result<()> {
    sqlx::query("INSERT INTO job_reports (run_id, report) VALUES ($1, $2)")
        .bind(run.to_string())
        .bind(report.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn get(store: &Store, run: RunId) -> Result<Option<DeploymentReport>> {
    let row = sqlx::query("SELECT report FROM job_reports WHERE run_id = $1")
        .bind(run.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(|row| row.json("report")).transpose()
}
