//! What crosses the border to the editor, as JSON with UTF-16 offsets.

use millrace_wire::function::FunctionInfo;
use millrace_wire::sql::{CompletionItem, Diagnostic, Span, StatementInfo};
use serde_json::{Value, json};

use super::KnownTable;
use super::offset::to_utf16;

/// Diagnostics without a place are left to the problems list.
pub(super) fn problems(text: &str, diagnostics: &[Diagnostic]) -> String {
    let list: Vec<Value> = diagnostics
        .iter()
        .filter_map(|diagnostic| {
            let span = diagnostic.span.as_ref()?;
            let mut problem = range(text, span);
            problem["severity"] = json!(diagnostic.severity.as_str());
            problem["message"] = json!(diagnostic.message);
            if let Some(hint) = &diagnostic.hint {
                problem["hint"] = json!(hint);
            }
            if let Some(replacement) = &diagnostic.replacement {
                problem["replacement"] = json!(replacement);
            }
            Some(problem)
        })
        .collect();
    Value::Array(list).to_string()
}

pub(super) fn statements(text: &str, statements: &[StatementInfo]) -> String {
    Value::Array(statements.iter().map(|statement| range(text, &statement.span)).collect()).to_string()
}

/// All items replace the same word, so the first one says where it starts.
pub(super) fn completions(text: &str, caret: u32, items: &[CompletionItem]) -> String {
    let from = items.first().map_or(caret, |item| item.replace_from);
    let items: Vec<Value> = items
        .iter()
        .map(|item| {
            json!({
                "label": item.label,
                "insert": item.insert,
                "kind": item.kind.as_str(),
                "detail": item.detail,
                "documentation": item.documentation,
            })
        })
        .collect();
    json!({ "from": to_utf16(text, from), "items": items }).to_string()
}

/// Tables grouped by database, in the order in which they come.
pub(super) fn catalog(tables: &[KnownTable], functions: &[FunctionInfo]) -> String {
    let mut databases: Vec<(&str, Vec<Value>)> = Vec::new();
    for table in tables {
        let columns: Vec<Value> =
            table.columns.iter().map(|column| json!({ "name": column.name, "type": column.data_type })).collect();
        let entry = json!({ "name": table.name, "detail": table.connector, "columns": columns });
        match databases.iter_mut().find(|(name, _)| *name == table.database) {
            Some((_, entries)) => entries.push(entry),
            None => databases.push((&table.database, vec![entry])),
        }
    }
    let databases: Vec<Value> =
        databases.into_iter().map(|(name, tables)| json!({ "name": name, "tables": tables })).collect();
    let functions: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
    json!({ "databases": databases, "functions": functions }).to_string()
}

/// An empty span still needs something to underline: the character after it, or before it at the end.
fn range(text: &str, span: &Span) -> Value {
    let from = to_utf16(text, span.start);
    let to = to_utf16(text, span.end.max(span.start));
    let length = to_utf16(text, u32::MAX);
    match (from == to, to < length) {
        (true, true) => json!({ "from": from, "to": to + 1 }),
        (true, false) => json!({ "from": from.saturating_sub(1), "to": to }),
        _ => json!({ "from": from, "to": to }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use millrace_wire::sql::{CompletionKind, Severity};

    fn span(start: u32, end: u32) -> Span {
        Span { start, end, line: 1, column: 1, end_line: 1, end_column: 1 }
    }

    fn diagnostic(place: Option<Span>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: "unknown-column".into(),
            message: "Column `usr` not found.".into(),
            hint: None,
            span: place,
            replacement: Some("user".into()),
        }
    }

    fn parsed(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_diagnostic_after_a_wide_character_stands_at_its_place() {
        let text = "SELECT '漢😀', usr";
        let start = u32::try_from(text.find("usr").unwrap()).unwrap();
        let list = parsed(&problems(text, &[diagnostic(Some(span(start, start + 3))), diagnostic(None)]));
        assert_eq!(list.as_array().unwrap().len(), 1);
        let units: Vec<u16> = text.encode_utf16().collect();
        let from = usize::try_from(list[0]["from"].as_u64().unwrap()).unwrap();
        let to = usize::try_from(list[0]["to"].as_u64().unwrap()).unwrap();
        assert_eq!(String::from_utf16(&units[from..to]).unwrap(), "usr");
        assert_eq!(list[0]["replacement"], "user");
    }

    #[test]
    fn an_empty_span_still_shows() {
        let list = parsed(&problems("SELECT", &[diagnostic(Some(span(6, 6))), diagnostic(Some(span(2, 2)))]));
        assert_eq!((&list[0]["from"], &list[0]["to"]), (&json!(5), &json!(6)));
        assert_eq!((&list[1]["from"], &list[1]["to"]), (&json!(2), &json!(3)));
    }

    #[test]
    fn completions_start_where_the_word_starts() {
        let item = CompletionItem {
            label: "user_id".into(),
            insert: "user_id".into(),
            kind: CompletionKind::Column,
            detail: "STRING".into(),
            documentation: String::new(),
            replace_from: 10,
        };
        let answer = parsed(&completions("SELECT 'ä' us", 13, &[item]));
        assert_eq!(answer["from"], 9);
        assert_eq!(answer["items"][0]["kind"], "column");
        assert_eq!(parsed(&completions("abc", 2, &[]))["from"], 2);
    }
}
