//! Tables brought in from a script of `CREATE TABLE`, and written out as one.
//!
//! What a script says about addresses and passwords becomes a connection: one that leads to the same place, or one that
//! the person chose. Nothing is saved unless all of the script can be.

use std::collections::{BTreeMap, BTreeSet};

use millrace_engine::sql::{ScriptTable, read_tables};
use millrace_wire::access::Level;
use millrace_wire::connection::ConnectionKind;
use millrace_wire::connector::{ConnectorSchema, OptionKind};
use millrace_wire::ids::{DatabaseId, TableId};
use millrace_wire::live::LiveEvent;
use millrace_wire::table::{Database, TableDraft};
use millrace_wire::table_script::{
    ExportedTables, ImportLine, ImportReport, ImportTables, ImportVerdict, ImportedTable,
};
use millrace_wire::team::Role;

use super::team::DEFAULT_DATABASE;
use super::{catalog, check, table, table_secret};
use crate::access::identity::TeamCaller;
use crate::access::sight::{Object, Standing};
use crate::clock;
use crate::endpoint::place;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::store::connection::ConnectionRow;
use crate::store::table::TableRow;
use crate::transact;

const MOST_TABLES: usize = 500;

/// A table that will be written, and whether there is one of its name.
struct Planned {
    row: TableRow,
    is_new: bool,
}

pub async fn import(app: &App, caller: &TeamCaller, request: ImportTables) -> Result<ImportReport> {
    let database = if request.database.is_empty() { DEFAULT_DATABASE } else { &request.database };
    let sql = request.sql.clone();
    // Only scripts that copy tables need to know those that are there.
    let known = if sql.to_ascii_uppercase().contains("LIKE") {
        store::table::drafts(&app.store, &caller.sight()).await?
    } else {
        BTreeMap::new()
    };
    let script = {
        let database = database.to_owned();
        tokio::task::spawn_blocking(move || read_tables(&sql, &database, &known)).await.map_err(Error::internal)?
    };
    if script.tables.len() > MOST_TABLES {
        return Err(Error::field("sql", format!("A script may hold at most {MOST_TABLES} tables.")));
    }
    let connections = store::connection::list(&app.store, caller.team).await?;
    let there = store::database::list(&app.store, &caller.sight()).await?;
    let mut databases: Vec<(String, String)> = Vec::new();
    let wanted = script.databases.iter().cloned();
    let wanted = wanted.chain(script.tables.iter().map(|table| (table.draft.database.clone(), String::new())));
    for (name, comment) in wanted {
        let is_known =
            there.iter().any(|known| known.name == name) || databases.iter().any(|(known, _)| *known == name);
        if !is_known {
            check::sql_name("sql", &name)?;
            databases.push((name, comment));
        }
    }
    let lines = |all: Vec<(u32, String)>| all.into_iter().map(|(line, message)| ImportLine { line, message }).collect();
    let (mut tables, mut planned, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for found in script.tables {
        let twice = !seen.insert((found.draft.database.clone(), found.draft.name.clone()));
        let (mut told, plan) = judge(app, caller, &request, &connections, &databases, found).await?;
        if twice {
            told.verdict = ImportVerdict::Refused;
            told.reasons.push("The script makes it twice.".to_owned());
        } else if told.verdict != ImportVerdict::Refused {
            planned.extend(plan);
        }
        tables.push(told);
    }
    let mut report = ImportReport {
        databases: databases.iter().map(|(name, _)| name.clone()).collect(),
        tables,
        problems: lines(script.problems),
        left_out: lines(script.left_out),
        applied: false,
    };
    let refused = report.tables.iter().any(|table| table.verdict == ImportVerdict::Refused);
    if request.apply && !refused && report.problems.is_empty() {
        write(app, caller, &databases, &planned).await?;
        report.applied = true;
    }
    Ok(report)
}

/// What would become of one table.
async fn judge(
    app: &App,
    caller: &TeamCaller,
    request: &ImportTables,
    connections: &[ConnectionRow],
    databases: &[(String, String)],
    found: ScriptTable,
) -> Result<(ImportedTable, Option<Planned>)> {
    let ScriptTable { line, mut draft, mut notes, problems: mut reasons } = found;
    let name = format!("{}.{}", draft.database, draft.name);
    let existing = store::table::by_name(&app.store, caller.team, &draft.database, &draft.name).await?;
    // What one may not change tells nothing about itself, besides that its name is taken.
    let closed = match &existing {
        Some(row) => closed(app, caller, row).await?,
        None => None,
    };
    let existing = existing.filter(|_| closed.is_none());
    reasons.extend(closed.map(str::to_owned));
    let schema = app.engine.connectors().connectors.into_iter().find(|known| known.name == draft.connector);
    let kinds: Vec<ConnectionKind> = schema
        .as_ref()
        .map(|schema| schema.connection.into_iter().chain(schema.takes.iter().copied()).collect())
        .unwrap_or_default();
    if let Some(schema) = &schema {
        let chosen = request.connections.get(&name).copied();
        let kept = existing.as_ref().and_then(|row| row.draft.connection);
        let fitting = |row: &&ConnectionRow| kinds.contains(&row.kind);
        let by_id = |id| connections.iter().filter(fitting).find(|row| Some(row.id) == id);
        // LIKE brings the one of the table it copies.
        let copied = draft.connection.take();
        let connection = by_id(chosen)
            .or_else(|| by_id(copied))
            .or_else(|| by_place(app, connections, &kinds, &draft))
            .or_else(|| by_id(kept));
        take_connection(app, schema, connection, &mut draft, &mut notes, &mut reasons);
    }
    let placeholder = draft.options.iter().find(|(_, value)| value.starts_with("${") && value.ends_with('}'));
    if let Some((option, value)) = placeholder {
        reasons.push(format!("Replace the placeholder {value} of '{option}', or choose a connection."));
    }
    let connection = draft.connection.and_then(|id| connections.iter().find(|row| row.id == id));
    let (check, _) = table::examine(app, caller.team, &caller.slug, &draft).await?;
    let is_made = databases.iter().any(|(made, _)| *made == draft.database);
    let wrong = check.problems.iter().filter(|problem| !(is_made && problem.field == "database"));
    reasons.extend(wrong.map(|problem| format!("{}: {}", problem.field, problem.message)));
    let mut told = ImportedTable {
        name,
        line,
        verdict: ImportVerdict::New,
        connector: draft.connector.clone(),
        connection: draft.connection,
        connection_name: connection.map(|row| row.name.clone()).unwrap_or_default(),
        connection_kinds: kinds,
        ddl: check.ddl.clone(),
        changes: Vec::new(),
        reasons,
        notes,
    };
    let (draft, given) = table_secret::split(app, draft);
    let owner_id = Some(caller.caller.user);
    let mut row = TableRow { owner_id, ..table::new_row(caller.team, &caller.caller.name, draft, check) };
    row.owner.clone_from(&caller.caller.name);
    row.secrets = table_secret::seal(app, row.id, &given)?;
    if let Some(before) = &existing {
        match table_secret::after(app, before, &row.draft, &given) {
            Ok(secrets) => row.secrets = secrets,
            Err(error) => told.reasons.push(error.message().to_owned()),
        }
        if before.built_in {
            told.reasons.push("The platform keeps this table.".to_owned());
        } else if before.draft == row.draft && given.is_empty() {
            told.verdict = ImportVerdict::Same;
            return Ok((told, None));
        } else if told.reasons.is_empty() {
            let impact = table::changed(app, &caller.sight(), before, &row.draft, &row.ddl).await?;
            told.changes = impact.changes;
            if impact.breaks && !request.accept_breaking {
                told.reasons.extend(impact.incompatible);
                let jobs = impact.jobs.iter().map(|job| format!("It breaks the job '{}'.", job.job.name));
                told.reasons.extend(jobs);
                if impact.hidden_jobs > 0 {
                    told.reasons.push(format!("It breaks jobs that you may not see ({}).", impact.hidden_jobs));
                }
            }
            told.verdict = ImportVerdict::Changed;
        }
        row = TableRow {
            revision: before.revision + 1,
            draft: row.draft,
            secrets: row.secrets,
            ddl: row.ddl,
            resolved: row.resolved,
            topic: row.topic,
            updated_at: row.updated_at,
            updated_by: row.updated_by,
            ..before.clone()
        };
    }
    if !told.reasons.is_empty() {
        told.verdict = ImportVerdict::Refused;
        return Ok((told, None));
    }
    Ok((told, Some(Planned { row, is_new: existing.is_none() })))
}

/// Why the caller may not change the table.
async fn closed(app: &App, caller: &TeamCaller, row: &TableRow) -> Result<Option<&'static str>> {
    let standing = store::grant::standing(&app.store, &caller.sight(), Object::Table(row.id)).await?;
    Ok(match standing.filter(Standing::sees) {
        None => Some("The name is taken by a table that you may not see."),
        Some(standing) if standing.may(Level::Manage, Role::Developer) => None,
        Some(_) => Some("You may not change this table."),
    })
}

/// The connection that leads to where the script's options lead.
fn by_place<'a>(
    app: &App,
    connections: &'a [ConnectionRow],
    kinds: &[ConnectionKind],
    draft: &TableDraft,
) -> Option<&'a ConnectionRow> {
    let wanted = place(&draft.options);
    let fitting = || connections.iter().filter(|row| kinds.contains(&row.kind));
    if wanted.is_empty() {
        // The only one there is must be meant where one is needed and none is described.
        let mut all = fitting();
        return all.next().filter(|row| all.next().is_none() && row.kind == ConnectionKind::Kafka);
    }
    fitting().find(|row| !place(&catalog::planning_options(app, row, &draft.connector)).is_disjoint(&wanted))
}

/// Takes out of the options what comes from the connection, or says that one has to be chosen.
fn take_connection(
    app: &App,
    schema: &ConnectorSchema,
    connection: Option<&ConnectionRow>,
    draft: &mut TableDraft,
    notes: &mut Vec<String>,
    reasons: &mut Vec<String>,
) {
    let mut filled: BTreeSet<String> =
        table::platform_options(schema, &draft.options).into_iter().map(|(name, _)| name).collect();
    match connection {
        Some(row) => {
            filled.extend(catalog::planning_options(app, row, &draft.connector).into_keys());
            filled.insert("password".to_owned());
            draft.connection = Some(row.id);
        }
        None if schema.connection.is_some() => {
            reasons.push("Choose a connection: none leads to where the script's addresses do.".to_owned());
        }
        None => {
            let is_secret = |name: &&String| {
                schema.options.iter().any(|option| option.name == **name && option.kind == OptionKind::Secret)
            };
            if draft.options.keys().any(|name| is_secret(&name)) {
                notes.push(
                    "Its password is kept sealed beside this table. A connection would keep it for several.".to_owned(),
                );
            }
        }
    }
    let taken: Vec<String> = draft.options.keys().filter(|name| filled.contains(*name)).cloned().collect();
    draft.options.retain(|name, _| !filled.contains(name));
    if !taken.is_empty() {
        notes.push(format!("The connection fills in {}.", taken.join(", ")));
    }
}

async fn write(app: &App, caller: &TeamCaller, databases: &[(String, String)], planned: &[Planned]) -> Result<()> {
    let now = clock::now_ms();
    transact!(app.store, tx => {
        for (name, comment) in databases {
            let (id, tables, built_in) = (DatabaseId(clock::new_id()), 0, false);
            let database = Database { id, name: name.clone(), description: comment.clone(), tables, built_in };
            store::database::insert(tx, caller.team, &database, now).await?;
        }
        for table in planned {
            let row = &table.row;
            let found = store::database::by_name(tx, caller.team, &row.draft.database).await?;
            let database = found.ok_or_else(|| Error::not_found("database"))?;
            if database.built_in {
                return Err(Error::not_allowed("The platform keeps this database. It cannot be changed."));
            }
            if table.is_new {
                store::table::insert(tx, row, database.id).await?;
            } else {
                store::table::update(tx, row, database.id).await?;
            }
            store::table_version::insert(tx, row, "Brought in from a script.").await?;
        }
        Ok(())
    })?;
    for table in planned {
        app.live.publish(caller.team, &LiveEvent::TablesChanged { table: table.row.id });
    }
    Ok(())
}

/// One table, those of a database, or all that the platform does not keep itself.
pub async fn export(app: &App, caller: &TeamCaller, database: &str, table: Option<TableId>) -> Result<ExportedTables> {
    let rows = match table {
        Some(id) => {
            let standing = store::grant::standing(&app.store, &caller.sight(), Object::Table(id)).await?;
            standing.filter(Standing::sees).ok_or_else(|| Error::not_found("table"))?;
            vec![table::row(app, caller.team, id).await?]
        }
        None => store::table::rows(&app.store, &caller.sight(), database).await?,
    };
    let connections = store::connection::list(&app.store, caller.team).await?;
    let comments: BTreeMap<String, String> = store::database::list(&app.store, &caller.sight())
        .await?
        .into_iter()
        .map(|database| (database.name, database.description))
        .collect();
    let (mut sql, mut count, mut last) = (String::new(), 0, String::new());
    for row in rows.into_iter().filter(|row| table.is_some() || !row.built_in) {
        let name = row.draft.database.clone();
        if name != last && table.is_none() {
            let comment = comments.get(&name).filter(|comment| !comment.is_empty());
            let comment = comment.map(|text| format!(" COMMENT '{}'", text.replace('\'', "''"))).unwrap_or_default();
            sql.push_str(&format!("CREATE DATABASE IF NOT EXISTS `{name}`{comment};\n\n"));
            last = name;
        }
        let connection = row.draft.connection.and_then(|id| connections.iter().find(|known| known.id == id));
        let draft = described(app, row.draft, row.secrets.keys(), connection);
        sql.push_str(&format!("{};\n\n", app.engine.write_ddl(&draft)));
        count += 1;
    }
    Ok(ExportedTables { sql, tables: count })
}

/// As another Millrace or Flink takes it: with the connection's options, and placeholders instead of secrets.
fn described<'a>(
    app: &App,
    mut draft: TableDraft,
    secrets: impl Iterator<Item = &'a String>,
    connection: Option<&ConnectionRow>,
) -> TableDraft {
    draft.options.extend(secrets.map(|name| (name.clone(), placeholder(name))));
    let Some(row) = connection else { return draft };
    let mut options = catalog::planning_options(app, row, &draft.connector);
    for name in row.secrets.keys() {
        match row.kind {
            // Flink's clients take user and password as one text.
            ConnectionKind::Kafka if name == "sasl.password" => {
                let user = options.remove("properties.sasl.username").unwrap_or_default();
                let scram = options.get("properties.sasl.mechanism").is_some_and(|name| name.starts_with("SCRAM"));
                let class = if scram { "scram.ScramLoginModule" } else { "plain.PlainLoginModule" };
                let module = format!("org.apache.kafka.common.security.{class}");
                let text = format!("{module} required username=\"{user}\" password=\"{}\";", placeholder(name));
                options.insert("properties.sasl.jaas.config".to_owned(), text);
            }
            ConnectionKind::Kafka => {
                options.insert(format!("properties.{name}"), placeholder(name));
            }
            _ => {
                options.insert(name.clone(), placeholder(name));
            }
        }
    }
    draft.options.extend(options);
    draft
}

fn placeholder(name: &str) -> String {
    format!("${{{name}}}")
}
