//! What the connectors of databases share: `postgres`, `mysql` (MariaDB too) and Flink's name `jdbc` for both.
//!
//! Statements and values go as text in both directions, see [`session`]; what differs between servers is behind
//! [`dialect::Dialect`].
//!
//! Source: bounded, and parallel over the ranges of `scan.partition.*`. Rows are streamed; a position is the key of the
//! last row, see [`select`].
//!
//! Lookup: rows by key, or the whole table, see [`lookup`].
//!
//! Sink: rows are inserted, or with a primary key replaced and deleted by it, see [`sink`].

mod apart;
mod check;
mod decode;
mod dialect;
mod epoch;
mod exact;
mod fault;
mod fetch;
mod filter;
mod journal;
mod link;
mod lookup;
mod options;
mod partition;
mod reader;
mod scan;
mod select;
mod session;
mod sink;
mod statement;
mod target;
#[cfg(test)]
mod tests;
mod value;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use millrace_wire::connection::{ConnectionTest, ExternalObject};
use millrace_wire::connector::ConnectorSchema;
use millrace_wire::table::FetchedSchema;

pub(super) use decode::is_scalar;
pub(super) use dialect::{ColumnFacts, Dialect, KeyColumn, KeyLiteral, Offered, TableFacts, hex, push_quoted};
pub(super) use session::{Session, TextRow};
pub(super) use target::Target;
pub(super) use value::{Plain, plain};

use super::{Accepts, Apart, Connector, ConnectorContext, Lookup, LookupColumns, Sink, Source, TableUse};
use crate::catalog::TableRef;
use crate::error::Result;
use crate::sql::Problem;
use target::Flavour;

pub(super) const POSTGRES: Database = Database(Flavour::Postgres);
pub(super) const MYSQL: Database = Database(Flavour::MySql);
pub(super) const JDBC: Database = Database(Flavour::Jdbc);

/// The tables of databases, under one of their names.
pub struct Database(Flavour);

#[async_trait]
impl Connector for Database {
    fn schema(&self) -> ConnectorSchema {
        options::schema(self.0)
    }

    fn validate(&self, table: &TableRef, use_: TableUse) -> Vec<Problem> {
        check::problems(self.0, table, use_)
    }

    fn source(&self, table: &TableRef, columns: &[usize], context: &ConnectorContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(scan::ScanSource::new(self.0, table, columns, context)?))
    }

    fn sink(&self, table: &TableRef, context: &ConnectorContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(sink::DatabaseSink::new(self.0, table, context)?))
    }

    fn takes(&self, table: &TableRef) -> Accepts {
        if table.primary_key.is_empty() { Accepts::Append } else { Accepts::Upsert }
    }

    fn lookup(&self, table: &TableRef, columns: &LookupColumns, context: &ConnectorContext) -> Result<Arc<dyn Lookup>> {
        Ok(Arc::new(lookup::DatabaseLookup::new(self.0, table, columns, context)?))
    }

    async fn fetch(&self, options: &BTreeMap<String, String>, context: &ConnectorContext) -> Result<FetchedSchema> {
        fetch::fetch(self.0, options, context).await
    }

    async fn objects(
        &self,
        options: &BTreeMap<String, String>,
        context: &ConnectorContext,
    ) -> Result<Vec<ExternalObject>> {
        fetch::objects(self.0, options, context).await
    }

    async fn probe(&self, options: &BTreeMap<String, String>, context: &ConnectorContext) -> ConnectionTest {
        fetch::probe(self.0, options, context).await
    }

    async fn make(&self, apart: &Apart, context: &ConnectorContext) -> Result<()> {
        apart::make(self.0, apart, context).await
    }

    async fn remove(&self, apart: &Apart, context: &ConnectorContext) -> Result<()> {
        apart::remove(self.0, apart, context).await
    }

    async fn test(&self, table: &TableRef, context: &ConnectorContext) -> ConnectionTest {
        let connector: &'static Database = match self.0 {
            Flavour::Postgres => &POSTGRES,
            Flavour::MySql => &MYSQL,
            Flavour::Jdbc => &JDBC,
        };
        fetch::test(self.0, connector, table, context).await
    }
}
