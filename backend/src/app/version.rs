//! Versions: drafts frozen together with the tables and functions they name.

use std::collections::BTreeMap;

use millrace_wire::error::{ErrorDomain, FieldError, Retry};
use millrace_wire::graph::{DeliveryGuarantee, Graph, Guarantee};
use millrace_wire::ids::{JobId, TeamId, VersionId};
use millrace_wire::job::{Version, VersionSummary};
use millrace_wire::live::LiveEvent;
use millrace_wire::sql::{Diagnostic, Severity, Validate, Validation};

use super::{catalog, function, job, sql};
use crate::clock::{new_id, now_ms};
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store;
use crate::transact;

/// Newest first.
pub async fn list(app: &App, team: TeamId, id: JobId) -> Result<Vec<VersionSummary>> {
    job::row(app, team, id).await?;
    store::version::list(&app.store, id).await
}

pub async fn get(app: &App, team: TeamId, id: JobId, number: u32) -> Result<Version> {
    job::row(app, team, id).await?;
    let version = store::version::get(&app.store, id, number).await?;
    let mut version = version.ok_or_else(|| Error::not_found("version"))?;
    function::say_what_is_newer(app, team, &mut version.functions).await?;
    Ok(version)
}

/// Freezes the draft. A draft that is what the newest version holds gives that version again.
pub async fn create(app: &App, team: TeamId, by: &str, id: JobId, comment: &str) -> Result<Version> {
    super::check::description("comment", comment)?;
    let row = job::row(app, team, id).await?;
    if let Some(newest) = store::version::newest(&app.store, id).await?
        && newest.sql == row.draft.sql
        && newest.settings == row.draft.settings
        && newest.tables == tables_now(app, team, &newest).await?
        && newest.functions == function::pinned_now(app, team, newest.functions.keys()).await?
    {
        return Ok(newest);
    }
    let request = Validate { sql: row.draft.sql.clone(), parallelism: Some(row.draft.settings.parallelism) };
    let validation = sql::validate(app, team, request).await?;
    let (graph, guarantee) = runnable(&validation)?;
    let mut version = Version {
        summary: VersionSummary {
            id: VersionId(new_id()),
            number: 0,
            created_by: by.to_owned(),
            created_at: now_ms(),
            comment: comment.to_owned(),
        },
        sql: row.draft.sql,
        settings: row.draft.settings,
        graph,
        guarantee,
        reads: validation.reads,
        writes: validation.writes,
        tables: BTreeMap::new(),
        functions: function::pinned_now(app, team, validation.functions.iter()).await?,
    };
    version.tables = tables_now(app, team, &version).await?;
    let number = transact!(app.store, tx => {
        let number = store::version::next_number(tx, id).await?;
        let mut numbered = version.clone();
        numbered.summary.number = number;
        store::version::insert(tx, team, id, &numbered).await?;
        Ok(number)
    })?;
    version.summary.number = number;
    app.live.publish(team, &LiveEvent::JobsChanged { job: id });
    Ok(version)
}

/// DDL as it is now of all tables that the version names.
async fn tables_now(app: &App, team: TeamId, version: &Version) -> Result<BTreeMap<String, String>> {
    let catalog = catalog::for_planning(app, team).await?;
    let used = version.reads.iter().chain(&version.writes);
    Ok(used.filter_map(|name| Some((name.clone(), catalog.tables.get(name)?.ddl.clone()))).collect())
}

/// A script that can run as a job: without errors, and it writes something.
fn runnable(validation: &Validation) -> Result<(Graph, Guarantee)> {
    let errors: Vec<&Diagnostic> =
        validation.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).collect();
    if let Some(first) = errors.first() {
        let details =
            errors.iter().map(|error| FieldError { field: "sql".to_owned(), message: placed(error) }).collect();
        return Err(invalid_sql(placed(first)).details(details));
    }
    let inserts = validation.statements.iter().any(|statement| statement.kind == "insert");
    match (&validation.graph, inserts) {
        (Some(graph), true) => {
            let unknown = Guarantee { level: DeliveryGuarantee::BestEffort, reason: "It is not known.".to_owned() };
            Ok((graph.clone(), validation.guarantee.clone().unwrap_or(unknown)))
        }
        _ => Err(invalid_sql("A job needs at least one INSERT INTO a table.".to_owned())),
    }
}

fn invalid_sql(message: String) -> Error {
    Error::new(Code::InvalidSql, ErrorDomain::User, Retry::AfterChange, message).at("sql")
}

fn placed(diagnostic: &Diagnostic) -> String {
    match &diagnostic.span {
        Some(span) => format!("Line {}, column {}: {}", span.line, span.column, diagnostic.message),
        None => diagnostic.message.clone(),
    }
}
