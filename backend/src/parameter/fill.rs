//! Values in place of parameters.

use std::collections::BTreeMap;
use std::ops::Range;

use millrace_engine::connector::credential::is_credential;
use millrace_engine::sql::{LineIndex, Span as SqlSpan};
use millrace_wire::sql::{Diagnostic, Severity};

use super::filled::{Filled, Piece, Use};
use super::find::{Found, Place, What, find};

/// The stable words of the problems made here.
pub const UNKNOWN_VARIABLE: &str = "unknown-variable";
pub const MISPLACED_SECRET: &str = "misplaced-secret";

/// Near names that are told.
const MOST_NEAR: usize = 3;
/// How alike a name must be, of 1.
const NEAR: f32 = 0.6;

/// What a variable stands for; the values of secrets are not needed to fill a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Plain(String),
    Secret,
}

/// By name.
pub type Values = BTreeMap<String, Value>;

/// The text for the engine, or every parameter that cannot be filled in.
pub fn fill(sql: &str, values: &Values) -> Result<Filled, Vec<Diagnostic>> {
    let found = find(sql);
    let problems: Vec<Diagnostic> = found.iter().filter_map(|found| problem(sql, found, values)).collect();
    if problems.is_empty() { Ok(with_values(sql, &found, values)) } else { Err(problems) }
}

/// The same for a half-written script: what cannot be filled in stays as it is written.
pub fn fill_what_is_known(sql: &str, values: &Values) -> Filled {
    let known: Vec<Found> = find(sql).into_iter().filter(|found| problem(sql, found, values).is_none()).collect();
    with_values(sql, &known, values)
}

/// Only the parameters that `values` has as plain text; all else stays as it is written, for somebody who knows more.
pub fn fill_given(sql: &str, values: &Values) -> Filled {
    let is_given = |found: &Found| match &found.what {
        What::Parameter { name, .. } => matches!(values.get(name), Some(Value::Plain(_))),
        What::Escape => false,
    };
    let given: Vec<Found> = find(sql).into_iter().filter(is_given).collect();
    with_values(sql, &given, values)
}

fn problem(sql: &str, found: &Found, values: &Values) -> Option<Diagnostic> {
    let What::Parameter { name, default } = &found.what else { return None };
    match (values.get(name), default) {
        (Some(Value::Plain(_)), _) | (None, Some(_)) => None,
        (Some(Value::Secret), _) if found.option.as_deref().is_some_and(is_credential) => None,
        (Some(Value::Secret), _) => Some(misplaced(sql, found.span.clone(), name)),
        (None, None) => Some(unknown(sql, found.span.clone(), name, values)),
    }
}

fn misplaced(sql: &str, span: Range<usize>, name: &str) -> Diagnostic {
    let message = format!("The secret '{name}' can stand only in a table's option that holds a credential.");
    let hint = "Such as 'password' or 'avro-confluent.basic-auth.user-info', in WITH (…) or /*+ OPTIONS(…) */. \
                Anywhere else its value could be read.";
    diagnostic(sql, span, MISPLACED_SECRET, message, hint.to_owned(), None)
}

fn unknown(sql: &str, span: Range<usize>, name: &str, values: &Values) -> Diagnostic {
    let names: Vec<&str> = values.keys().map(String::as_str).collect();
    let near = similar::get_close_matches(name, &names, MOST_NEAR, NEAR);
    let hint = match near.as_slice() {
        [] => format!("Make it under Variables, write ${{{name}:-default}}, or $${{{name}}} for the text itself."),
        [only] => format!("Did you mean ${{{only}}}?"),
        several => format!("Near names: {}.", several.join(", ")),
    };
    let replacement = near.first().map(|near| format!("${{{near}}}"));
    diagnostic(sql, span, UNKNOWN_VARIABLE, format!("There is no variable '{name}'."), hint, replacement)
}

fn diagnostic(
    sql: &str,
    span: Range<usize>,
    code: &str,
    message: String,
    hint: String,
    replacement: Option<String>,
) -> Diagnostic {
    let span = LineIndex::new(sql).wire(SqlSpan { start: span.start, end: span.end });
    let (severity, code) = (Severity::Error, code.to_owned());
    Diagnostic { severity, code, message, hint: Some(hint), span: Some(span), replacement }
}

fn with_values(sql: &str, found: &[Found], values: &Values) -> Filled {
    let mut filled = Filled { written: sql.to_owned(), ..Filled::default() };
    let mut at = 0;
    for found in found {
        filled.text.push_str(sql.get(at..found.span.start).unwrap_or_default());
        let start = filled.text.len();
        if let What::Parameter { name, default } = &found.what {
            let stands_for = match (values.get(name), default) {
                (Some(Value::Plain(value)), _) => Use::Value(value.clone()),
                (Some(Value::Secret), _) => Use::Secret,
                (None, default) => Use::Default(default.clone().unwrap_or_default()),
            };
            match &stands_for {
                Use::Value(value) => filled.text.push_str(&within(value, found.place)),
                // It stands in the text already, quotes and all.
                Use::Default(default) => filled.text.push_str(default),
                Use::Secret => filled.text.push_str(&format!("${{{name}}}")),
            }
            filled.uses.insert(name.clone(), stands_for);
        }
        filled.pieces.push(Piece { written: found.span.clone(), filled: start..filled.text.len() });
        at = found.span.end;
    }
    filled.text.push_str(sql.get(at..).unwrap_or_default());
    filled
}

/// So that a value stays within the quotes it stands in.
fn within(value: &str, place: Place) -> String {
    match place {
        Place::Code => value.to_owned(),
        Place::Text { backslashes: false } => value.replace('\'', "''"),
        Place::Text { backslashes: true } => value.replace('\\', "\\\\").replace('\'', "''"),
        Place::Name => value.replace('`', "``"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn values() -> Values {
        let plain = |text: &str| Value::Plain(text.to_owned());
        Values::from([
            ("size".to_owned(), plain("5 MINUTE")),
            ("owner".to_owned(), plain("O'Neill `x` \\")),
            ("db_password".to_owned(), Value::Secret),
        ])
    }

    fn text(sql: &str) -> String {
        fill(sql, &values()).unwrap().text().to_owned()
    }

    fn codes(sql: &str) -> Vec<String> {
        fill(sql, &values()).unwrap_err().into_iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn values_stay_within_their_quotes() {
        assert_eq!(
            text("INTERVAL ${size}, '${owner}', `${owner}`"),
            "INTERVAL 5 MINUTE, 'O''Neill `x` \\', `O'Neill ``x`` \\`"
        );
        assert_eq!(text("U&'${owner}'"), "U&'O''Neill `x` \\\\'");
        assert_eq!(text("'${new:-it''s}' ${size:-1} ${new:-2}"), "'it''s' 5 MINUTE 2");
        assert_eq!(text("'$${size}' -- ${nothing}"), "'${size}' -- ${nothing}");
    }

    #[test]
    fn an_unknown_name_is_told_with_near_ones() {
        let problems = fill("SELECT 'ü', ${sise}, '${zzz}'", &values()).unwrap_err();
        assert_eq!(problems.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(), [UNKNOWN_VARIABLE; 2]);
        let first = &problems[0];
        let span = first.span.clone().unwrap();
        assert_eq!((span.line, span.column, span.end_column), (1, 13, 19), "columns count characters");
        assert_eq!(first.replacement.as_deref(), Some("${size}"));
        assert!(first.hint.as_deref().unwrap().contains("${size}"));
        assert_eq!(problems[1].replacement, None);
    }

    #[test]
    fn a_secret_stands_in_credentials_only() {
        let hint = "SELECT * FROM t /*+ OPTIONS('avro-confluent.bearer-auth.token' = '${db_password:-x}') */";
        let filled = fill(hint, &values()).unwrap();
        assert!(filled.text().ends_with("= '${db_password}') */"), "{}", filled.text());
        assert_eq!(filled.secrets().collect::<Vec<_>>(), ["db_password"]);
        for elsewhere in [
            "SELECT '${db_password}'",
            "SELECT ${db_password}",
            "SELECT `${db_password}`",
            "SELECT * FROM t /*+ OPTIONS('topic' = '${db_password}') */",
            "CREATE TEMPORARY TABLE x (a INT) WITH ('path' = '/tmp/${db_password}')",
            "SELECT MD5('${db_password:-}')",
        ] {
            assert_eq!(codes(elsewhere), [MISPLACED_SECRET], "{elsewhere}");
        }
    }

    #[test]
    fn a_half_written_script_keeps_what_is_not_known() {
        let filled = fill_what_is_known("SELECT ${size}, ${siz} FROM t WHERE '${db_password}", &values());
        assert_eq!(filled.text(), "SELECT 5 MINUTE, ${siz} FROM t WHERE '${db_password}");
    }
}
