//! Which table of which server: the options of our own names, or a JDBC URL as Flink's scripts have it.

use std::collections::BTreeMap;

use super::super::option::Options;
use super::super::{ConnectorContext, NO_LOCAL};
use super::dialect::{Dialect, MYSQL, POSTGRES};
use crate::error::{EngineError, Result};

/// The three names under which database tables go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connector) enum Flavour {
    Postgres,
    MySql,
    /// Flink's name; the URL tells the server.
    Jdbc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connector) enum Tls {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Names of [`Tls`] in options, as PostgreSQL calls them.
pub(super) const TLS_MODES: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

#[derive(Clone)]
pub(in crate::connector) struct Target {
    pub(super) dialect: &'static dyn Dialect,
    pub(in crate::connector) host: String,
    pub(in crate::connector) port: u16,
    pub(in crate::connector) database: String,
    /// Only where the server has schemas below databases.
    pub(in crate::connector) schema: Option<String>,
    /// Empty when only the server is meant.
    pub(in crate::connector) table: String,
    pub(in crate::connector) user: String,
    pub(in crate::connector) password: String,
    pub(in crate::connector) tls: Tls,
    /// See [`NO_LOCAL`].
    pub(in crate::connector) no_local: bool,
    /// An administrator allows every address: the mark says "false".
    anywhere: bool,
}

impl Target {
    /// As it is reached from the given surroundings: on a server, whose files have roots, users must not come to what only
    /// the server's own machine can reach.
    pub(super) fn of_table(
        flavour: Flavour,
        options: &BTreeMap<String, String>,
        context: &ConnectorContext,
    ) -> Result<Self> {
        Ok(Self::of_options(flavour, options)?.seen_from(context))
    }

    pub(super) fn seen_from(mut self, context: &ConnectorContext) -> Self {
        self.no_local |= !context.file_roots.is_empty() && !self.anywhere;
        self
    }

    pub(super) fn of_options(flavour: Flavour, options: &BTreeMap<String, String>) -> Result<Self> {
        let mut target = Self::server(flavour, options)?;
        let table = Options(options).required("table-name")?;
        match (options.get("schema-name").filter(|schema| !schema.is_empty()), table.split_once('.')) {
            (Some(_), _) | (None, None) => target.table = table.to_owned(),
            (None, Some((outer, inner))) => {
                target.table = inner.to_owned();
                if target.dialect.has_schemas() {
                    target.schema = Some(outer.to_owned());
                } else {
                    target.database = outer.to_owned();
                }
            }
        }
        Ok(target)
    }

    /// Without a table: for asking which there are.
    pub(super) fn server(flavour: Flavour, options: &BTreeMap<String, String>) -> Result<Self> {
        let read = Options(options);
        let mut target = match flavour {
            Flavour::Jdbc => of_url(read.required("url")?)?,
            Flavour::Postgres => of_names(&POSTGRES, &read)?,
            Flavour::MySql => of_names(&MYSQL, &read)?,
        };
        if let Some(user) = read.text("username") {
            target.user = user.to_owned();
        }
        if let Some(password) = read.text("password") {
            target.password = password.to_owned();
        }
        if let Some(mode) = read.text("ssl.mode") {
            target.tls = tls_of(mode).ok_or_else(|| bad_option("ssl.mode", mode))?;
        }
        if let Some(schema) = read.text("schema-name") {
            target.schema = Some(schema.to_owned());
        }
        if target.host.is_empty() || target.host.contains(['/', '\\', '@', '?', '#', ' ']) {
            return Err(bad_option(if flavour == Flavour::Jdbc { "url" } else { "hostname" }, &target.host));
        }
        target.anywhere = options.get(NO_LOCAL).is_some_and(|mark| mark == "false");
        target.no_local = options.contains_key(NO_LOCAL) && !target.anywhere;
        Ok(target)
    }

    /// For messages: `host:port/database`.
    pub(super) fn place(&self) -> String {
        format!("{}:{}/{}", self.host, self.port, self.database)
    }

    /// The table as statements name it.
    pub(in crate::connector) fn quoted_table(&self) -> String {
        self.quoted(&self.table)
    }

    /// A table beside the target.
    pub(super) fn quoted(&self, table: &str) -> String {
        let outer = self.schema.as_deref().unwrap_or(&self.database);
        format!("{}.{}", self.dialect.name(outer), self.dialect.name(table))
    }
}

fn of_names(dialect: &'static dyn Dialect, options: &Options<'_>) -> Result<Target> {
    let port = options.count("port")?.map(u16::try_from).transpose();
    let port = port.map_err(|_| bad_option("port", options.text("port").unwrap_or_default()))?;
    Ok(Target {
        port: port.unwrap_or(dialect.port()),
        ..plain(dialect, options.required("hostname")?, options.required("database-name")?)
    })
}

fn plain(dialect: &'static dyn Dialect, host: &str, database: &str) -> Target {
    Target {
        dialect,
        host: host.to_owned(),
        port: dialect.port(),
        database: database.to_owned(),
        schema: dialect.has_schemas().then(|| "public".to_owned()),
        table: String::new(),
        user: String::new(),
        password: String::new(),
        tls: Tls::Prefer,
        no_local: false,
        anywhere: false,
    }
}

/// `jdbc:postgresql://host:port/database?…` and `jdbc:mysql://…` (also `jdbc:mariadb://…`).
fn of_url(url: &str) -> Result<Target> {
    let (dialect, rest): (&'static dyn Dialect, &str) = if let Some(rest) = url.strip_prefix("jdbc:postgresql://") {
        (&POSTGRES, rest)
    } else if let Some(rest) = url.strip_prefix("jdbc:mysql://").or_else(|| url.strip_prefix("jdbc:mariadb://")) {
        (&MYSQL, rest)
    } else {
        let message = "'url' has to begin with jdbc:postgresql:// or jdbc:mysql://; other databases are not supported.";
        return Err(EngineError::user("bad_option", message));
    };
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (server, database) = place.split_once('/').unwrap_or((place, ""));
    if database.is_empty() {
        return Err(EngineError::user("bad_option", "'url' names no database: it has to end with /database."));
    }
    if server.contains(',') {
        return Err(EngineError::user("unsupported", "'url' names several servers; one is supported."));
    }
    let (host, port) = split_port(server)?;
    let mut target = plain(dialect, host, database);
    target.port = port.unwrap_or(dialect.port());
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        apply(&mut target, name, value)?;
    }
    Ok(target)
}

/// `host`, `host:port`, `[v6]:port`.
fn split_port(server: &str) -> Result<(&str, Option<u16>)> {
    let wrong = || bad_option("url", server);
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(wrong)?;
            (host, rest.strip_prefix(':'))
        }
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    Ok((host, port.map(str::parse).transpose().map_err(|_| wrong())?))
}

/// Parameters that only tune a Java driver: they mean nothing here, and scripts carry them along.
const WITHOUT_MEANING: [&str; 14] = [
    "serverTimezone",
    "characterEncoding",
    "useUnicode",
    "rewriteBatchedStatements",
    "reWriteBatchedInserts",
    "allowPublicKeyRetrieval",
    "autoReconnect",
    "zeroDateTimeBehavior",
    "useCursorFetch",
    "cachePrepStmts",
    "useServerPrepStmts",
    "ApplicationName",
    "tcpKeepAlive",
    "connectTimeout",
];

fn apply(target: &mut Target, name: &str, value: &str) -> Result<()> {
    match name {
        "user" => target.user = value.to_owned(),
        "password" => target.password = value.to_owned(),
        "currentSchema" if target.dialect.has_schemas() => target.schema = Some(value.to_owned()),
        "sslmode" => target.tls = tls_of(value).ok_or_else(|| bad_option("url", name))?,
        "sslMode" => {
            let mode = match value.to_ascii_uppercase().as_str() {
                "DISABLED" => Some(Tls::Disable),
                "PREFERRED" => Some(Tls::Prefer),
                "REQUIRED" => Some(Tls::Require),
                "VERIFY_CA" => Some(Tls::VerifyCa),
                "VERIFY_IDENTITY" => Some(Tls::VerifyFull),
                _ => None,
            };
            target.tls = mode.ok_or_else(|| bad_option("url", name))?;
        }
        "ssl" | "useSSL" if value == "false" => target.tls = Tls::Disable,
        "useSSL" => target.tls = Tls::Require,
        "ssl" => target.tls = Tls::VerifyFull,
        known if WITHOUT_MEANING.contains(&known) => {}
        _ => {
            let message = format!("'url' has the parameter '{name}', which is not supported.");
            return Err(EngineError::user("unsupported", message));
        }
    }
    Ok(())
}

fn tls_of(mode: &str) -> Option<Tls> {
    let modes = [Tls::Disable, Tls::Prefer, Tls::Require, Tls::VerifyCa, Tls::VerifyFull];
    TLS_MODES.iter().zip(modes).find(|(name, _)| **name == mode).map(|(_, tls)| tls)
}

fn bad_option(name: &str, value: &str) -> EngineError {
    EngineError::user("bad_option", format!("'{name}' cannot be '{value}'."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn target(flavour: Flavour, pairs: &[(&str, &str)]) -> Result<Target> {
        let options = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Target::of_options(flavour, &options)
    }

    #[test]
    fn urls_of_flink() {
        let url = "jdbc:mysql://db:3307/shop?useSSL=false&serverTimezone=UTC";
        let found = target(Flavour::Jdbc, &[("url", url), ("table-name", "orders"), ("username", "me")]).unwrap();
        assert_eq!((found.place().as_str(), found.user.as_str(), found.tls), ("db:3307/shop", "me", Tls::Disable));
        assert_eq!(found.quoted_table(), "`shop`.`orders`");
        let url = "jdbc:postgresql://[::1]/shop?currentSchema=a";
        let found = target(Flavour::Jdbc, &[("url", url), ("table-name", "b.o\"rders")]).unwrap();
        assert_eq!((found.host.as_str(), found.port), ("::1", 5432));
        assert_eq!(found.quoted_table(), "\"b\".\"o\"\"rders\"");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let said = |url: &str| match target(Flavour::Jdbc, &[("url", url), ("table-name", "t")]) {
            Ok(_) => String::new(),
            Err(error) => error.message,
        };
        assert!(said("jdbc:oracle://db/x").contains("not supported"));
        assert!(said("jdbc:mysql://db").contains("no database"));
        assert!(said("jdbc:mysql://db:x/y").contains("'url'"));
        assert!(said("jdbc:mysql://a,b/y").contains("several"));
        assert!(said("jdbc:mysql://db/y?allowLoadLocalInfile=true").contains("allowLoadLocalInfile"));
        assert!(said("jdbc:postgresql:///var/run/x").contains("'url'"));
        assert!(said("jdbc:postgresql://me@db/x").contains("'url'"));
        let socket = target(Flavour::Postgres, &[("hostname", "/run"), ("database-name", "d"), ("table-name", "t")]);
        assert!(socket.is_err());
    }

    #[test]
    fn our_own_names() {
        let pairs = [("hostname", "db"), ("database-name", "d"), ("table-name", "x.t"), ("ssl.mode", "require")];
        let found = target(Flavour::Postgres, &pairs).unwrap();
        assert_eq!((found.quoted_table().as_str(), found.tls), ("\"x\".\"t\"", Tls::Require));
        let found = target(Flavour::MySql, &[pairs[0], pairs[1], ("table-name", "t"), ("port", "1")]).unwrap();
        assert_eq!((found.quoted_table().as_str(), found.port), ("`d`.`t`", 1));
        assert!(target(Flavour::MySql, &[pairs[0], pairs[1], ("table-name", "t"), ("port", "70000")]).is_err());
    }
}
