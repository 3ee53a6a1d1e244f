//! Connections: named external systems with their credentials.
//!
//! Secrets come in, are sealed, and never go out again through the API. Client settings with opened secrets are made
//! here for whoever connects, and nowhere else.

use std::collections::BTreeMap;

use millrace_wire::connection::{Connection, ConnectionDraft, ConnectionKind, ConnectionTest};
use millrace_wire::error::FieldError;
use millrace_wire::ids::{ConnectionId, TeamId};
use millrace_wire::kafka::BOOTSTRAP;
use millrace_wire::live::LiveEvent;

use super::account::taken_or;
use super::{check, external};
use crate::access::identity::TeamCaller;
use crate::clock;
use crate::endpoint;
use crate::error::{Code, Error, Result};
use crate::kafka::cluster::{NO_LOCAL, Trust};
use crate::kafka::settings::{self, is_encrypted};
use crate::kafka::{Cluster, dialer, probe};
use crate::state::App;
use crate::store;
use crate::store::connection::ConnectionRow;
use crate::transact;

pub async fn list(app: &App, team: TeamId) -> Result<Vec<Connection>> {
    let rows = store::connection::list(&app.store, team).await?;
    Ok(rows.into_iter().map(|row| view(app, row)).collect())
}

pub async fn get(app: &App, team: TeamId, id: ConnectionId) -> Result<Connection> {
    Ok(view(app, row(app, team, id).await?))
}

pub(super) async fn row(app: &App, team: TeamId, id: ConnectionId) -> Result<ConnectionRow> {
    store::connection::get(&app.store, team, id).await?.ok_or_else(|| Error::not_found("connection"))
}

fn view(app: &App, row: ConnectionRow) -> Connection {
    let broker = app.broker.borrow();
    let (options, description) = if row.built_in {
        let description = if broker.note.is_empty() { row.description } else { broker.note.clone() };
        (BTreeMap::from([(BOOTSTRAP.to_owned(), broker.bootstrap.clone())]), description)
    } else {
        (row.options, row.description)
    };
    Connection {
        id: row.id,
        name: row.name,
        kind: row.kind,
        options,
        secrets_set: row.secrets.into_keys().collect(),
        description,
        built_in: row.built_in,
        demo: row.built_in && broker.demo,
        tables: row.tables,
        updated_at: row.updated_at,
    }
}

/// What is wrong with a draft, field by field. `stored`: names of secrets that are kept when absent.
fn problems(draft: &ConnectionDraft, stored: &BTreeMap<String, String>) -> Vec<FieldError> {
    let mut problems = Vec::new();
    let mut problem = |field: String, message: &str| problems.push(FieldError { field, message: message.to_owned() });
    if check::display_name("name", &draft.name).is_err() {
        problem("name".to_owned(), "Enter a name of at most 120 characters.");
    }
    if check::description("description", &draft.description).is_err() {
        problem("description".to_owned(), "Use at most 2000 characters.");
    }
    problems.extend(endpoint::problems(draft.kind, &draft.options, &draft.secrets, stored));
    problems
}

async fn checked(app: &App, draft: &ConnectionDraft, stored: &BTreeMap<String, String>) -> Result<()> {
    let problems = problems(draft, stored);
    if !problems.is_empty() {
        return Err(Error::fields(problems));
    }
    // A name that does not resolve now may do later; an address that is denied stays denied.
    match endpoint::check_address(draft.kind, &draft.options, app.config.allow_private_addresses).await {
        Err(error) if error.code() != Code::ExternalFailed => Err(error),
        _ => Ok(()),
    }
}

pub async fn create(app: &App, caller: &TeamCaller, draft: ConnectionDraft) -> Result<Connection> {
    checked(app, &draft, &BTreeMap::new()).await?;
    let now = clock::now_ms();
    let id = ConnectionId(clock::new_id());
    let row = ConnectionRow {
        id,
        team: caller.team,
        name: draft.name.trim().to_owned(),
        kind: draft.kind,
        secrets: seal(app, id, BTreeMap::new(), &draft.secrets)?,
        options: draft.options,
        description: draft.description,
        created_at: now,
        updated_at: now,
        updated_by: caller.caller.name.clone(),
        built_in: false,
        tables: 0,
    };
    transact!(app.store, tx => { store::connection::insert(tx, &row).await })
        .map_err(|error| taken_or(error, "name", "A connection with this name exists."))?;
    app.live.publish(caller.team, &LiveEvent::ConnectionsChanged);
    Ok(view(app, row))
}

/// Before and after, for the audit trail; without secrets.
pub struct Edited {
    pub before: Connection,
    pub after: Connection,
}

pub async fn update(app: &App, caller: &TeamCaller, id: ConnectionId, draft: ConnectionDraft) -> Result<Edited> {
    let before = row(app, caller.team, id).await?;
    refuse_built_in(&before)?;
    if draft.kind != before.kind {
        return Err(Error::field("kind", "The kind of a connection stays. Make another one."));
    }
    checked(app, &draft, &before.secrets).await?;
    // A stored password must not be sent to another server by changing the address around it.
    let kept = before.secrets.keys().find(|name| !draft.secrets.contains_key(*name));
    if let (Some(why), Some(name)) = (endpoint::exposes(draft.kind, &before.options, &draft.options), kept) {
        return Err(Error::field(format!("secrets.{name}"), why));
    }
    let after = ConnectionRow {
        name: draft.name.trim().to_owned(),
        secrets: seal(app, id, before.secrets.clone(), &draft.secrets)?,
        options: draft.options,
        description: draft.description,
        updated_at: clock::now_ms(),
        updated_by: caller.caller.name.clone(),
        ..before.clone()
    };
    transact!(app.store, tx => { store::connection::update(tx, &after).await })
        .map_err(|error| taken_or(error, "name", "A connection with this name exists."))?;
    app.live.publish(caller.team, &LiveEvent::ConnectionsChanged);
    Ok(Edited { before: view(app, before), after: view(app, after) })
}

pub async fn delete(app: &App, caller: &TeamCaller, id: ConnectionId) -> Result<Connection> {
    let seen = store::table::rows(&app.store, &caller.sight(), "").await?;
    let seen: Vec<String> = seen.iter().map(super::catalog::full_name).collect();
    let row = transact!(app.store, tx => {
        let row = store::connection::get_in(tx, caller.team, id).await?.ok_or_else(|| Error::not_found("connection"))?;
        refuse_built_in(&row)?;
        let tables = store::connection::used_by(tx, id).await?;
        if !tables.is_empty() {
            let named: Vec<&str> = tables.iter().filter(|name| seen.contains(name)).map(String::as_str).collect();
            let message = if named.is_empty() {
                "Tables use the connection that you may not see.".to_owned()
            } else {
                format!("These tables use the connection: {}.", named.join(", "))
            };
            return Err(Error::conflict(Code::ConnectionInUse, message).hint("Delete them first."));
        }
        store::connection::delete(tx, caller.team, id).await?;
        Ok(row)
    })?;
    app.live.publish(caller.team, &LiveEvent::ConnectionsChanged);
    Ok(view(app, row))
}

fn refuse_built_in(row: &ConnectionRow) -> Result<()> {
    if row.built_in {
        return Err(Error::not_allowed("The server manages this connection. It is set in the server's configuration."));
    }
    Ok(())
}

fn place(id: ConnectionId, name: &str) -> String {
    format!("connection/{id}/{name}")
}

/// Absent names keep what is stored; an empty value removes it.
fn seal(
    app: &App,
    id: ConnectionId,
    stored: BTreeMap<String, String>,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let mut secrets = stored;
    for (name, value) in given {
        if value.is_empty() {
            secrets.remove(name);
        } else {
            secrets.insert(name.clone(), app.keys.seal(&place(id, name), value)?);
        }
    }
    Ok(secrets)
}

pub(super) fn trust(app: &App, built_in: bool) -> Trust {
    match (built_in, app.config.allow_private_addresses) {
        (true, _) => Trust::Own,
        (false, true) => Trust::NamedAnywhere,
        (false, false) => Trust::Named,
    }
}

/// Client settings by their Kafka names, without secrets: enough to plan with.
pub(super) fn open_settings(app: &App, row: &ConnectionRow) -> BTreeMap<String, String> {
    if row.built_in {
        return BTreeMap::from([(BOOTSTRAP.to_owned(), app.broker.borrow().bootstrap.clone())]);
    }
    match row.kind {
        ConnectionKind::Kafka => settings::for_client(row.options.clone()),
        _ => row.options.clone(),
    }
}

fn opened(app: &App, row: &ConnectionRow) -> Result<BTreeMap<String, String>> {
    let mut all = open_settings(app, row);
    for (name, sealed) in &row.secrets {
        all.insert(name.clone(), app.keys.open(&place(row.id, name), sealed)?);
    }
    Ok(if row.built_in || row.kind != ConnectionKind::Kafka { all } else { settings::for_client(all) })
}

/// With secrets opened, and the broker's address checked and resolved: for connecting, never for showing.
pub(super) async fn secret_settings(app: &App, row: &ConnectionRow) -> Result<BTreeMap<String, String>> {
    let mut settings = opened(app, row)?;
    if row.kind != ConnectionKind::Kafka {
        // The engine looks at the addresses itself, and connects to what it looked at.
        endpoint::mark(&mut settings, app.config.allow_private_addresses);
        return Ok(settings);
    }
    let bootstrap = settings.get(BOOTSTRAP).cloned().unwrap_or_default();
    if bootstrap.is_empty() {
        return Err(Error::external("The broker's address is not known yet. It may still be starting."));
    }
    if !row.built_in {
        let checked = dialer::check_bootstrap(&bootstrap, app.config.allow_private_addresses).await?;
        // A certificate is for a name: a broker that shows one is called by it.
        if !is_encrypted(&settings) {
            settings.insert(BOOTSTRAP.to_owned(), checked);
        }
    }
    if trust(app, row.built_in) == Trust::Named {
        settings.insert(NO_LOCAL.to_owned(), "true".to_owned());
    }
    Ok(settings)
}

pub async fn test_stored(app: &App, team: TeamId, id: ConnectionId) -> Result<ConnectionTest> {
    let row = row(app, team, id).await?;
    let settings = opened(app, &row)?;
    if row.kind == ConnectionKind::Kafka {
        return Ok(probe::test(settings, trust(app, row.built_in)).await);
    }
    Ok(external::test(app, row.kind, settings).await)
}

/// Before it is saved: only with the secrets that are given.
pub async fn test_draft(app: &App, draft: ConnectionDraft) -> Result<ConnectionTest> {
    let problems = problems(&draft, &BTreeMap::new());
    if !problems.is_empty() {
        return Err(Error::fields(problems));
    }
    let settings = draft.options.into_iter().chain(draft.secrets).collect();
    if draft.kind != ConnectionKind::Kafka {
        return Ok(external::test(app, draft.kind, settings).await);
    }
    Ok(probe::test(settings::for_client(settings), trust(app, false)).await)
}

/// For looking into the cluster behind a connection.
pub async fn cluster(app: &App, team: TeamId, id: ConnectionId) -> Result<Cluster> {
    let row = row(app, team, id).await?;
    if row.kind != ConnectionKind::Kafka {
        return Err(Error::not_found("Kafka cluster behind this connection"));
    }
    let settings = secret_settings(app, &row).await?;
    Cluster::new(settings, trust(app, row.built_in)).await
}
