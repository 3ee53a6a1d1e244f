//! The connectors against real servers: `MILLRACE_TEST_POSTGRES_URL` and `MILLRACE_TEST_MYSQL_URL` name them. Without
//! them the tests say that they were skipped.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod exact;
mod job;
mod kill;
mod lookup;
mod offered;
mod scan;
mod sink;
mod types;

use std::sync::Arc;

use super::session::{Session, TextRow};
use super::target::{Flavour, Target};
use crate::catalog::{TableDef, TableRef};
use crate::change::{ChangeBatch, RowKind};
use crate::connector::ConnectorContext;
use crate::connector::testing::{batch, context, table};
use crate::error::Result;
use crate::types::LogicalType;

pub(super) struct Server {
    pub(super) flavour: Flavour,
    pub(super) runtime: tokio::runtime::Runtime,
    address: Vec<(&'static str, String)>,
}

/// The servers that the environment names.
pub(super) fn servers(test: &str) -> Vec<Server> {
    let named = [
        (Flavour::Postgres, "PostgreSQL", "MILLRACE_TEST_POSTGRES_URL"),
        (Flavour::MySql, "MariaDB", "MILLRACE_TEST_MYSQL_URL"),
    ];
    let mut found = Vec::new();
    for (flavour, name, variable) in named {
        match std::env::var(variable).ok().filter(|url| !url.is_empty()) {
            Some(url) => found.push(Server::new(flavour, &url)),
            None => println!("skipped: no {name} ({test}); set {variable}"),
        }
    }
    found
}

impl Server {
    /// `scheme://user[:password]@host:port/database`
    fn new(flavour: Flavour, url: &str) -> Self {
        let (user, place) = url.split_once("://").unwrap().1.split_once('@').unwrap();
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let (server, database) = place.split_once('/').unwrap();
        let (host, port) = server.split_once(':').unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let address = [
            ("hostname", host),
            ("port", port),
            ("database-name", database),
            ("username", user),
            ("password", password),
        ];
        let address = address.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        Server { flavour, runtime, address }
    }

    /// The same server with a database that nobody else uses.
    pub(super) fn alone(&self) -> Self {
        let name = self.name();
        self.run(&format!("CREATE DATABASE {name}"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut address = self.address.clone();
        address
            .iter_mut()
            .filter(|(option, _)| *option == "database-name")
            .for_each(|(_, value)| *value = name.clone());
        Server { flavour: self.flavour, runtime, address }
    }

    fn database(&self) -> &str {
        self.address.iter().find(|(option, _)| *option == "database-name").map(|(_, value)| value.as_str()).unwrap()
    }

    /// Ends all connections to the database of a server that is alone.
    pub(super) fn kill_connections(&self, alone: &Server) {
        let name = alone.database();
        let victims = if self.is_mysql() {
            self.rows(&format!("SELECT id FROM information_schema.processlist WHERE db = '{name}'"))
        } else {
            self.rows(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"))
        };
        assert!(!victims.is_empty());
        for id in victims.iter().filter(|_| self.is_mysql()) {
            let _ = self.ask(&format!("KILL {id}"));
        }
    }

    pub(super) fn is_mysql(&self) -> bool {
        self.flavour == Flavour::MySql
    }

    /// What differs between the servers.
    pub(super) fn pick<T>(&self, postgres: T, mysql: T) -> T {
        if self.is_mysql() { mysql } else { postgres }
    }

    pub(super) fn name(&self) -> String {
        format!("t_{}", uuid::Uuid::now_v7().simple())
    }

    pub(super) fn options<'a>(&'a self, table: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut options: Vec<(&str, &str)> = self.address.iter().map(|(name, value)| (*name, value.as_str())).collect();
        options.extend([("connector", self.pick("postgres", "mysql")), ("table-name", table)]);
        options
    }

    /// `key` names the columns of the primary key.
    pub(super) fn table(&self, name: &str, columns: &[(&str, LogicalType)], key: &[&str]) -> TableRef {
        self.table_with(name, columns, key, &[])
    }

    pub(super) fn table_with(
        &self,
        name: &str,
        columns: &[(&str, LogicalType)],
        key: &[&str],
        more: &[(&str, &str)],
    ) -> TableRef {
        let mut options = self.options(name);
        options.extend(more);
        let mut def = TableDef::clone(&table(columns, &options));
        let position = |name: &&str| def.columns.iter().position(|column| column.name == *name).unwrap();
        def.primary_key = key.iter().map(position).collect();
        Arc::new(def)
    }

    pub(super) fn context(&self, identity: &str) -> ConnectorContext {
        context(&self.runtime, identity)
    }

    fn target(&self) -> Target {
        let options = self.options("t").into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Target::of_options(self.flavour, &options).unwrap()
    }

    pub(super) fn ask(&self, sql: &str) -> Result<Vec<TextRow>> {
        self.runtime.block_on(async {
            let mut session = Session::open(&self.target()).await?;
            let rows = session.rows(sql.to_owned()).await?;
            session.close().await;
            Ok(rows)
        })
    }

    pub(super) fn run(&self, sql: &str) {
        self.ask(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Rows as texts with commas.
    pub(super) fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.ask(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let columns = |row: &TextRow| match row {
            TextRow::Postgres(row) => sqlx::Row::len(row),
            TextRow::MySql(row) => sqlx::Row::len(row),
        };
        let text = |row: &TextRow, column: usize| {
            row.value(column).unwrap().map_or("NULL".to_owned(), |value| String::from_utf8_lossy(value).into_owned())
        };
        rows.iter().map(|row| (0..columns(row)).map(|at| text(row, at)).collect::<Vec<_>>().join(",")).collect()
    }
}

/// Rows with the marks of their kinds before the JSON, for example `-D{"a":1}`.
pub(super) fn changes(table: &TableRef, rows: &[&str]) -> ChangeBatch {
    let kind = |row: &&str| match row.get(..2) {
        Some("+I") => RowKind::Insert,
        Some("+U") => RowKind::UpdateAfter,
        Some("-D") => RowKind::Delete,
        other => panic!("{other:?}"),
    };
    let texts: Vec<&str> = rows.iter().map(|row| &row[2..]).collect();
    ChangeBatch::with_kinds(batch(table, &texts).rows, rows.iter().map(kind).collect())
}
