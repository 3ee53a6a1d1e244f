//! Passwords and tokens of tables that name their server themselves instead of a connection.
//!
//! They come among the options of the form and are taken out before anything is kept: what is stored, shown, written as
//! DDL, versioned and audited never has them. They are sealed beside the table and filled in when it is run, together
//! with the address that they were given for. Planning gets that address as one that is filled in, too: a hint that
//! changes it is refused, as it is for connections.

use std::collections::BTreeMap;

use millrace_wire::connector::{ConnectorCatalog, OptionKind, OptionSchema};
use millrace_wire::error::FieldError;
use millrace_wire::ids::TableId;
use millrace_wire::table::TableDraft;

use crate::error::{Error, Result};
use crate::state::App;
use crate::store::table::TableRow;

/// Secrets by the name of their option: opened where they were just given, sealed where they are stored.
pub(super) type Secrets = BTreeMap<String, String>;

/// Parts of the names of options that say where a secret is sent, and how safely.
const OF_ADDRESS: [&str; 9] =
    ["url", "host", "port", "server", "database-name", "user", "ssl", "encrypt", "credentials"];

/// Takes the secrets out of a form. An empty one asks to forget what is stored.
pub(super) fn split(app: &App, mut draft: TableDraft) -> (TableDraft, Secrets) {
    let names = names(app);
    let is_secret = |option: &str| {
        // Formats of keys and values have a prefix: `value.avro-confluent.bearer-auth.token`.
        names.iter().any(|name| option == name || option.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
    };
    let mut secrets = Secrets::new();
    draft.options.retain(|name, value| {
        let secret = is_secret(name);
        if secret {
            secrets.insert(name.clone(), std::mem::take(value));
        }
        !secret
    });
    (draft, secrets)
}

/// Every option of a connector or format that is a secret.
fn names(app: &App) -> Vec<String> {
    let catalog = app.engine.connectors();
    let of_connectors = catalog.connectors.into_iter().flat_map(|connector| connector.options);
    let of_formats = catalog.formats.into_iter().flat_map(|format| format.options);
    let secret = |option: &OptionSchema| option.kind == OptionKind::Secret;
    of_connectors.chain(of_formats).filter(secret).map(|option| option.name).collect()
}

/// What is to be stored after a change. A secret that is not given again stays, unless the table leads elsewhere now:
/// then it has to be entered again, since whoever edits a table may not know it.
pub(super) fn after(app: &App, before: &TableRow, draft: &TableDraft, given: &Secrets) -> Result<Secrets> {
    let takes = |name: &str| draft.connection.is_none() && takes(app, draft, name);
    let mut kept: Secrets = before.secrets.clone();
    kept.retain(|name, _| takes(name) && !given.contains_key(name));
    if !leads_to_same(&before.draft, draft) && !kept.is_empty() {
        let again = |name: &String| FieldError {
            field: format!("options.{name}"),
            message: "The address changed: enter it again.".to_owned(),
        };
        return Err(Error::fields(kept.keys().map(again).collect()));
    }
    kept.extend(seal(app, before.id, given)?);
    Ok(kept)
}

/// Whether connector or format of the draft still have such an option.
fn takes(app: &App, draft: &TableDraft, name: &str) -> bool {
    let catalog = app.engine.connectors();
    let connector = catalog.connectors.into_iter().find(|known| known.name == draft.connector);
    let of_connector = connector.is_some_and(|connector| connector.options.iter().any(|option| option.name == name));
    let formats = ["format", "key.format", "value.format"].into_iter().filter_map(|option| draft.options.get(option));
    of_connector || formats.chain(&draft.format).any(|format| name.contains(format.as_str()))
}

pub(super) fn seal(app: &App, table: TableId, given: &Secrets) -> Result<Secrets> {
    let worth = given.iter().filter(|(_, value)| !value.is_empty());
    worth.map(|(name, value)| Ok((name.clone(), app.keys.seal(&place(table, name), value)?))).collect()
}

/// The address that the secrets of a table are for, as what is filled in. What the table leaves at its default is part of
/// it: a hint must not name another port either, or switch encryption off.
pub(super) fn for_planning(catalog: &ConnectorCatalog, draft: &TableDraft) -> BTreeMap<String, String> {
    let connector = catalog.connectors.iter().find(|connector| connector.name == draft.connector);
    let options = connector.into_iter().flat_map(|connector| &connector.options);
    let defaults = options.filter(|option| says_where(&option.name) && option.kind != OptionKind::Secret);
    let defaults = defaults.filter_map(|option| Some((option.name.clone(), option.default.clone()?)));
    let mut filled: BTreeMap<String, String> = defaults.filter(|(_, value)| !value.is_empty()).collect();
    filled.extend(address(draft).into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
    filled
}

/// What a run is given on top of the DDL: the secrets, and the address that they are for.
pub(super) fn for_running(app: &App, row: &TableRow) -> Result<BTreeMap<String, String>> {
    if row.secrets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut options = for_planning(&app.engine.connectors(), &row.draft);
    for (name, sealed) in &row.secrets {
        options.insert(name.clone(), app.keys.open(&place(row.id, name), sealed)?);
    }
    Ok(options)
}

pub(super) fn leads_to_same(before: &TableDraft, after: &TableDraft) -> bool {
    before.connector == after.connector && before.connection == after.connection && address(before) == address(after)
}

fn place(table: TableId, name: &str) -> String {
    format!("table/{table}/{name}")
}

fn says_where(option: &str) -> bool {
    OF_ADDRESS.iter().any(|part| option.contains(part))
}

/// The options that say where a table leads.
fn address(draft: &TableDraft) -> BTreeMap<&str, &str> {
    draft
        .options
        .iter()
        .filter(|(name, _)| says_where(name))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}
