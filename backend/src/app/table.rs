//! Tables: descriptors of external streams, made by form. The DDL is written from the form, never the other way.

use std::collections::{BTreeMap, BTreeSet};

use millrace_wire::access::{Level, ObjectAccess};
use millrace_wire::connection::{ConnectionTest, JobRef, TestStep};
use millrace_wire::connector::{ConnectorSchema, OptionClass};
use millrace_wire::error::FieldError;
use millrace_wire::ids::{ConnectionId, DatabaseId, TableId, TeamId};
use millrace_wire::link::TableSource;
use millrace_wire::live::LiveEvent;
use millrace_wire::table::{FetchSchema, FetchedSchema, Sample, Table, TableCheck, TableDraft, TableSummary};
use millrace_wire::table_version::{Compatibility, SaveTable, TableImpact};
use millrace_wire::team::Role;

use super::account::taken_or;
use super::permission::VisibleJobs;
use super::{catalog, check, connection, external, impact, table_secret, topic};
use crate::access::identity::TeamCaller;
use crate::access::sight::{Object, Sight};
use crate::clock;
use crate::engine::FetchRequest;
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store;
use crate::store::table::{TableRow, TableUse};
use crate::store::table_search::{Direction, TableFilter, TableOrder};
use crate::transact;

const LARGEST_SAMPLE: u32 = 200;

/// Below the databases in the order of their names; a part of the list, and how long it is.
pub async fn list(
    app: &App,
    sight: &Sight,
    filter: &TableFilter,
    order: (TableOrder, Direction),
    part: (usize, usize),
) -> Result<(Vec<TableSummary>, u64)> {
    store::table_search::page(&app.store, sight, filter, order, part).await
}

/// Every tag of the team's tables.
pub async fn tags(app: &App, sight: &Sight) -> Result<Vec<String>> {
    store::table_search::tags(&app.store, sight).await
}

pub async fn get(app: &App, sight: &Sight, id: TableId) -> Result<Table> {
    let row = row(app, sight.team, id).await?;
    let standing = store::grant::standing(&app.store, sight, Object::Table(id)).await?;
    let standing = standing.ok_or_else(|| Error::not_found("table"))?;
    let uses = store::table::uses(&app.store, sight, &row.draft.database, &row.draft.name).await?;
    Ok(view(row, &uses, standing.of_table()))
}

pub(super) async fn row(app: &App, team: TeamId, id: TableId) -> Result<TableRow> {
    store::table::get(&app.store, team, id).await?.ok_or_else(|| Error::not_found("table"))
}

/// `uses`: of this table.
fn view(row: TableRow, uses: &[TableUse], access: ObjectAccess) -> Table {
    let (producers, consumers): (Vec<&TableUse>, Vec<&TableUse>) = uses.iter().partition(|used| used.writes);
    let jobs = |uses: Vec<&TableUse>| uses.into_iter().map(|used| used.job.clone()).collect();
    Table {
        producers: jobs(producers),
        consumers: jobs(consumers),
        id: row.id,
        draft: row.draft,
        connection_name: row.connection_name,
        owner: row.owner,
        tags: row.tags,
        sharers: row.sharers,
        compatibility: row.compatibility,
        secrets_set: row.secrets.into_keys().collect(),
        ddl: row.ddl,
        resolved: row.resolved,
        built_in: row.built_in,
        access,
        revision: row.revision,
        updated_by: row.updated_by,
        updated_at: row.updated_at,
        created_at: row.created_at,
    }
}

/// The DDL beside the form, and what is wrong with it; saves nothing.
pub async fn check(app: &App, caller: &TeamCaller, draft: TableDraft) -> Result<TableCheck> {
    Ok(examine(app, caller.team, &caller.slug, &draft).await?.0)
}

/// Also gives the id of the draft's database, when there is such a database. The DDL is without secrets.
pub(super) async fn examine(
    app: &App,
    team: TeamId,
    slug: &str,
    draft: &TableDraft,
) -> Result<(TableCheck, Option<DatabaseId>)> {
    let (draft, secrets) = table_secret::split(app, draft.clone());
    let mut problems = Vec::new();
    let mut problem = |field: &str, message: String| problems.push(FieldError { field: field.to_owned(), message });

    if let Err(error) = check::sql_name("name", &draft.name) {
        problem("name", error.message().to_owned());
    }
    let databases = store::database::list(&app.store, &Sight::platform(team)).await?;
    let database = databases.iter().find(|database| database.name == draft.database).map(|database| database.id);
    if database.is_none() {
        problem("database", format!("There is no database '{}'.", draft.database));
    }
    if draft.comment.chars().count() > 2000 {
        problem("comment", "Use at most 2000 characters.".to_owned());
    }
    let mut hidden = BTreeMap::new();
    let connectors = app.engine.connectors().connectors;
    match connectors.iter().find(|connector| connector.name == draft.connector) {
        None => problem("connector", format!("There is no connector '{}'.", draft.connector)),
        Some(schema) => {
            for (name, message) in platform_options(schema, &draft.options) {
                problem(&format!("options.{name}"), message);
            }
            match draft.connection {
                None if schema.connection.is_some() => problem("connection", "Choose a connection.".to_owned()),
                None => {}
                Some(_) if schema.connection.is_none() && schema.takes.is_empty() => {
                    problem("connection", "This connector takes no connection.".to_owned());
                }
                Some(id) => match store::connection::get(&app.store, team, id).await? {
                    Some(row) if schema.connection == Some(row.kind) || schema.takes.contains(&row.kind) => {
                        if draft.options.iter().any(|(name, value)| topic::is_foreign(name, value, slug)) {
                            problem("options.topic", "This topic belongs to the platform.".to_owned());
                        }
                        hidden = catalog::planning_options(app, &row, &draft.connector);
                        for name in hidden.keys().filter(|name| draft.options.contains_key(*name)) {
                            problem(&format!("options.{name}"), "The connection fills this in.".to_owned());
                        }
                    }
                    _ => problem("connection", "There is no such connection.".to_owned()),
                },
            }
        }
    }
    let ddl = app.engine.write_ddl(&draft);
    hidden.extend(secrets);
    let (found, resolved) = app.engine.check_table(&ddl, &hidden);
    let known: BTreeSet<String> = problems.iter().map(|problem| problem.field.clone()).collect();
    problems.extend(found.into_iter().filter(|problem| !known.contains(&problem.field)));
    Ok((TableCheck { ddl, problems, resolved }, database))
}

/// Options that only a connection may fill in: given in a form they would lead round the check of addresses.
pub(super) fn platform_options(schema: &ConnectorSchema, options: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let is_platform = |name: &str| {
        let declared = schema.options.iter().find(|option| option.name == name);
        let of_connection = schema.connection.is_some() && name.starts_with("properties.");
        matches!(name, "connector" | "format")
            || declared.is_some_and(|option| option.class == OptionClass::Platform)
            || (of_connection && declared.is_none())
    };
    let given = options.keys().filter(|name| is_platform(name));
    given.map(|name| (name.clone(), "The platform fills this in.".to_owned())).collect()
}

async fn checked(app: &App, caller: &TeamCaller, draft: &TableDraft) -> Result<(TableCheck, DatabaseId)> {
    let (check, database) = examine(app, caller.team, &caller.slug, draft).await?;
    match database {
        Some(database) if check.problems.is_empty() => Ok((check, database)),
        _ => Err(Error::fields(check.problems)),
    }
}

fn topic_of(draft: &TableDraft) -> String {
    match draft.connection {
        Some(_) => draft.options.get("topic").cloned().unwrap_or_default(),
        None => String::new(),
    }
}

pub async fn create(app: &App, caller: &TeamCaller, draft: TableDraft) -> Result<Table> {
    let (check, database) = checked(app, caller, &draft).await?;
    let (draft, secrets) = table_secret::split(app, draft);
    refuse_built_in_database(app, caller.team, database).await?;
    let owner_id = Some(caller.caller.user);
    let mut row = TableRow { owner_id, ..new_row(caller.team, &caller.caller.name, draft, check) };
    row.owner.clone_from(&caller.caller.name);
    row.secrets = table_secret::seal(app, row.id, &secrets)?;
    transact!(app.store, tx => {
        store::table::insert(tx, &row, database).await?;
        store::table_version::insert(tx, &row, "").await
    })
    .map_err(|error| taken_or(error, "name", "A table with this name exists in the database."))?;
    app.live.publish(caller.team, &LiveEvent::TablesChanged { table: row.id });
    get(app, &caller.sight(), row.id).await
}

pub(super) fn new_row(team: TeamId, by: &str, draft: TableDraft, check: TableCheck) -> TableRow {
    let now = clock::now_ms();
    TableRow {
        id: TableId(clock::new_id()),
        team,
        topic: topic_of(&draft),
        draft,
        secrets: BTreeMap::new(),
        ddl: check.ddl,
        resolved: check.resolved,
        owner: String::new(),
        tags: Vec::new(),
        sharers: Vec::new(),
        compatibility: Compatibility::None,
        built_in: false,
        revision: 1,
        created_at: now,
        updated_at: now,
        updated_by: by.to_owned(),
        owner_id: None,
        restricted: false,
        listed: false,
        connection_name: String::new(),
    }
}

async fn refuse_built_in_database(app: &App, team: TeamId, database: DatabaseId) -> Result<()> {
    let databases = store::database::list(&app.store, &Sight::platform(team)).await?;
    if databases.iter().any(|known| known.id == database && known.built_in) {
        return Err(Error::field("database", "This database holds the platform's own tables. Choose another one."));
    }
    Ok(())
}

/// What the platform itself keeps in a team: made when missing, brought up to date when different. By name.
pub async fn ensure_built_in(app: &App, team: TeamId, slug: &str, draft: TableDraft) -> Result<TableId> {
    let (check, _) = examine(app, team, slug, &draft).await?;
    let now = clock::now_ms();
    let database_name = draft.database.clone();
    let found = store::table::by_name(&app.store, team, &draft.database, &draft.name).await?;
    if let Some(row) = &found
        && row.built_in
        && row.draft == draft
        && row.ddl == check.ddl
        && row.resolved == check.resolved
    {
        return Ok(row.id);
    }
    let (id, revision, created_at) =
        found.map_or_else(|| (TableId(clock::new_id()), 0, now), |row| (row.id, row.revision, row.created_at));
    let fresh = new_row(team, "Millrace", draft, check);
    let row = TableRow { id, built_in: true, revision: revision + 1, created_at, ..fresh };
    transact!(app.store, tx => {
        let database = match store::database::by_name(tx, team, &database_name).await? {
            Some(database) => database.id,
            None => {
                let database = millrace_wire::table::Database {
                    id: DatabaseId(clock::new_id()),
                    name: database_name.clone(),
                    description: "The platform's own logs and metrics.".to_owned(),
                    tables: 0,
                    built_in: true,
                };
                store::database::insert(tx, team, &database, now).await?;
                database.id
            }
        };
        if revision == 0 {
            store::table::insert(tx, &row, database).await?;
        } else {
            store::table::update(tx, &row, database).await?;
        }
        store::table_version::insert(tx, &row, "").await
    })?;
    app.live.publish(team, &LiveEvent::TablesChanged { table: row.id });
    Ok(row.id)
}

/// Before and after, for the audit trail.
pub struct Edited {
    pub before: TableDraft,
    pub after: Table,
    /// What it breaks, when that was confirmed.
    pub broke: Option<TableImpact>,
}

/// What saving would do; saves nothing.
pub async fn impact(app: &App, caller: &TeamCaller, id: TableId, request: SaveTable) -> Result<TableImpact> {
    let before = row(app, caller.team, id).await?;
    let (check, _) = checked(app, caller, &request.draft).await?;
    let (draft, _) = table_secret::split(app, request.draft);
    changed(app, &caller.sight(), &before, &draft, &check.ddl).await
}

pub(super) async fn changed(
    app: &App,
    sight: &Sight,
    before: &TableRow,
    draft: &TableDraft,
    ddl: &str,
) -> Result<TableImpact> {
    let hidden_options = match draft.connection {
        None => BTreeMap::new(),
        Some(id) => catalog::planning_options(app, &connection::row(app, sight.team, id).await?, &draft.connector),
    };
    let source = TableSource { ddl: ddl.to_owned(), hidden_options };
    impact::of_change(app, sight, before, draft, source).await
}

pub async fn update(app: &App, caller: &TeamCaller, id: TableId, request: SaveTable) -> Result<Edited> {
    let before = row(app, caller.team, id).await?;
    refuse_built_in(&before)?;
    check::description("version_comment", &request.version_comment)?;
    let SaveTable { draft, version_comment, accept_breaking, revision } = request;
    if revision.is_some_and(|revision| revision != before.revision) {
        return Err(saved_meanwhile(&before));
    }
    let (check, database) = checked(app, caller, &draft).await?;
    refuse_built_in_database(app, caller.team, database).await?;
    let (draft, given) = table_secret::split(app, draft);
    let secrets = table_secret::after(app, &before, &draft, &given)?;
    let is_same = before.draft == draft && before.ddl == check.ddl && before.resolved == check.resolved;
    if is_same && given.is_empty() {
        return Ok(Edited { before: before.draft, after: get(app, &caller.sight(), id).await?, broke: None });
    }
    let impact = changed(app, &caller.sight(), &before, &draft, &check.ddl).await?;
    if impact.breaks && !accept_breaking {
        return Err(impact::refusal(&impact));
    }
    let seen = VisibleJobs::load(app, &caller.sight()).await?;
    let row = transact!(app.store, tx => {
        let stored = store::table::get_in(tx, caller.team, id).await?.ok_or_else(|| Error::not_found("table"))?;
        if stored.revision != before.revision {
            return Err(saved_meanwhile(&stored));
        }
        let renamed = stored.draft.database != draft.database || stored.draft.name != draft.name;
        if renamed {
            refuse_when_used(&store::table::jobs_using(tx, &stored).await?, &seen, "renamed")?;
        }
        let row = TableRow {
            topic: topic_of(&draft),
            draft: draft.clone(),
            secrets: secrets.clone(),
            ddl: check.ddl.clone(),
            resolved: check.resolved.clone(),
            revision: stored.revision + 1,
            updated_at: clock::now_ms(),
            updated_by: caller.caller.name.clone(),
            ..stored
        };
        store::table::update(tx, &row, database).await?;
        store::table_version::insert(tx, &row, &version_comment).await?;
        Ok(row)
    })
    .map_err(|error| taken_or(error, "name", "A table with this name exists in the database."))?;
    app.live.publish(caller.team, &LiveEvent::TablesChanged { table: row.id });
    let broke = impact.breaks.then_some(impact);
    Ok(Edited { before: before.draft, after: get(app, &caller.sight(), id).await?, broke })
}

fn saved_meanwhile(stored: &TableRow) -> Error {
    let message = format!("{} saved the table meanwhile.", stored.updated_by);
    Error::conflict(Code::DraftChanged, message).hint("Load it again and repeat the change.")
}

pub async fn delete(app: &App, caller: &TeamCaller, id: TableId) -> Result<TableDraft> {
    let seen = VisibleJobs::load(app, &caller.sight()).await?;
    let row = transact!(app.store, tx => {
        let row = store::table::get_in(tx, caller.team, id).await?.ok_or_else(|| Error::not_found("table"))?;
        refuse_built_in(&row)?;
        refuse_when_used(&store::table::jobs_using(tx, &row).await?, &seen, "deleted")?;
        store::table::delete(tx, caller.team, id).await?;
        Ok(row)
    })?;
    if row.restricted {
        // Nobody knows any more from whom it was hidden.
        app.live.forget(caller.team, id.0);
    }
    app.live.publish(caller.team, &LiveEvent::TablesChanged { table: id });
    Ok(row.draft)
}

fn refuse_when_used(jobs: &[JobRef], seen: &VisibleJobs, what: &str) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let message = format!("The table cannot be {what}: {}.", seen.in_words(jobs));
    Err(Error::conflict(Code::TableInUse, message).hint("Change or delete the jobs first."))
}

pub(super) fn refuse_built_in(row: &TableRow) -> Result<()> {
    if row.built_in {
        return Err(Error::not_allowed("The platform keeps this table. It cannot be changed."));
    }
    Ok(())
}

pub async fn sample(app: &App, caller: &TeamCaller, id: TableId, limit: u32) -> Result<Sample> {
    let team = caller.team;
    let row = row(app, team, id).await?;
    let name = catalog::full_name(&row);
    let mut running = catalog::for_running(app, team, &BTreeSet::from([name.clone()])).await?;
    let source = running.remove(&name).ok_or_else(|| Error::not_found("table"))?;
    app.engine.sample(source, limit.clamp(1, LARGEST_SAMPLE), app.config.file_roots.of_team(&caller.slug)).await
}

/// Tries what the form names, as a job would.
pub async fn test(app: &App, caller: &TeamCaller, draft: TableDraft) -> Result<ConnectionTest> {
    let (check, _) = examine(app, caller.team, &caller.slug, &draft).await?;
    // The name may still be missing while one tries the source.
    let blocking = check.problems.into_iter().filter(|problem| problem.field != "name" && problem.field != "database");
    let blocking: Vec<FieldError> = blocking.collect();
    if !blocking.is_empty() {
        return Err(Error::fields(blocking));
    }
    let hidden_options = match with_secrets(app, caller, draft).await {
        Ok(hidden) => hidden,
        Err(error) if error.code() == Code::ExternalFailed => {
            let step = TestStep { name: "Connection".to_owned(), ok: false, detail: error.message().to_owned(), ms: 0 };
            return Ok(ConnectionTest { ok: false, steps: vec![step] });
        }
        Err(error) => return Err(error),
    };
    let source = TableSource { ddl: check.ddl, hidden_options };
    let steps = app.engine.test_table(source, app.config.file_roots.of_team(&caller.slug)).await;
    Ok(ConnectionTest { ok: steps.iter().all(|step| step.ok), steps })
}

/// What is filled in for trying a form: of its connection, or its own secrets with those that the table of its name has
/// stored for the same address.
async fn with_secrets(app: &App, caller: &TeamCaller, draft: TableDraft) -> Result<BTreeMap<String, String>> {
    let mut options = hidden(app, caller.team, draft.connection, &draft.connector).await?;
    let (draft, given) = table_secret::split(app, draft);
    if let Some(row) = store::table::by_name(&app.store, caller.team, &draft.database, &draft.name).await? {
        let standing = store::grant::standing(&app.store, &caller.sight(), Object::Table(row.id)).await?;
        let may_use = standing.is_some_and(|standing| standing.may(Level::Manage, Role::Developer));
        if may_use && table_secret::leads_to_same(&row.draft, &draft) {
            options.extend(table_secret::for_running(app, &row)?);
        }
    }
    options.extend(given.into_iter().filter(|(_, value)| !value.is_empty()));
    Ok(options)
}

pub async fn fetch(app: &App, caller: &TeamCaller, request: FetchSchema) -> Result<FetchedSchema> {
    if let Some(registry) = request.registry {
        let topic = request.options.get("topic").map(|topic| format!("{topic}-value"));
        let subject = request.subject.filter(|subject| !subject.is_empty()).or(topic).unwrap_or_default();
        return external::columns_of_subject(app, caller.team, registry, &subject).await;
    }
    let connectors = app.engine.connectors().connectors;
    let schema = connectors.iter().find(|connector| connector.name == request.connector);
    let schema = schema.ok_or_else(|| Error::field("connector", "There is no such connector."))?;
    if !schema.fetches_schema {
        return Err(Error::field("connector", "This connector cannot tell its columns."));
    }
    if schema.connection.is_some() && request.connection.is_none() {
        return Err(Error::field("connection", "Choose a connection."));
    }
    let given = platform_options(schema, &request.options);
    if let Some((name, message)) = given.into_iter().next() {
        return Err(Error::field(format!("options.{name}"), message));
    }
    if request.options.iter().any(|(name, value)| topic::is_foreign(name, value, &caller.slug)) {
        return Err(Error::field("options.topic", "This topic belongs to the platform."));
    }
    let hidden_options = hidden(app, caller.team, request.connection, &request.connector).await?;
    if let Some(name) = hidden_options.keys().find(|name| request.options.contains_key(*name)) {
        return Err(Error::field(format!("options.{name}"), "The connection fills this in."));
    }
    let request = FetchRequest {
        connector: request.connector,
        format: request.format,
        options: request.options,
        hidden_options,
        file_roots: app.config.file_roots.of_team(&caller.slug),
    };
    app.engine.fetch_schema(request).await
}

pub(super) async fn hidden(
    app: &App,
    team: TeamId,
    connection: Option<ConnectionId>,
    connector: &str,
) -> Result<BTreeMap<String, String>> {
    match connection {
        None => Ok(BTreeMap::new()),
        Some(id) => catalog::hidden_for_running(app, team, id, connector).await,
    }
}
