//! Tables and columns as the server's catalog has them, and the test of a table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use millrace_wire::connection::{ConnectionTest, ExternalObject, TestStep};
use millrace_wire::table::FetchedSchema;

use super::super::infer::{column, event_time_on};
use super::super::steps::{Steps, decode_some};
use super::super::{Connector, ConnectorContext};
use super::dialect::Offered;
use super::session::Session;
use super::target::{Flavour, Target};
use crate::catalog::TableRef;
use crate::error::{EngineError, Result};

pub(super) async fn fetch(
    flavour: Flavour,
    options: &BTreeMap<String, String>,
    context: &ConnectorContext,
) -> Result<FetchedSchema> {
    if options.get("table-name").is_none_or(String::is_empty) {
        return Err(which_table(&Target::server(flavour, options)?.seen_from(context)).await?);
    }
    let target = Target::of_table(flavour, options, context)?;
    let mut session = Session::open(&target).await?;
    let facts = target.dialect.facts(&mut session, &target).await?;
    session.close().await;
    let Some(facts) = facts else { return Err(which_table(&target).await?) };
    let mut columns = Vec::new();
    let mut event_time = None;
    for facts in &facts.columns {
        let ty = target.dialect.sql_type(facts).unwrap_or_else(|| "STRING".to_owned());
        let usable = ["TIMESTAMP(0)", "TIMESTAMP(3)", "TIMESTAMP_LTZ(0)", "TIMESTAMP_LTZ(3)"].contains(&ty.as_str());
        if usable && event_time.is_none() {
            event_time = Some(event_time_on(&facts.name));
        }
        let mut found = column(&facts.name, &ty);
        found.nullable = !facts.not_null;
        found.comment.clone_from(&facts.comment);
        columns.push(found);
    }
    let key = match facts.primary_key.as_slice() {
        [] => "It has no primary key.".to_owned(),
        key => format!("Its primary key is ({}).", key.join(", ")),
    };
    Ok(FetchedSchema {
        format: String::new(),
        columns,
        event_time,
        options: BTreeMap::new(),
        origin: format!("The catalog of {}. {key}", target.dialect.title()),
        sampled: 0,
        primary_key: facts.primary_key,
        comment: facts.comment,
    })
}

/// Tables and views of all schemas.
pub(super) async fn objects(
    flavour: Flavour,
    options: &BTreeMap<String, String>,
    context: &ConnectorContext,
) -> Result<Vec<ExternalObject>> {
    let target = Target::server(flavour, options)?.seen_from(context);
    let mut session = Session::open(&target).await?;
    let offered = target.dialect.offered(&mut session, &target).await;
    session.close().await;
    let object = |offered: Offered| ExternalObject {
        schema: offered.schema,
        name: offered.name,
        kind: if offered.is_view { "view" } else { "table" }.to_owned(),
        comment: offered.comment,
    };
    Ok(offered?.into_iter().map(object).collect())
}

/// Whether the server is found, whether it answers, whether it lets the user in, and what the user may see.
pub(super) async fn probe(
    flavour: Flavour,
    options: &BTreeMap<String, String>,
    context: &ConnectorContext,
) -> ConnectionTest {
    let mut steps: Vec<TestStep> = Vec::new();
    let mut told = |name: &str, started: Instant, outcome: std::result::Result<String, String>| {
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (ok, detail) = outcome.map_or_else(|reason| (false, reason), |detail| (true, detail));
        steps.push(TestStep { name: name.to_owned(), ok, detail, ms });
        ok
    };
    let said = |error: EngineError| error.message;
    let started = Instant::now();
    let target = Target::server(flavour, options).map(|target| target.seen_from(context));
    let target = match target {
        Ok(target) => target,
        Err(error) => {
            told("Resolve name", started, Err(error.message));
            return ConnectionTest { ok: false, steps };
        }
    };
    let found = super::session::addresses(&target).await;
    let found = found.map(|count| format!("'{}' leads to {count} address(es) that may be called.", target.host));
    if !told("Resolve name", started, found.map_err(said)) {
        return ConnectionTest { ok: false, steps };
    }
    let started = Instant::now();
    let answered = super::session::knock(&target).await;
    let answered = answered.map(|()| format!("Something listens on port {}.", target.port));
    if !told("Connect", started, answered.map_err(said)) {
        return ConnectionTest { ok: false, steps };
    }
    let started = Instant::now();
    let mut session = match Session::open(&target).await {
        Ok(session) => session,
        Err(error) => {
            told("Sign in", started, Err(error.message));
            return ConnectionTest { ok: false, steps };
        }
    };
    told("Sign in", started, Ok(format!("{} lets '{}' in.", target.dialect.title(), target.user)));
    let started = Instant::now();
    let offered = target.dialect.offered(&mut session, &target).await;
    session.close().await;
    let count = |offered: Vec<Offered>| format!("{} table(s) and view(s) can be seen.", offered.len());
    let ok = told("May read", started, offered.map(count).map_err(said));
    ConnectionTest { ok, steps }
}

/// An answer that names what there is.
async fn which_table(target: &Target) -> Result<EngineError> {
    let mut session = Session::open(target).await?;
    let tables = target.dialect.tables(&mut session, target).await?;
    session.close().await;
    let there = match tables.as_slice() {
        [] => "It has no tables that the user may see.".to_owned(),
        tables => format!("Tables: {}.", tables.iter().take(100).cloned().collect::<Vec<_>>().join(", ")),
    };
    let message = if target.table.is_empty() {
        format!("The option 'table-name' is missing. {there}")
    } else {
        format!("There is no table '{}' in {}. {there}", target.table, target.place())
    };
    Ok(EngineError::user("no_such_table", message))
}

pub(super) async fn test(
    flavour: Flavour,
    connector: &'static dyn Connector,
    table: &TableRef,
    context: &ConnectorContext,
) -> ConnectionTest {
    let (table, context) = (Arc::clone(table), context.clone());
    let runtime = context.runtime.clone();
    let run = runtime.spawn_blocking(move || test_now(flavour, connector, &table, &context)).await;
    run.unwrap_or_else(|error| {
        tracing::error!(%error, "the test of a table ended early");
        ConnectionTest { ok: false, steps: Vec::new() }
    })
}

fn test_now(
    flavour: Flavour,
    connector: &dyn Connector,
    table: &TableRef,
    context: &ConnectorContext,
) -> ConnectionTest {
    let mut steps = Steps::new();
    let opened = steps.run("Connect", || {
        let target = Target::of_table(flavour, &table.options, context)?;
        let session = context.runtime.block_on(Session::open(&target))?;
        let detail = format!("{} at {} answers.", target.dialect.title(), target.place());
        Ok(((target, session), detail))
    });
    if let Some((target, mut session)) = opened {
        steps.run("Table", || {
            let facts = context.runtime.block_on(target.dialect.facts(&mut session, &target))?;
            let facts = facts.ok_or_else(|| {
                EngineError::user(
                    "no_such_table",
                    format!("There is no table '{}' in {}.", target.table, target.place()),
                )
            })?;
            Ok(((), format!("{}: {} columns.", target.table, facts.columns.len())))
        });
        context.runtime.block_on(session.close());
    }
    let reading = ConnectorContext { read_only: true, ..context.clone() };
    steps.run("Read", || decode_some(connector, table, &reading));
    steps.finish()
}
