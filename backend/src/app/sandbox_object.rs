//! What test runs write to sandbox targets: what is offered for a script, which names are taken, and how they go again.

use std::collections::BTreeMap;

use millrace_wire::ids::{ConnectionId, SandboxObjectId, TeamId, TestRunId};
use millrace_wire::sandbox_target::{ListSandboxOffers, SandboxKind, SandboxObject, SandboxOffer, SandboxPlace};

use super::{catalog, sandbox_target, script, sql, test_run};
use crate::access::identity::TeamCaller;
use crate::clock::{new_id, now_ms};
use crate::engine::SandboxName;
use crate::error::{Code, Error, Result};
use crate::parameter::Filled;
use crate::state::App;
use crate::store;
use crate::store::Tx;
use crate::store::sandbox_target::{SandboxObjectRow, SandboxTargetRow};
use crate::transact;

/// Of one team, so that nobody forgets them for ever.
const MOST_OBJECTS: u64 = 200;

/// Ends the names of what a run writes: the part of its id that two runs of the same second do not share.
pub(super) fn mark(run: TestRunId) -> String {
    let id = run.0.simple().to_string();
    id.get(24..).unwrap_or_default().to_owned()
}

/// Every sink of a script. Empty for one that cannot be planned.
pub async fn offers(app: &App, caller: &TeamCaller, request: ListSandboxOffers) -> Result<Vec<SandboxOffer>> {
    let (text, _) = test_run::text_of(app, caller, (request.sql.as_ref(), request.job, request.version)).await?;
    sql::check_length(&text)?;
    let filled = script::filled(app, caller.team, &text).await?;
    let found = offers_of(app, caller, &filled).await?;
    Ok(found.into_iter().map(|(offer, _)| offer).collect())
}

/// With the connection of each, where it has one.
async fn offers_of(
    app: &App,
    caller: &TeamCaller,
    filled: &Filled,
) -> Result<Vec<(SandboxOffer, Option<ConnectionId>)>> {
    let catalog = catalog::for_planning(app, &caller.sight(), None).await?.text;
    let text = filled.text().to_owned();
    let sinks = sql::plan(app, move |engine| engine.sinks(&text, &catalog)).await?;
    let targets = store::sandbox_target::list(&app.store, caller.team).await?;
    let mut offers: Vec<(SandboxOffer, Option<ConnectionId>)> = Vec::new();
    for sink in sinks {
        if offers.iter().any(|(known, _)| known.table == sink.name) {
            continue;
        }
        let origin = catalog::origin(app, caller.team, &sink.name).await?;
        let connector = match &origin {
            Some(origin) => origin.connector.clone(),
            None => sink.options.get("connector").cloned().unwrap_or_default(),
        };
        let connection = origin.and_then(|origin| origin.connection);
        let place = place(caller, &targets, &connector, connection);
        let (place, why_not) = match place {
            Ok(target) => {
                let place = SandboxPlace { kind: sandbox_target::kind(target), place: target.place.clone() };
                (Some(place), String::new())
            }
            Err(why) => (None, why.to_owned()),
        };
        let offer = SandboxOffer { table: sink.name, connector, place, why_not };
        offers.push((offer, connection.map(|(_, id)| id)));
    }
    Ok(offers)
}

fn place<'a>(
    caller: &TeamCaller,
    targets: &'a [SandboxTargetRow],
    connector: &str,
    connection: Option<(TeamId, ConnectionId)>,
) -> std::result::Result<&'a SandboxTargetRow, &'static str> {
    let none_yet = "There is no sandbox target for it. An owner of the team sets one.";
    match (millrace_engine::connector::sandbox_kind_of(connector), connection) {
        (None, _) => Err("Its connector writes nothing that a sandbox target could stand for."),
        (Some(_), Some((team, _))) if team != caller.team => Err("The table belongs to another team."),
        (Some(_), Some((_, id))) => {
            let found = targets.iter().find(|target| target.connection.is_some_and(|(known, _)| known == id));
            found.ok_or(none_yet)
        }
        (Some(SandboxKind::Folder), None) => targets.iter().find(|target| target.connection.is_none()).ok_or(none_yet),
        (Some(_), None) => Err("It has an address of its own; sandbox targets are for connections."),
    }
}

/// What a test run writes outside: for its assignment, and to be kept together with it.
#[derive(Default)]
pub(super) struct Chosen {
    pub(super) places: BTreeMap<String, SandboxPlace>,
    pub(super) objects: Vec<SandboxObjectRow>,
}

/// Refuses sinks that are not offered. Makes nothing yet.
pub(super) async fn choose(
    app: &App,
    caller: &TeamCaller,
    run: TestRunId,
    filled: &Filled,
    sinks: &[String],
) -> Result<Chosen> {
    if sinks.is_empty() {
        return Ok(Chosen::default());
    }
    let refused = |message: String| Error::field("sandbox_targets", message);
    let offers = offers_of(app, caller, filled).await?;
    let (mut places, mut connections) = (BTreeMap::new(), BTreeMap::new());
    for name in sinks {
        let found = offers.iter().find(|(offer, _)| offer.table == *name);
        let (offer, connection) = found.ok_or_else(|| refused(format!("The script does not write {name}.")))?;
        let place = offer.place.clone().ok_or_else(|| refused(format!("{name}: {}", offer.why_not)))?;
        places.insert(name.clone(), place);
        connections.insert(name.clone(), (*connection, offer.connector.clone()));
    }
    let catalog = catalog::for_planning(app, &caller.sight(), None).await?.text;
    let (text, asked, mark) = (filled.text().to_owned(), places.clone(), mark(run));
    let roots = app.config.file_roots.of_team(&caller.slug);
    let names = sql::plan(app, move |engine| engine.sandbox_names(&text, &catalog, &asked, &mark, &roots)).await?;
    let object = |named: SandboxName| {
        let (connection, connector) = connections.get(&named.sink).cloned().unwrap_or_default();
        SandboxObjectRow {
            id: SandboxObjectId(new_id()),
            team: caller.team,
            connection,
            connection_name: String::new(),
            test_run: run,
            table: named.sink,
            connector,
            name: named.title,
            options: named.options,
            created_at: now_ms(),
            created_by: caller.caller.name.clone(),
        }
    };
    Ok(Chosen { places, objects: names?.into_iter().map(object).collect() })
}

/// Before anything of it is made: what a run leaves behind is always in the list.
pub(super) async fn keep(tx: &mut Tx, team: TeamId, objects: &[SandboxObjectRow]) -> Result<()> {
    if objects.is_empty() {
        return Ok(());
    }
    if store::sandbox_target::count_objects(tx, team).await? + objects.len() as u64 > MOST_OBJECTS {
        let message = format!("Test runs of the team have left {MOST_OBJECTS} topics, tables and folders.");
        return Err(Error::field("sandbox_targets", message).hint("Remove those that nobody needs any more."));
    }
    for object in objects {
        store::sandbox_target::insert_object(tx, object).await?;
    }
    Ok(())
}

/// Newest first.
pub async fn list(app: &App, team: TeamId) -> Result<Vec<SandboxObject>> {
    Ok(store::sandbox_target::objects(&app.store, team).await?.into_iter().map(view).collect())
}

fn view(row: SandboxObjectRow) -> SandboxObject {
    SandboxObject {
        id: row.id,
        test_run: row.test_run,
        table: row.table,
        connector: row.connector,
        connection: row.connection,
        connection_name: row.connection_name,
        name: row.name,
        created_at: row.created_at,
        created_by: row.created_by,
    }
}

/// Removes it outside, then from the list. What is gone already is only forgotten.
pub async fn remove(app: &App, caller: &TeamCaller, id: SandboxObjectId) -> Result<SandboxObject> {
    let row = store::sandbox_target::object(&app.store, caller.team, id).await?;
    let row = row.ok_or_else(|| Error::not_found("sandbox object"))?;
    let run = store::test_run::get(&app.store, caller.team, row.test_run).await?;
    // It may run on another server; one that was lost is over when its time is.
    if run.is_some_and(|run| run.ended_at.is_none() && now_ms() < test_run::over_by(&run)) {
        return Err(Error::conflict(Code::WrongState, "The test run still writes it. Cancel the run first."));
    }
    let connection = match row.connection {
        Some(id) => catalog::hidden_for_running(app, caller.team, id, &row.connector).await?,
        None => BTreeMap::new(),
    };
    let named = SandboxName { sink: row.table.clone(), title: row.name.clone(), options: row.options.clone() };
    let roots = app.config.file_roots.of_team(&caller.slug);
    app.engine.remove_sandbox_object(&row.connector, connection, named, mark(row.test_run), roots).await?;
    transact!(app.store, tx => { store::sandbox_target::delete_object(tx, caller.team, id).await })?;
    Ok(view(row))
}
