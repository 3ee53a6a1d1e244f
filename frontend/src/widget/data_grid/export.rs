//! Rows as text for other programs: CSV and JSON to save, tab-separated to paste.

use serde_json::{Map, Value};

use super::cell::plain;

/// RFC 4180 with a header line. A cell that a spreadsheet would run as a formula is made text by a leading quote.
pub fn csv<'a>(columns: &[String], rows: impl Iterator<Item = &'a [Value]>) -> String {
    let mut text = String::new();
    push_line(&mut text, columns.iter().map(|name| csv_field(name)), ",", "\r\n");
    for row in rows {
        push_line(&mut text, row.iter().map(csv_cell), ",", "\r\n");
    }
    text
}

/// An array of objects, one line each; a column name that comes twice gets a number.
pub fn json<'a>(columns: &[String], rows: impl Iterator<Item = &'a [Value]>) -> String {
    let names = distinct(columns);
    let lines: Vec<String> = rows
        .map(|row| {
            let object: Map<String, Value> = names.iter().cloned().zip(row.iter().cloned()).collect();
            Value::Object(object).to_string()
        })
        .collect();
    if lines.is_empty() {
        return "[]\n".to_owned();
    }
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// For the clipboard.
pub fn tsv<'a>(columns: &[String], rows: impl Iterator<Item = &'a [Value]>) -> String {
    let flat = |text: String| text.replace(['\t', '\r', '\n'], " ");
    let mut text = String::new();
    push_line(&mut text, columns.iter().cloned().map(flat), "\t", "\n");
    for row in rows {
        push_line(&mut text, row.iter().map(|value| flat(guarded(value))), "\t", "\n");
    }
    text
}

fn push_line(text: &mut String, fields: impl Iterator<Item = String>, separator: &str, end: &str) {
    let line: Vec<String> = fields.collect();
    text.push_str(&line.join(separator));
    text.push_str(end);
}

fn csv_cell(value: &Value) -> String {
    csv_field(&guarded(value))
}

/// Text that starts like a formula gets a quote before it. Numbers are left alone: `-5` is no formula.
fn guarded(value: &Value) -> String {
    let text = plain(value);
    let looks_like_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if looks_like_formula && !value.is_number() && text.parse::<f64>().is_err() { format!("'{text}") } else { text }
}

fn csv_field(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn distinct(columns: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        let mut name = column.clone();
        let mut number = 2;
        while names.contains(&name) {
            name = format!("{column}_{number}");
            number += 1;
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn rows(values: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
        values
    }

    #[test]
    fn csv_quotes_what_would_break_it() {
        let rows = rows(vec![vec![json!("a,b"), json!("say \"x\"")], vec![json!(null), json!("two\nlines")]]);
        let text = csv(&columns(&["p", "q,r"]), rows.iter().map(Vec::as_slice));
        assert_eq!(text, "p,\"q,r\"\r\n\"a,b\",\"say \"\"x\"\"\"\r\n,\"two\nlines\"\r\n");
    }

    #[test]
    fn a_formula_becomes_text_and_a_number_stays_one() {
        let cells = ["=1+1", "+cmd", "-cmd", "@sum", "-5", "-1.5e3"];
        let rows = rows(cells.iter().map(|cell| vec![json!(cell)]).chain([vec![json!(-7)]]).collect());
        let text = csv(&columns(&["v"]), rows.iter().map(Vec::as_slice));
        assert_eq!(text, "v\r\n'=1+1\r\n'+cmd\r\n'-cmd\r\n'@sum\r\n-5\r\n-1.5e3\r\n-7\r\n");
    }

    #[test]
    fn json_keeps_null_and_empty_text_apart_and_names_distinct() {
        let rows = rows(vec![vec![json!(null), json!("")]]);
        let text = json(&columns(&["a", "a"]), rows.iter().map(Vec::as_slice));
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(json!([{"a": null, "a_2": ""}])));
        assert_eq!(json(&columns(&["a"]), std::iter::empty()), "[]\n");
    }

    #[test]
    fn pasted_text_has_one_row_per_line() {
        let rows = rows(vec![vec![json!("a\tb"), json!(1)]]);
        assert_eq!(tsv(&columns(&["x", "y"]), rows.iter().map(Vec::as_slice)), "x\ty\na b\t1\n");
    }
}
