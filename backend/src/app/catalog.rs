//! A team's tables as the engine takes them: text, and the options that a connection fills in.
//!
//! Two kinds: for planning (validation, completion, forms), without secrets and without touching the network; and for
//! running (samples, previews, workers), with secrets and with every address checked. Planning is asked for with every
//! key stroke, so what is read for it is kept until the team changes a table or a connection, or the server's own broker
//! moves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use millrace_wire::ids::{ConnectionId, TeamId};
use millrace_wire::link::TableSource;

use super::team::DEFAULT_DATABASE;
use super::{connection, function};
use crate::endpoint;
use crate::engine::CatalogText;
use crate::error::Result;
use crate::state::App;
use crate::store;
use crate::store::connection::ConnectionRow;
use crate::store::table::TableRow;

/// Of as many teams what was read is kept.
const MOST_TEAMS: usize = 32;

/// What was read for planning, by team.
#[derive(Default)]
pub struct PlanningCatalogs(Mutex<HashMap<TeamId, Kept>>);

#[derive(Clone)]
struct Kept {
    revision: i64,
    /// Where the server's own broker is: an option of tables, and no row of the store.
    broker: String,
    tables: Arc<BTreeMap<String, TableSource>>,
}

impl PlanningCatalogs {
    fn get(&self, team: TeamId, revision: i64, broker: &str) -> Option<Arc<BTreeMap<String, TableSource>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(&team).filter(|kept| kept.revision == revision && kept.broker == broker);
        found.map(|kept| Arc::clone(&kept.tables))
    }

    fn keep(&self, team: TeamId, fresh: Kept) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_TEAMS && !kept.contains_key(&team) {
            // Which one goes does not matter: it is read again when it is needed.
            let any = kept.keys().next().copied();
            any.and_then(|team| kept.remove(&team));
        }
        kept.insert(team, fresh);
    }
}

pub async fn for_planning(app: &App, team: TeamId) -> Result<CatalogText> {
    // Read before the tables: what changes meanwhile is read again.
    let revision = store::team::catalog_revision(&app.store, team).await?;
    let broker = app.broker.borrow().bootstrap.clone();
    let tables = match app.catalogs.get(team, revision, &broker) {
        Some(tables) => tables,
        None => {
            let tables = Arc::new(planning_tables(app, team).await?);
            app.catalogs.keep(team, Kept { revision, broker, tables: Arc::clone(&tables) });
            tables
        }
    };
    let functions = function::for_scripts(app, team).await?;
    Ok(CatalogText { default_database: DEFAULT_DATABASE.to_owned(), tables, functions })
}

async fn planning_tables(app: &App, team: TeamId) -> Result<BTreeMap<String, TableSource>> {
    let connections = store::connection::list(&app.store, team).await?;
    let connections: HashMap<ConnectionId, ConnectionRow> = connections.into_iter().map(|row| (row.id, row)).collect();
    let mut tables = BTreeMap::new();
    for table in store::table::descriptors(&app.store, team).await? {
        let connection = table.connection.and_then(|id| connections.get(&id));
        let hidden_options = connection.map(|row| planning_options(app, row, &table.connector)).unwrap_or_default();
        tables.insert(table.name, TableSource { ddl: table.ddl, hidden_options });
    }
    Ok(tables)
}

/// Only the tables `names` (`database.table`); one that does not exist is left out, which planning has told before.
pub async fn for_running(app: &App, team: TeamId, names: &BTreeSet<String>) -> Result<BTreeMap<String, TableSource>> {
    let mut tables = BTreeMap::new();
    let mut known = BTreeMap::new();
    for name in names {
        let Some((database, bare)) = name.split_once('.') else { continue };
        let Some(table) = store::table::by_name(&app.store, team, database, bare).await? else { continue };
        let hidden_options = match table.draft.connection {
            None => BTreeMap::new(),
            Some(id) => {
                let key = (id, table.draft.connector.clone());
                match known.get(&key) {
                    Some(options) => BTreeMap::clone(options),
                    None => {
                        let options = hidden_for_running(app, team, id, &table.draft.connector).await?;
                        known.insert(key, options.clone());
                        options
                    }
                }
            }
        };
        tables.insert(name.clone(), TableSource { ddl: table.ddl, hidden_options });
    }
    Ok(tables)
}

pub fn full_name(table: &TableRow) -> String {
    format!("{}.{}", table.draft.database, table.draft.name)
}

/// What a connection fills in for a table of the connector, with secrets, addresses checked.
pub(super) async fn hidden_for_running(
    app: &App,
    team: TeamId,
    id: ConnectionId,
    connector: &str,
) -> Result<BTreeMap<String, String>> {
    let row = connection::row(app, team, id).await?;
    Ok(endpoint::table_options(row.kind, connector, connection::secret_settings(app, &row).await?))
}

/// The same without secrets and without asking anybody.
pub(super) fn planning_options(app: &App, row: &ConnectionRow, connector: &str) -> BTreeMap<String, String> {
    let mut settings = connection::open_settings(app, row);
    // The demo broker has no address before it is up; plans do not depend on it.
    if let Some(servers) = settings.get_mut("bootstrap.servers").filter(|servers| servers.is_empty()) {
        "not-known-yet:9092".clone_into(servers);
    }
    endpoint::table_options(row.kind, connector, settings)
}
