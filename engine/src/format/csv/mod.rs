//! The `csv` format: fields by position, as Flink's.
//!
//! `csv.header` is ours: the first line of a file names the fields and is no record.

mod read;
#[cfg(test)]
mod tests;
mod write;

use millrace_wire::connector::{FormatSchema, OptionKind};

pub use read::split_line;

use super::{Decoder, Encoder, Format, FormatOptions, Framing, defaulted, single_byte};
use crate::error::Result;
use crate::types::{Field, LogicalType};

pub struct Csv;

/// How fields are told apart.
#[derive(Clone, Debug)]
pub struct CsvRules {
    pub delimiter: u8,
    pub quote: Option<u8>,
    pub escape: Option<u8>,
    pub null_literal: Option<String>,
    pub array_delimiter: String,
    pub allow_comments: bool,
    pub ignore_errors: bool,
}

impl CsvRules {
    pub fn new(options: &FormatOptions) -> Self {
        CsvRules {
            delimiter: options.character("field-delimiter", b','),
            quote: (!options.is_true("disable-quote-character")).then(|| options.character("quote-character", b'"')),
            escape: options.get("escape-character").and_then(single_byte),
            null_literal: options.get("null-literal").map(str::to_owned),
            array_delimiter: options.get("array-element-delimiter").unwrap_or(";").to_owned(),
            allow_comments: options.is_true("allow-comments"),
            ignore_errors: options.is_true("ignore-parse-errors"),
        }
    }
}

impl Format for Csv {
    fn schema(&self) -> FormatSchema {
        let options = vec![
            defaulted("csv.field-delimiter", "Delimiter", "One character.", OptionKind::Text, ","),
            defaulted(
                "csv.header",
                "Header line",
                "The first line of a file names the fields.",
                OptionKind::Boolean,
                "false",
            ),
            defaulted(
                "csv.null-literal",
                "NULL is written as",
                "Without it no text stands for NULL.",
                OptionKind::Text,
                "",
            ),
            defaulted(
                "csv.ignore-parse-errors",
                "Ignore broken records",
                "A broken record is skipped and counted, a field that does not fit is NULL.",
                OptionKind::Boolean,
                "false",
            ),
            defaulted("csv.quote-character", "Quote", "One character.", OptionKind::Text, "\""),
            defaulted(
                "csv.disable-quote-character",
                "No quotes",
                "Quotes are ordinary characters.",
                OptionKind::Boolean,
                "false",
            ),
            defaulted("csv.escape-character", "Escape", "One character.", OptionKind::Text, ""),
            defaulted(
                "csv.allow-comments",
                "Comments",
                "Lines that begin with # are passed over.",
                OptionKind::Boolean,
                "false",
            ),
            defaulted(
                "csv.array-element-delimiter",
                "Delimiter inside arrays",
                "For ARRAY and ROW columns.",
                OptionKind::Text,
                ";",
            ),
            defaulted(
                "csv.write-bigdecimal-in-scientific-notation",
                "Exponents in decimals",
                "Decimals are always written plainly; the option is there for scripts from Flink.",
                OptionKind::Boolean,
                "true",
            ),
        ];
        FormatSchema { name: "csv".to_owned(), title: "CSV".to_owned(), options }
    }

    fn problems(&self, fields: &[Field], options: &FormatOptions) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for name in ["field-delimiter", "quote-character", "escape-character"] {
            if options.get(name).is_some_and(|value| single_byte(value).is_none()) {
                problems.push((format!("csv.{name}"), format!("'csv.{name}' has to be a single ASCII character.")));
            }
        }
        if options.get("quote-character").is_some() && options.is_true("disable-quote-character") {
            let message = "'csv.quote-character' cannot be given when quotes are disabled.";
            problems.push(("csv.quote-character".to_owned(), message.to_owned()));
        }
        for field in fields {
            if !holds(&field.ty.logical, Level::Top) {
                problems.push((
                    String::new(),
                    format!("CSV cannot hold the column '{}' of type {}.", field.name, field.ty.logical),
                ));
            }
        }
        problems
    }

    fn decoder(&self, fields: &[Field], wanted: &[usize], options: &FormatOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(read::CsvDecoder::new(fields, wanted, CsvRules::new(options))))
    }

    fn encoder(&self, _fields: &[Field], options: &FormatOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(write::CsvEncoder::new(CsvRules::new(options))))
    }

    fn framing(&self, options: &FormatOptions) -> Framing {
        let rules = CsvRules::new(options);
        match rules.quote {
            Some(quote) => Framing::QuotedLines { quote, escape: rules.escape },
            None => Framing::Lines,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Nested,
}

fn holds(ty: &LogicalType, level: Level) -> bool {
    match ty {
        LogicalType::Map(..) | LogicalType::Multiset(_) => false,
        LogicalType::Array(element) => level == Level::Top && holds(&element.logical, Level::Nested),
        LogicalType::Row(fields) => {
            level == Level::Top && fields.iter().all(|field| holds(&field.ty.logical, Level::Nested))
        }
        _ => true,
    }
}
