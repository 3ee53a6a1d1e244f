//! Versions: drafts frozen together with the tables and functions they name.

use std::collections::BTreeMap;

use millrace_wire::error::{ErrorDomain, FieldError, Retry};
use millrace_wire::graph::{DeliveryGuarantee, Graph, Guarantee};
use millrace_wire::ids::{JobId, TeamId, VersionId};
use millrace_wire::job::{JobKind, JobSettings, Version, VersionSummary};
use millrace_wire::live::LiveEvent;
use millrace_wire::sql::{Diagnostic, Severity, Validate, Validation};

use super::notice::Letterhead;
use super::{approval, catalog, function, job, script, sql};
use crate::access::sight::Sight;
use crate::clock::{new_id, now_ms};
use crate::error::{Code, Error, Result};
use crate::parameter;
use crate::state::App;
use crate::store::job::DraftRow;
use crate::store::{self, Tx};
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
pub async fn create(app: &App, sight: &Sight, by: &str, id: JobId, comment: &str) -> Result<Version> {
    let team = sight.team;
    super::check::description("comment", comment)?;
    let row = job::row(app, team, id).await?;
    if let Some(newest) = of_draft(app, sight, id).await? {
        return Ok(newest);
    }
    let mut version = prepare(app, sight, id, row.kind, row.draft.sql, row.draft.settings).await?;
    by.clone_into(&mut version.summary.created_by);
    comment.clone_into(&mut version.summary.comment);
    let letterhead = Letterhead::of(app);
    let number = transact!(app.store, tx => { insert(tx, &letterhead, sight, id, &version).await })?;
    version.summary.number = number;
    app.live.publish(team, &LiveEvent::JobsChanged { job: id });
    Ok(version)
}

/// The newest version, where it is what the draft would become now.
pub(super) async fn of_draft(app: &App, sight: &Sight, id: JobId) -> Result<Option<Version>> {
    let draft = job::row(app, sight.team, id).await?.draft;
    let Some(newest) = store::version::newest(&app.store, id).await? else { return Ok(None) };
    Ok(holds(app, sight, id, &newest, &draft.sql, &draft.settings).await?.then_some(newest))
}

/// Makes an older version the draft and freezes it as a new one. What the draft held before is gone.
pub async fn roll_back(app: &App, sight: &Sight, by: &str, id: JobId, to: u32) -> Result<Version> {
    let team = sight.team;
    let row = job::row(app, team, id).await?;
    let old = store::version::get(&app.store, id, to).await?.ok_or_else(|| Error::not_found("version"))?;
    if let Some(newest) = store::version::newest(&app.store, id).await?
        && holds(app, sight, id, &newest, &old.sql, &old.settings).await?
    {
        let message = format!("Version {} already holds what version {to} does.", newest.summary.number);
        return Err(Error::conflict(Code::WrongState, message).hint("Start it, or choose another version."));
    }
    let mut version = prepare(app, sight, id, row.kind, old.sql.clone(), old.settings.clone()).await?;
    by.clone_into(&mut version.summary.created_by);
    version.summary.comment = format!("Rolled back to v{to}");
    let draft = DraftRow {
        sql: old.sql,
        settings: old.settings,
        revision: row.draft.revision.saturating_add(1),
        updated_by: by.to_owned(),
        updated_at: now_ms(),
    };
    let letterhead = Letterhead::of(app);
    let number = transact!(app.store, tx => {
        if !store::job::save_draft(tx, id, row.draft.revision, &draft).await? {
            let message = "Somebody has saved the draft meanwhile.";
            return Err(Error::conflict(Code::DraftChanged, message).hint("Look at it, then roll back again."));
        }
        insert(tx, &letterhead, sight, id, &version).await
    })?;
    version.summary.number = number;
    app.live.publish(team, &LiveEvent::JobsChanged { job: id });
    Ok(version)
}

/// What was asked for of the version before is out of date with it.
async fn insert(tx: &mut Tx, letterhead: &Letterhead, sight: &Sight, id: JobId, version: &Version) -> Result<u32> {
    let mut numbered = version.clone();
    numbered.summary.number = store::version::next_number(tx, id).await?;
    store::version::insert(tx, sight.team, id, &numbered).await?;
    let why = format!("Version {} was made.", numbered.summary.number);
    approval::supersede(tx, letterhead, id, &why, sight.user(), numbered.summary.created_at).await?;
    Ok(numbered.summary.number)
}

/// Whether the version is what these would become now, tables and functions included.
async fn holds(
    app: &App,
    sight: &Sight,
    id: JobId,
    version: &Version,
    sql: &str,
    settings: &JobSettings,
) -> Result<bool> {
    let team = sight.team;
    Ok(version.sql == sql
        && version.settings == *settings
        && version.tables == tables_now(app, team, version).await?
        && version.functions == function::pinned_now(app, team, version.functions.keys()).await?
        && uses_its_tables(app, sight, id, version).await?)
}

/// False when its script has parameters that lead to other tables by now.
async fn uses_its_tables(app: &App, sight: &Sight, id: JobId, version: &Version) -> Result<bool> {
    if !parameter::has_parameters(&version.sql) {
        return Ok(true);
    }
    let request = Validate { sql: version.sql.clone(), parallelism: Some(version.settings.parallelism) };
    let now = sql::validate(app, sight, Some(id), request).await?;
    Ok(now.reads == version.reads && now.writes == version.writes)
}

/// What a script would be as a version, as far as it is right. It has no number yet.
pub(super) struct Sketch {
    pub(super) version: Version,
    pub(super) validation: Validation,
}

pub(super) async fn sketch(app: &App, sight: &Sight, id: JobId, sql: String, settings: JobSettings) -> Result<Sketch> {
    let request = Validate { sql: sql.clone(), parallelism: Some(settings.parallelism) };
    let validation = sql::validate(app, sight, Some(id), request).await?;
    let mut version = Version {
        summary: VersionSummary {
            id: VersionId(new_id()),
            number: 0,
            created_by: String::new(),
            created_at: now_ms(),
            comment: String::new(),
        },
        sql,
        settings,
        graph: validation.graph.clone().unwrap_or_else(|| Graph { nodes: Vec::new(), edges: Vec::new() }),
        guarantee: validation.guarantee.clone().unwrap_or_else(not_known),
        reads: validation.reads.clone(),
        writes: validation.writes.clone(),
        tables: BTreeMap::new(),
        functions: function::pinned_now(app, sight.team, validation.functions.iter()).await?,
    };
    version.tables = tables_now(app, sight.team, &version).await?;
    Ok(Sketch { version, validation })
}

/// A version that can run as a job of this kind, without a number.
async fn prepare(
    app: &App,
    sight: &Sight,
    id: JobId,
    kind: JobKind,
    sql: String,
    settings: JobSettings,
) -> Result<Version> {
    let Sketch { version, validation } = sketch(app, sight, id, sql, settings).await?;
    runnable(&validation)?;
    if kind == JobKind::Batch {
        let endless = endless_sources(app, sight, &version).await?;
        if !endless.is_empty() {
            let message = format!("A batch job must come to an end, but {} does not.", endless.join(", "));
            let hint = "Give the table an end, such as scan.bounded.mode of Kafka, or make the job a stream.";
            return Err(invalid_sql(message).hint(hint));
        }
    }
    Ok(version)
}

/// Sources that go on for ever.
async fn endless_sources(app: &App, sight: &Sight, version: &Version) -> Result<Vec<String>> {
    let catalog = catalog::for_version(app, sight, version).await?;
    let script = script::filled(app, sight.team, &version.sql).await?;
    let (text, parallelism) = (script.text().to_owned(), version.settings.parallelism);
    let report = sql::plan(app, move |engine| engine.state_report(&text, &catalog, parallelism, None)).await?;
    let sources = report.map(|report| report.sources).unwrap_or_default();
    Ok(sources.into_iter().filter(|source| !source.bounded).map(|source| source.table).collect())
}

fn not_known() -> Guarantee {
    Guarantee { level: DeliveryGuarantee::BestEffort, reason: "It is not known.".to_owned() }
}

/// DDL as it is now of all tables that the version names.
async fn tables_now(app: &App, team: TeamId, version: &Version) -> Result<BTreeMap<String, String>> {
    let used = version.reads.iter().chain(&version.writes).cloned().collect();
    catalog::ddl_now(app, team, &used).await
}

/// A script that can run as a job: without errors, and it writes something.
pub(super) fn runnable(validation: &Validation) -> Result<()> {
    let errors = errors(validation);
    if let Some(first) = errors.first() {
        let details = errors.iter().map(|message| FieldError { field: "sql".to_owned(), message: message.clone() });
        return Err(invalid_sql(first.clone()).details(details.collect()));
    }
    let inserts = validation.statements.iter().any(|statement| statement.kind == "insert");
    if validation.graph.is_some() && inserts {
        return Ok(());
    }
    Err(invalid_sql("A job needs at least one INSERT INTO a table.".to_owned()))
}

/// What is wrong with a script, with its places.
pub(super) fn errors(validation: &Validation) -> Vec<String> {
    let errors = validation.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.map(placed).collect()
}

fn invalid_sql(message: String) -> Error {
    Error::new(Code::InvalidSql, ErrorDomain::User, Retry::AfterChange, message).at("sql")
}

pub(super) fn placed(diagnostic: &Diagnostic) -> String {
    match &diagnostic.span {
        Some(span) => format!("Line {}, column {}: {}", span.line, span.column, diagnostic.message),
        None => diagnostic.message.clone(),
    }
}
