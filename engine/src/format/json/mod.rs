//! The `json` format: one object per record, or an array of objects.
//!
//! Values are read as Flink reads them: numbers from text and text from numbers, missing fields as NULL, decimals that
//! do not fit as NULL, nested values into text columns as their JSON. Unlike Flink, text after the value is an error.

pub mod changelog;
mod cursor;
mod decoder;
mod object;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod write;

use millrace_wire::connector::{FormatSchema, OptionKind, OptionSchema, OptionSide};

pub(crate) use read::scalar_value;
pub use schema::columns as columns_of_schema;
pub use write::JsonEncoder;
pub(crate) use write::write_text;

use crate::error::Result;
use crate::format::temporal::TimestampStandard;
use crate::format::{Decoder, Encoder, Format, FormatOptions, Framing, defaulted, first_unsupported_map};
use crate::types::Field;

pub struct Json;

impl Format for Json {
    fn schema(&self) -> FormatSchema {
        let mut options = vec![source_side(defaulted(
            "json.fail-on-missing-field",
            "Fail on a missing field",
            "Otherwise a missing field is NULL.",
            OptionKind::Boolean,
            "false",
        ))];
        options.extend(shared_options("json"));
        FormatSchema { name: "json".to_owned(), title: "JSON".to_owned(), options }
    }

    fn problems(&self, fields: &[Field], options: &FormatOptions) -> Vec<(String, String)> {
        let mut problems = shared_problems("json", fields, options);
        if options.is_true("fail-on-missing-field") && options.is_true("ignore-parse-errors") {
            let message = "'json.fail-on-missing-field' and 'json.ignore-parse-errors' cannot both be true.";
            problems.push(("json.fail-on-missing-field".to_owned(), message.to_owned()));
        }
        problems
    }

    fn decoder(&self, fields: &[Field], wanted: &[usize], options: &FormatOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(decoder::JsonDecoder::new(fields, wanted, rules(options))))
    }

    fn encoder(&self, fields: &[Field], options: &FormatOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(JsonEncoder::new(fields, options)))
    }

    fn framing(&self, _options: &FormatOptions) -> Framing {
        Framing::Lines
    }
}

fn rules(options: &FormatOptions) -> read::ReadRules {
    read::ReadRules {
        ignore_errors: options.is_true("ignore-parse-errors"),
        fail_on_missing: options.is_true("fail-on-missing-field"),
        standard: standard(options),
    }
}

fn standard(options: &FormatOptions) -> TimestampStandard {
    match options.get("timestamp-format.standard") {
        Some("ISO-8601") => TimestampStandard::Iso8601,
        _ => TimestampStandard::Sql,
    }
}

/// Options that all formats built on JSON share.
fn shared_options(format: &str) -> Vec<OptionSchema> {
    let name = |suffix: &str| format!("{format}.{suffix}");
    let mut standard = defaulted(
        &name("timestamp-format.standard"),
        "Timestamps",
        "SQL: 2020-12-30 12:13:14.123. ISO-8601: 2020-12-30T12:13:14.123.",
        OptionKind::Choice,
        "SQL",
    );
    standard.choices = vec!["SQL".to_owned(), "ISO-8601".to_owned()];
    let mut null_keys = sink_side(defaulted(
        &name("map-null-key.mode"),
        "Map keys that are NULL",
        "FAIL, DROP the entry, or write the LITERAL below.",
        OptionKind::Choice,
        "FAIL",
    ));
    null_keys.choices = vec!["FAIL".to_owned(), "DROP".to_owned(), "LITERAL".to_owned()];
    vec![
        source_side(defaulted(
            &name("ignore-parse-errors"),
            "Ignore broken records",
            "A broken record is skipped and counted, a field that does not fit is NULL.",
            OptionKind::Boolean,
            "false",
        )),
        standard,
        null_keys,
        sink_side(defaulted(
            &name("map-null-key.literal"),
            "Literal for NULL keys",
            "Used when the mode is LITERAL.",
            OptionKind::Text,
            "null",
        )),
        sink_side(defaulted(
            &name("encode.decimal-as-plain-number"),
            "Plain decimals",
            "Decimals are always written without an exponent; the option is there for scripts from Flink.",
            OptionKind::Boolean,
            "false",
        )),
        sink_side(defaulted(
            &name("encode.ignore-null-fields"),
            "Leave NULL fields out",
            "Otherwise they are written as null.",
            OptionKind::Boolean,
            "false",
        )),
    ]
}

fn shared_problems(format: &str, fields: &[Field], _options: &FormatOptions) -> Vec<(String, String)> {
    let map = first_unsupported_map(fields);
    map.map(|column| {
        (String::new(), format!("The column '{column}' has a map whose keys are no text; {format} cannot hold it."))
    })
    .into_iter()
    .collect()
}

fn source_side(option: OptionSchema) -> OptionSchema {
    OptionSchema { side: OptionSide::Source, ..option }
}

fn sink_side(option: OptionSchema) -> OptionSchema {
    OptionSchema { side: OptionSide::Sink, ..option }
}
