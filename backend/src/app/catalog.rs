//! A team's tables as the engine takes them: text, and the options that a connection fills in.
//!
//! Two kinds: for planning (validation, completion, forms), without secrets and without touching the network; and for
//! running (samples, previews, workers), with secrets and with every address checked.

use std::collections::{BTreeMap, BTreeSet};

use millrace_wire::ids::{ConnectionId, TeamId};
use millrace_wire::link::TableSource;

use super::team::DEFAULT_DATABASE;
use super::{connection, function};
use crate::engine::CatalogText;
use crate::error::Result;
use crate::state::App;
use crate::store;
use crate::store::table::TableRow;

/// How the engine names what comes from a connection.
const PREFIX: &str = "properties.";

pub async fn for_planning(app: &App, team: TeamId) -> Result<CatalogText> {
    let hidden = hidden_for_planning(app, team).await?;
    let mut tables = BTreeMap::new();
    for table in store::table::list(&app.store, team).await? {
        let hidden_options = table.draft.connection.and_then(|id| hidden.get(&id).cloned()).unwrap_or_default();
        tables.insert(full_name(&table), TableSource { ddl: table.ddl, hidden_options });
    }
    let functions = function::for_scripts(app, team).await?;
    Ok(CatalogText { default_database: DEFAULT_DATABASE.to_owned(), tables, functions })
}

/// Only the tables `names` (`database.table`), no functions; one that does not exist is left out, which planning has told before.
pub async fn for_running(app: &App, team: TeamId, names: &BTreeSet<String>) -> Result<CatalogText> {
    let mut tables = BTreeMap::new();
    let mut known = BTreeMap::new();
    for table in store::table::list(&app.store, team).await? {
        let name = full_name(&table);
        if !names.contains(&name) {
            continue;
        }
        let hidden_options = match table.draft.connection {
            None => BTreeMap::new(),
            Some(id) => match known.get(&id) {
                Some(options) => BTreeMap::clone(options),
                None => {
                    let options = hidden_for_running(app, team, id).await?;
                    known.insert(id, options.clone());
                    options
                }
            },
        };
        tables.insert(name, TableSource { ddl: table.ddl, hidden_options });
    }
    Ok(CatalogText { default_database: DEFAULT_DATABASE.to_owned(), tables, ..CatalogText::default() })
}

/// All tables. A connection that cannot be used now leaves its tables without hidden options: the job that needs them
/// fails with the reason, the others run.
pub async fn all_for_running(app: &App, team: TeamId) -> Result<CatalogText> {
    let mut known = BTreeMap::new();
    for row in store::connection::list(&app.store, team).await? {
        match connection::secret_settings(app, &row).await {
            Ok(settings) => {
                known.insert(row.id, prefixed(settings));
            }
            Err(error) => tracing::warn!(connection.id = %row.id, "connection cannot be used: {error}"),
        }
    }
    let mut tables = BTreeMap::new();
    for table in store::table::list(&app.store, team).await? {
        let hidden_options = table.draft.connection.and_then(|id| known.get(&id).cloned()).unwrap_or_default();
        tables.insert(full_name(&table), TableSource { ddl: table.ddl, hidden_options });
    }
    Ok(CatalogText { default_database: DEFAULT_DATABASE.to_owned(), tables, ..CatalogText::default() })
}

pub fn full_name(table: &TableRow) -> String {
    format!("{}.{}", table.draft.database, table.draft.name)
}

pub(super) async fn hidden_for_running(app: &App, team: TeamId, id: ConnectionId) -> Result<BTreeMap<String, String>> {
    let row = connection::row(app, team, id).await?;
    Ok(prefixed(connection::secret_settings(app, &row).await?))
}

pub(super) async fn hidden_for_planning(
    app: &App,
    team: TeamId,
) -> Result<BTreeMap<ConnectionId, BTreeMap<String, String>>> {
    let rows = store::connection::list(&app.store, team).await?;
    let hidden = rows.iter().map(|row| {
        let mut settings = connection::open_settings(app, row);
        // The demo broker has no address before it is up; plans do not depend on it.
        settings.entry("bootstrap.servers".to_owned()).and_modify(|servers| {
            if servers.is_empty() {
                *servers = "not-known-yet:9092".to_owned();
            }
        });
        (row.id, prefixed(settings))
    });
    Ok(hidden.collect())
}

fn prefixed(settings: BTreeMap<String, String>) -> BTreeMap<String, String> {
    settings.into_iter().map(|(name, value)| (format!("{PREFIX}{name}"), value)).collect()
}
