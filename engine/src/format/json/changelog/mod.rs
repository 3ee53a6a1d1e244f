//! Changelogs in JSON envelopes: `debezium-json`, `canal-json`, `maxwell-json`, `ogg-json`.
//!
//! Reading gives `+I`, `-U`/`+U` and `-D`. Writing gives one envelope per row: an update is a delete and an insert, as in
//! Flink, so that each record stands for itself.

mod decoder;
mod encoder;
mod envelope;
mod metadata;
#[cfg(test)]
mod tests;

use millrace_wire::connector::{FormatSchema, OptionKind};
use regex::Regex;

use super::object::ObjectReader;
use super::{shared_options, shared_problems, source_side};
use crate::error::{EngineError, Result};
use crate::format::{
    Decoder, Encoder, Format, FormatOptions, Framing, MetadataKey, defaulted, wanted_columns, wanted_fields,
};
use crate::types::{Field, Type};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Debezium,
    Canal,
    Maxwell,
    Ogg,
}

pub struct ChangelogJson {
    dialect: Dialect,
    name: &'static str,
    title: &'static str,
}

pub static DEBEZIUM: ChangelogJson =
    ChangelogJson { dialect: Dialect::Debezium, name: "debezium-json", title: "Debezium JSON" };
pub static CANAL: ChangelogJson = ChangelogJson { dialect: Dialect::Canal, name: "canal-json", title: "Canal JSON" };
pub static MAXWELL: ChangelogJson =
    ChangelogJson { dialect: Dialect::Maxwell, name: "maxwell-json", title: "Maxwell JSON" };
pub static OGG: ChangelogJson =
    ChangelogJson { dialect: Dialect::Ogg, name: "ogg-json", title: "Oracle GoldenGate JSON" };

impl Format for ChangelogJson {
    fn schema(&self) -> FormatSchema {
        let mut options = shared_options(self.name);
        let mut filter = |suffix: &str, title: &str, help: &str, kind, default: &str| {
            options.push(source_side(defaulted(&format!("{}.{suffix}", self.name), title, help, kind, default)));
        };
        match self.dialect {
            Dialect::Debezium => {
                filter(
                    "schema-include",
                    "Schema in each record",
                    "Records have schema and payload.",
                    OptionKind::Boolean,
                    "false",
                );
            }
            Dialect::Canal => {
                filter(
                    "database.include",
                    "Databases",
                    "A regular expression; others are passed over.",
                    OptionKind::Text,
                    "",
                );
                filter(
                    "table.include",
                    "Tables",
                    "A regular expression; others are passed over.",
                    OptionKind::Text,
                    "",
                );
            }
            Dialect::Maxwell | Dialect::Ogg => {}
        }
        FormatSchema { name: self.name.to_owned(), title: self.title.to_owned(), options }
    }

    fn changelog(&self) -> bool {
        true
    }

    fn problems(&self, fields: &[Field], options: &FormatOptions) -> Vec<(String, String)> {
        let mut problems = shared_problems(self.name, fields, options);
        for suffix in ["database.include", "table.include"] {
            if let Some(Err(error)) = options.get(suffix).map(whole_match) {
                problems.push((format!("{}.{suffix}", self.name), format!("It is no regular expression: {error}")));
            }
        }
        problems
    }

    fn problems_of_writing(&self, options: &FormatOptions) -> Vec<(String, String)> {
        if self.dialect == Dialect::Debezium && options.is_true("schema-include") {
            let message =
                "Records with a schema can only be read, not written; leave 'debezium-json.schema-include' out.";
            return vec![("debezium-json.schema-include".to_owned(), message.to_owned())];
        }
        Vec::new()
    }

    fn metadata(&self) -> Vec<MetadataKey> {
        metadata::keys(self.dialect)
    }

    fn decoder(&self, fields: &[Field], wanted: &[usize], options: &FormatOptions) -> Result<Box<dyn Decoder>> {
        self.decoder_with_metadata(fields, wanted, &[], options)
    }

    fn decoder_with_metadata(
        &self,
        fields: &[Field],
        wanted: &[usize],
        metadata: &[(String, Type)],
        options: &FormatOptions,
    ) -> Result<Box<dyn Decoder>> {
        let named = wanted_fields(fields, wanted).map(|field| (field.name.as_str(), &field.ty.logical));
        let filter = |name: &str| {
            let compiled = options.get(name).map(whole_match).transpose();
            compiled
                .map_err(|error| EngineError::user("bad_option", format!("'{name}' is no regular expression: {error}")))
        };
        Ok(Box::new(decoder::ChangelogDecoder {
            dialect: self.dialect,
            payload: options.is_true("schema-include"),
            database: filter("database.include")?,
            table: filter("table.include")?,
            object: ObjectReader::new(named),
            columns: wanted_columns(fields, wanted),
            metadata: metadata::EnvelopeColumns::new(self.dialect, metadata)?,
            kinds: Vec::new(),
            rules: super::rules(options),
        }))
    }

    fn encoder(&self, fields: &[Field], options: &FormatOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(encoder::ChangelogEncoder::new(self.dialect, fields, options)))
    }

    fn framing(&self, _options: &FormatOptions) -> Framing {
        Framing::Lines
    }
}

fn whole_match(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}
