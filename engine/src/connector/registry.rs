//! All connectors by name, and what holds for the options of every table.

use millrace_wire::connector::{ConnectorCatalog, ConnectorSchema, OptionClass, OptionKind, OptionSchema, OptionSide};
use millrace_wire::sql::Severity;

use super::layout::UPSERT_KAFKA;
use super::option::{closest, glob_matches, kind_problem};
use super::{Connector, TableUse, blackhole, database, datagen, filesystem, kafka, nexmark, print};
use crate::catalog::TableRef;
use crate::format::{self, FormatOptions};
use crate::sql::Problem;

/// A problem with the option it is about; empty when it is about the table as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionProblem {
    pub option: String,
    pub problem: Problem,
}

/// Every connector, in the order in which forms offer them.
pub fn all() -> &'static [&'static dyn Connector] {
    &[
        &kafka::Kafka,
        &kafka::UpsertKafka,
        &filesystem::Filesystem,
        &database::POSTGRES,
        &database::MYSQL,
        &database::JDBC,
        &datagen::Datagen,
        &nexmark::Nexmark,
        &print::Print,
        &blackhole::Blackhole,
        #[cfg(test)]
        &super::testing::TestLookup,
    ]
}

pub fn find(name: &str) -> Option<&'static dyn Connector> {
    all().iter().copied().find(|connector| connector.schema().name == name)
}

/// What forms are built from.
pub fn catalog() -> ConnectorCatalog {
    ConnectorCatalog {
        connectors: all().iter().map(|connector| with_common_options(*connector)).collect(),
        formats: format::all().iter().map(|format| format.schema()).collect(),
    }
}

/// Everything that is wrong with a table's options for the given use, without touching the network.
pub fn problems(table: &TableRef, use_: TableUse) -> Vec<OptionProblem> {
    let Some(name) = table.option("connector") else {
        let message = format!("The table '{}' has no 'connector' option.", table.name);
        return vec![about("connector", "missing-option", message, None)];
    };
    let Some(connector) = find(name) else {
        let known: Vec<String> = all().iter().map(|connector| connector.schema().name).collect();
        let hint = closest(name, known.iter().map(String::as_str));
        let message = format!("There is no connector '{name}'.");
        let hint =
            hint.map_or_else(|| format!("Known: {}.", known.join(", ")), |near| format!("Did you mean '{near}'?"));
        return vec![about("connector", "unknown-connector", message, Some(hint))];
    };
    if !table.partition_keys.is_empty() && !connector.takes_partitions() {
        let message = format!("A table of the connector '{name}' cannot be PARTITIONED BY columns.");
        return vec![about("connector", "unsupported", message, None)];
    }
    let schema = with_common_options(connector);
    if let Some(problem) = direction_problem(&schema, use_) {
        return vec![problem];
    }
    let mut found = option_problems(table, &schema);
    found.extend(format_problems(table, &schema, use_));
    if found.is_empty() {
        let own = connector.validate(table, use_);
        found.extend(own.into_iter().map(|problem| OptionProblem { option: quoted_name(&problem.message), problem }));
    }
    found
}

/// A connector's own problems name the option first, in single quotes.
fn quoted_name(message: &str) -> String {
    let mut parts = message.splitn(3, '\'');
    match (parts.next(), parts.next()) {
        (Some(before), Some(name)) if before.len() < 12 => name.to_owned(),
        _ => String::new(),
    }
}

fn direction_problem(schema: &ConnectorSchema, use_: TableUse) -> Option<OptionProblem> {
    let (can, what) = match use_ {
        TableUse::Read => (schema.source, "read"),
        TableUse::Write => (schema.sink, "written"),
        TableUse::Lookup => (schema.lookup, "looked up by key"),
    };
    (!can).then(|| {
        let message = format!("A table of the connector '{}' cannot be {what}.", schema.name);
        about("connector", "unsupported", message, None)
    })
}

fn option_problems(table: &TableRef, schema: &ConnectorSchema) -> Vec<OptionProblem> {
    let mut found = Vec::new();
    let mut known: Vec<OptionSchema> = schema.options.clone();
    for (prefix, format_name) in formats_of(table) {
        let options = format::find(format_name).map(|format| format.schema().options).unwrap_or_default();
        known.extend(
            options.into_iter().map(|option| OptionSchema { name: format!("{prefix}{}", option.name), ..option }),
        );
    }
    for (name, value) in &table.options {
        if name == "connector" {
            continue;
        }
        match known.iter().find(|option| glob_matches(&option.name, name)) {
            Some(option) => found
                .extend(kind_problem(option, name, value).map(|message| about(name, "wrong-arguments", message, None))),
            None => {
                let near = closest(name, known.iter().map(|option| option.name.as_str()));
                let message = format!("The connector '{}' has no option '{name}'.", schema.name);
                found.push(about(name, "unknown-option", message, near.map(|near| format!("Did you mean '{near}'?"))));
            }
        }
    }
    for option in known.iter().filter(|option| option.class == OptionClass::Required) {
        if table.option(&option.name).is_none() {
            let message = format!("The option '{}' is missing.", option.name);
            found.push(about(&option.name, "missing-option", message, Some(option.help.clone())));
        }
    }
    found
}

/// Prefix of the format's options and the name of the format.
pub(super) fn formats_of(table: &TableRef) -> Vec<(&'static str, &str)> {
    let mut formats = Vec::new();
    for (option, prefix) in [("format", ""), ("value.format", "value."), ("key.format", "key.")] {
        if let Some(name) = table.option(option) {
            formats.push((prefix, name));
        }
    }
    formats
}

fn format_problems(table: &TableRef, schema: &ConnectorSchema, use_: TableUse) -> Vec<OptionProblem> {
    let mut found = Vec::new();
    for (prefix, name) in formats_of(table) {
        let option = format!("{prefix}format");
        if !schema.formats.iter().any(|known| known == name) {
            let near = closest(name, schema.formats.iter().map(String::as_str));
            let hint = near.map_or_else(
                || format!("Known: {}.", schema.formats.join(", ")),
                |near| format!("Did you mean '{near}'?"),
            );
            let message = format!("The connector '{}' has no format '{name}'.", schema.name);
            found.push(about(&option, "wrong-arguments", message, Some(hint)));
            continue;
        }
        let Some(format) = format::find(name) else { continue };
        let fields = super::layout::fields_of_format(table, prefix);
        let options = FormatOptions::of_table(&table.options, prefix, name);
        let mut wrong = format.problems(&fields, &options);
        if use_ == TableUse::Write {
            wrong.extend(format.problems_of_writing(&options));
        }
        for (option, message) in wrong {
            let option = if option.is_empty() { option } else { format!("{prefix}{option}") };
            found.push(about(&option, "wrong-arguments", message, None));
        }
    }
    found
}

fn with_common_options(connector: &dyn Connector) -> ConnectorSchema {
    let mut schema = connector.schema();
    if schema.source {
        schema.options.extend(watermark_options());
    }
    if schema.lookup {
        schema.options.extend(super::lookup::options(connector.finds_by_key()));
    }
    if schema.source && !schema.formats.is_empty() {
        schema.options.extend(decode_options(&schema.name));
    }
    if schema.sink {
        schema.options.push(OptionSchema {
            side: OptionSide::Sink,
            ..format::defaulted(
                "sink.drop",
                "Leave out changes",
                "Row kinds that are not written: update_before, delete, or both with a comma.",
                OptionKind::Text,
                "",
            )
        });
    }
    schema
}

fn watermark_options() -> [OptionSchema; 4] {
    let option = |name: &str, title: &str, help: &str, kind, default: &str| OptionSchema {
        side: OptionSide::Source,
        ..format::defaulted(name, title, help, kind, default)
    };
    [
        option(
            "scan.watermark.idle-timeout",
            "Idle after",
            "A partition without records for so long no longer holds back the watermark. 0 means never.",
            OptionKind::Duration,
            "30 s",
        ),
        option(
            "scan.watermark.alignment.group",
            "Aligned with",
            "Tables of a job that name the same group wait for each other.",
            OptionKind::Text,
            "",
        ),
        option(
            "scan.watermark.alignment.max-drift",
            "At most ahead by",
            "How far its watermark may be ahead of the slowest of the group.",
            OptionKind::Duration,
            "",
        ),
        option(
            "scan.watermark.alignment.update-interval",
            "Aligned every",
            "How often the watermarks of the group are compared.",
            OptionKind::Duration,
            "1 s",
        ),
    ]
}

fn decode_options(connector: &str) -> Vec<OptionSchema> {
    let mut on_error = format::defaulted(
        format::bad_record::ON_ERROR,
        "Broken records",
        "fail stops the job, skip counts them, dead-letter keeps them with partition, offset and reason.",
        OptionKind::Choice,
        "fail",
    );
    on_error.choices = ["fail", "skip", "dead-letter"].map(str::to_owned).to_vec();
    let (name, title, kind) = match connector {
        "kafka" | UPSERT_KAFKA => ("decode.dead-letter.topic", "Dead-letter topic", OptionKind::Topic),
        _ => ("decode.dead-letter.path", "Dead-letter file", OptionKind::Path),
    };
    let outlet = format::defaulted(name, title, "Where broken records go with dead-letter.", kind, "");
    [on_error, outlet].into_iter().map(|option| OptionSchema { side: OptionSide::Source, ..option }).collect()
}

pub(super) fn problem(code: &'static str, message: impl Into<String>) -> Problem {
    Problem { severity: Severity::Error, code, message: message.into(), hint: None, span: None, replacement: None }
}

fn about(option: &str, code: &'static str, message: String, hint: Option<String>) -> OptionProblem {
    OptionProblem { option: option.to_owned(), problem: Problem { hint, ..problem(code, message) } }
}
