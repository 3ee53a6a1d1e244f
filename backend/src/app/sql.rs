//! What the editor asks while somebody types: validation, completion, formatting.
//!
//! Planning is work for the processor, so it runs on blocking threads, a few at a time; a panic in it becomes an answer.

use std::sync::Arc;

use millrace_wire::ids::JobId;
use millrace_wire::sql::{Complete, CompletionItem, Diagnostic, Format, Formatted, Validate, Validation};
use tokio::sync::Semaphore;

use super::{catalog, reach};
use crate::access::sight::Sight;
use crate::engine::EngineFront;
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store;

pub(super) const LONGEST_SCRIPT: usize = 512 * 1024;
const MOST_PARALLELISM: u32 = 256;
const AT_ONCE: usize = 4;

static PERMITS: Semaphore = Semaphore::const_new(AT_ONCE);

/// `job`: whose script it is, where it is one of a job.
pub async fn validate(app: &App, sight: &Sight, job: Option<JobId>, request: Validate) -> Result<Validation> {
    check_length(&request.sql)?;
    let parallelism = request.parallelism.unwrap_or(1);
    if !(1..=MOST_PARALLELISM).contains(&parallelism) {
        return Err(Error::field("parallelism", format!("Choose 1 to {MOST_PARALLELISM}.")));
    }
    let planning = catalog::for_planning(app, sight, job).await?;
    let slug = store::team::slug_of(&app.store, sight.team).await?;
    plan(app, move |engine| {
        let catalog = &planning.text;
        let mut validation = engine.validate(&request.sql, catalog, parallelism);
        reach::explain_foreign(&mut validation.diagnostics);
        let mut out_of_reach = reach::problems(engine, &request.sql, catalog, &slug);
        out_of_reach.extend(reach::not_writable(&request.sql, &validation.writes, &planning.read_only));
        if !out_of_reach.is_empty() {
            validation.graph = None;
            validation.diagnostics.extend(out_of_reach);
        }
        validation
    })
    .await
}

pub async fn complete(app: &App, sight: &Sight, request: Complete) -> Result<Vec<CompletionItem>> {
    check_length(&request.sql)?;
    let offset = usize::try_from(request.offset).unwrap_or(usize::MAX);
    if !request.sql.is_char_boundary(offset) {
        return Err(Error::field("offset", "The caret must stand between two characters of the text."));
    }
    let catalog = catalog::for_planning(app, sight, None).await?.text;
    plan(app, move |engine| engine.complete(&request.sql, request.offset, &catalog)).await
}

pub async fn format(app: &App, request: Format) -> Result<Formatted> {
    check_length(&request.sql)?;
    let outcome = plan(app, move |engine| engine.format_sql(&request.sql)).await?;
    let sql = outcome.map_err(|diagnostic| {
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

fn check_length(sql: &str) -> Result<()> {
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
