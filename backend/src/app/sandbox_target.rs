//! Sandbox targets: where the test runs of a team may write for real. Owners set them; none may be a place that a table
//! of the installation means.

use std::path::PathBuf;

use millrace_engine::connector::filesystem;
use millrace_wire::connection::ConnectionKind;
use millrace_wire::ids::{SandboxTargetId, TeamId};
use millrace_wire::sandbox_target::{SandboxKind, SandboxTarget, SandboxTargetDraft};

use super::account::taken_or;
use super::{connection, topic};
use crate::access::identity::TeamCaller;
use crate::clock::{new_id, now_ms};
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::store::connection::ConnectionRow;
use crate::store::sandbox_target::{Described, SandboxTargetRow};
use crate::transact;

/// The name of a topic, a dash and the mark of a run have to find room behind it.
const LONGEST_PREFIX: usize = 100;
const LONGEST_SCHEMA: usize = 63;
const LONGEST_FOLDER: usize = 1_024;

/// Schemas and databases that are the servers' own, or where tables lie that say nothing else.
const NO_SANDBOX: [&str; 7] =
    ["public", "information_schema", "mysql", "sys", "performance_schema", "pg_catalog", "pg_toast"];

pub async fn list(app: &App, team: TeamId) -> Result<Vec<SandboxTarget>> {
    Ok(store::sandbox_target::list(&app.store, team).await?.into_iter().map(view).collect())
}

async fn row(app: &App, team: TeamId, id: SandboxTargetId) -> Result<SandboxTargetRow> {
    store::sandbox_target::get(&app.store, team, id).await?.ok_or_else(|| Error::not_found("sandbox target"))
}

pub(super) const fn kind(row: &SandboxTargetRow) -> SandboxKind {
    match row.connection {
        Some((_, ConnectionKind::Postgresql | ConnectionKind::Mysql)) => SandboxKind::Schema,
        // Others than Kafka are refused when a target is made.
        Some(_) => SandboxKind::TopicPrefix,
        None => SandboxKind::Folder,
    }
}

fn view(row: SandboxTargetRow) -> SandboxTarget {
    SandboxTarget {
        id: row.id,
        kind: kind(&row),
        connection: row.connection.map(|(id, _)| id),
        connection_name: row.connection_name,
        place: row.place,
        updated_at: row.updated_at,
        updated_by: row.updated_by,
    }
}

pub async fn create(app: &App, caller: &TeamCaller, draft: SandboxTargetDraft) -> Result<SandboxTarget> {
    let connection = match draft.connection {
        Some(id) => Some(connection::row(app, caller.team, id).await.map_err(|error| error.at("connection"))?),
        None => None,
    };
    let now = now_ms();
    let row = SandboxTargetRow {
        id: SandboxTargetId(new_id()),
        team: caller.team,
        place: checked(app, caller, connection.as_ref(), &draft.place).await?,
        connection_name: connection.as_ref().map(|row| row.name.clone()).unwrap_or_default(),
        connection: connection.map(|row| (row.id, row.kind)),
        created_at: now,
        updated_at: now,
        updated_by: caller.caller.name.clone(),
    };
    transact!(app.store, tx => { store::sandbox_target::insert(tx, &row).await })
        .map_err(|error| taken_or(error, "connection", "There is a sandbox target for it already: change that one."))?;
    Ok(view(row))
}

/// Before and after, for the audit trail.
pub struct Edited {
    pub before: SandboxTarget,
    pub after: SandboxTarget,
}

/// What test runs have written to the old place stays there, and can still be removed.
pub async fn update(app: &App, caller: &TeamCaller, id: SandboxTargetId, draft: SandboxTargetDraft) -> Result<Edited> {
    let before = row(app, caller.team, id).await?;
    let of = before.connection.map(|(id, _)| id);
    if draft.connection.is_some() && draft.connection != of {
        return Err(Error::field("connection", "It stays. Make another sandbox target for another connection."));
    }
    let connection = match of {
        Some(id) => Some(connection::row(app, caller.team, id).await?),
        None => None,
    };
    let after = SandboxTargetRow {
        place: checked(app, caller, connection.as_ref(), &draft.place).await?,
        updated_at: now_ms(),
        updated_by: caller.caller.name.clone(),
        ..before.clone()
    };
    if !transact!(app.store, tx => { store::sandbox_target::update(tx, &after).await })? {
        return Err(Error::not_found("sandbox target"));
    }
    Ok(Edited { before: view(before), after: view(after) })
}

pub async fn delete(app: &App, caller: &TeamCaller, id: SandboxTargetId) -> Result<SandboxTarget> {
    let row = row(app, caller.team, id).await?;
    transact!(app.store, tx => { store::sandbox_target::delete(tx, caller.team, id).await })?;
    Ok(view(row))
}

/// The place as it is kept.
async fn checked(app: &App, caller: &TeamCaller, of: Option<&ConnectionRow>, place: &str) -> Result<String> {
    let place = place.trim();
    if place.is_empty() {
        return Err(wrong("Enter where test runs may write."));
    }
    match of.map(|connection| connection.kind) {
        Some(ConnectionKind::Kafka) => prefix(app, caller, place).await?,
        Some(ConnectionKind::Postgresql | ConnectionKind::Mysql) => schema(app, of, place).await?,
        Some(
            ConnectionKind::SchemaRegistry | ConnectionKind::ObjectStore | ConnectionKind::Smtp | ConnectionKind::Http,
        ) => {
            return Err(Error::field("connection", "No table is written to what this connection leads to."));
        }
        None => folder(app, caller, place).await?,
    }
    Ok(place.to_owned())
}

fn wrong(message: impl Into<String>) -> Error {
    Error::field("place", message)
}

/// In words that tell a person of this team what is in the way, and nothing of another team's tables.
fn in_the_way(caller: &TeamCaller, table: &Described, what: &str) -> Error {
    if table.team == caller.team {
        return wrong(format!("The table {} {what}. Choose a place that is no table's.", table.table));
    }
    wrong(format!("A table of another team {what}. Choose a place that is no table's."))
}

async fn prefix(app: &App, caller: &TeamCaller, place: &str) -> Result<()> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !place.chars().all(legal) || !place.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(wrong("Use letters, digits, dots, dashes and underscores, beginning with a letter or digit."));
    }
    if place.len() > LONGEST_PREFIX {
        return Err(wrong(format!("Use at most {LONGEST_PREFIX} characters.")));
    }
    // Also where the two only meet: a prefix `mill` and a topic that goes on.
    if topic::PLATFORM_PREFIX.starts_with(place) || place.starts_with(topic::PLATFORM_PREFIX) {
        return Err(wrong("Names that start with 'millrace.' belong to the platform."));
    }
    let tables = store::sandbox_target::described(&app.store, ["kafka", "upsert-kafka", ""]).await?;
    let named = |table: &&Described| table.topic.split(';').any(|topic| topic.trim().starts_with(place));
    match tables.iter().find(named) {
        Some(table) => Err(in_the_way(caller, table, "describes a topic that begins so")),
        None => Ok(()),
    }
}

async fn schema(app: &App, of: Option<&ConnectionRow>, place: &str) -> Result<()> {
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    if !place.chars().all(legal) || place.len() > LONGEST_SCHEMA {
        let message = format!("Use letters, digits, dashes and underscores, at most {LONGEST_SCHEMA}.");
        return Err(wrong(message));
    }
    let lower = place.to_lowercase();
    if NO_SANDBOX.contains(&lower.as_str()) || lower.starts_with("pg_") {
        return Err(wrong(format!("'{place}' is no place for test runs: tables lie there that are not theirs.")));
    }
    let own = of.and_then(|connection| connection.options.get("database-name"));
    if of.is_some_and(|connection| connection.kind == ConnectionKind::Mysql) && own.is_some_and(|own| own == place) {
        return Err(wrong("This is the database of the connection itself. Name another one of the server."));
    }
    let tables = store::sandbox_target::described(&app.store, ["postgres", "mysql", "jdbc"]).await?;
    match tables.iter().find(|table| outer_names(table).iter().any(|outer| outer.to_lowercase() == lower)) {
        // Which table it is stays with its team: schemas are known by name on a server that many use.
        Some(table) if of.is_some_and(|connection| connection.team == table.team) => {
            Err(wrong(format!("The table {} lies there. Choose a place that is no table's.", table.table)))
        }
        Some(_) => Err(wrong("A table of another team lies there. Choose a place that is no table's.")),
        None => Ok(()),
    }
}

/// Schemas and databases that the table may lie in: whichever of them its server goes by.
fn outer_names(table: &Described) -> Vec<&str> {
    let option = |name: &str| table.draft.options.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let within = option("table-name").and_then(|name| name.split_once('.')).map(|(outer, _)| outer);
    let database = option("database-name").or_else(|| table.connection.get("database-name").map(String::as_str));
    let of_url = option("url").and_then(|url| url.split('?').next()?.rsplit_once('/')).map(|(_, database)| database);
    let databases = [database, of_url].into_iter().flatten().filter(|_| within.is_none());
    [within, option("schema-name")].into_iter().flatten().chain(databases).collect()
}

async fn folder(app: &App, caller: &TeamCaller, place: &str) -> Result<()> {
    if place.len() > LONGEST_FOLDER || place.contains('\0') {
        return Err(wrong(format!("Use at most {LONGEST_FOLDER} characters.")));
    }
    let roots = app.config.file_roots.of_team(&caller.slug);
    let lies = |text: &str, roots: &[PathBuf]| filesystem::place_of(text, roots);
    let folder = lies(place, &roots).map_err(|error| wrong(error.message))?;
    let is_root = |root: &PathBuf| root.canonicalize().is_ok_and(|root| root == folder);
    if roots.iter().any(is_root) {
        return Err(wrong("Name a folder of its own, below the one that tables lie in."));
    }
    if folder.is_file() {
        return Err(wrong("This is a file. Name a folder; it is made when it is not there."));
    }
    for table in store::sandbox_target::described(&app.store, ["filesystem", "", ""]).await? {
        let Some(path) = table.draft.options.get("path") else { continue };
        // A table whose path leads nowhere that it may cannot be in the way.
        let Ok(path) = lies(path, &app.config.file_roots.of_team(&table.team_slug)) else { continue };
        if path.starts_with(&folder) {
            return Err(in_the_way(caller, &table, "lies in this folder"));
        }
        if folder.starts_with(&path) {
            return Err(in_the_way(caller, &table, "has all files of a folder around this one"));
        }
    }
    Ok(())
}
