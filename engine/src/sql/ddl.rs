//! The table form → `CREATE TABLE`.
//!
//! What the form holds cannot break out of its place: names and strings are quoted, and a type or expression that does
//! not parse on its own is written as `? 'text'`, which is no SQL; [`super::table_check`] then says what is wrong with it.

use millrace_wire::table::{Column, ColumnKind, TableDraft};

use super::parser::{parse_data_type, parse_expression};
use super::token::{TokenKind, tokenize};

/// Never fails: what is incomplete shows as such.
pub fn write_ddl(draft: &TableDraft) -> String {
    let mut elements: Vec<String> = draft.columns.iter().map(column).collect();
    if let Some(time) = &draft.event_time {
        elements.push(format!("WATERMARK FOR {} AS {}", name(&time.column), expression(&time.watermark)));
    }
    if !draft.primary_key.is_empty() {
        let columns: Vec<String> = draft.primary_key.iter().map(|column| name(column)).collect();
        elements.push(format!("PRIMARY KEY ({}) NOT ENFORCED", columns.join(", ")));
    }
    let mut ddl = format!("CREATE TABLE {}.{}", name(&draft.database), name(&draft.name));
    if elements.is_empty() {
        ddl.push_str(" ()");
    } else {
        ddl.push_str(&format!(" (\n  {}\n)", elements.join(",\n  ")));
    }
    if !draft.comment.is_empty() {
        ddl.push_str(&format!(" COMMENT {}", text(&draft.comment)));
    }
    let mut options = vec![("connector", draft.connector.as_str())];
    options.extend(draft.format.as_deref().filter(|format| !format.is_empty()).map(|format| ("format", format)));
    let more = draft.options.iter().filter(|(key, _)| !matches!(key.as_str(), "connector" | "format"));
    options.extend(more.map(|(key, value)| (key.as_str(), value.as_str())));
    let options: Vec<String> =
        options.into_iter().map(|(key, value)| format!("{} = {}", text(key), text(value))).collect();
    ddl.push_str(&format!(" WITH (\n  {}\n)", options.join(",\n  ")));
    ddl
}

fn column(column: &Column) -> String {
    let source = column.source.as_deref().unwrap_or_default();
    let mut line = match column.kind {
        ColumnKind::Physical => format!("{} {}{}", name(&column.name), data_type(&column.data_type), not_null(column)),
        ColumnKind::Computed => format!("{} AS {}", name(&column.name), expression(source)),
        ColumnKind::Metadata => {
            let from = if source.is_empty() || source == column.name {
                String::new()
            } else {
                format!(" FROM {}", text(source))
            };
            format!(
                "{} {}{} METADATA{from} VIRTUAL",
                name(&column.name),
                data_type(&column.data_type),
                not_null(column)
            )
        }
    };
    if !column.comment.is_empty() {
        line.push_str(&format!(" COMMENT {}", text(&column.comment)));
    }
    line
}

fn not_null(column: &Column) -> &'static str {
    let said = parse_data_type(&column.data_type).is_ok_and(|parsed| !parsed.ty.nullable);
    if column.nullable || said { "" } else { " NOT NULL" }
}

pub(super) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn data_type(source: &str) -> String {
    if parse_data_type(source).is_ok() { without_comments(source) } else { format!("? {}", text(source)) }
}

fn expression(source: &str) -> String {
    if parse_expression(source).is_ok() { without_comments(source) } else { format!("? {}", text(source)) }
}

/// On one line: a line comment would swallow what follows it.
fn without_comments(source: &str) -> String {
    let tokens = tokenize(source);
    let mut line = String::new();
    let mut end = None;
    for token in tokens.iter().filter(|token| token.kind != TokenKind::Comment) {
        if end.is_some_and(|end| end < token.span.start) {
            line.push(' ');
        }
        line.push_str(source.get(token.span.start..token.span.end).unwrap_or_default());
        end = Some(token.span.end);
    }
    line
}
