//! Completion: what can stand at the caret.
//!
//! Works on tokens, since the script is half-written: the part before the caret says what is expected, the whole
//! statement says which tables are in scope.

mod option;
mod place;
mod scope;
#[cfg(test)]
mod tests;

use millrace_wire::function::FunctionKind;
use millrace_wire::sql::{CompletionItem, CompletionKind};

use super::bind::Outline;
use super::parser::{KEYWORDS, is_reserved};
use super::{functions, stack, too_long};
use crate::catalog::CatalogText;
use place::{Expected, Place};

/// More would not be read.
const MOST: usize = 300;
/// Of the catalog; whoever looks for another one types more of its name.
const MOST_TABLES: usize = 200;

/// Window functions in FROM: label, text, comment.
const WINDOWS: &[(&str, &str, &str)] = &[
    (
        "TABLE(TUMBLE(…))",
        "TABLE(TUMBLE(TABLE , DESCRIPTOR(), INTERVAL '1' MINUTE))",
        "Windows of one size, one after the other.",
    ),
    (
        "TABLE(HOP(…))",
        "TABLE(HOP(TABLE , DESCRIPTOR(), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE))",
        "Windows of one size that overlap.",
    ),
    (
        "TABLE(CUMULATE(…))",
        "TABLE(CUMULATE(TABLE , DESCRIPTOR(), INTERVAL '1' MINUTE, INTERVAL '1' HOUR))",
        "Windows that begin together and grow step by step.",
    ),
    (
        "TABLE(SESSION(…))",
        "TABLE(SESSION(TABLE  PARTITION BY , DESCRIPTOR(), INTERVAL '5' MINUTE))",
        "Windows that end when a key is silent for a while.",
    ),
];

/// What can stand at a byte offset of the script, best first.
pub fn complete(sql: &str, offset: usize, catalog: &CatalogText) -> Vec<CompletionItem> {
    if too_long(sql).is_some() {
        return Vec::new();
    }
    let mut offset = offset.min(sql.len());
    while !sql.is_char_boundary(offset) {
        offset -= 1;
    }
    stack::deep(|| items(sql, offset, catalog)).unwrap_or_default()
}

fn items(sql: &str, offset: usize, catalog: &CatalogText) -> Vec<CompletionItem> {
    let Some(place) = Place::find(sql, offset) else { return Vec::new() };
    let mut found = Found { items: Vec::new(), place: &place };
    match &place.expected {
        Expected::OptionKey { given, quoted } => option::keys(&mut found, given, *quoted),
        Expected::OptionValue { key, given, quoted } => option::values(&mut found, key, given, *quoted),
        Expected::Table { database } => tables(&mut found, sql, database.as_deref(), catalog),
        Expected::Column { qualifier, after } => columns(&mut found, sql, offset, qualifier, *after, catalog),
        Expected::TimeColumn { table } => {
            let mut outline = outline(sql, &place, catalog);
            let columns = outline.columns(table).unwrap_or_default();
            for column in columns
                .iter()
                .filter(|column| column.event_time)
                .chain(columns.iter().filter(|column| !column.event_time))
            {
                found.column(column, "");
            }
        }
        Expected::Statement => {
            for word in [
                "SELECT",
                "INSERT INTO",
                "MERGE INTO",
                "CREATE TEMPORARY TABLE",
                "CREATE TEMPORARY VIEW",
                "CREATE TEMPORARY FUNCTION",
                "WITH",
                "SET",
                "EXPLAIN",
            ] {
                found.add(word, &format!("{word} "), CompletionKind::Keyword, "", "");
            }
        }
        Expected::SettingKey { quoted } => {
            for key in crate::plan::settings::KEYS {
                let insert = if *quoted { (*key).to_owned() } else { format!("'{key}' = ''") };
                found.add(key, &insert, CompletionKind::Option, "setting", "");
            }
        }
    }
    found.items.truncate(MOST);
    found.items
}

/// Items whose name begins with what is typed.
struct Found<'a> {
    items: Vec<CompletionItem>,
    place: &'a Place,
}

impl Found<'_> {
    fn add(&mut self, label: &str, insert: &str, kind: CompletionKind, detail: &str, documentation: &str) {
        let typed = self.place.prefix.to_lowercase();
        if !label.to_lowercase().starts_with(&typed)
            || self.items.iter().any(|item| item.label == label && item.kind == kind)
        {
            return;
        }
        self.items.push(CompletionItem {
            label: label.to_owned(),
            insert: insert.to_owned(),
            kind,
            detail: detail.to_owned(),
            documentation: documentation.to_owned(),
            replace_from: u32::try_from(self.place.replace_from).unwrap_or(u32::MAX),
        });
    }

    fn column(&mut self, column: &super::bind::OutlineColumn, of: &str) {
        let mut detail = column.ty.to_string();
        if column.event_time {
            detail.push_str(", event time");
        }
        self.add(&column.name, &quoted(&column.name), CompletionKind::Column, &detail, of);
    }
}

fn outline<'a>(sql: &'a str, place: &Place, catalog: &'a CatalogText) -> Outline<'a> {
    Outline::read(sql.get(..place.statement.start).unwrap_or_default(), catalog)
}

fn tables(found: &mut Found, sql: &str, database: Option<&str>, catalog: &CatalogText) {
    let mut outline = outline(sql, found.place, catalog);
    let statement = sql.get(found.place.statement.clone()).unwrap_or_default();
    scope::define_ctes(statement, &mut outline);
    let current = outline.database().to_owned();
    let typed = found.place.prefix.to_lowercase();
    // As they would be inserted: without the database (or `catalog.database`) where it is understood.
    let label = |full: &str| match (full.rsplit_once('.'), database) {
        (Some((of, name)), Some(wanted)) => (of == wanted).then(|| name.to_owned()),
        (Some((of, name)), None) if of == current => Some(name.to_owned()),
        (None, Some(_)) => None,
        _ => Some(full.to_owned()),
    };
    let is_meant = |full: &str| label(full).is_some_and(|label| label.to_lowercase().starts_with(&typed));
    for table in outline.tables(is_meant, MOST_TABLES) {
        let Some(label) = label(&table.name) else { continue };
        let insert = match label.rsplit_once('.') {
            Some((of, name)) => format!("{}.{}", quoted_parts(of), quoted(name)),
            None => quoted(&label),
        };
        found.add(&label, &insert, CompletionKind::Table, &table.detail, &table.comment);
    }
    if database.is_some() {
        return;
    }
    for name in outline.databases().into_iter().filter(|name| *name != current) {
        found.add(name, &format!("{}.", quoted_parts(name)), CompletionKind::Database, "database", "");
    }
    if found.place.in_from {
        for (label, insert, comment) in WINDOWS {
            found.add(label, insert, CompletionKind::Snippet, "window function", comment);
        }
        for function in functions::list_functions().into_iter().filter(|function| function.kind == FunctionKind::Table)
        {
            let call = match function.name.as_str() {
                "UNNEST" => "UNNEST()".to_owned(),
                name => format!("LATERAL TABLE({name}())"),
            };
            found.add(&call, &call, CompletionKind::Snippet, &function.signature, &function.summary);
        }
        for function in outline.functions().into_iter().filter(|function| function.kind == FunctionKind::Table) {
            let call = format!("LATERAL TABLE({}())", function.name);
            found.add(&call, &call, CompletionKind::Snippet, &function.signature, "your function");
        }
    }
}

fn columns(found: &mut Found, sql: &str, offset: usize, qualifier: &[String], after: bool, catalog: &CatalogText) {
    let mut outline = outline(sql, found.place, catalog);
    let statement = found.place.statement.clone();
    let text = sql.get(statement.clone()).unwrap_or_default();
    scope::define_ctes(text, &mut outline);
    let tables = scope::tables(text, offset - statement.start);
    if !qualifier.is_empty() {
        let table = tables.iter().find(|table| Some(&table.alias) == qualifier.first());
        for column in table.map(|table| table.columns(&mut outline)).unwrap_or_default() {
            found.column(&column, "");
        }
        return;
    }
    if !after {
        for table in &tables {
            for column in table.columns(&mut outline) {
                found.column(&column, &format!("of {}", table.alias));
            }
        }
        for table in tables.iter().filter(|table| !table.alias.is_empty()) {
            found.add(&table.alias, &quoted(&table.alias), CompletionKind::Table, "alias", "");
        }
        for function in functions::list_functions().into_iter().filter(|function| function.kind != FunctionKind::Table)
        {
            let call =
                if function.signature.contains('(') { format!("{}(", function.name) } else { function.name.clone() };
            found.add(&function.name, &call, CompletionKind::Function, &function.signature, &function.summary);
        }
        for function in outline.functions().into_iter().filter(|function| function.kind != FunctionKind::Table) {
            let call = format!("{}(", function.name);
            found.add(&function.name, &call, CompletionKind::Function, &function.signature, "your function");
        }
    }
    // A name that was just finished is followed by a keyword only.
    for keyword in KEYWORDS {
        found.add(keyword, keyword, CompletionKind::Keyword, "", "");
    }
}

/// A name with what stands before it.
fn quoted_parts(name: &str) -> String {
    name.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

/// In backticks where it would not be read as a name.
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain && !is_reserved(name) { name.to_owned() } else { super::ddl::name(name) }
}
