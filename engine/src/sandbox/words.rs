//! What a test run replaces and reads, in words.

use millrace_wire::test_run::{TestRunFrom, TestRunSource};

use super::endpoints::SandboxEndpoints;
use crate::catalog::{TableDef, TableRef};
use crate::plan::dataflow::{Dataflow, NodeKind};

pub(super) fn sink(table: &TableRef) -> String {
    format!("{} ({}) was replaced by a sandbox table.", table.name, place(table))
}

pub(super) fn written_sink(table: &TableRef, target: &str) -> String {
    format!(
        "{} ({}) was replaced by a sandbox table, and by the {target}, which was made for this run.",
        table.name,
        place(table)
    )
}

/// The connector, and where the table lies outside.
fn place(table: &TableDef) -> String {
    let names = [("topic", "topic"), ("path", "path"), ("table-name", "table")];
    let found = names.iter().find_map(|(option, word)| Some((word, table.option(option)?)));
    match found {
        Some((word, value)) => format!("{}, {word} {value}", table.connector()),
        None => table.connector().to_owned(),
    }
}

/// One per table that the dataflow reads.
pub fn sources(
    dataflow: &Dataflow,
    endpoints: &SandboxEndpoints,
    from: TestRunFrom,
    identity: &str,
) -> Vec<TestRunSource> {
    let mut sources: Vec<TestRunSource> = Vec::new();
    for node in &dataflow.nodes {
        let (table, looked_up) = match &node.kind {
            NodeKind::Source { table, .. } => (table, false),
            NodeKind::LookupJoin(node) => (&node.table, true),
            _ => continue,
        };
        if sources.iter().any(|known| known.table == table.name) {
            continue;
        }
        let supplied = endpoints.supplied(&table.name);
        let words = match supplied {
            Some(rows) => {
                format!("{} gets the {} that were supplied and is not read.", table.name, rows_of(rows.len()))
            }
            None if looked_up => {
                format!("{} ({}) is asked for single rows, as in production.", table.name, place(table))
            }
            None => read(table, from, identity, endpoints.is_settled()),
        };
        sources.push(TestRunSource { table: table.name.clone(), supplied: supplied.is_some(), words });
    }
    sources
}

fn rows_of(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

fn read(table: &TableDef, from: TestRunFrom, identity: &str, settled: bool) -> String {
    let place = place(table);
    if !table.connector().ends_with("kafka") {
        return format!("{} ({place}) is read as in production, from its beginning.", table.name);
    }
    let upserts = table.connector() != "kafka" && from != TestRunFrom::Time;
    let start = match from {
        // The newest record of a key may be its oldest.
        _ if upserts => "the earliest record",
        TestRunFrom::Earliest => "the earliest record",
        TestRunFrom::Latest => "the newest record on",
        TestRunFrom::Time => "the chosen time on",
        TestRunFrom::Table => "where its options say",
    };
    let read = if settled { "over a range that both runs share".to_owned() } else { format!("from {start}") };
    format!("{} ({place}) is read {read}, as the group {identity}, which commits no offsets.", table.name)
}
