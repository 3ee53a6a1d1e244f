//! Previews: which tables a child process may read, and how much.

use std::collections::BTreeSet;

use millrace_wire::ids::PreviewId;
use millrace_wire::link::PreviewAssignment;
use millrace_wire::preview::{PreviewStarted, StartPreview};
use millrace_wire::sql::StatementInfo;

use super::{catalog, preview_history, script, sql, variable};
use crate::access::identity::TeamCaller;
use crate::clock::{new_id, now_ms};
use crate::error::{Error, Result};
use crate::parameter::Filled;
use crate::preview::{MEMORY_MB, MOST_ROWS, MOST_SECONDS, Reader};
use crate::state::App;

const DEFAULT_ROWS: u32 = 1_000;
const DEFAULT_SECONDS: u32 = 60;

pub async fn start(app: &App, caller: &TeamCaller, request: StartPreview) -> Result<PreviewStarted> {
    app.limits.preview(caller.caller.user)?;
    sql::check_length(&request.sql)?;
    let max_rows = request.max_rows.unwrap_or(DEFAULT_ROWS);
    if !(1..=MOST_ROWS).contains(&max_rows) {
        return Err(Error::field("max_rows", format!("Choose 1 to {MOST_ROWS}.")));
    }
    let max_seconds = request.max_seconds.unwrap_or(DEFAULT_SECONDS);
    if !(1..=MOST_SECONDS).contains(&max_seconds) {
        return Err(Error::field("max_seconds", format!("Choose 1 to {MOST_SECONDS}.")));
    }
    // Credentials go along for the tables that the script names, and for no others. What is wrong with the script the
    // preview says itself, at the statement it is about; for that it knows the other tables, too.
    let filled = script::filled(app, caller.team, &request.sql).await?;
    let validation = sql::validate_filled(app, &caller.sight(), None, &filled, None).await?;
    sql::refuse_out_of_reach(&validation)?;
    let catalog = catalog::for_planning(app, &caller.sight(), None).await?.text;
    let about = preview_history::About {
        team: caller.team,
        user: caller.caller.user,
        sql: statement(&request, &validation.statements),
        started_at: now_ms(),
        tables: preview_history::tables_of(app, caller.team, filled.text(), &catalog, &validation).await?,
    };
    let named = validation.reads.into_iter().chain(validation.writes);
    let names: BTreeSet<String> = named.filter(|name| catalog.tables.contains_key(name)).collect();
    let mut tables = catalog.named_in(filled.text());
    tables.extend(catalog::for_running(app, caller.team, &names).await?);
    let assignment = PreviewAssignment {
        sql: filled.text().to_owned(),
        offset: request.offset.map(|offset| at(&filled, offset)),
        tables,
        functions: catalog.functions,
        secrets: variable::opened_secrets(app, caller.team, filled.secrets()).await?,
        default_database: catalog.default_database,
        max_rows,
        max_seconds,
        memory_limit_mb: MEMORY_MB,
        parallelism: 1,
        file_roots: app.config.file_roots.of_team(&caller.slug).iter().map(|root| root.display().to_string()).collect(),
        identity: format!("millrace-preview-{}", new_id()),
    };
    let started = app.previews.start(caller.team, caller.caller.user, filled, assignment).await?;
    preview_history::keep_when_over(app, about, &started.columns, started.id, started.ended);
    Ok(PreviewStarted { id: started.id, columns: started.columns, note: started.note })
}

/// The one at the caret, as far as the script can be read; else the whole script.
fn statement(request: &StartPreview, statements: &[StatementInfo]) -> String {
    let found = request.offset.and_then(|offset| {
        // A statement ends before its semicolon; behind the last one the last one is meant.
        let at_caret = statements.iter().find(|statement| offset <= statement.span.end);
        let span = &at_caret.or(statements.last())?.span;
        request.sql.get(usize::try_from(span.start).ok()?..usize::try_from(span.end).ok()?)
    });
    found.unwrap_or(&request.sql).trim().to_owned()
}

fn at(script: &Filled, offset: u32) -> u32 {
    u32::try_from(script.forward(offset as usize)).unwrap_or(u32::MAX)
}

pub fn read(app: &App, caller: &TeamCaller, id: PreviewId) -> Result<Reader> {
    app.previews.read(caller.team, caller.caller.user, id)
}

pub fn cancel(app: &App, caller: &TeamCaller, id: PreviewId) -> Result<()> {
    app.previews.cancel(caller.team, caller.caller.user, id)
}
