//! JSON in texts: reading it by paths, testing it, making it.
//!
//! A text is parsed into [`Json`] as Jackson does for Flink: numbers with a fraction keep all their digits, what follows
//! the first value is not looked at. A path is lax or strict; one that says neither is strict.

mod length;
mod make;
mod number;
mod parse;
mod path;
mod path_filter;
mod path_parse;
mod query;
mod quote;
#[cfg(test)]
mod tests;
mod text_map;
mod value_of;
mod walk;
mod write;

use super::registry::{Entry, Resolver};
use super::{Argument, ResolveError, ScalarCall};
use path::Path;

pub(crate) use parse::Json;

pub(super) use walk::read_rows;

/// The entries of all files of this folder.
pub(super) const GROUPS: [&[Entry]; 6] =
    [query::ENTRIES, value_of::ENTRIES, make::ENTRIES, quote::ENTRIES, length::ENTRIES, text_map::ENTRIES];

const fn entry(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    resolve: fn(&str, &[Argument]) -> Result<ScalarCall, ResolveError>,
) -> Entry {
    Entry { names, category: "json", signature, summary, resolver: Resolver::Checked(resolve) }
}

fn wrong(message: impl Into<String>) -> ResolveError {
    ResolveError::WrongArguments { message: message.into() }
}

/// A text that holds JSON.
fn json_text(name: &str, argument: Option<&Argument>) -> Result<crate::types::Type, ResolveError> {
    let accepted = argument.and_then(|argument| super::signature::Param::Text.accept(&argument.ty));
    accepted.ok_or_else(|| {
        let given = argument.map_or("nothing".to_owned(), |argument| argument.ty.logical.to_string());
        wrong(format!("The first argument of {name} is a text that holds JSON, and this is {given}."))
    })
}

/// A path that is a constant and right.
fn constant_path(name: &str, argument: Option<&Argument>) -> Result<crate::types::Type, ResolveError> {
    let Some(argument) = argument else { return Err(wrong(format!("{name} needs a path, for example '$.a[0]'."))) };
    let text = argument.literal.as_ref().and_then(crate::expr::Value::as_str);
    let Some(text) = text else {
        return Err(wrong(format!("The path of {name} is a constant text, for example '$.a[0]'.")));
    };
    match Path::parse(text) {
        Ok(_) => Ok(argument.ty.clone()),
        Err(why) => Err(wrong(format!("'{text}' is no JSON path: {why}."))),
    }
}

/// A word that the parser has put in the place of a clause.
fn word(args: &[Argument], position: usize) -> Option<&str> {
    args.get(position)?.literal.as_ref()?.as_str()
}
