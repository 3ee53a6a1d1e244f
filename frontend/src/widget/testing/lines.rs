//! Rows as text: one JSON object per line, with the kind of change before it where it is not an insertion.

use std::collections::HashMap;

use millrace_wire::preview::{PreviewRow, ResultColumn, RowKind};
use millrace_wire::test_run::SuppliedRow;
use serde_json::{Map, Value};

/// The number of the first line that is no row.
pub(super) fn parse(text: &str) -> Result<Vec<SuppliedRow>, usize> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| row(line.trim()).ok_or(number + 1)).collect()
}

fn row(line: &str) -> Option<SuppliedRow> {
    let kind = line.get(..2).and_then(|word| word.parse::<RowKind>().ok());
    let json = if kind.is_some() { line.get(2..)?.trim() } else { line };
    let mut values: Value = serde_json::from_str(json).ok()?;
    let at = match values.as_object_mut().and_then(|object| object.remove("@at")) {
        None => None,
        Some(at) => Some(at.as_i64()?),
    };
    (values.is_object() || values.is_array()).then(|| SuppliedRow { kind: kind.unwrap_or(RowKind::Insert), at, values })
}

pub(super) fn write(rows: &[SuppliedRow]) -> String {
    let line = |row: &SuppliedRow| {
        let mut values = row.values.clone();
        if let (Some(at), Value::Object(object)) = (row.at, &mut values) {
            object.insert("@at".to_owned(), at.into());
        }
        marked(row.kind, &values)
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Rows of a result by the names of their columns.
pub(super) fn of_result(columns: &[ResultColumn], rows: &[PreviewRow]) -> String {
    let line = |row: &PreviewRow| {
        let named = columns.iter().zip(&row.values);
        let object: Map<String, Value> = named.map(|(column, value)| (column.name.clone(), value.clone())).collect();
        marked(row.kind, &Value::Object(object))
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn marked(kind: RowKind, values: &Value) -> String {
    match kind {
        RowKind::Insert => values.to_string(),
        kind => format!("{kind} {values}"),
    }
}

/// Replaces the values of these columns, equal ones by equal ones, so that joins and groups stay what they are.
pub(super) fn masked(text: &str, columns: &[String]) -> Result<String, usize> {
    let mut rows = parse(text)?;
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    for row in &mut rows {
        let Value::Object(object) = &mut row.values else { continue };
        for column in columns {
            let Some(value) = object.get_mut(column).filter(|value| !value.is_null()) else { continue };
            let next = known.iter().filter(|((name, _), _)| name == column).count() + 1;
            let number = *known.entry((column.clone(), value.to_string())).or_insert(next);
            *value = match value {
                Value::Number(_) => number.into(),
                Value::Bool(_) => Value::Bool(false),
                _ => Value::String(format!("{column}-{number}")),
            };
        }
    }
    Ok(write(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were() {
        let text = "{\"id\":1}\n\n+U {\"@at\":5,\"id\":2}\n-D [3]";
        let rows = parse(text).unwrap_or_default();
        assert_eq!(
            rows.iter().map(|row| row.kind).collect::<Vec<_>>(),
            [RowKind::Insert, RowKind::UpdateAfter, RowKind::Delete]
        );
        assert_eq!(rows.get(1).and_then(|row| row.at), Some(5));
        assert_eq!(write(&rows), "{\"id\":1}\n+U {\"@at\":5,\"id\":2}\n-D [3]");
        assert_eq!(parse("{}\n{oops"), Err(2));
        assert_eq!(parse("7"), Err(1));
    }

    #[test]
    fn equal_values_are_masked_alike() {
        let text = "{\"n\":10,\"who\":\"ann\"}\n{\"n\":20,\"who\":\"bob\"}\n{\"n\":10,\"who\":\"ann\",\"x\":null}";
        let columns = ["who".to_owned(), "n".to_owned(), "x".to_owned()];
        let expected =
            "{\"n\":1,\"who\":\"who-1\"}\n{\"n\":2,\"who\":\"who-2\"}\n{\"n\":1,\"who\":\"who-1\",\"x\":null}";
        assert_eq!(masked(text, &columns).as_deref(), Ok(expected));
    }
}
