//! `avro`, `avro-confluent` and `debezium-avro-confluent`.
//!
//! `avro` records are bare values of the schema that Flink derives from the table's columns; files are Avro's own, which
//! carry their schema, see [`container`]. With a registry, the id of the writer's schema stands before each record, and its
//! fields are found by name.
//!
//! | type | Avro |
//! |---|---|
//! | TINYINT, SMALLINT, INT | int |
//! | DATE, TIME(p ≤ 3) | int: date, time-millis |
//! | TIMESTAMP(p ≤ 3) | long: timestamp-millis; without the legacy mapping local-timestamp-millis, -micros or -nanos |
//! | TIMESTAMP_LTZ(p) | long: timestamp-millis, -micros or -nanos, without the legacy mapping only |
//! | DECIMAL | bytes: decimal |
//! | MAP, MULTISET with text keys | map |
//! | nullable | union of null and the type |

mod columns;
pub(crate) mod container;
mod decoder;
mod derive;
mod encoder;
mod input;
mod reader;
mod registry;
mod scalar;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;

use millrace_wire::connector::{FormatSchema, OptionClass, OptionKind, OptionSchema, OptionSide};

pub use columns::columns as columns_of_schema;
pub(crate) use schema::Schema;

use self::decoder::{AvroDecoder, RecordReader, Writer};
use self::encoder::{AvroEncoder, SchemaId};
use self::registry::Registry;
use crate::error::{EngineError, Result};
use crate::format::{Decoder, Encoder, Format, FormatOptions, Framing, defaulted, wanted_fields};
use crate::types::Field;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Confluent,
    Debezium,
}

pub struct Avro {
    kind: Kind,
    name: &'static str,
    title: &'static str,
}

pub static AVRO: Avro = Avro { kind: Kind::Plain, name: "avro", title: "Avro" };
pub static CONFLUENT: Avro =
    Avro { kind: Kind::Confluent, name: "avro-confluent", title: "Avro with a schema registry" };
pub static DEBEZIUM: Avro =
    Avro { kind: Kind::Debezium, name: "debezium-avro-confluent", title: "Debezium Avro with a schema registry" };

impl Format for Avro {
    fn schema(&self) -> FormatSchema {
        let name = |suffix: &str| format!("{}.{suffix}", self.name);
        let legacy = defaulted(
            &name("timestamp_mapping.legacy"),
            "Old mapping of timestamps",
            "TIMESTAMP is a point in time, as in Flink before 1.19; false allows TIMESTAMP_LTZ and microseconds.",
            OptionKind::Boolean,
            "true",
        );
        let mut options = vec![legacy];
        if self.kind == Kind::Plain {
            let mut codec = defaulted(&name("codec"), "Compression", "Of files.", OptionKind::Choice, "snappy");
            codec.choices = container::CODECS.map(str::to_owned).to_vec();
            let mut encoding =
                defaulted(&name("encoding"), "Encoding", "Only Avro's binary one.", OptionKind::Choice, "binary");
            encoding.choices = vec!["binary".to_owned()];
            options.extend([OptionSchema { side: OptionSide::Sink, ..codec }, encoding]);
        } else {
            options.extend(registry_options(&name));
        }
        FormatSchema { name: self.name.to_owned(), title: self.title.to_owned(), options }
    }

    fn changelog(&self) -> bool {
        self.kind == Kind::Debezium
    }

    fn in_files(&self) -> bool {
        self.kind == Kind::Plain
    }

    fn problems(&self, fields: &[Field], options: &FormatOptions) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let derived = self.schema_of(fields, options);
        if let Err((option, message)) = derived {
            let option = if option.is_empty() { option } else { format!("{}.{option}", self.name) };
            problems.push((option, format!("{message}.")));
        }
        let url = options.get("url").unwrap_or_default();
        let is_http = |url: &str| ["http://", "https://"].iter().any(|scheme| url.trim().starts_with(scheme));
        if self.kind != Kind::Plain && !url.split(',').all(is_http) {
            let message = format!("'{}.url' has to begin with http:// or https://.", self.name);
            problems.push((format!("{}.url", self.name), message));
        }
        if options.get("basic-auth.user-info").is_some_and(|text| !text.contains(':')) {
            let option = format!("{}.basic-auth.user-info", self.name);
            problems.push((option.clone(), format!("'{option}' has to be user:password.")));
        }
        problems
    }

    fn decoder(&self, fields: &[Field], wanted: &[usize], options: &FormatOptions) -> Result<Box<dyn Decoder>> {
        let changes = self.kind == Kind::Debezium;
        let writer = if self.kind == Kind::Plain {
            let schema = Arc::new(self.schema_of(fields, options).map_err(unfit)?);
            let named: Vec<&Field> = wanted_fields(fields, wanted).collect();
            let reader = RecordReader::new(&schema, &named, changes);
            Writer::Fixed(Arc::new(reader.map_err(|why| unfit((String::new(), why)))?))
        } else {
            Writer::Named { registry: Box::new(Registry::new(options)?), known: hashbrown::HashMap::default() }
        };
        Ok(Box::new(AvroDecoder::new(fields, wanted, changes, writer)))
    }

    fn encoder(&self, fields: &[Field], options: &FormatOptions) -> Result<Box<dyn Encoder>> {
        let schema = self.schema_of(fields, options).map_err(unfit)?;
        let id = match self.kind {
            Kind::Plain => SchemaId::Absent,
            Kind::Confluent | Kind::Debezium => {
                let subject = options.get("subject").or(options.default_subject());
                let missing = || {
                    let message = format!("The option '{}.subject' is missing.", self.name);
                    EngineError::user("missing_option", message)
                };
                let subject = subject.ok_or_else(missing)?.to_owned();
                SchemaId::ToAsk { registry: Box::new(Registry::new(options)?), subject }
            }
        };
        Ok(Box::new(AvroEncoder { schema, changes: self.kind == Kind::Debezium, id }))
    }

    fn framing(&self, _options: &FormatOptions) -> Framing {
        Framing::Lines
    }
}

impl Avro {
    /// The option that is wrong, and why.
    fn schema_of(&self, fields: &[Field], options: &FormatOptions) -> Result<Schema, (String, String)> {
        let legacy = options.get("timestamp_mapping.legacy").is_none_or(|value| !value.eq_ignore_ascii_case("false"));
        let derived = match self.kind {
            Kind::Debezium => derive::derive_envelope(fields, legacy),
            _ => derive::derive(fields, legacy),
        };
        let derived = derived.map_err(|why| (String::new(), why))?;
        let Some(text) = options.get("schema").filter(|_| self.kind != Kind::Plain) else { return Ok(derived) };
        let given = Schema::parse(text).map_err(|why| ("schema".to_owned(), format!("The schema: {why}")))?;
        let changes = self.kind == Kind::Debezium;
        let all: Vec<&Field> = fields.iter().collect();
        let given = Arc::new(given);
        RecordReader::new(&given, &all, changes).map_err(|why| ("schema".to_owned(), format!("The schema: {why}")))?;
        Ok(Arc::unwrap_or_clone(given))
    }
}

/// The schema of files of these columns.
pub(crate) fn file_schema(fields: &[Field], options: &FormatOptions) -> Result<Schema> {
    AVRO.schema_of(fields, options).map_err(unfit)
}

fn unfit((_, why): (String, String)) -> EngineError {
    EngineError::user("bad_schema", format!("{why}."))
}

fn registry_options(name: &dyn Fn(&str) -> String) -> Vec<OptionSchema> {
    let url = OptionSchema {
        class: OptionClass::Required,
        ..defaulted(&name("url"), "Schema registry", "http://host:8081; several with commas.", OptionKind::Text, "")
    };
    let mut source = defaulted(
        &name("basic-auth.credentials-source"),
        "Kind of credentials",
        "Where user and password come from.",
        OptionKind::Choice,
        "USER_INFO",
    );
    source.choices = vec!["USER_INFO".to_owned()];
    let mut bearer = defaulted(
        &name("bearer-auth.credentials-source"),
        "Kind of token",
        "Where the token comes from.",
        OptionKind::Choice,
        "STATIC_TOKEN",
    );
    bearer.choices = vec!["STATIC_TOKEN".to_owned()];
    let subject = defaulted(
        &name("subject"),
        "Subject",
        "Under which the schema of written records is registered; <topic>-value or <topic>-key.",
        OptionKind::Text,
        "",
    );
    vec![
        url,
        OptionSchema { side: OptionSide::Sink, ..subject },
        defaulted(&name("schema"), "Schema", "Instead of the one that the columns give.", OptionKind::Text, ""),
        source,
        defaulted(&name("basic-auth.user-info"), "User and password", "user:password", OptionKind::Secret, ""),
        bearer,
        defaulted(&name("bearer-auth.token"), "Token", "For bearer authentication.", OptionKind::Secret, ""),
    ]
}
