//! `protobuf`: records are messages of a `.proto` text.
//!
//! Where Flink has a Java class, the table has the text of the definition and the name of the message; Flink's option
//! with the name of the class is understood as that name. Columns are fields of the same name:
//!
//! | type | Protobuf |
//! |---|---|
//! | INT, BIGINT | int32, uint32, sint32, fixed32, sfixed32; the same with 64 |
//! | FLOAT, DOUBLE, BOOLEAN | float, double, bool |
//! | CHAR, VARCHAR, STRING | string; enum, by name |
//! | TINYINT to BIGINT | enum, by number |
//! | BINARY, VARBINARY, BYTES | bytes |
//! | ARRAY, MAP, ROW | repeated, map, message |
//!
//! A field that is not there is NULL where its absence can be told from its default (proto2, `optional`, messages, lists,
//! maps), unless `protobuf.read-default-values` is set.

mod model;
mod plan;
mod reader;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod wire;
mod writer;

use millrace_wire::connector::{FormatSchema, OptionClass, OptionKind, OptionSchema, OptionSide};

use self::plan::{MessagePlan, Planner};
use self::reader::ProtobufDecoder;
use self::writer::ProtobufEncoder;
use super::{Decoder, Encoder, Format, FormatOptions, Framing, defaulted, wanted_columns, wanted_fields};
use crate::error::{EngineError, Result};
use crate::types::Field;

const SCHEMA: &str = "protobuf.schema";
const MESSAGE: &str = "protobuf.message-name";
const CLASS: &str = "protobuf.message-class-name";
const READ_DEFAULTS: &str = "protobuf.read-default-values";
const NULL_TEXT: &str = "protobuf.write-null-string-literal";

pub struct Protobuf;

impl Format for Protobuf {
    fn schema(&self) -> FormatSchema {
        let schema = defaulted(SCHEMA, "Definition", "The text of the .proto file.", OptionKind::Lines, "");
        let message_help = "With its package; not needed where the definition has a single message.";
        let class_help =
            "Flink's Java class, where the definition is also used there; its last part names the message.";
        let ignore_help = "Records that cannot be decoded are left out.";
        let defaults_help = "A field that is not there is read as its default instead of NULL.";
        let null_text = defaulted(NULL_TEXT, "NULL in lists", "A NULL text in a list or map.", OptionKind::Text, "");
        FormatSchema {
            name: "protobuf".to_owned(),
            title: "Protobuf".to_owned(),
            options: vec![
                OptionSchema { class: OptionClass::Required, ..schema },
                defaulted(MESSAGE, "Message", message_help, OptionKind::Text, ""),
                defaulted(CLASS, "Class", class_help, OptionKind::Text, ""),
                OptionSchema {
                    side: OptionSide::Source,
                    ..defaulted(
                        "protobuf.ignore-parse-errors",
                        "Leave out broken records",
                        ignore_help,
                        OptionKind::Boolean,
                        "false",
                    )
                },
                OptionSchema {
                    side: OptionSide::Source,
                    ..defaulted(READ_DEFAULTS, "Read defaults", defaults_help, OptionKind::Boolean, "false")
                },
                OptionSchema { side: OptionSide::Sink, ..null_text },
            ],
        }
    }

    fn in_files(&self) -> bool {
        false
    }

    fn problems(&self, fields: &[Field], options: &FormatOptions) -> Vec<(String, String)> {
        match plan(fields.iter(), options) {
            Ok(_) => Vec::new(),
            Err(problems) => problems,
        }
    }

    fn decoder(&self, fields: &[Field], wanted: &[usize], options: &FormatOptions) -> Result<Box<dyn Decoder>> {
        let plan = plan(wanted_fields(fields, wanted), options).map_err(unfit)?;
        Ok(Box::new(ProtobufDecoder::new(plan, wanted_columns(fields, wanted))))
    }

    fn encoder(&self, fields: &[Field], options: &FormatOptions) -> Result<Box<dyn Encoder>> {
        let plan = plan(fields.iter(), options).map_err(unfit)?;
        let null_text = options.get("write-null-string-literal").unwrap_or_default();
        Ok(Box::new(ProtobufEncoder::new(plan, null_text.as_bytes().to_vec())))
    }

    fn framing(&self, _options: &FormatOptions) -> Framing {
        Framing::Lines
    }
}

/// Options that are wrong (empty for columns), and why.
fn plan<'f>(
    columns: impl Iterator<Item = &'f Field>,
    options: &FormatOptions,
) -> Result<MessagePlan, Vec<(String, String)>> {
    let one = |option: &str, why: String| vec![(option.to_owned(), why)];
    let Some(text) = options.get("schema") else {
        return Err(one(SCHEMA, format!("'{SCHEMA}' is missing: the text of the .proto file.")));
    };
    let model = text::parse(text).map_err(|why| one(SCHEMA, format!("The definition in '{SCHEMA}': {why}.")))?;
    let named = options.get("message-name").map(|name| (MESSAGE, name));
    let named = named.or_else(|| options.get("message-class-name").map(|name| (CLASS, name)));
    let message = match (named, model.messages.as_slice()) {
        (Some((option, name)), _) => {
            let found = model.find(name).and_then(|at| model.message(at));
            found.ok_or_else(|| one(option, format!("The definition has no message '{name}'{}.", known(&model))))?
        }
        (None, [only]) => only,
        (None, _) => return Err(one(MESSAGE, format!("'{MESSAGE}' is missing{}.", known(&model)))),
    };
    let planner = Planner { model: &model, read_defaults: options.is_true("read-default-values") };
    let in_columns = |why: String| (String::new(), format!("Protobuf: {why}."));
    planner.row(message, columns).map_err(|problems| problems.into_iter().map(in_columns).collect())
}

fn known(model: &model::Model) -> String {
    match model.messages.is_empty() {
        true => "; it has none".to_owned(),
        false => {
            let names: Vec<&str> = model.messages.iter().take(10).map(|message| message.name.as_str()).collect();
            format!("; it has {}", names.join(", "))
        }
    }
}

fn unfit(problems: Vec<(String, String)>) -> EngineError {
    let all: Vec<String> = problems.into_iter().map(|(_, why)| why).collect();
    EngineError::user("bad_schema", all.join(" "))
}
