//! Connections: named external systems with their credentials.
//!
//! Secrets come in, are sealed, and never go out again through the API. Client settings with opened secrets are made
//! here for whoever connects, and nowhere else.

use std::collections::BTreeMap;

use millrace_wire::connection::{Connection, ConnectionDraft, ConnectionTest};
use millrace_wire::error::FieldError;
use millrace_wire::ids::{ConnectionId, TeamId};
use millrace_wire::live::LiveEvent;

use super::account::taken_or;
use super::check;
use crate::access::identity::TeamCaller;
use crate::clock;
use crate::error::{Code, Error, Result};
use crate::kafka::cluster::Trust;
use crate::kafka::{Cluster, dialer, probe};
use crate::state::App;
use crate::store;
use crate::store::connection::ConnectionRow;
use crate::transact;

const BOOTSTRAP: &str = "bootstrap.servers";
const PROTOCOL: &str = "security.protocol";
const MECHANISM: &str = "sasl.mechanism";
const USER: &str = "sasl.username";
const PASSWORD: &str = "sasl.password";

/// Everything a user may set: an open list would let them reach files and plug-ins of the client library.
const OPTIONS: &[&str] = &[BOOTSTRAP, PROTOCOL, MECHANISM, USER];
const SECRETS: &[&str] = &[PASSWORD];
const PROTOCOLS: &[&str] = &["PLAINTEXT", "SASL_PLAINTEXT"];
const MECHANISMS: &[&str] = &["PLAIN"];

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
    if draft.options.get(BOOTSTRAP).is_none_or(|servers| servers.trim().is_empty()) {
        problem(format!("options.{BOOTSTRAP}"), "Enter at least one broker as host:port.");
    }
    for name in draft.options.keys().filter(|name| !OPTIONS.contains(&name.as_str())) {
        problem(format!("options.{name}"), "This is not an option of a Kafka connection.");
    }
    for name in draft.secrets.keys().filter(|name| !SECRETS.contains(&name.as_str())) {
        problem(format!("secrets.{name}"), "This is not a secret of a Kafka connection.");
    }
    let option = |name: &str| draft.options.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let protocol = option(PROTOCOL).unwrap_or("PLAINTEXT");
    if !PROTOCOLS.contains(&protocol) {
        problem(format!("options.{PROTOCOL}"), "Choose PLAINTEXT or SASL_PLAINTEXT. This build has no TLS for Kafka.");
    }
    if option(MECHANISM).is_some_and(|mechanism| !MECHANISMS.contains(&mechanism)) {
        problem(format!("options.{MECHANISM}"), "Only PLAIN is supported.");
    }
    if protocol == "SASL_PLAINTEXT" {
        if option(USER).is_none() {
            problem(format!("options.{USER}"), "Enter the user name.");
        }
        let given = draft.secrets.get(PASSWORD).map(|secret| !secret.is_empty());
        if !given.unwrap_or_else(|| stored.contains_key(PASSWORD)) {
            problem(format!("secrets.{PASSWORD}"), "Enter the password.");
        }
    }
    let texts = draft.options.iter().chain(&draft.secrets);
    for (name, _) in texts.filter(|(_, value)| value.len() > 4096 || value.chars().any(char::is_control)) {
        problem(format!("options.{name}"), "Use one line of at most 4096 characters.");
    }
    problems
}

async fn checked(app: &App, draft: &ConnectionDraft, stored: &BTreeMap<String, String>) -> Result<()> {
    let problems = problems(draft, stored);
    if !problems.is_empty() {
        return Err(Error::fields(problems));
    }
    // A name that does not resolve now may do later; an address that is denied stays denied.
    let bootstrap = draft.options.get(BOOTSTRAP).map(String::as_str).unwrap_or_default();
    match dialer::check_bootstrap(bootstrap, app.config.allow_private_addresses).await {
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
    checked(app, &draft, &before.secrets).await?;
    // A stored password must not be sent to another server by changing the address around it.
    let moved = before.options.get(BOOTSTRAP) != draft.options.get(BOOTSTRAP);
    let kept: Vec<&String> = before.secrets.keys().filter(|name| !draft.secrets.contains_key(*name)).collect();
    if let (true, Some(name)) = (moved, kept.first()) {
        return Err(Error::field(format!("secrets.{name}"), "The address changed: enter the secret again."));
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
    let row = transact!(app.store, tx => {
        let row = store::connection::get_in(tx, caller.team, id).await?.ok_or_else(|| Error::not_found("connection"))?;
        refuse_built_in(&row)?;
        let tables = store::connection::used_by(tx, id).await?;
        if !tables.is_empty() {
            let message = format!("These tables use the connection: {}.", tables.join(", "));
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
    row.options
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// With secrets opened, and the broker's address checked and resolved: for connecting, never for showing.
pub(super) async fn secret_settings(app: &App, row: &ConnectionRow) -> Result<BTreeMap<String, String>> {
    let mut settings = open_settings(app, row);
    for (name, sealed) in &row.secrets {
        settings.insert(name.clone(), app.keys.open(&place(row.id, name), sealed)?);
    }
    let bootstrap = settings.get(BOOTSTRAP).cloned().unwrap_or_default();
    if bootstrap.is_empty() {
        return Err(Error::external("The broker's address is not known yet. It may still be starting."));
    }
    if !row.built_in {
        let checked = dialer::check_bootstrap(&bootstrap, app.config.allow_private_addresses).await?;
        settings.insert(BOOTSTRAP.to_owned(), checked);
    }
    Ok(settings)
}

pub async fn test_stored(app: &App, team: TeamId, id: ConnectionId) -> Result<ConnectionTest> {
    let row = row(app, team, id).await?;
    let mut settings = open_settings(app, &row);
    for (name, sealed) in &row.secrets {
        settings.insert(name.clone(), app.keys.open(&place(row.id, name), sealed)?);
    }
    Ok(probe::test(settings, trust(app, row.built_in)).await)
}

/// Before it is saved: only with the secrets that are given.
pub async fn test_draft(app: &App, draft: ConnectionDraft) -> Result<ConnectionTest> {
    let problems = problems(&draft, &BTreeMap::new());
    if !problems.is_empty() {
        return Err(Error::fields(problems));
    }
    let mut settings = draft.options;
    settings.retain(|_, value| !value.is_empty());
    settings.extend(draft.secrets.into_iter().filter(|(_, value)| !value.is_empty()));
    Ok(probe::test(settings, trust(app, false)).await)
}

/// For looking into the cluster behind a connection.
pub async fn cluster(app: &App, team: TeamId, id: ConnectionId) -> Result<Cluster> {
    let row = row(app, team, id).await?;
    let settings = secret_settings(app, &row).await?;
    Cluster::new(settings, trust(app, row.built_in)).await
}
