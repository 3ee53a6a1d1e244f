//! Variables of teams, and what runs started with. Secrets are stored sealed; this file cannot open them.

use std::collections::BTreeMap;

use millrace_wire::connection::JobRef;
use millrace_wire::ids::{JobId, RunId, TeamId, VariableId};
use serde::{Deserialize, Serialize};

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct VariableRow {
    pub id: VariableId,
    pub team: TeamId,
    pub name: String,
    pub secret: bool,
    /// Of a secret the sealed value.
    pub value: String,
    pub description: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub updated_by: String,
}

/// What one name stood for when a run started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StartedWith {
    Value {
        value: String,
    },
    /// The default that the script gives.
    Default {
        value: String,
    },
    Secret {
        /// Keyed: it tells whether the secret is another one, and nothing else.
        digest: String,
    },
}

/// A job that may name a variable, with the texts in which it may.
pub struct JobTexts {
    pub job: JobRef,
    pub draft: String,
    pub newest: Option<String>,
}

fn read(row: &Row) -> Result<VariableRow> {
    Ok(VariableRow {
        id: row.parsed("id")?,
        team: row.parsed("team_id")?,
        name: row.text("name")?,
        secret: row.flag("secret")?,
        value: row.text("value")?,
        description: row.text("description")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
        updated_by: row.text("updated_by")?,
    })
}

/// By name.
pub async fn list(store: &Store, team: TeamId) -> Result<Vec<VariableRow>> {
    let rows = sqlx::query("SELECT * FROM variables WHERE team_id = $1 ORDER BY name")
        .bind(team.to_string())
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

pub async fn get(store: &Store, team: TeamId, id: VariableId) -> Result<Option<VariableRow>> {
    let row = sqlx::query("SELECT * FROM variables WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn count(tx: &mut Tx, team: TeamId) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) AS variables FROM variables WHERE team_id = $1")
        .bind(team.to_string())
        .fetch_one(&mut **tx)
        .await?;
    row.count("variables")
}

pub async fn insert(tx: &mut Tx, variable: &VariableRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO variables (id, team_id, name, secret, value, description, created_at, updated_at, updated_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(variable.id.to_string())
    .bind(variable.team.to_string())
    .bind(variable.name.clone())
    .bind(i64::from(variable.secret))
    .bind(variable.value.clone())
    .bind(variable.description.clone())
    .bind(variable.created_at)
    .bind(variable.updated_at)
    .bind(variable.updated_by.clone())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// False when it is gone.
pub async fn update(tx: &mut Tx, variable: &VariableRow) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE variables SET name = $3, secret = $4, value = $5, description = $6, updated_at = $7, updated_by = $8 \
         WHERE team_id = $1 AND id = $2",
    )
    .bind(variable.team.to_string())
    .bind(variable.id.to_string())
    .bind(variable.name.clone())
    .bind(i64::from(variable.secret))
    .bind(variable.value.clone())
    .bind(variable.description.clone())
    .bind(variable.updated_at)
    .bind(variable.updated_by.clone())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete(tx: &mut Tx, team: TeamId, id: VariableId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM variables WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Jobs of the team that hold the text `${name` somewhere, by name. Whether it is a parameter there, the text tells.
pub async fn texts_with(store: &Store, team: TeamId, name: &str) -> Result<Vec<JobTexts>> {
    let pattern = format!("%${{{}%", name.replace('_', "\\_"));
    let rows = sqlx::query(
        "SELECT j.id, j.name, j.draft_sql, v.sql_text FROM jobs j \
         LEFT JOIN job_versions v ON v.job_id = j.id \
         AND v.number = (SELECT MAX(n.number) FROM job_versions n WHERE n.job_id = j.id) \
         WHERE j.team_id = $1 AND j.deleted_at IS NULL \
         AND (j.draft_sql LIKE $2 ESCAPE '\\' OR v.sql_text LIKE $2 ESCAPE '\\') ORDER BY j.name",
    )
    .bind(team.to_string())
    .bind(pattern)
    .fetch_all(store.reader())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(JobTexts {
                job: JobRef { id: row.parsed::<JobId>("id")?, name: row.text("name")? },
                draft: row.text("draft_sql")?,
                newest: row.text_or_null("sql_text")?,
            })
        })
        .collect()
}

/// Written once, with the run.
pub async fn keep_for_run(tx: &mut Tx, run: RunId, started_with: &BTreeMap<String, StartedWith>) -> Result<()> {
    sqlx::query("INSERT INTO run_variables (run_id, content) VALUES ($1, $2)")
        .bind(run.to_string())
        .bind(serde_json::to_string(started_with)?)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// `None` for a run whose script has no parameters.
pub async fn of_run(store: &Store, run: RunId) -> Result<Option<BTreeMap<String, StartedWith>>> {
    let row = sqlx::query("SELECT content FROM run_variables WHERE run_id = $1")
        .bind(run.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.map(|row| row.json("content")).transpose()
}
