//! An object outside of a test run's own: a topic, table or folder that no production table means.
//!
//! An [`Apart`] is only made of a table and a place of the team's sandbox targets, never of a table alone, and its name
//! ends with the mark of the run. [`Connector::make`](super::Connector::make) fails on what is there already, so that
//! even a name that somebody else has taken is never written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use millrace_wire::sandbox_target::{SandboxKind, SandboxPlace};

use super::layout::UPSERT_KAFKA;
use super::{ConnectorContext, OVERWRITE, Sink, filesystem, registry};
use crate::catalog::{TableDef, TableRef};
use crate::error::{EngineError, Result};

/// What names the object among the options of a table.
const TOPIC: &str = "topic";
const TABLE: &str = "table-name";
const SCHEMA: &str = "schema-name";
const PATH: &str = "path";

/// What would reach for something of production: transactions with an id of the job's, marks in other tables.
const LEFT_OUT: [&str; 4] = ["sink.delivery-guarantee", "sink.transactional-id-prefix", SCHEMA, OVERWRITE];

const LONGEST_TOPIC: usize = 249;
/// The shortest limit of the servers, PostgreSQL's.
const LONGEST_TABLE: usize = 63;

#[derive(Clone, Debug)]
pub struct Apart {
    /// Leads to the object and nowhere else.
    table: TableRef,
    /// Where the rows would go in production; asked how it is cut into partitions, and never opened.
    stands_for: TableRef,
    names: BTreeMap<String, String>,
    title: String,
}

/// What a connector's places are; `None` where there is nothing to write outside.
pub fn kind_of(connector: &str) -> Option<SandboxKind> {
    match connector {
        "kafka" | UPSERT_KAFKA => Some(SandboxKind::TopicPrefix),
        "postgres" | "mysql" | "jdbc" => Some(SandboxKind::Schema),
        "filesystem" => Some(SandboxKind::Folder),
        _ => None,
    }
}

impl Apart {
    /// The object in `place` that stands for `table` in the run with this mark.
    pub fn of(table: &TableRef, place: &SandboxPlace, mark: &str, roots: &[PathBuf]) -> Result<Self> {
        if mark.is_empty() || place.place.is_empty() {
            return Err(EngineError::internal("a sandbox target without a name"));
        }
        if kind_of(table.connector()) != Some(place.kind) {
            let message = format!("{} ({}) cannot be written to a sandbox target.", table.name, table.connector());
            return Err(EngineError::user("no_sandbox_target", message));
        }
        let names = match place.kind {
            SandboxKind::TopicPrefix => topic(table, place, mark)?,
            SandboxKind::Schema => schema_and_table(table, place, mark)?,
            SandboxKind::Folder => folder(table, place, mark, roots)?,
        };
        let mut options = table.options.clone();
        options.retain(|name, _| !LEFT_OUT.contains(&name.as_str()) && !name.ends_with(".subject"));
        options.extend(names.clone());
        let rewritten = TableDef { options, ..TableDef::clone(table) };
        let title = title(&names);
        Ok(Apart { table: Arc::new(rewritten), stands_for: Arc::clone(table), names, title })
    }

    /// An object that a run with this mark has made. `names` is what [`Apart::names`] said then.
    pub fn again(
        connector: &str,
        connection: BTreeMap<String, String>,
        names: BTreeMap<String, String>,
        mark: &str,
    ) -> Result<Self> {
        let named = names.values().all(|name| !mark.is_empty() && name.ends_with(mark));
        if !named || names.is_empty() || kind_of(connector).is_none() {
            return Err(EngineError::internal("this is no object of a test run"));
        }
        let mut options = connection;
        options.insert("connector".to_owned(), connector.to_owned());
        options.extend(names.clone());
        let table = Arc::new(TableDef {
            name: String::new(),
            columns: Vec::new(),
            watermark: None,
            primary_key: Vec::new(),
            partition_keys: Vec::new(),
            options,
            comment: String::new(),
        });
        let title = title(&names);
        Ok(Apart { stands_for: Arc::clone(&table), table, names, title })
    }

    pub const fn table(&self) -> &TableRef {
        &self.table
    }

    pub(super) const fn stands_for(&self) -> &TableRef {
        &self.stands_for
    }

    /// The options that name it.
    pub const fn names(&self) -> &BTreeMap<String, String> {
        &self.names
    }

    /// As people call it: `topic sandbox.orders-1a2b3c4d`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Two sinks with the same place in production have the same one here.
    pub fn is_the_same_as(&self, other: &Apart) -> bool {
        let leads = ["connector", "properties.bootstrap.servers", "hostname", "port", "database-name", "url"];
        let same = |name: &str| self.table.option(name) == other.table.option(name);
        self.names == other.names && leads.into_iter().all(same)
    }

    /// Its sink: the one way for a sandbox to one.
    pub fn sink(&self, context: &ConnectorContext) -> Result<Box<dyn Sink>> {
        self.connector()?.sink(&self.table, context)
    }

    pub async fn make(&self, context: &ConnectorContext) -> Result<()> {
        self.connector()?.make(self, context).await
    }

    /// One that is gone already is no mistake.
    pub async fn remove(&self, context: &ConnectorContext) -> Result<()> {
        self.connector()?.remove(self, context).await
    }

    fn connector(&self) -> Result<&'static dyn super::Connector> {
        let name = self.table.connector();
        registry::find(name)
            .ok_or_else(|| EngineError::user("unknown-connector", format!("There is no connector '{name}'.")))
    }
}

/// `topic sandbox.orders-1a2b3c4d`
fn title(names: &BTreeMap<String, String>) -> String {
    let words = [(TOPIC, "topic"), (TABLE, "table"), (PATH, "folder")];
    let found = words.iter().find_map(|(option, word)| Some(format!("{word} {}", names.get(*option)?)));
    found.unwrap_or_default()
}

fn topic(table: &TableRef, place: &SandboxPlace, mark: &str) -> Result<BTreeMap<String, String>> {
    let of = table.option(TOPIC).unwrap_or_default();
    let name = format!("{}{of}-{mark}", place.place);
    if name.len() > LONGEST_TOPIC {
        let message = format!("The name {name} is longer than the {LONGEST_TOPIC} characters that a topic may have.");
        return Err(EngineError::user("sandbox_refused", message));
    }
    Ok(BTreeMap::from([(TOPIC.to_owned(), name)]))
}

/// `schema.table`; where the server has no schemas, the first part is a database.
fn schema_and_table(table: &TableRef, place: &SandboxPlace, mark: &str) -> Result<BTreeMap<String, String>> {
    let written = table.option(TABLE).unwrap_or_default();
    let (outer, inner) = match (table.option(SCHEMA).filter(|schema| !schema.is_empty()), written.split_once('.')) {
        (None, Some((outer, inner))) => (Some(outer), inner),
        (schema, _) => (schema, written),
    };
    if outer == Some(place.place.as_str()) || place.place.contains('.') {
        let message = format!("{} lies in {} itself, which cannot be its sandbox target.", table.name, place.place);
        return Err(EngineError::user("sandbox_refused", message));
    }
    let room = LONGEST_TABLE.saturating_sub(mark.len() + 1);
    let end = (0..=room.min(inner.len())).rev().find(|end| inner.is_char_boundary(*end)).unwrap_or(0);
    let name = format!("{}.{}_{mark}", place.place, inner.get(..end).unwrap_or_default());
    Ok(BTreeMap::from([(TABLE.to_owned(), name)]))
}

fn folder(table: &TableRef, place: &SandboxPlace, mark: &str, roots: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let of = table.option(PATH).unwrap_or_default();
    if filesystem::overlap(&place.place, of, roots)? {
        let message = format!("{} lies in or around the folder of the sandbox targets, {}.", table.name, place.place);
        return Err(EngineError::user("sandbox_refused", message));
    }
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
    let name: String = table.name.chars().map(safe).collect();
    let path = format!("{}/{name}-{mark}", place.place.trim_end_matches('/'));
    Ok(BTreeMap::from([(PATH.to_owned(), path)]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table(options: &[(&str, &str)]) -> TableRef {
        Arc::new(TableDef {
            name: "main.orders".to_owned(),
            columns: Vec::new(),
            watermark: None,
            primary_key: Vec::new(),
            partition_keys: Vec::new(),
            options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            comment: String::new(),
        })
    }

    fn place(kind: SandboxKind, place: &str) -> SandboxPlace {
        SandboxPlace { kind, place: place.to_owned() }
    }

    fn apart(options: &[(&str, &str)], kind: SandboxKind, name: &str) -> Result<Apart> {
        Apart::of(&table(options), &place(kind, name), "1a2b3c4d", &[])
    }

    #[test]
    fn a_topic_gets_the_prefix_and_the_mark_and_loses_what_is_of_production() {
        let options = [
            ("connector", "kafka"),
            ("topic", "orders"),
            ("properties.bootstrap.servers", "k:9092"),
            ("format", "avro-confluent"),
            ("avro-confluent.subject", "orders-of-all"),
            ("sink.delivery-guarantee", "exactly-once"),
            ("sink.transactional-id-prefix", "production"),
        ];
        let found = apart(&options, SandboxKind::TopicPrefix, "sandbox.").unwrap();
        assert_eq!(found.title(), "topic sandbox.orders-1a2b3c4d");
        let left: Vec<&str> = found.table().options.keys().map(String::as_str).collect();
        assert_eq!(left, ["connector", "format", "properties.bootstrap.servers", "topic"]);
        assert_eq!(found.table().option("topic"), Some("sandbox.orders-1a2b3c4d"));
        let long = "x".repeat(240);
        let options = [("connector", "kafka"), ("topic", long.as_str())];
        assert!(apart(&options, SandboxKind::TopicPrefix, "sandbox.").is_err());
    }

    #[test]
    fn a_table_goes_to_the_schema_however_its_own_is_written() {
        let of = |options: &[(&str, &str)]| {
            let options = [&[("connector", "postgres")], options].concat();
            apart(&options, SandboxKind::Schema, "sandbox").map(|found| found.table().option(TABLE).unwrap().to_owned())
        };
        assert_eq!(of(&[("table-name", "orders")]).unwrap(), "sandbox.orders_1a2b3c4d");
        assert_eq!(of(&[("table-name", "shop.orders")]).unwrap(), "sandbox.orders_1a2b3c4d");
        assert_eq!(of(&[("table-name", "a.b"), ("schema-name", "shop")]).unwrap(), "sandbox.a.b_1a2b3c4d");
        assert!(of(&[("table-name", "sandbox.orders")]).is_err());
        assert!(of(&[("table-name", "orders"), ("schema-name", "sandbox")]).is_err());
        let long = "ö".repeat(60);
        let name = of(&[("table-name", &long)]).unwrap();
        assert!(name.len() <= "sandbox.".len() + LONGEST_TABLE && name.ends_with("_1a2b3c4d"), "{name}");
    }

    #[test]
    fn a_folder_is_never_in_or_around_that_of_the_table() {
        let of = |path: &str, target: &str| {
            let options = [("connector", "filesystem"), ("path", path), ("format", "json")];
            apart(&options, SandboxKind::Folder, target).map(|found| found.title().to_owned())
        };
        assert_eq!(of("/no/such/out", "/no/such/sandbox").unwrap(), "folder /no/such/sandbox/main.orders-1a2b3c4d");
        assert_eq!(of("/no/such/out", "/no/such/outer/").unwrap(), "folder /no/such/outer/main.orders-1a2b3c4d");
        for (path, target) in [("/no/such/out", "/no/such"), ("/no/such", "/no/such/sandbox"), ("/no/x", "/no/x/")] {
            assert!(of(path, target).is_err(), "{path} and {target}");
        }
        // A link in between leads to the same folder.
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(of(&real.display().to_string(), &link.join("sandbox").display().to_string()).is_err());
    }

    #[test]
    fn a_place_is_for_its_own_kind_of_connector() {
        let options = [("connector", "kafka"), ("topic", "orders")];
        assert!(apart(&options, SandboxKind::Schema, "sandbox").is_err());
        assert!(apart(&[("connector", "print")], SandboxKind::Folder, "/tmp/x").is_err());
        assert!(apart(&options, SandboxKind::TopicPrefix, "").is_err());
    }

    #[test]
    fn only_what_carries_the_mark_of_a_run_can_be_removed() {
        let again = |connector: &str, topic: &str, mark: &str| {
            let names = BTreeMap::from([("topic".to_owned(), topic.to_owned())]);
            Apart::again(connector, BTreeMap::new(), names, mark)
        };
        assert!(again("kafka", "sandbox.orders-1a2b3c4d", "1a2b3c4d").is_ok());
        assert!(again("kafka", "orders", "1a2b3c4d").is_err());
        assert!(again("kafka", "orders", "").is_err());
        assert!(again("print", "sandbox.orders-1a2b3c4d", "1a2b3c4d").is_err());
        assert!(Apart::again("kafka", BTreeMap::new(), BTreeMap::new(), "1a2b3c4d").is_err());
    }
}
