//! A team's tables as the engine takes them: text, and the options that a connection fills in.
//!
//! Two kinds: for planning (validation, completion, forms), without secrets and without touching the network; and for
//! running (samples, previews, workers), with secrets and with every address checked. Planning is asked for with every
//! key stroke, so what is read for it is kept until the team changes a table or a connection, or the server's own broker
//! moves. Kept are all tables of a team; what somebody may not see is left out for each question, so that a change of
//! rights needs nothing here.
//!
//! Tables of other teams that are open to this one stand beside its own as `team.database.table`. What their connections
//! fill in comes from the other team's connections, and stays on the server like everything that is filled in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use millrace_wire::ids::{ConnectionId, JobId, TableId, TeamId};
use millrace_wire::job::Version;
use millrace_wire::link::TableSource;

use super::team::DEFAULT_DATABASE;
use super::{connection, function, table_secret};
use crate::access::sight::Sight;
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
    tables: TeamTables,
}

/// All tables of a team, whoever may see them.
#[derive(Clone)]
struct TeamTables {
    sources: Arc<BTreeMap<String, TableSource>>,
    /// `database.table`
    names: Arc<HashMap<TableId, String>>,
}

impl PlanningCatalogs {
    fn get(&self, team: TeamId, revision: i64, broker: &str) -> Option<TeamTables> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(&team).filter(|kept| kept.revision == revision && kept.broker == broker);
        found.map(|kept| kept.tables.clone())
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

/// What somebody's script can name.
#[derive(Clone, Debug, Default)]
pub struct Planning {
    pub text: CatalogText,
    /// Those of its tables that may only be read.
    pub read_only: BTreeSet<String>,
}

/// The tables that these eyes see, and those of other teams that are open to them. A script of a job may also name what
/// the newest version of the job names: whoever may edit the job sees that anyway.
pub async fn for_planning(app: &App, sight: &Sight, job: Option<JobId>) -> Result<Planning> {
    let newest = match job {
        Some(job) => store::version::newest(&app.store, job).await?,
        None => None,
    };
    let (reads, writes) = newest.map(|version| (version.reads, version.writes)).unwrap_or_default();
    planning(app, sight, &reads, &writes).await
}

/// For a version that is there: what it names belongs to it, whoever looks.
pub async fn for_version(app: &App, sight: &Sight, version: &Version) -> Result<CatalogText> {
    Ok(planning_of_version(app, sight, version).await?.text)
}

pub(super) async fn planning_of_version(app: &App, sight: &Sight, version: &Version) -> Result<Planning> {
    planning(app, sight, &version.reads, &version.writes).await
}

/// `reads`, `writes`: names that are known whoever looks.
async fn planning(app: &App, sight: &Sight, reads: &[String], writes: &[String]) -> Result<Planning> {
    let is_named = |name: &String| reads.contains(name) || writes.contains(name);
    let TeamTables { sources: mut tables, names } = team_tables(app, sight.team).await?;
    // Asked after the tables were read: what was closed meanwhile is closed.
    let closed = store::table::closed(&app.store, sight).await?;
    let hidden = closed.hidden.iter().filter_map(|id| names.get(id)).filter(|name| !is_named(name));
    let hidden: Vec<&String> = hidden.collect();
    if !hidden.is_empty() {
        let tables = Arc::make_mut(&mut tables);
        for name in hidden {
            tables.remove(name);
        }
    }
    let of_team = closed.read_only.iter().filter_map(|id| names.get(id)).filter(|name| !writes.contains(name));
    let mut read_only: BTreeSet<String> = of_team.filter(|name| tables.contains_key(*name)).cloned().collect();
    let mut foreign = store::table::open_to(&app.store, sight).await?;
    let open_to_team = store::table::open_to(&app.store, &Sight::platform(sight.team)).await?;
    foreign.extend(open_to_team.into_iter().filter(|table| is_named(&table.name())));
    for found in foreign {
        let name = found.name();
        if !found.writes {
            read_only.insert(name.clone());
        }
        let hidden_options = foreign_options(app, &found.table).await?;
        Arc::make_mut(&mut tables).insert(name, TableSource { ddl: found.table.ddl, hidden_options });
    }
    let functions = function::for_scripts(app, sight.team).await?;
    let text = CatalogText { default_database: DEFAULT_DATABASE.to_owned(), tables, functions };
    Ok(Planning { text, read_only })
}

async fn foreign_options(app: &App, table: &TableRow) -> Result<BTreeMap<String, String>> {
    let Some(id) = table.draft.connection else { return Ok(BTreeMap::new()) };
    let connection = store::connection::get(&app.store, table.team, id).await?;
    Ok(connection.map(|row| planning_options(app, &row, &table.draft.connector)).unwrap_or_default())
}

async fn team_tables(app: &App, team: TeamId) -> Result<TeamTables> {
    // Read before the tables: what changes meanwhile is read again.
    let revision = store::team::catalog_revision(&app.store, team).await?;
    let broker = app.broker.borrow().bootstrap.clone();
    if let Some(tables) = app.catalogs.get(team, revision, &broker) {
        return Ok(tables);
    }
    let tables = read_tables(app, team).await?;
    app.catalogs.keep(team, Kept { revision, broker, tables: tables.clone() });
    Ok(tables)
}

async fn read_tables(app: &App, team: TeamId) -> Result<TeamTables> {
    let connections = store::connection::list(&app.store, team).await?;
    let connections: HashMap<ConnectionId, ConnectionRow> = connections.into_iter().map(|row| (row.id, row)).collect();
    let catalog = app.engine.connectors();
    let (mut sources, mut names) = (BTreeMap::new(), HashMap::new());
    for table in store::table::descriptors(&app.store, team).await? {
        let connection = table.connection.and_then(|id| connections.get(&id));
        let hidden_options = match &table.draft {
            // A hint must not lead its password elsewhere.
            Some(draft) => table_secret::for_planning(&catalog, draft),
            None => connection.map(|row| planning_options(app, row, &table.connector)).unwrap_or_default(),
        };
        names.insert(table.id, table.name.clone());
        sources.insert(table.name, TableSource { ddl: table.ddl, hidden_options });
    }
    Ok(TeamTables { sources: Arc::new(sources), names: Arc::new(names) })
}

/// DDL as it is now of the tables that a version names.
pub async fn ddl_now(app: &App, team: TeamId, names: &BTreeSet<String>) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for name in names {
        found.extend(named(app, team, name).await?.map(|table| (name.clone(), table.ddl)));
    }
    Ok(found)
}

/// Where the tables of these names lead: the connection of each with what is no secret of it, as it is now; of a table
/// with a password of its own the address that it is for.
pub async fn connections_now<'a>(
    app: &App,
    team: TeamId,
    names: impl Iterator<Item = &'a String>,
) -> Result<BTreeMap<String, (Option<ConnectionId>, BTreeMap<String, String>)>> {
    let mut found = BTreeMap::new();
    for name in names {
        let Some(table) = named(app, team, name).await? else { continue };
        let leads = match table.draft.connection {
            Some(id) => {
                let options = store::connection::get(&app.store, table.team, id).await?.map(|row| row.options);
                (Some(id), options.unwrap_or_default())
            }
            None if table.secrets.is_empty() => continue,
            None => (None, table_secret::for_planning(&app.engine.connectors(), &table.draft)),
        };
        found.insert(name.clone(), leads);
    }
    Ok(found)
}

/// A table of the team by `database.table`, one of another by `team.database.table`, whoever may see it.
async fn named(app: &App, team: TeamId, name: &str) -> Result<Option<TableRow>> {
    if is_foreign(name) {
        return store::table::of_any_team(&app.store, name).await;
    }
    let Some((database, name)) = name.split_once('.') else { return Ok(None) };
    store::table::by_name(&app.store, team, database, name).await
}

/// Where a table's records come from: its connector, and the connection with the team that has it, where there is one.
pub(super) struct Origin {
    pub(super) connector: String,
    pub(super) connection: Option<(TeamId, ConnectionId)>,
}

/// `None` for a table that is not there, such as one that a script makes.
pub(super) async fn origin(app: &App, team: TeamId, name: &str) -> Result<Option<Origin>> {
    let origin = |table: TableRow| Origin {
        connection: table.draft.connection.map(|id| (table.team, id)),
        connector: table.draft.connector,
    };
    Ok(named(app, team, name).await?.map(origin))
}

/// Only the tables `names`; one that does not exist is left out, which planning has told before. Whether they are open
/// to the team is asked when a job is started, not here: a run goes on until it is stopped.
pub async fn for_running(app: &App, team: TeamId, names: &BTreeSet<String>) -> Result<BTreeMap<String, TableSource>> {
    let mut tables = BTreeMap::new();
    let mut known = BTreeMap::new();
    for name in names {
        let Some(table) = named(app, team, name).await? else { continue };
        let hidden_options = match table.draft.connection {
            None => table_secret::for_running(app, &table)?,
            Some(id) => {
                let key = (id, table.draft.connector.clone());
                match known.get(&key) {
                    Some(options) => BTreeMap::clone(options),
                    None => {
                        let options = hidden_for_running(app, table.team, id, &table.draft.connector).await?;
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

/// A name with a team in front.
pub fn is_foreign(name: &str) -> bool {
    name.matches('.').count() == 2
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

/// The tables of these names, whoever may see them. `None` when one of them is gone.
pub(super) async fn ids_of(app: &App, team: TeamId, names: &BTreeSet<String>) -> Result<Option<BTreeSet<TableId>>> {
    let mut ids = BTreeSet::new();
    for name in names {
        let Some(table) = self::named(app, team, name).await? else { return Ok(None) };
        ids.insert(table.id);
    }
    Ok(Some(ids))
}

/// What somebody may read at this moment, by the same rules as a script that names it.
pub(super) struct ReadableTables {
    ids: BTreeSet<TableId>,
}

impl ReadableTables {
    pub(super) async fn load(app: &App, sight: &Sight) -> Result<ReadableTables> {
        let TeamTables { names, .. } = team_tables(app, sight.team).await?;
        let closed = store::table::closed(&app.store, sight).await?;
        let own = names.keys().filter(|id| !closed.hidden.contains(id)).copied();
        let foreign = store::table::open_to(&app.store, sight).await?.into_iter().map(|found| found.table.id);
        Ok(ReadableTables { ids: own.chain(foreign).collect() })
    }

    /// A table that is gone can be read by nobody.
    pub(super) fn has_all(&self, tables: &BTreeSet<TableId>) -> bool {
        tables.is_subset(&self.ids)
    }
}
