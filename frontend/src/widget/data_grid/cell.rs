//! One value as it is shown, copied and exported.

use serde_json::Value;

/// How a cell looks. NULL and the empty text are told apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    EmptyText,
    Text(String),
}

/// What the grid shows for a value.
pub(crate) fn shown(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::String(text) if text.is_empty() => Cell::EmptyText,
        Value::String(text) => Cell::Text(text.clone()),
        other => Cell::Text(other.to_string()),
    }
}

/// The value as plain text: NULL and the empty text both become nothing.
pub(crate) fn plain(value: &Value) -> String {
    match shown(value) {
        Cell::Null | Cell::EmptyText => String::new(),
        Cell::Text(text) => text,
    }
}

/// Types whose values stand at the right edge.
pub(crate) fn is_number(data_type: &str) -> bool {
    let word = data_type.split(['(', ' ']).next().unwrap_or_default().to_ascii_uppercase();
    matches!(
        word.as_str(),
        "TINYINT" | "SMALLINT" | "INT" | "INTEGER" | "BIGINT" | "FLOAT" | "DOUBLE" | "DECIMAL" | "NUMERIC" | "DEC"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_is_not_the_empty_text() {
        assert_eq!(shown(&json!(null)), Cell::Null);
        assert_eq!(shown(&json!("")), Cell::EmptyText);
        assert_eq!(shown(&json!("NULL")), Cell::Text("NULL".into()));
    }

    #[test]
    fn nested_values_are_json() {
        assert_eq!(plain(&json!({"a": [1, null]})), r#"{"a":[1,null]}"#);
        assert_eq!(plain(&json!(12.5)), "12.5");
        assert_eq!(plain(&json!(true)), "true");
    }

    #[test]
    fn numbers_are_known_by_type() {
        assert!(is_number("DECIMAL(10, 2)"));
        assert!(is_number("bigint NOT NULL"));
        assert!(!is_number("INTERVAL DAY"));
        assert!(!is_number("STRING"));
    }
}
