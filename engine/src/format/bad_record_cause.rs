//! What a reason has in common with those of other records: the reason without what only this record says.
//!
//! Causes group records and are shown without their bytes, so no value may be left in one. Quotes in values cannot be
//! told from quotes around them; what is quoted therefore ends with the last quote of the reason.

use std::collections::BTreeSet;

use crate::catalog::TableDef;
use crate::types::{Field, LogicalType};

const LONGEST: usize = 300;
const QUOTED: &str = "…";
const NUMBER: char = '#';

/// Numbers become `#`, and what is quoted `…`, except a field that the table has.
pub(super) fn cause_of(reason: &str, names: &BTreeSet<String>) -> String {
    let mut cause = String::new();
    let mut rest = reason;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = match first {
            '\'' | '"' | '`' => {
                let known = known_field(&cause, after, first, names);
                let end = known.or_else(|| after.rfind(first)).unwrap_or(after.len());
                let shown = if known.is_some() { after.get(..end).unwrap_or_default() } else { QUOTED };
                cause.extend([first]);
                cause.push_str(shown);
                cause.extend([first]);
                after.get(end + first.len_utf8()..).unwrap_or_default()
            }
            '(' if cause.ends_with(|c: char| c.is_ascii_uppercase()) => {
                // Precision and scale of a type: DECIMAL(10, 2).
                let inside = after.find(|c: char| !(c.is_ascii_digit() || matches!(c, ',' | ' '))).unwrap_or(0);
                let end = if after.get(inside..).is_some_and(|rest| rest.starts_with(')')) { inside + 1 } else { 0 };
                cause.push('(');
                cause.push_str(after.get(..end).unwrap_or_default());
                after.get(end..).unwrap_or_default()
            }
            digit if digit.is_ascii_digit() && !within_word(&cause) => {
                let is_number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | ':');
                let end = after.find(|c| !is_number(c)).unwrap_or(after.len());
                // The full stop behind a number ends the sentence.
                let end = after.get(..end).unwrap_or_default().trim_end_matches(['.', ':']).len();
                if cause == "-" || cause.ends_with(" -") {
                    cause.pop();
                }
                cause.push(NUMBER);
                after.get(end..).unwrap_or_default()
            }
            control if control.is_control() => {
                cause.push(' ');
                after
            }
            other => {
                cause.push(other);
                after
            }
        };
    }
    cut(&cause, LONGEST).to_owned()
}

/// Digits of `UTF-8` and `int32` are part of a name.
fn within_word(before: &str) -> bool {
    let before = before.strip_suffix('-').unwrap_or(before);
    before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Where the quoted name of a field ends, when it stands where fields are named and the table has it.
fn known_field(before: &str, after: &str, quote: char, names: &BTreeSet<String>) -> Option<usize> {
    if !(before.ends_with("field ") || before.ends_with("column ")) {
        return None;
    }
    let end = after.find(quote)?;
    names.contains(after.get(..end)?).then_some(end)
}

/// The beginning of at most so many bytes.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// What a reason may name: columns, and fields inside of them.
pub(super) fn names_of(table: &TableDef) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for column in &table.columns {
        names.insert(column.name.clone());
        names_within(&column.ty.logical, &mut names);
    }
    names
}

fn names_within(ty: &LogicalType, names: &mut BTreeSet<String>) {
    match ty {
        LogicalType::Array(item) | LogicalType::Multiset(item) => names_within(&item.logical, names),
        LogicalType::Map(key, value) => {
            names_within(&key.logical, names);
            names_within(&value.logical, names);
        }
        LogicalType::Row(fields) => {
            for Field { name, ty } in fields {
                names.insert(name.clone());
                names_within(&ty.logical, names);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(reason: &str) -> String {
        let names = ["amount", "id"].map(str::to_owned).into();
        cause_of(reason, &names)
    }

    #[test]
    fn values_and_numbers_are_left_out_and_the_tables_fields_stay() {
        for (reason, wanted) in [
            ("it is no JSON: a value was expected at byte 17", "it is no JSON: a value was expected at byte #"),
            ("field 'amount': 'twelve' is no INT", "field 'amount': '…' is no INT"),
            ("field 'amount': '12.5' is no DECIMAL(10, 2)", "field 'amount': '…' is no DECIMAL(10, 2)"),
            ("field 'secret': 'x' is no INT", "field '…' is no INT"),
            ("the field 'id' is missing", "the field 'id' is missing"),
            ("it has 3 fields instead of 5", "it has # fields instead of #"),
            ("byte 4 is no UTF-8", "byte # is no UTF-8"),
            ("-5 is no length", "# is no length"),
            ("1.5e-7 does not fit BIGINT", "# does not fit BIGINT"),
            ("12345 is no int32.", "# is no int32."),
            ("key: byte 0 is no UTF-8", "key: byte # is no UTF-8"),
        ] {
            assert_eq!(cause(reason), wanted, "{reason}");
        }
    }

    #[test]
    fn quotes_inside_of_a_value_let_nothing_out() {
        assert_eq!(cause("field 'amount': 'it's Ann's card' is no INT"), "field 'amount': '…' is no INT");
        assert_eq!(cause("field 'amount': 'field 'id' 4111' is no INT"), "field 'amount': '…' is no INT");
        assert_eq!(cause("'amount' Ann' is no known kind of change"), "'…' is no known kind of change");
        assert_eq!(cause("'cut off"), "'…'");
    }

    #[test]
    fn a_cause_is_short_and_of_one_line() {
        assert!(cause(&"ä".repeat(1_000)).len() <= LONGEST);
        assert_eq!(cause("a\nb\0c"), "a b c");
    }
}
