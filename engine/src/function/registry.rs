//! Name → function. Every name once; synonyms point to the same entry.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use millrace_wire::function::{FunctionInfo, FunctionKind};

use super::signature::Form;
use super::{Argument, ResolveError, ScalarCall};
use super::{
    arithmetic, classify, collection, comparison, conditional, csv_text, geo, ip, json, logic, math, nested, pattern,
    random, secret, text, text_codec, text_format, text_split, time, url, url_code,
};

/// How a name finds its call.
#[derive(Clone, Copy)]
pub(crate) enum Resolver {
    /// The first form that fits.
    Forms(&'static [Form]),
    /// Types that follow from more than a list of parameters.
    Custom(fn(&str, &[Argument]) -> Option<ScalarCall>),
    /// The same, with its own words for what is wrong.
    Checked(fn(&str, &[Argument]) -> Result<ScalarCall, ResolveError>),
}

pub(crate) struct Entry {
    /// Upper case; the first is the canonical name.
    pub(crate) names: &'static [&'static str],
    pub(crate) category: &'static str,
    pub(crate) signature: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) resolver: Resolver,
}

/// A function of text with a list of forms.
pub(super) const fn text_function(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    forms: &'static [Form],
) -> Entry {
    Entry { names, category: "string", signature, summary, resolver: Resolver::Forms(forms) }
}

/// Resolves a function or operator by name (any case) and argument types.
pub fn resolve_scalar(name: &str, args: &[Argument]) -> Result<ScalarCall, ResolveError> {
    let upper = name.to_ascii_uppercase();
    let Some(entry) = index().get(upper.as_str()) else {
        return Err(ResolveError::UnknownFunction { suggestion: nearest(&upper) });
    };
    let call = match entry.resolver {
        Resolver::Forms(forms) => forms.iter().find_map(|form| form.resolve(&upper, args)),
        Resolver::Custom(resolve) => resolve(&upper, args),
        Resolver::Checked(resolve) => return resolve(&upper, args),
    };
    call.ok_or_else(|| ResolveError::WrongArguments { message: wrong_arguments(&upper, entry, args) })
}

/// Whether a name (upper case) is taken, also by what only the grammar writes.
pub(crate) fn is_known(name: &str) -> bool {
    index().contains_key(name)
}

/// Every name, operators and what only the grammar writes included.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    index().keys().copied()
}

/// Every function that has a name of its own (operators have none), for completion and the functions page.
pub fn list() -> Vec<FunctionInfo> {
    let functions = index().iter().filter(|(name, _)| name.starts_with(char::is_alphabetic));
    let visible = functions.filter(|(_, entry)| !entry.category.is_empty());
    visible
        .map(|(name, entry)| FunctionInfo {
            name: (*name).to_owned(),
            kind: FunctionKind::Scalar,
            signature: signature(name, entry),
            summary: entry.summary.to_owned(),
            category: entry.category.to_owned(),
        })
        .collect()
}

/// Under the name that is looked for: an entry with several names is written with its first.
fn signature(name: &str, entry: &Entry) -> String {
    let first = entry.names.first().copied().unwrap_or_default();
    match entry.signature.strip_prefix(first) {
        Some(rest) if rest.starts_with('(') => format!("{name}{rest}"),
        _ => entry.signature.to_owned(),
    }
}

fn index() -> &'static BTreeMap<&'static str, &'static Entry> {
    static INDEX: OnceLock<BTreeMap<&'static str, &'static Entry>> = OnceLock::new();
    INDEX.get_or_init(|| {
        let groups: [&'static [Entry]; 19] = [
            arithmetic::ENTRIES,
            classify::ENTRIES,
            geo::ENTRIES,
            ip::ENTRIES,
            random::ENTRIES,
            secret::ENTRIES,
            text_format::ENTRIES,
            url_code::ENTRIES,
            comparison::ENTRIES,
            conditional::ENTRIES,
            csv_text::ENTRIES,
            logic::ENTRIES,
            math::ENTRIES,
            nested::ENTRIES,
            pattern::ENTRIES,
            text::ENTRIES,
            text_codec::ENTRIES,
            text_split::ENTRIES,
            url::ENTRIES,
        ];
        let entries = groups.into_iter().chain(time::GROUPS).chain(collection::GROUPS).chain(json::GROUPS).flatten();
        entries.flat_map(|entry| entry.names.iter().map(move |name| (*name, entry))).collect()
    })
}

fn wrong_arguments(name: &str, entry: &Entry, args: &[Argument]) -> String {
    let given: Vec<String> = args.iter().map(|argument| argument.ty.logical.to_string()).collect();
    let forms = match entry.resolver {
        Resolver::Forms(forms) => forms.iter().map(|form| form.text(name)).collect::<Vec<_>>().join(" or "),
        Resolver::Custom(_) | Resolver::Checked(_) => entry.signature.to_owned(),
    };
    match given.as_slice() {
        [left, right] if !name.starts_with(char::is_alphabetic) => {
            format!("'{name}' does not work between {left} and {right}. It takes {forms}.")
        }
        _ => format!("{name} does not take ({}). It takes {forms}.", given.join(", ")),
    }
}

/// A known name at an edit distance of at most two.
fn nearest(name: &str) -> Option<String> {
    let candidates = index().keys().filter(|known| known.starts_with(char::is_alphabetic));
    let scored = candidates.map(|known| (edit_distance(name, known), *known));
    scored.filter(|(distance, _)| *distance <= 2).min().map(|(_, known)| known.to_owned())
}

fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (row, from) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in right.iter().enumerate() {
            let substitute = previous.get(column).copied().unwrap_or(0) + usize::from(from != *to);
            let delete = previous.get(column + 1).copied().unwrap_or(0) + 1;
            let insert = current.get(column).copied().unwrap_or(0) + 1;
            current.push(substitute.min(delete).min(insert));
        }
        previous = current;
    }
    previous.last().copied().unwrap_or(0)
}
