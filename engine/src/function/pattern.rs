//! LIKE, SIMILAR TO and the REGEXP functions.
//!
//! Patterns are almost always constants: each is compiled once per batch at most. A pattern that cannot be compiled gives
//! NULL, as in Flink. The syntax is that of the `regex` crate: no look-around and no back-references.

use std::sync::Arc;

use arrow::array::{ListBuilder, StringBuilder};
use arrow::datatypes::{Field, Int32Type};
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;
use regex::{CaptureLocations, Regex};

use super::compiled::Compiled;
use super::registry::{Entry, Resolver, text_function as entry};
use super::signature::{Form, Nulls, Param};
use super::{Call, NativeFn};
use crate::types::{LogicalType, Type};

const T: Param = Param::Text;
const I: Param = Param::Int;

pub(super) const ENTRIES: &[Entry] = &[
    hidden(&["LIKE"], &[boolean(&[T, T], like, Nulls::FromArguments), boolean(&[T, T, T], like, Nulls::FromArguments)]),
    hidden(&["SIMILAR TO"], &[boolean(&[T, T], similar, Nulls::FromArguments)]),
    entry(
        &["REGEXP"],
        "REGEXP(text, pattern)",
        "Whether a part of the text matches.",
        &[boolean(&[T, T], regexp, Nulls::Always)],
    ),
    entry(
        &["REGEXP_EXTRACT"],
        "REGEXP_EXTRACT(text, pattern[, group])",
        "The group (0: the whole match) of the first match.",
        &[text(&[T, T], extract), text(&[T, T, I], extract)],
    ),
    entry(
        &["REGEXP_REPLACE"],
        "REGEXP_REPLACE(text, pattern, replacement)",
        "Every match replaced; the replacement is taken literally.",
        &[text(&[T, T, T], replace)],
    ),
    entry(&["REGEXP_SUBSTR"], "REGEXP_SUBSTR(text, pattern)", "The first match.", &[text(&[T, T], extract)]),
    entry(&["REGEXP_COUNT"], "REGEXP_COUNT(text, pattern)", "How many matches there are.", &[number(&[T, T], count)]),
    entry(
        &["REGEXP_INSTR"],
        "REGEXP_INSTR(text, pattern)",
        "Where the first match starts, from 1; 0 without one.",
        &[number(&[T, T], position)],
    ),
    entry(
        &["REGEXP_EXTRACT_ALL"],
        "REGEXP_EXTRACT_ALL(text, pattern[, group])",
        "The group (1 unless said otherwise) of every match.",
        &[list(&[T, T], extract_all), list(&[T, T, I], extract_all)],
    ),
];

const fn hidden(names: &'static [&'static str], forms: &'static [Form]) -> Entry {
    Entry { names, category: "", signature: "text and pattern", summary: "", resolver: Resolver::Forms(forms) }
}

const fn boolean(params: &'static [Param], kernel: NativeFn, nulls: Nulls) -> Form {
    Form::native(params, |_| LogicalType::Boolean, nulls, kernel)
}

const fn text(params: &'static [Param], kernel: NativeFn) -> Form {
    Form::native(params, |_| LogicalType::String, Nulls::Always, kernel)
}

const fn number(params: &'static [Param], kernel: NativeFn) -> Form {
    Form::native(params, |_| LogicalType::Int, Nulls::Always, kernel)
}

const fn list(params: &'static [Param], kernel: NativeFn) -> Form {
    let returns = |_: &[Type]| LogicalType::Array(Box::new(Type::nullable(LogicalType::String)));
    Form::native(params, returns, Nulls::Always, kernel)
}

/// The patterns of one batch, compiled.
#[derive(Default)]
pub(super) struct Patterns(Compiled<Regex>);

impl Patterns {
    /// The parts between matches, as Java splits: without empty ones at the end, and none at all of an empty text.
    pub(super) fn split<'t>(&mut self, pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
        if text.is_empty() {
            return Some(Vec::new());
        }
        let mut parts: Vec<&str> = self.get(pattern)?.split(text).collect();
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        Some(parts)
    }

    /// What stands before and after the first match; the whole text without one.
    pub(super) fn split_once<'t>(&mut self, pattern: &str, text: &'t str) -> Option<(&'t str, Option<&'t str>)> {
        let found = self.get(pattern)?.find(text);
        Some(match found {
            Some(found) => (text.get(..found.start())?, text.get(found.end()..)),
            None => (text, None),
        })
    }

    pub(super) fn get(&mut self, pattern: &str) -> Option<&Regex> {
        self.0.get(pattern, compile).map(|regex| &*regex)
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    // Bounds the memory of hostile patterns.
    regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().ok()
}

fn regexp(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, pattern) = (call.texts(0)?, call.texts(1)?);
    let mut patterns = Patterns::default();
    call.boolean_rows(|row| {
        let (input, pattern) = (input.get(row)?, pattern.get(row)?);
        if pattern.is_empty() {
            return Some(false);
        }
        Some(patterns.get(pattern)?.is_match(input))
    })
}

fn extract(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, pattern) = (call.texts(0)?, call.texts(1)?);
    let group = if call.args.len() > 2 { Some(call.numbers::<Int32Type>(2)?) } else { None };
    let mut patterns: Compiled<(Regex, CaptureLocations)> = Compiled::default();
    let compile = |pattern: &str| {
        let regex = compile(pattern)?;
        let places = regex.capture_locations();
        Some((regex, places))
    };
    call.text_rows(|row| {
        let group = match &group {
            Some(group) => usize::try_from(group.get(row)?).ok()?,
            None => 0,
        };
        let (regex, places) = patterns.get(pattern.get(row)?, compile)?;
        let input = input.get(row)?;
        regex.captures_read(places, input)?;
        places.get(group).and_then(|(start, end)| input.get(start..end))
    })
}

fn replace(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, pattern, replacement) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let mut patterns = Patterns::default();
    call.text_rows(|row| {
        let (input, replacement) = (input.get(row)?, replacement.get(row)?);
        let regex = patterns.get(pattern.get(row)?)?;
        Some(regex.replace_all(input, regex::NoExpand(replacement)).into_owned())
    })
}

fn count(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, pattern) = (call.texts(0)?, call.texts(1)?);
    let mut patterns = Patterns::default();
    call.number_rows::<Int32Type>(|row| {
        let input = input.get(row)?;
        i32::try_from(patterns.get(pattern.get(row)?)?.find_iter(input).count()).ok()
    })
}

fn position(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, pattern) = (call.texts(0)?, call.texts(1)?);
    let mut patterns = Patterns::default();
    call.number_rows::<Int32Type>(|row| {
        let input = input.get(row)?;
        let Some(found) = patterns.get(pattern.get(row)?)?.find(input) else { return Some(0) };
        let before = input.get(..found.start())?;
        i32::try_from(before.chars().count() + 1).ok()
    })
}

fn extract_all(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, pattern) = (call.texts(0)?, call.texts(1)?);
    let group = if call.args.len() > 2 { Some(call.numbers::<Int32Type>(2)?) } else { None };
    let mut patterns = Patterns::default();
    let mut lists =
        ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", arrow::datatypes::DataType::Utf8, true));
    for row in 0..call.rows {
        let group =
            group.as_ref().map_or(Some(1), |group| group.get(row)).and_then(|group| usize::try_from(group).ok());
        let regex = pattern.get(row).and_then(|pattern| patterns.get(pattern));
        let usable = regex.zip(group).filter(|(regex, group)| *group < regex.captures_len());
        match (input.get(row), usable) {
            (Some(input), Some((regex, group))) => {
                for found in regex.captures_iter(input) {
                    lists.values().append_option(found.get(group).map(|part| part.as_str()));
                }
                lists.append(true);
            }
            _ => lists.append(false),
        }
    }
    Ok(ColumnarValue::Array(Arc::new(lists.finish())))
}

fn like(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, pattern) = (call.texts(0)?, call.texts(1)?);
    let escape = if call.args.len() > 2 { call.texts(2)?.get(0).and_then(|text| text.chars().next()) } else { None };
    if pattern.is_constant() {
        let Some(pattern) = pattern.get(0) else { return call.boolean_rows(|_| None) };
        let matcher = LikePattern::new(pattern, escape)?;
        return call.boolean_rows(|row| input.get(row).map(|text| matcher.matches(text)));
    }
    let mut results = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        results.push(match (input.get(row), pattern.get(row)) {
            (Some(text), Some(pattern)) => Some(LikePattern::new(pattern, escape)?.matches(text)),
            _ => None,
        });
    }
    call.boolean_rows(|row| results.get(row).copied().flatten())
}

/// A LIKE pattern; the frequent shapes do without a regular expression.
enum LikePattern {
    Equals(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
    Regex(Regex),
}

impl LikePattern {
    fn new(pattern: &str, escape: Option<char>) -> Result<Self, DataFusionError> {
        let special = |text: &str| text.contains(['%', '_']) || escape.is_some_and(|escape| text.contains(escape));
        let inner = pattern.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'));
        if !special(pattern) {
            return Ok(Self::Equals(pattern.to_owned()));
        }
        if let Some(prefix) = pattern.strip_suffix('%').filter(|rest| !special(rest)) {
            return Ok(Self::Prefix(prefix.to_owned()));
        }
        if let Some(suffix) = pattern.strip_prefix('%').filter(|rest| !special(rest)) {
            return Ok(Self::Suffix(suffix.to_owned()));
        }
        if let Some(inner) = inner.filter(|rest| !special(rest)) {
            return Ok(Self::Contains(inner.to_owned()));
        }
        let mut source = String::from("(?s)^");
        let mut chars = pattern.chars();
        while let Some(next) = chars.next() {
            match next {
                '%' => source.push_str(".*"),
                '_' => source.push('.'),
                next if Some(next) == escape => match chars.next() {
                    Some(literal) => source.push_str(&regex::escape(&literal.to_string())),
                    None => return exec_err!("The LIKE pattern '{pattern}' ends with its escape character."),
                },
                next => source.push_str(&regex::escape(&next.to_string())),
            }
        }
        source.push('$');
        match Regex::new(&source) {
            Ok(regex) => Ok(Self::Regex(regex)),
            Err(_) => exec_err!("The LIKE pattern '{pattern}' is too large."),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Equals(literal) => text == literal,
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::Contains(inner) => text.contains(inner.as_str()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// SQL regular expressions: `%` and `_` as in LIKE, the rest as in a regular expression, anchored at both ends.
fn similar(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, pattern) = (call.texts(0)?, call.texts(1)?);
    let mut patterns = Patterns::default();
    call.boolean_rows(|row| {
        let translated = pattern.get(row)?.replace('%', ".*").replace('_', ".");
        Some(patterns.get(&format!("(?s)^(?:{translated})$"))?.is_match(input.get(row)?))
    })
}
