//! What a script may reach when it runs on the server.
//!
//! Tables say where they lead by their connection, and connections are checked when they are made and when they are
//! used. A script could lead elsewhere by making its own table, or by a hint that overrides an option. Both are refused
//! here, by looking at the options as they will be used.

use std::collections::{BTreeMap, BTreeSet};

use millrace_engine::sql::{LineIndex, Span as SqlSpan};
use millrace_wire::link::TableSource;
use millrace_wire::sql::{Diagnostic, Severity, Span};

use super::{catalog, topic};
use crate::endpoint::NO_LOCAL_OPTION;
use crate::engine::{CatalogText, EngineFront, ReachedTable};

/// The stable word of the diagnostics made here.
pub(super) const CODE: &str = "not-on-server";

/// Tables that the script writes though they are open for reading only.
pub(super) fn not_writable(sql: &str, writes: &[String], read_only: &BTreeSet<String>) -> Vec<Diagnostic> {
    let refused = writes.iter().filter(|name| read_only.contains(*name));
    let message = |name: &String| format!("The table '{name}' is open to you for reading, not for writing.");
    refused.map(|name| diagnostic(message(name), place_of(sql, name))).collect()
}

/// Says what a name of three parts means, where there is no such table. Whether it does not exist or is not open is not
/// told apart.
pub(super) fn explain_foreign(diagnostics: &mut [Diagnostic]) {
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.code == "unknown-table") {
        if diagnostic.hint.is_none() && diagnostic.message.split('\'').nth(1).is_some_and(catalog::is_foreign) {
            let hint = "A name of three parts is a table of another team, team.database.table. It has to be open to \
                        your team or to you.";
            diagnostic.hint = Some(hint.to_owned());
        }
    }
}

/// One diagnostic per table that the script may not use as it does.
pub(super) fn problems(engine: &dyn EngineFront, sql: &str, catalog: &CatalogText, slug: &str) -> Vec<Diagnostic> {
    let with_connection: Vec<String> = engine
        .connectors()
        .connectors
        .into_iter()
        .filter(|connector| connector.connection.is_some())
        .map(|connector| connector.name)
        .collect();
    let reached = engine.reach(sql, catalog);
    let problem = |table: &ReachedTable| {
        let described = catalog.tables.get(&table.name);
        if described.is_some() && catalog::is_foreign(&table.name) && !is_as_described(engine, table, catalog) {
            return Some(format!("A hint on '{}' changes where it leads. It belongs to another team.", table.name));
        }
        problem(table, described, &with_connection, slug)
    };
    let found = reached.iter().filter_map(|table| Some((problem(table)?, place_of(sql, &table.name))));
    found.map(|(message, span)| diagnostic(message, span)).collect()
}

/// A table of another team leads where that team says: hints may only say from when on it is read.
fn is_as_described(engine: &dyn EngineFront, table: &ReachedTable, catalog: &CatalogText) -> bool {
    let harmless = ["scan.startup.", "scan.bounded.", "lookup.cache", "properties.group.id", "properties.client.id"];
    let leading = |options: &BTreeMap<String, String>| {
        let kept = options.iter().filter(|(name, _)| !harmless.iter().any(|start| name.starts_with(start)));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect::<BTreeMap<_, _>>()
    };
    let quoted: Vec<String> = table.name.split('.').map(|part| format!("`{part}`")).collect();
    let plain = engine.reach(&format!("SELECT * FROM {}", quoted.join(".")), catalog);
    let plain = plain.iter().find(|plain| plain.name == table.name).map(|plain| leading(&plain.options));
    let described = || catalog.tables.get(&table.name).map(|source| leading(&source.hidden_options));
    plain.or_else(described).is_some_and(|plain| plain == leading(&table.options))
}

/// Where the script names the table first.
fn place_of(sql: &str, table: &str) -> Option<Span> {
    let name = table.rsplit('.').next().unwrap_or(table);
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let alone = |at: &usize| {
        let before = sql.get(..*at).and_then(|text| text.chars().next_back());
        let after = sql.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    };
    let start = sql.match_indices(name).map(|(at, _)| at).find(alone)?;
    Some(LineIndex::new(sql).wire(SqlSpan { start, end: start + name.len() }))
}

fn problem(
    table: &ReachedTable,
    described: Option<&TableSource>,
    with_connection: &[String],
    slug: &str,
) -> Option<String> {
    let name = &table.name;
    let Some(described) = described else {
        let connector = table.options.get("connector").map(String::as_str).unwrap_or_default();
        if table.options.contains_key(NO_LOCAL_OPTION) {
            return Some(format!("The table '{name}' sets an option that only the platform may set."));
        }
        return with_connection.iter().any(|known| known == connector).then(|| {
            format!("The table '{name}' uses the connector '{connector}', which needs a connection. Describe it under Tables.")
        });
    };
    if client_options(&table.options) != client_options(&described.hidden_options) {
        return Some(format!("A hint on '{name}' sets client options. They come from the connection."));
    }
    // A password goes to the server that its connection names, and to no other.
    let overridden = described.hidden_options.iter().find(|(option, value)| table.options.get(*option) != Some(value));
    if let Some((option, _)) = overridden {
        return Some(format!("A hint on '{name}' sets '{option}'. It comes from the connection."));
    }
    let foreign = |(option, value): (&String, &String)| topic::is_foreign(option, value, slug);
    if table.options.iter().any(foreign) {
        return Some(format!("A hint on '{name}' leads to a topic that belongs to the platform."));
    }
    None
}

/// The options that decide which machine is called, and as whom; the group and the like do not.
fn client_options(options: &BTreeMap<String, String>) -> BTreeMap<&String, &String> {
    let harmless = |name: &str| matches!(name, "properties.group.id" | "properties.client.id" | "properties.linger.ms");
    options.iter().filter(|(name, _)| name.starts_with("properties.") && !harmless(name)).collect()
}

fn diagnostic(message: String, span: Option<Span>) -> Diagnostic {
    Diagnostic { severity: Severity::Error, code: CODE.to_owned(), message, hint: None, span, replacement: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn verdict(described: bool, given: &[(&str, &str)]) -> bool {
        let hidden = options(&[("properties.bootstrap.servers", "10.0.0.1:9092")]);
        let source = TableSource { ddl: String::new(), hidden_options: hidden };
        let table = ReachedTable { name: "main.t".to_owned(), options: options(given) };
        problem(&table, described.then_some(&source), &["kafka".to_owned()], "demo").is_none()
    }

    #[test]
    fn the_place_is_where_the_table_is_named() {
        let place = |sql: &str| place_of(sql, "main.odd").map(|span| (span.line, span.column, span.end_column));
        assert_eq!(place("SELECT oddity,\n  x FROM main.odd"), Some((2, 15, 17)));
        assert_eq!(place("SELECT 1"), None);
    }

    #[test]
    fn a_table_is_used_as_it_is_described() {
        let own = ("properties.bootstrap.servers", "10.0.0.1:9092");
        assert!(verdict(true, &[own, ("topic", "orders")]));
        assert!(verdict(
            true,
            &[own, ("topic", "orders"), ("properties.group.id", "mine"), ("properties.linger.ms", "5")]
        ));
        assert!(!verdict(true, &[("properties.bootstrap.servers", "127.0.0.1:22")]));
        assert!(!verdict(true, &[own, ("properties.ssl.ca.location", "/etc/passwd")]));
        assert!(!verdict(true, &[own, ("topic", "millrace.logs.other")]));
        assert!(verdict(true, &[own, ("topic", "millrace.logs.demo")]));
    }

    #[test]
    fn what_the_connection_of_a_database_fills_in_stays() {
        let hidden = [("hostname", "db.example"), ("username", "reader")];
        let source = TableSource { ddl: String::new(), hidden_options: options(&hidden) };
        let verdict = |given: &[(&str, &str)]| {
            let table = ReachedTable { name: "main.t".to_owned(), options: options(given) };
            problem(&table, Some(&source), &[], "demo").is_none()
        };
        assert!(verdict(&[hidden[0], hidden[1], ("table-name", "x")]));
        assert!(!verdict(&[("hostname", "elsewhere"), hidden[1]]));
    }

    #[test]
    fn a_table_of_the_script_has_no_way_out() {
        assert!(!verdict(false, &[("connector", "postgres"), (NO_LOCAL_OPTION, "false")]));
        assert!(verdict(false, &[("connector", "datagen")]));
        assert!(!verdict(false, &[("connector", "kafka"), ("properties.bootstrap.servers", "10.0.0.1:9092")]));
    }
}
