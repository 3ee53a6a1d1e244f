//! What connections of each kind may be told, and how that becomes options of a table.
//!
//! Kafka's own rules are in `kafka::settings`; here are the other kinds, and the choice between them.

pub mod database;
mod form;
pub mod mail_server;
pub mod object_store;
pub mod registry;
pub mod web;

use std::collections::{BTreeMap, BTreeSet};

use millrace_wire::connection::ConnectionKind;
use millrace_wire::error::FieldError;

use crate::error::Result;
use crate::kafka::{dialer, settings as kafka};

pub type Settings = BTreeMap<String, String>;

/// A client property of tables, see the engine's `NO_LOCAL`.
pub const NO_LOCAL_OPTION: &str = millrace_engine::connector::NO_LOCAL;

/// Says to the engine whether addresses of this machine may be called. The engine looks at them itself, and connects to
/// what it looked at.
pub fn mark(settings: &mut Settings, allow_private: bool) {
    settings.insert(NO_LOCAL_OPTION.to_owned(), (!allow_private).to_string());
}

/// What is wrong, field by field. `stored`: secrets that are kept where none is given; only their names matter.
pub fn problems(kind: ConnectionKind, options: &Settings, secrets: &Settings, stored: &Settings) -> Vec<FieldError> {
    match kind {
        ConnectionKind::Kafka => kafka::problems(options, secrets, stored),
        ConnectionKind::Postgresql | ConnectionKind::Mysql => database::problems(options, secrets),
        ConnectionKind::SchemaRegistry => registry::problems(options, secrets, stored),
        ConnectionKind::ObjectStore => object_store::problems(options, secrets, stored),
        ConnectionKind::Smtp => mail_server::problems(options, secrets, stored),
        ConnectionKind::Http => web::problems(options, secrets, stored),
    }
}

/// What a stored secret would newly be exposed to by the change: another server, or anybody on the way.
pub fn exposes(kind: ConnectionKind, before: &Settings, after: &Settings) -> Option<&'static str> {
    match kind {
        ConnectionKind::Kafka => kafka::exposes(before, after),
        ConnectionKind::Postgresql | ConnectionKind::Mysql => database::exposes(before, after),
        ConnectionKind::SchemaRegistry => registry::exposes(before, after),
        ConnectionKind::ObjectStore => object_store::exposes(before, after),
        ConnectionKind::Smtp => mail_server::exposes(before, after),
        ConnectionKind::Http => web::exposes(before, after),
    }
}

/// Every address that the options name may be called.
pub async fn check_address(kind: ConnectionKind, options: &Settings, allow_private: bool) -> Result<()> {
    let given = |name: &str| options.get(name).map(String::as_str).unwrap_or_default();
    match kind {
        ConnectionKind::Kafka => {
            dialer::check_bootstrap(given(millrace_wire::kafka::BOOTSTRAP), allow_private).await.map(drop)
        }
        ConnectionKind::Postgresql | ConnectionKind::Mysql => {
            let port = given(database::PORT).parse().unwrap_or(database::default_port(kind));
            dialer::check_server(database::HOST, given(database::HOST), port, allow_private).await.map(drop)
        }
        ConnectionKind::SchemaRegistry => registry::check_address(options, allow_private).await,
        ConnectionKind::ObjectStore => object_store::check_address(options, allow_private).await,
        ConnectionKind::Smtp => mail_server::check_address(options, allow_private).await.map(drop),
        ConnectionKind::Http => web::check_address(options, allow_private).await,
    }
}

/// Where options of a table lead, in one spelling: broker addresses, or server and database. Empty where they say nothing.
pub fn place(options: &Settings) -> BTreeSet<String> {
    let given = |name: &str| options.get(name).map(String::as_str).filter(|value| !value.is_empty());
    if let Some(brokers) = given("properties.bootstrap.servers") {
        return brokers.split(',').map(|broker| broker.trim().to_lowercase()).collect();
    }
    database::place(options).into_iter().collect()
}

/// As a table of the connector takes them.
pub fn table_options(kind: ConnectionKind, connector: &str, settings: Settings) -> Settings {
    match kind {
        ConnectionKind::Kafka => {
            settings.into_iter().map(|(name, value)| (format!("properties.{name}"), value)).collect()
        }
        ConnectionKind::Postgresql | ConnectionKind::Mysql => database::table_options(kind, connector, settings),
        // No table is made of them alone.
        ConnectionKind::SchemaRegistry | ConnectionKind::ObjectStore | ConnectionKind::Smtp | ConnectionKind::Http => {
            Settings::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    pub(super) fn fields(problems: Vec<FieldError>) -> Vec<String> {
        problems.into_iter().map(|problem| problem.field).collect()
    }
}
