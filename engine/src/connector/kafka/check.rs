//! What can be wrong with a Kafka table before any broker is asked.

use super::super::layout::{UPSERT_KAFKA, field_of, key_fields};
use super::super::option::Options;
use super::super::registry::problem;
use super::super::{TableUse, layout};
use super::buffer::Buffering;
use super::message::METADATA;
use super::produce::transaction_timeout_problem;
use super::record::OF_VALUE;
use super::startup::{Bounded, Startup};
use super::{client, sink};
use crate::catalog::{ColumnKind, TableRef};
use crate::format::bad_record::OnError;
use crate::format::{self, MetadataKey, metadata_fits};
use crate::sql::Problem;

pub(super) fn problems(table: &TableRef, use_: TableUse) -> Vec<Problem> {
    let mut found = Vec::new();
    let options = Options(&table.options);
    let upserts = table.connector() == UPSERT_KAFKA;
    if !upserts && options.text("format").is_none() && options.text("value.format").is_none() {
        found.push(problem("missing-option", "'format' is missing."));
    }
    if options.text("format").is_some() && options.text("value.format").is_some() {
        found.push(problem("wrong-arguments", "'value.format' cannot be given beside 'format'."));
    }
    found.extend(if upserts { upsert_problems(table, &options) } else { key_problems(table) });
    found.extend(prefix_problems(table));
    if let Err(error) = client::properties(&table.options) {
        found.push(problem("wrong-arguments", error.message));
    }
    match use_ {
        TableUse::Read => found.extend(read_problems(table, &options)),
        TableUse::Write => found.extend(write_problems(table, &options)),
        TableUse::Lookup => {}
    }
    found.extend(metadata_problems(table, use_));
    found
}

fn metadata_problems(table: &TableRef, use_: TableUse) -> Vec<Problem> {
    let mut found = Vec::new();
    let of_format = value_metadata(table);
    for column in &table.columns {
        let ColumnKind::Metadata { key, virtual_ } = &column.kind else { continue };
        let record_key = METADATA.iter().find(|known| known.key == key);
        let format_key = key.strip_prefix(OF_VALUE).and_then(|key| of_format.iter().find(|known| known.key == key));
        if record_key.is_none() && format_key.is_none() {
            let names = METADATA.iter().map(|known| known.key.to_owned());
            let names: Vec<String> =
                names.chain(of_format.iter().map(|known| format!("{OF_VALUE}{}", known.key))).collect();
            found.push(problem("unsupported", format!("Kafka has no metadata '{key}'. Known: {}.", names.join(", "))));
            continue;
        }
        if let Some(known) = format_key
            && !metadata_fits(&column.ty.logical, &known.ty)
        {
            let message = format!("The metadata '{key}' is {} and cannot be read as {}.", known.ty, column.ty.logical);
            found.push(problem("type-mismatch", message));
        }
        if use_ == TableUse::Write && !*virtual_ && record_key.is_none_or(|known| !known.writable) {
            let message =
                format!("The metadata '{key}' cannot be written; declare the column '{}' VIRTUAL.", column.name);
            found.push(problem("unsupported", message));
        }
    }
    found
}

fn value_metadata(table: &TableRef) -> Vec<MetadataKey> {
    let name = table.option("format").or_else(|| table.option("value.format")).unwrap_or_default();
    format::find(name).map(|format| format.metadata()).unwrap_or_default()
}

fn key_problems(table: &TableRef) -> Vec<Problem> {
    let mut found = Vec::new();
    let keys = key_fields(table);
    if table.option("key.format").is_some() && keys.is_empty() {
        found.push(problem("missing-option", "'key.fields' is missing beside 'key.format'."));
    }
    if table.option("key.format").is_none() && !keys.is_empty() {
        found.push(problem("missing-option", "'key.format' is missing beside 'key.fields'."));
    }
    let changelog = table.option("key.format").and_then(format::find).is_some_and(|format| format.changelog());
    if changelog {
        found.push(problem("wrong-arguments", "'key.format' has to be a format without changes."));
    }
    for key in keys {
        if !layout::physical_fields(table).iter().any(|field| field.name == key) {
            found.push(problem("unknown-column", format!("'key.fields' names '{key}', which is no physical column.")));
        }
    }
    found
}

fn upsert_problems(table: &TableRef, options: &Options<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    if table.primary_key.is_empty() {
        let message = "A table of 'upsert-kafka' needs a primary key: it is the key of the records.";
        let hint = Some("Declare PRIMARY KEY (…) NOT ENFORCED.".to_owned());
        found.push(Problem { hint, ..problem("missing-option", message) });
    }
    if let Err(error) = Buffering::of_options(options) {
        found.push(problem("wrong-arguments", error.message));
    }
    found
}

fn prefix_problems(table: &TableRef) -> Vec<Problem> {
    let mut found = Vec::new();
    let Some(prefix) = table.option("key.fields-prefix").filter(|prefix| !prefix.is_empty()) else { return found };
    if table.option("value.fields-include") != Some("EXCEPT_KEY") {
        let message = "'key.fields-prefix' needs 'value.fields-include' = 'EXCEPT_KEY', or names of key and value could be mixed up.";
        found.push(problem("wrong-arguments", message));
    }
    for key in key_fields(table).into_iter().filter(|key| !key.starts_with(prefix)) {
        let message =
            format!("'key.fields-prefix' is '{prefix}', but the key's column '{key}' does not begin with it.");
        found.push(problem("wrong-arguments", message));
    }
    found
}

fn read_problems(table: &TableRef, options: &Options<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Err(error) = Startup::of_options(options) {
        found.push(problem("wrong-arguments", error.message));
    }
    if let Err(error) = Bounded::of_options(options) {
        found.push(problem("wrong-arguments", error.message));
    }
    if OnError::of_table(&table.options) == OnError::DeadLetter && options.text("decode.dead-letter.topic").is_none() {
        found.push(problem("missing-option", "'decode.dead-letter.topic' is missing for dead-letter."));
    }
    found
}

fn write_problems(table: &TableRef, options: &Options<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    if options.text("topic").is_some_and(|topic| topic.contains(';')) {
        found.push(problem("wrong-arguments", "'topic' has to name a single topic for writing."));
    }
    if sink::is_exactly_once(options) {
        found.extend(transaction_timeout_problem(options).map(|message| problem("wrong-arguments", message)));
    }
    if table.write_columns().iter().filter_map(|index| table.columns.get(*index)).map(field_of).count() == 0 {
        found.push(problem("sink-schema", format!("The table '{}' has no column to write.", table.name)));
    }
    found
}
