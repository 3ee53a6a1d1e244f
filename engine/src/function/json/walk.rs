//! Path + JSON → what it leads to.

use std::borrow::Cow;

use super::parse::Json;
use super::path::{Path, Step};

/// Several `..` in one path find the same values again and again: what finds more than this leads nowhere.
const MOST_FOUND: usize = 100_000;

/// What a path of a function finds in a text.
pub(super) enum Answer<'a> {
    Value(Cow<'a, Json>),
    /// Nothing, or NULL, and the path is lax.
    Empty,
    /// The text is no JSON, or a strict path does not lead to a value.
    Error,
}

/// A document is what a text was parsed to; `None` where it is no JSON.
pub(super) fn answer<'a>(path: &Path, document: Option<&'a Json>) -> Answer<'a> {
    let missing = if path.lax { Answer::Empty } else { Answer::Error };
    match document {
        None => missing,
        Some(Json::Null) => Answer::Error,
        Some(document) => match read(path, document, document) {
            Some(value) if *value != Json::Null => Answer::Value(value),
            _ => missing,
        },
    }
}

/// `None` where a path to one value leads nowhere. Any other path gives a list, maybe an empty one.
pub(super) fn read<'a>(path: &Path, from: &'a Json, top: &Json) -> Option<Cow<'a, Json>> {
    let mut found = vec![Cow::Borrowed(from)];
    // As long as only one value can be meant, one that is not there is missed.
    let mut definite = true;
    let mut steps = path.steps.iter().peekable();
    while let Some(step) = steps.next() {
        let last = steps.peek().is_none();
        definite &= match step {
            Step::Names(names) => names.len() == 1 || last,
            Step::Indices(indices) => indices.len() == 1,
            Step::Length => true,
            Step::Slice { .. } | Step::All | Step::Deep | Step::Filter(_) => false,
        };
        found = found.into_iter().flat_map(|value| one_step(step, last, value, top)).take(MOST_FOUND + 1).collect();
        if (found.is_empty() && definite) || found.len() > MOST_FOUND {
            return None;
        }
    }
    if path.is_definite() {
        return found.pop();
    }
    Some(Cow::Owned(Json::Array(found.into_iter().map(Cow::into_owned).collect())))
}

/// The value and everything inside it, depth first, in the order of the text.
fn everywhere(value: Cow<'_, Json>) -> Vec<Cow<'_, Json>> {
    let mut ordered = Vec::new();
    let mut waiting = vec![value];
    while let Some(current) = waiting.pop() {
        waiting.extend(children(current.clone()).into_iter().rev());
        ordered.push(current);
    }
    ordered
}

fn children(value: Cow<'_, Json>) -> Vec<Cow<'_, Json>> {
    match value {
        Cow::Borrowed(Json::Array(elements)) => elements.iter().map(Cow::Borrowed).collect(),
        Cow::Borrowed(Json::Object(fields)) => fields.iter().map(|(_, value)| Cow::Borrowed(value)).collect(),
        Cow::Owned(Json::Array(elements)) => elements.into_iter().map(Cow::Owned).collect(),
        Cow::Owned(Json::Object(fields)) => fields.into_iter().map(|(_, value)| Cow::Owned(value)).collect(),
        _ => Vec::new(),
    }
}

fn one_step<'a>(step: &Step, last: bool, value: Cow<'a, Json>, top: &Json) -> Vec<Cow<'a, Json>> {
    match step {
        Step::Names(names) => match names.as_slice() {
            [name] => field(value, name).into_iter().collect(),
            names if last => several(&value, names).into_iter().collect(),
            names => names.iter().filter_map(|name| field(value.clone(), name)).collect(),
        },
        Step::Indices(indices) => indices.iter().filter_map(|index| element(value.clone(), *index)).collect(),
        Step::Slice { from, to } => slice(value, *from, *to),
        Step::All => children(value),
        Step::Deep => everywhere(value),
        Step::Filter(condition) => match &*value {
            Json::Array(_) => children(value).into_iter().filter(|element| condition.holds(element, top)).collect(),
            Json::Object(_) if condition.holds(&value, top) => vec![value],
            _ => Vec::new(),
        },
        Step::Length => {
            let length = match &*value {
                Json::Array(elements) => Some(elements.len()),
                Json::Object(fields) => Some(fields.len()),
                _ => None,
            };
            length.map(|length| Cow::Owned(Json::Number(length.to_string()))).into_iter().collect()
        }
    }
}

fn field<'a>(value: Cow<'a, Json>, name: &str) -> Option<Cow<'a, Json>> {
    match value {
        Cow::Borrowed(value) => value.field(name).map(Cow::Borrowed),
        Cow::Owned(value) => value.field(name).cloned().map(Cow::Owned),
    }
}

/// Several names at the end of a path give an object of those that are there.
fn several<'a>(value: &Json, names: &[String]) -> Option<Cow<'a, Json>> {
    let Json::Object(_) = value else { return None };
    let fields = names.iter().filter_map(|name| Some((name.clone(), value.field(name)?.clone())));
    Some(Cow::Owned(Json::Object(fields.collect())))
}

fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index.checked_add(length)? } else { index }).ok()
}

fn element(value: Cow<'_, Json>, index: i64) -> Option<Cow<'_, Json>> {
    match value {
        Cow::Borrowed(Json::Array(elements)) => elements.get(place(index, elements.len())?).map(Cow::Borrowed),
        Cow::Owned(Json::Array(elements)) => elements.get(place(index, elements.len())?).cloned().map(Cow::Owned),
        _ => None,
    }
}

fn slice(value: Cow<'_, Json>, from: Option<i64>, to: Option<i64>) -> Vec<Cow<'_, Json>> {
    let Json::Array(elements) = &*value else { return Vec::new() };
    let length = elements.len();
    let bound = |index: i64| place(index, length).unwrap_or(0).min(length);
    let (from, to) = (from.map_or(0, bound), to.map_or(length, bound));
    children(value).into_iter().take(to).skip(from).collect()
}

/// What a table function makes rows of: the value at a path, or the whole document. `None` where there is nothing.
pub(in crate::function) fn read_rows(text: &str, path: Option<&str>) -> Option<Json> {
    let document = Json::parse(text)?;
    let Some(path) = path else { return Some(document) };
    let path = Path::parse(path).ok()?;
    read(&path, &document, &document).map(Cow::into_owned)
}
