//! Schema versions of tables, what differs between two of them, and what belongs to a table beside its schema.

use millrace_wire::ids::{TableId, TeamId};
use millrace_wire::live::LiveEvent;
use millrace_wire::table::Table;
use millrace_wire::table_version::{SchemaDiff, SchemaVersion, SchemaVersionSummary, TableChange};

use super::{check, compatibility, schema_diff, table};
use crate::access::identity::TeamCaller;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::store::table::TableRow;
use crate::transact;

const MOST_SHARERS: usize = 20;

/// Newest first.
pub async fn list(app: &App, team: TeamId, id: TableId) -> Result<Vec<SchemaVersionSummary>> {
    table::row(app, team, id).await?;
    store::table_version::list(&app.store, id).await
}

pub async fn get(app: &App, team: TeamId, id: TableId, number: u32) -> Result<SchemaVersion> {
    table::row(app, team, id).await?;
    store::table_version::get(&app.store, id, number).await?.ok_or_else(|| Error::not_found("schema version"))
}

/// The newest version with the one before it, unless others are named.
pub async fn diff(app: &App, team: TeamId, id: TableId, from: Option<u32>, to: Option<u32>) -> Result<SchemaDiff> {
    let newest = table::row(app, team, id).await?.revision;
    let to = to.unwrap_or(newest);
    let from = from.unwrap_or_else(|| to.saturating_sub(1).max(1));
    let (old, new) = (get(app, team, id, from).await?, get(app, team, id, to).await?);
    Ok(SchemaDiff {
        from,
        to,
        changes: schema_diff::changes(&old.draft, &new.draft),
        backward: compatibility::backward(&old.draft, &new.draft),
        forward: compatibility::forward(&old.draft, &new.draft),
        from_ddl: old.ddl,
        to_ddl: new.ddl,
    })
}

/// Before and after, for the audit trail.
pub struct Changed {
    pub before: Table,
    pub after: Table,
}

/// Changes what says who and what for; the schema stays, and so does its version.
pub async fn change(app: &App, caller: &TeamCaller, id: TableId, change: TableChange) -> Result<Changed> {
    let before = table::get(app, &caller.sight(), id).await?;
    let row = table::row(app, caller.team, id).await?;
    table::refuse_built_in(&row)?;
    let row = apply(row, change)?;
    transact!(app.store, tx => {
        let stored = store::table::get_in(tx, caller.team, id).await?.ok_or_else(|| Error::not_found("table"))?;
        let TableRow { owner, tags, sharers, compatibility, .. } = row.clone();
        store::table::update_in_place(tx, &TableRow { owner, tags, sharers, compatibility, ..stored }).await
    })?;
    app.live.publish(caller.team, &LiveEvent::TablesChanged { table: id });
    Ok(Changed { before, after: table::get(app, &caller.sight(), id).await? })
}

fn apply(mut row: TableRow, change: TableChange) -> Result<TableRow> {
    if let Some(owner) = change.owner {
        owner.trim().clone_into(&mut row.owner);
        check::one_line("owner", &row.owner)?;
    }
    if let Some(tags) = change.tags {
        row.tags = trimmed(tags);
        check::tags("tags", &row.tags)?;
    }
    if let Some(sharers) = change.sharers {
        row.sharers = trimmed(sharers);
        if row.sharers.len() > MOST_SHARERS {
            return Err(Error::field("sharers", format!("Name at most {MOST_SHARERS}.")));
        }
        for sharer in &row.sharers {
            check::one_line("sharers", sharer)?;
        }
    }
    if let Some(compatibility) = change.compatibility {
        row.compatibility = compatibility;
    }
    Ok(row)
}

/// Without blanks and without repetitions, in the order they were given.
fn trimmed(words: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        let word = word.trim();
        if !word.is_empty() && !kept.iter().any(|known| known == word) {
            kept.push(word.to_owned());
        }
    }
    kept
}
