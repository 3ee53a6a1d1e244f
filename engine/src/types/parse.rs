//! Type text → [`Type`], for DDL, CAST and the console's form.

use super::Type;

/// Parses `DECIMAL(10, 2) NOT NULL`, `ROW<a INT, b ARRAY<STRING>>`, … Returns a message for people when it is no type.
pub fn parse_type(text: &str) -> Result<Type, String> {
    let parsed = crate::sql::parse_data_type(text);
    parsed.map(|data_type| data_type.ty).map_err(|problem| match problem.hint {
        Some(hint) => format!("{} {hint}", problem.message),
        None => problem.message,
    })
}
