//! What lies behind connections that are no Kafka clusters: tests of them, and what there is to describe.

use std::collections::BTreeMap;
use std::time::Instant;

use millrace_engine::format::{avro, json};
use millrace_wire::connection::{ConnectionKind, ConnectionTest, ExternalObject, TestStep};
use millrace_wire::ids::{ConnectionId, TeamId};
use millrace_wire::table::FetchedSchema;

use super::connection;
use crate::endpoint::mail_server::MailServer;
use crate::endpoint::object_store::ObjectStore;
use crate::endpoint::registry::{self, Registry};
use crate::endpoint::web::WebServer;
use crate::endpoint::{self, Settings};
use crate::engine::FetchRequest;
use crate::error::{Error, Result};
use crate::state::App;

/// The connector whose names for options the kind has.
const fn connector(kind: ConnectionKind) -> Option<&'static str> {
    match kind {
        ConnectionKind::Postgresql => Some("postgres"),
        ConnectionKind::Mysql => Some("mysql"),
        ConnectionKind::Kafka
        | ConnectionKind::SchemaRegistry
        | ConnectionKind::ObjectStore
        | ConnectionKind::Smtp
        | ConnectionKind::Http => None,
    }
}

/// Never fails: what does not work is a step that is not ok, with the reason.
pub(super) async fn test(app: &App, kind: ConnectionKind, mut settings: Settings) -> ConnectionTest {
    let steps = match connector(kind) {
        Some(connector) => {
            endpoint::mark(&mut settings, app.config.allow_private_addresses);
            app.engine.probe(request(connector, kind, settings)).await
        }
        None => ask(kind, &settings, app.config.allow_private_addresses).await,
    };
    ConnectionTest { ok: !steps.is_empty() && steps.iter().all(|step| step.ok), steps }
}

/// Resolves its name and asks it for something, as somebody who signs in.
async fn ask(kind: ConnectionKind, settings: &Settings, allow_private: bool) -> Vec<TestStep> {
    let mut steps = Vec::new();
    let started = Instant::now();
    let server = Server::open(kind, settings, allow_private).await;
    let found = server.as_ref().map(|_| "The name leads to addresses that may be called.".to_owned());
    steps.push(step("Resolve name", started, found.map_err(|error| error.message().to_owned())));
    if let Ok(server) = server {
        let started = Instant::now();
        let (what, outcome) = server.ask().await;
        steps.push(step(what, started, outcome.map_err(|error| error.message().to_owned())));
    }
    steps
}

enum Server {
    Registry(Registry),
    ObjectStore(ObjectStore),
    Mail(MailServer),
    Web(WebServer),
}

impl Server {
    async fn open(kind: ConnectionKind, settings: &Settings, allow_private: bool) -> Result<Server> {
        match kind {
            ConnectionKind::ObjectStore => ObjectStore::open(settings, allow_private).await.map(Server::ObjectStore),
            ConnectionKind::Smtp => MailServer::open(settings, allow_private).await.map(Server::Mail),
            ConnectionKind::Http => WebServer::open(settings, allow_private).await.map(Server::Web),
            ConnectionKind::SchemaRegistry
            | ConnectionKind::Kafka
            | ConnectionKind::Postgresql
            | ConnectionKind::Mysql => Registry::open(settings, allow_private).await.map(Server::Registry),
        }
    }

    async fn ask(&self) -> (&'static str, Result<String>) {
        match self {
            Server::Registry(registry) => {
                let subjects = registry.subjects().await;
                ("Sign in and read", subjects.map(|subjects| format!("{} subject(s) can be seen.", subjects.len())))
            }
            Server::ObjectStore(store) => ("Sign in and list", store.look().await),
            Server::Mail(server) => ("Sign in", server.greet().await),
            Server::Web(server) => ("Call", server.greet().await),
        }
    }
}

fn step(name: &str, started: Instant, outcome: std::result::Result<String, String>) -> TestStep {
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (ok, detail) = outcome.map_or_else(|reason| (false, reason), |detail| (true, detail));
    TestStep { name: name.to_owned(), ok, detail, ms }
}

fn request(connector: &str, kind: ConnectionKind, settings: Settings) -> FetchRequest {
    FetchRequest {
        connector: connector.to_owned(),
        format: None,
        options: Settings::new(),
        hidden_options: endpoint::table_options(kind, connector, settings),
        file_roots: Vec::new(),
    }
}

/// Tables and views of a database server, subjects of a registry.
pub async fn objects(app: &App, team: TeamId, id: ConnectionId) -> Result<Vec<ExternalObject>> {
    let row = connection::row(app, team, id).await?;
    let settings = connection::secret_settings(app, &row).await?;
    match (row.kind, connector(row.kind)) {
        (_, Some(connector)) => app.engine.objects(request(connector, row.kind, settings)).await,
        (ConnectionKind::SchemaRegistry, None) => {
            let registry = Registry::open(&settings, app.config.allow_private_addresses).await?;
            let object = |name: String| {
                let (schema, comment) = (String::new(), String::new());
                ExternalObject { schema, name, kind: "subject".to_owned(), comment }
            };
            Ok(registry.subjects().await?.into_iter().map(object).collect())
        }
        (ConnectionKind::ObjectStore | ConnectionKind::Smtp | ConnectionKind::Http, None) => Ok(Vec::new()),
        (_, None) => Err(Error::bad_request("The topics of a cluster are its objects: ask for those.")),
    }
}

/// Columns of the newest schema of a subject.
pub(super) async fn columns_of_subject(
    app: &App,
    team: TeamId,
    id: ConnectionId,
    subject: &str,
) -> Result<FetchedSchema> {
    let row = connection::row(app, team, id).await?;
    if row.kind != ConnectionKind::SchemaRegistry {
        return Err(Error::field("registry", "This connection is no schema registry."));
    }
    if subject.is_empty() {
        return Err(Error::field("subject", "Choose a subject."));
    }
    let settings = connection::secret_settings(app, &row).await?;
    let registry = Registry::open(&settings, app.config.allow_private_addresses).await?;
    let found = registry.newest(subject).await?;
    let found = found.ok_or_else(|| Error::field("subject", format!("There is no subject '{subject}'.")))?;
    let wrong = |why: String| Error::field("subject", format!("The schema of '{subject}' cannot be used: {why}."));
    let origin = format!("Version {} of the subject '{subject}'.", found.version);
    let mut options = BTreeMap::new();
    let (format, columns) = match found.kind.as_str() {
        "AVRO" => {
            let (columns, timed) = avro::columns_of_schema(&found.schema).map_err(wrong)?;
            let url = settings.get(registry::URL).cloned().unwrap_or_default();
            options.insert("avro-confluent.url".to_owned(), url);
            if timed {
                // Points in time are ones, and no local times as in Flink's first mapping.
                options.insert("avro-confluent.timestamp_mapping.legacy".to_owned(), "false".to_owned());
            }
            ("avro-confluent", columns)
        }
        "JSON" => {
            options.insert("json.timestamp-format.standard".to_owned(), "ISO-8601".to_owned());
            ("json", json::columns_of_schema(&found.schema).map_err(wrong)?)
        }
        other => return Err(wrong(format!("it is {other}, and only AVRO and JSON are converted"))),
    };
    Ok(FetchedSchema {
        format: format.to_owned(),
        columns,
        event_time: None,
        options,
        primary_key: Vec::new(),
        comment: String::new(),
        origin,
        sampled: 0,
    })
}
