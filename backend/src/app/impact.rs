//! What a change of a table would break: each job that uses it is planned again against the changed description.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_wire::ids::TeamId;
use millrace_wire::link::TableSource;
use millrace_wire::sql::{Diagnostic, Severity};
use millrace_wire::table::TableDraft;
use millrace_wire::table_version::{JobImpact, SchemaChange, SchemaChangeKind, TableImpact};

use super::permission::VisibleJobs;
use super::{catalog, compatibility, schema_diff, script, sql};
use crate::access::sight::Sight;
use crate::engine::{CatalogText, EngineFront};
use crate::error::{Code, Error, Result};
use crate::parameter::Filled;
use crate::state::App;
use crate::store;
use crate::store::table::{TableRow, UsingVersion};

/// `source`: the changed description as a script would use it. All jobs are looked at, those of other teams as well;
/// those that these eyes do not see are counted and not named.
pub(super) async fn of_change(
    app: &App,
    sight: &Sight,
    before: &TableRow,
    after: &TableDraft,
    source: TableSource,
) -> Result<TableImpact> {
    let changes = schema_diff::changes(&before.draft, after);
    let incompatible = compatibility::against(before.compatibility, &before.draft, after);
    let (mut jobs, mut checked) = (Vec::new(), 0);
    if source.ddl != before.ddl {
        let mut versions: BTreeMap<TeamId, Vec<UsingVersion>> = BTreeMap::new();
        for version in store::table::versions_using(&app.store, before).await? {
            checked += 1;
            versions.entry(version.team).or_default().push(version);
        }
        for (team, versions) in versions {
            let own = catalog::full_name(before);
            let name = match team == before.team {
                true => own,
                false => format!("{}.{own}", store::team::slug_of(&app.store, before.team).await?),
            };
            let catalog = catalog::for_planning(app, &Sight::platform(team), None).await?.text;
            let versions = filled(app, team, versions).await?;
            let (source, changes) = (source.clone(), changes.clone());
            jobs.extend(
                sql::plan(app, move |engine| broken(engine, &catalog, &name, &source, versions, &changes)).await?,
            );
        }
    }
    let breaks = !incompatible.is_empty() || !jobs.is_empty();
    let seen = VisibleJobs::load(app, sight).await?;
    let all = jobs.len();
    jobs.retain(|job| seen.has(job.job.id));
    let hidden_jobs = (all - jobs.len()) as u64;
    Ok(TableImpact { changes, compatibility: before.compatibility, incompatible, jobs, hidden_jobs, checked, breaks })
}

/// The refusal of a change that breaks something and was not confirmed.
pub(super) fn refusal(impact: &TableImpact) -> Error {
    use millrace_wire::error::FieldError;
    let of_mode = impact.incompatible.iter().map(|message| ("compatibility".to_owned(), message.clone()));
    let of_jobs = impact.jobs.iter().map(|job| {
        let why = job.diagnostics.first().map(|diagnostic| diagnostic.message.clone()).unwrap_or_default();
        (format!("jobs.{}", job.job.id), format!("'{}' (version {}) breaks: {why}", job.job.name, job.version))
    });
    let details: Vec<FieldError> =
        of_mode.chain(of_jobs).map(|(field, message)| FieldError { field, message }).collect();
    let names: Vec<&str> = impact.jobs.iter().map(|job| job.job.name.as_str()).collect();
    let message = match (names.as_slice(), impact.hidden_jobs) {
        ([], 0) => format!("The change is not {} compatible: {}", impact.compatibility, impact.incompatible.join(" ")),
        ([], hidden) => format!("The change breaks jobs that you may not see ({hidden})."),
        (names, 0) => format!("The change breaks these jobs: {}.", names.join(", ")),
        (names, hidden) => {
            format!("The change breaks these jobs: {}, and others that you may not see ({hidden}).", names.join(", "))
        }
    };
    Error::conflict(Code::BreakingChange, message).details(details).hint("Confirm it to save all the same.")
}

/// By the team's variables of now. Those whose parameters are wrong are broken already, whatever becomes of the table.
async fn filled(app: &App, team: TeamId, versions: Vec<UsingVersion>) -> Result<Vec<(UsingVersion, Filled)>> {
    let mut filled = Vec::new();
    for version in versions {
        let script = script::if_right(app, team, &version.sql).await?;
        filled.extend(script.map(|script| (version, script)));
    }
    Ok(filled)
}

fn broken(
    engine: &dyn EngineFront,
    catalog: &CatalogText,
    name: &str,
    source: &TableSource,
    versions: Vec<(UsingVersion, Filled)>,
    changes: &[SchemaChange],
) -> Vec<JobImpact> {
    let mut found = Vec::new();
    for (version, script) in versions {
        let parallelism = version.settings.get("parallelism").and_then(serde_json::Value::as_u64);
        let parallelism = parallelism.and_then(|given| u32::try_from(given).ok()).unwrap_or(1);
        let narrow = |tables: BTreeMap<String, TableSource>| CatalogText {
            default_database: catalog.default_database.clone(),
            tables: Arc::new(tables),
            functions: catalog.functions.clone(),
        };
        let now = catalog.named_in(script.text());
        let mut then = now.clone();
        then.insert(name.to_owned(), source.clone());
        let errors = |tables| {
            let mut found = engine.validate(script.text(), &narrow(tables), parallelism).diagnostics;
            found.retain(|diagnostic| diagnostic.severity == Severity::Error);
            found
        };
        let mut diagnostics = errors(then);
        if diagnostics.is_empty() {
            continue;
        }
        // What was wrong before is not the fault of the change.
        let known = errors(now);
        diagnostics.retain(|new| !known.iter().any(|old| old.code == new.code && old.message == new.message));
        if diagnostics.is_empty() {
            continue;
        }
        let columns = columns_of(&diagnostics, script.text(), changes);
        let diagnostics = diagnostics.into_iter().map(|diagnostic| script.diagnostic(diagnostic)).collect();
        let UsingVersion { job, number, running, .. } = version;
        found.push(JobImpact { job, version: number, running, columns, diagnostics });
    }
    found
}

/// The changed columns that the diagnostics name or point at; when there are none, those that the script names.
fn columns_of(diagnostics: &[Diagnostic], sql: &str, changes: &[SchemaChange]) -> Vec<String> {
    let changed = changes.iter().filter(|change| {
        let of_comment = change.kind == SchemaChangeKind::CommentChanged;
        let of_column = !matches!(change.kind, SchemaChangeKind::OptionChanged | SchemaChangeKind::ColumnAdded);
        of_column && !of_comment && !change.name.is_empty()
    });
    let changed: Vec<&str> = changed.map(|change| change.name.as_str()).collect();
    let named_in = |text: &str| -> Vec<String> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let words: Vec<&str> = text.split(|c| !is_part(c)).collect();
        changed.iter().filter(|name| words.contains(name)).map(|name| (*name).to_owned()).collect()
    };
    let mut said: Vec<String> = diagnostics
        .iter()
        .flat_map(|diagnostic| {
            let place = diagnostic.span.as_ref();
            let pointed = place.and_then(|span| sql.get(span.start as usize..span.end as usize)).unwrap_or_default();
            // A place that spans a whole statement points at nothing.
            let pointed = if pointed.len() < 80 { pointed } else { "" };
            named_in(&format!("{} {pointed}", diagnostic.message))
        })
        .collect();
    said.sort();
    said.dedup();
    if said.is_empty() { named_in(sql) } else { said }
}

#[cfg(test)]
#[path = "impact_tests.rs"]
mod tests;
