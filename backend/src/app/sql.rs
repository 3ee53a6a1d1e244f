//! What the editor asks while somebody types: validation, completion, formatting.
//!
//! Planning is work for the processor, so it runs on blocking threads, a few at a time; a panic in it becomes an answer.

use std::sync::Arc;

use millrace_wire::ids::{JobId, TeamId};
use millrace_wire::sql::{
    Complete, CompletionItem, CompletionKind, Diagnostic, Format, Formatted, Validate, Validation,
};
use tokio::sync::Semaphore;

use super::catalog::Planning;
use super::{catalog, reach, script, snippet};
use crate::access::sight::Sight;
use crate::engine::EngineFront;
use crate::error::{Code, Error, Result};
use crate::parameter::{self, Filled, Value, Values, Veiled};
use crate::state::App;
use crate::store;

pub(super) const LONGEST_SCRIPT: usize = 512 * 1024;
const MOST_PARALLELISM: u32 = 256;
const AT_ONCE: usize = 4;

static PERMITS: Semaphore = Semaphore::const_new(AT_ONCE);

/// `job`: whose script it is, where it is one of a job.
pub async fn validate(app: &App, sight: &Sight, job: Option<JobId>, request: Validate) -> Result<Validation> {
    check_length(&request.sql)?;
    match script::fill(app, sight.team, &request.sql).await? {
        Ok(filled) => validate_filled(app, sight, job, &filled, request.parallelism).await,
        // What stands there is not known, so nothing else can be said of the script.
        Err(diagnostics) => Ok(Validation {
            diagnostics,
            graph: None,
            guarantee: None,
            statements: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            functions: Vec::new(),
        }),
    }
}

/// The same for a script whose parameters are filled in; places are those of what was written.
pub(super) async fn validate_filled(
    app: &App,
    sight: &Sight,
    job: Option<JobId>,
    script: &Filled,
    parallelism: Option<u32>,
) -> Result<Validation> {
    let planning = catalog::for_planning(app, sight, job).await?;
    validate_with(app, sight, planning, script, parallelism).await
}

/// `planning`: what the script can name.
pub(super) async fn validate_with(
    app: &App,
    sight: &Sight,
    planning: Planning,
    script: &Filled,
    parallelism: Option<u32>,
) -> Result<Validation> {
    let parallelism = parallelism.unwrap_or(1);
    if !(1..=MOST_PARALLELISM).contains(&parallelism) {
        return Err(Error::field("parallelism", format!("Choose 1 to {MOST_PARALLELISM}.")));
    }
    let slug = store::team::slug_of(&app.store, sight.team).await?;
    let script = script.clone();
    plan(app, move |engine| {
        let (sql, catalog) = (script.text(), &planning.text);
        let mut validation = engine.validate(sql, catalog, parallelism);
        reach::explain_foreign(&mut validation.diagnostics);
        let mut out_of_reach = reach::problems(engine, sql, catalog, &slug);
        out_of_reach.extend(reach::not_writable(sql, &validation.writes, &planning.read_only));
        if !out_of_reach.is_empty() {
            validation.graph = None;
            validation.diagnostics.extend(out_of_reach);
        }
        script.validation(validation)
    })
    .await
}

pub async fn complete(app: &App, sight: &Sight, request: Complete) -> Result<Vec<CompletionItem>> {
    check_length(&request.sql)?;
    let offset = usize::try_from(request.offset).unwrap_or(usize::MAX);
    if !request.sql.is_char_boundary(offset) {
        return Err(Error::field("offset", "The caret must stand between two characters of the text."));
    }
    let has_parameters = parameter::has_parameters(&request.sql);
    let values = if has_parameters { script::values(app, sight.team).await? } else { Values::new() };
    if let Some(start) = open_parameter(&request.sql, offset) {
        return Ok(names(&request.sql, start, offset, &values));
    }
    let filled = parameter::fill_what_is_known(&request.sql, &values);
    let caret = u32::try_from(filled.forward(offset)).unwrap_or(u32::MAX);
    let catalog = catalog::for_planning(app, sight, None).await?.text;
    let mut found =
        plan(app, move |engine| filled.completions(engine.complete(filled.text(), caret, &catalog))).await?;
    found.extend(snippet::completions(app, sight.team, &request.sql, offset).await?);
    Ok(found)
}

/// Where the name begins when the caret stands in an open `${…`.
fn open_parameter(sql: &str, caret: usize) -> Option<usize> {
    let before = sql.get(..caret)?;
    let start = before.rfind("${")? + "${".len();
    let name = before.get(start..)?;
    let is_escaped = before.get(..start).is_some_and(|before| before.ends_with("$${"));
    ((name.is_empty() || parameter::is_name(name)) && !is_escaped).then_some(start)
}

/// Of the team's variables, all: the editor chooses by what was typed.
fn names(sql: &str, start: usize, caret: usize, values: &Values) -> Vec<CompletionItem> {
    const LONGEST: usize = 60;
    // What was typed of the name behind the caret stays there, and so does a brace.
    let is_closed = sql.get(caret..).is_some_and(|after| {
        after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').starts_with('}')
    });
    let item = |(name, value): (&String, &Value)| CompletionItem {
        label: name.clone(),
        insert: if is_closed { name.clone() } else { format!("{name}}}") },
        kind: CompletionKind::Variable,
        detail: match value {
            Value::Plain(value) => value.chars().take(LONGEST).collect(),
            Value::Secret => "secret".to_owned(),
        },
        documentation: String::new(),
        replace_from: u32::try_from(start).unwrap_or(u32::MAX),
    };
    values.iter().map(item).collect()
}

pub async fn format(app: &App, team: TeamId, request: Format) -> Result<Formatted> {
    check_length(&request.sql)?;
    let has_parameters = parameter::has_parameters(&request.sql);
    let values = if has_parameters { script::values(app, team).await? } else { Values::new() };
    let outcome = plan(app, move |engine| {
        let veiled = Veiled::new(&request.sql, &values);
        engine.format_sql(veiled.text()).map(|sql| veiled.unveiled(&sql))
    });
    let sql = outcome.await?.map_err(|diagnostic| {
        use millrace_wire::error::{ErrorDomain, Retry};
        Error::new(Code::InvalidSql, ErrorDomain::User, Retry::AfterChange, in_words(&diagnostic)).at("sql")
    })?;
    Ok(Formatted { sql })
}

fn in_words(diagnostic: &Diagnostic) -> String {
    match &diagnostic.span {
        Some(span) => format!("Line {}, column {}: {}", span.line, span.column, diagnostic.message),
        None => diagnostic.message.clone(),
    }
}

/// For what runs a script without asking whether it is right: what it may not reach stops it all the same.
pub(super) fn refuse_out_of_reach(validation: &Validation) -> Result<()> {
    use millrace_wire::error::{ErrorDomain, Retry};
    match validation.diagnostics.iter().find(|diagnostic| diagnostic.code == reach::CODE) {
        None => Ok(()),
        Some(found) => {
            Err(Error::new(Code::InvalidSql, ErrorDomain::User, Retry::AfterChange, found.message.clone()).at("sql"))
        }
    }
}

pub(super) fn check_length(sql: &str) -> Result<()> {
    if sql.len() > LONGEST_SCRIPT {
        return Err(Error::field("sql", "The script is longer than 512 KB."));
    }
    Ok(())
}

pub(super) async fn plan<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&dyn EngineFront) -> T + Send + 'static,
) -> Result<T> {
    let permit = PERMITS.acquire().await.map_err(Error::internal)?;
    let engine = Arc::clone(&app.engine);
    let outcome = tokio::task::spawn_blocking(move || work(engine.as_ref())).await;
    drop(permit);
    outcome.map_err(Error::internal)
}
