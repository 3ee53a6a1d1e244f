//! The demo: a living pipeline that is made once, at the first start in demo mode, and is everybody's to edit after that.
//!
//! Tables and jobs stand in `assets/demo`. What is there already by name is left as it is. Once all of it was made, that
//! is written down, and what people change or delete stays so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millrace_wire::ids::{ConnectionId, TeamId, UserId};
use millrace_wire::job::{JobSettings, NewJob, Start, StartFrom};
use millrace_wire::run::RunCause;
use millrace_wire::table::{Column, ColumnKind, EventTime, TableDraft};
use millrace_wire::team::Role;
use serde::Deserialize;

use crate::access::identity::{Caller, TeamCaller, Via};
use crate::access::sight::Sight;
use crate::app::account::{self, DEMO_TEAM};
use crate::app::job::{self, Maker};
use crate::app::start::{self, Starter};
use crate::app::table;
use crate::app::team::DEFAULT_DATABASE;
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store::{self, installation};
use crate::transact;
use crate::watch::{tables, topics};

const DEFINITION: &str = include_str!("../../assets/demo/demo.toml");
const SCRIPTS: &[(&str, &str)] = &[
    ("generate.sql", include_str!("../../assets/demo/generate.sql")),
    ("bids-per-10s.sql", include_str!("../../assets/demo/bids-per-10s.sql")),
    ("split.sql", include_str!("../../assets/demo/split.sql")),
    ("archive.sql", include_str!("../../assets/demo/archive.sql")),
    ("log-lines-per-minute.sql", include_str!("../../assets/demo/log-lines-per-minute.sql")),
];
const MADE: &str = "demo_made";
const MAKER: &str = "Millrace";
const TRY_EVERY: Duration = Duration::from_secs(2);
const PARTITIONS: i32 = 2;

#[derive(Debug, Deserialize)]
struct Definition {
    table: Vec<DemoTable>,
    job: Vec<DemoJob>,
}

#[derive(Debug, Deserialize)]
struct DemoTable {
    name: String,
    comment: String,
    connector: String,
    format: Option<String>,
    #[serde(default)]
    options: BTreeMap<String, String>,
    /// Name and type; a third part is the expression of a computed column.
    columns: Vec<Vec<String>>,
    event_time: Option<(String, String)>,
}

#[derive(Debug, Deserialize)]
struct DemoJob {
    name: String,
    description: String,
    tags: Vec<String>,
    script: String,
}

/// Tries until all is made; the broker may take a while to come up.
pub async fn keep(app: Arc<App>) {
    let mut last_problem = String::new();
    loop {
        match make(&app).await {
            Ok(()) => return,
            Err(error) => {
                let problem = error.to_string();
                if problem != last_problem {
                    match error.code() {
                        // As in the first seconds of every start.
                        Code::Unavailable => tracing::info!("the demo's tables and jobs come soon: {problem}"),
                        _ => tracing::warn!(%error, "the demo is not complete yet"),
                    }
                    last_problem = problem;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(TRY_EVERY) => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

async fn make(app: &App) -> Result<()> {
    let team = account::ensure_demo(app).await?;
    if installation::get(&app.store, MADE).await?.is_some() {
        return Ok(());
    }
    let broker = app.broker.borrow().clone();
    if !broker.up {
        return Err(Error::unavailable("The broker is not up yet."));
    }
    let definition = definition()?;
    let connection = store::connection::built_in(&app.store, team).await?;
    let connection = connection.ok_or_else(|| Error::not_found("built-in connection"))?.id;
    let names: Vec<String> = definition.table.iter().filter_map(|table| table.options.get("topic").cloned()).collect();
    topics::ensure([("bootstrap.servers", broker.bootstrap.as_str())], &names, PARTITIONS).await?;
    if store::table::by_name(&app.store, team, tables::DATABASE, "logs").await?.is_none() {
        return Err(Error::unavailable("The platform's own tables are not there yet."));
    }
    for table in &definition.table {
        make_table(app, team, connection, table).await?;
    }
    // One that cannot be made does not hold back the others.
    let mut problem = None;
    for job in &definition.job {
        if let Err(error) = make_job(app, team, job).await {
            problem = Some(error);
        }
    }
    match problem {
        Some(error) => Err(error),
        None => transact!(app.store, tx => { installation::set(tx, MADE, "yes").await }),
    }
}

fn definition() -> Result<Definition> {
    toml::from_str(DEFINITION).map_err(Error::internal)
}

/// Acts for the demo team in the platform's name.
fn platform(team: TeamId) -> TeamCaller {
    let caller = Caller {
        user: UserId(uuid::Uuid::nil()),
        name: MAKER.to_owned(),
        email: String::new(),
        administrator: false,
        via: Via::Session(String::new()),
    };
    TeamCaller { caller, team, slug: DEMO_TEAM.to_owned(), role: Some(Role::Owner), standing: None }
}

async fn make_table(app: &App, team: TeamId, connection: ConnectionId, table: &DemoTable) -> Result<()> {
    if store::table::by_name(&app.store, team, DEFAULT_DATABASE, &table.name).await?.is_some() {
        return Ok(());
    }
    let roots = app.config.file_roots.of_team(DEMO_TEAM);
    let root = roots.first().map(|root| root.display().to_string()).unwrap_or_default();
    let draft = table.draft(connection, &root);
    match table::create(app, &platform(team), draft).await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Code::NameTaken => Ok(()),
        Err(error) => Err(about(&format!("table {}", table.name), error)),
    }
}

fn about(what: &str, error: Error) -> Error {
    let message = format!("{what}: {}", error.message());
    Error::unavailable(message).because(error)
}

async fn make_job(app: &App, team: TeamId, job: &DemoJob) -> Result<()> {
    let known = store::job::by_name(&app.store, team, &job.name).await?;
    let id = match known {
        Some(known) => known.id,
        None => {
            let maker = Maker { sight: Sight::platform(team), name: MAKER, demo: true };
            job::create(app, maker, job.request()?).await.map_err(|error| about(&job.name, error))?.id
        }
    };
    if store::run::newest(&app.store, id).await?.is_some() {
        return Ok(());
    }
    let starter = Starter { sight: Sight::platform(team), name: MAKER, cause: RunCause::Demo };
    let request = Start { version: None, from: StartFrom::Fresh, savepoint: None, at_ms: None };
    start::start(app, starter, id, request).await.map(|_| ()).map_err(|error| about(&job.name, error))
}

impl DemoTable {
    /// `{files}` in an option stands for the folder that file connectors may use.
    fn draft(&self, connection: ConnectionId, files: &str) -> TableDraft {
        let options = self.options.iter().map(|(name, value)| (name.clone(), value.replace("{files}", files)));
        let column = |parts: &Vec<String>| {
            let part = |index: usize| parts.get(index).cloned().unwrap_or_default();
            let expression = parts.get(2).cloned();
            Column {
                name: part(0),
                data_type: if expression.is_some() { String::new() } else { part(1) },
                kind: if expression.is_some() { ColumnKind::Computed } else { ColumnKind::Physical },
                source: expression,
                nullable: true,
                comment: String::new(),
            }
        };
        TableDraft {
            database: DEFAULT_DATABASE.to_owned(),
            name: self.name.clone(),
            comment: self.comment.clone(),
            connector: self.connector.clone(),
            connection: (self.connector == "kafka").then_some(connection),
            format: self.format.clone(),
            options: options.collect(),
            columns: self.columns.iter().map(column).collect(),
            event_time: self.event_time.clone().map(|(column, watermark)| EventTime { column, watermark }),
            primary_key: Vec::new(),
        }
    }
}

impl DemoJob {
    fn request(&self) -> Result<NewJob> {
        let script = SCRIPTS.iter().find(|(name, _)| *name == self.script);
        let (_, sql) = script.ok_or_else(|| Error::internal(anyhow::anyhow!("no script {}", self.script)))?;
        Ok(NewJob {
            name: self.name.clone(),
            description: self.description.clone(),
            tags: self.tags.clone(),
            folder: String::new(),
            kind: None,
            sql: (*sql).to_owned(),
            settings: Some(JobSettings::default()),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_definition_is_whole() {
        let definition = definition().unwrap();
        assert_eq!(definition.job.len(), SCRIPTS.len());
        for job in &definition.job {
            assert!(job.request().unwrap().sql.contains("INSERT INTO"), "{}", job.name);
        }
        let tables: Vec<_> = definition.table.iter().map(|table| table.name.as_str()).collect();
        for name in ["nexmark", "bids", "bids_per_10s"] {
            assert!(tables.contains(&name), "{name}");
        }
    }
}
