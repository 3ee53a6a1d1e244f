//! JSON_QUOTE and JSON_UNQUOTE: a text as a JSON string and back.

use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::parse::Json;
use crate::function::Call;
use crate::function::registry::{Entry, Resolver};
use crate::function::signature::{Form, Nulls, Param};
use crate::types::LogicalType;

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        names: &["JSON_QUOTE"],
        category: "json",
        signature: "JSON_QUOTE(text)",
        summary: "The text in quotes as a JSON string, other letters than ASCII as \\u and four digits.",
        resolver: Resolver::Forms(&[Form::native(
            &[Param::Text],
            |_| LogicalType::String,
            Nulls::FromArguments,
            quote,
        )]),
    },
    Entry {
        names: &["JSON_UNQUOTE"],
        category: "json",
        signature: "JSON_UNQUOTE(text)",
        summary: "The text that a JSON string holds; what is no JSON string stays as it is.",
        resolver: Resolver::Forms(&[Form::native(
            &[Param::Text],
            |_| LogicalType::String,
            Nulls::FromArguments,
            unquote,
        )]),
    },
];

fn quote(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.text_rows(|row| input.get(row).map(quoted))
}

/// Unlike the JSON that other functions write, with `/` and all letters beyond ASCII escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit).ok().filter(u8::is_ascii) {
            Some(letter @ (b'"' | b'\\' | b'/')) => out.extend(['\\', char::from(letter)]),
            Some(8) => out.push_str("\\b"),
            Some(12) => out.push_str("\\f"),
            Some(b'\n') => out.push_str("\\n"),
            Some(b'\r') => out.push_str("\\r"),
            Some(b'\t') => out.push_str("\\t"),
            Some(letter) => out.push(char::from(letter)),
            None => out.push_str(&format!("\\u{unit:04x}")),
        }
    }
    out.push('"');
    out
}

fn unquote(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.text_rows(|row| {
        let text = input.get(row)?;
        let whole = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
        match whole.then(|| Json::parse(text)).flatten() {
            Some(Json::Text(inner)) => Some(inner),
            _ => Some(text.to_owned()),
        }
    })
}
