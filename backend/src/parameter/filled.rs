//! A script with its parameters filled in, and the way back to what was written.

use std::collections::BTreeMap;
use std::ops::Range;

use millrace_engine::sql::{LineIndex, Span as SqlSpan};
use millrace_wire::sql::{CompletionItem, Diagnostic, Span, Validation};

/// What a name in the script stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    Value(String),
    /// The default that the script gives, since there is no such variable.
    Default(String),
    Secret,
}

/// A part of the written text that another one stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) written: Range<usize>,
    pub(super) filled: Range<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    pub(super) text: String,
    pub(super) written: String,
    /// In the order of the text.
    pub(super) pieces: Vec<Piece>,
    pub(super) uses: BTreeMap<String, Use>,
}

impl Filled {
    /// A text without parameters.
    pub fn plain(sql: &str) -> Filled {
        Filled { text: sql.to_owned(), written: sql.to_owned(), pieces: Vec::new(), uses: BTreeMap::new() }
    }

    /// For the engine.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As a person wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// By name, whatever is used.
    pub fn uses(&self) -> &BTreeMap<String, Use> {
        &self.uses
    }

    pub fn secrets(&self) -> impl Iterator<Item = &String> {
        self.uses.iter().filter(|(_, found)| **found == Use::Secret).map(|(name, _)| name)
    }

    /// Where the place of a caret is in the filled text; behind the value when it stands within a parameter.
    pub fn forward(&self, offset: usize) -> usize {
        match self.pieces.iter().rev().find(|piece| piece.written.start < offset) {
            None => offset,
            Some(piece) if offset < piece.written.end => piece.filled.end,
            Some(piece) => offset - piece.written.end + piece.filled.end,
        }
    }

    fn back_from_start(&self, offset: usize) -> usize {
        match self.pieces.iter().rev().find(|piece| piece.filled.start <= offset) {
            None => offset,
            Some(piece) if offset < piece.filled.end => piece.written.start,
            Some(piece) => offset - piece.filled.end + piece.written.end,
        }
    }

    fn back_from_end(&self, offset: usize) -> usize {
        match self.pieces.iter().rev().find(|piece| piece.filled.start < offset) {
            None => offset,
            Some(piece) if offset < piece.filled.end => piece.written.end,
            Some(piece) => offset - piece.filled.end + piece.written.end,
        }
    }

    /// Half-open and in bytes on both sides: whatever touches a value is the whole parameter.
    pub fn back(&self, filled: Range<usize>) -> Range<usize> {
        let start = self.back_from_start(filled.start);
        start..self.back_from_end(filled.end).max(start)
    }

    pub fn span(&self, span: &Span) -> Span {
        if self.pieces.is_empty() {
            return span.clone();
        }
        let back = self.back(span.start as usize..span.end as usize);
        LineIndex::new(&self.written).wire(SqlSpan { start: back.start, end: back.end })
    }

    /// A problem of the filled text, told of the written one.
    pub fn diagnostic(&self, diagnostic: Diagnostic) -> Diagnostic {
        let Some(span) = &diagnostic.span else { return diagnostic };
        if self.pieces.is_empty() {
            return diagnostic;
        }
        let within = span.start as usize..span.end as usize;
        let touched =
            self.pieces.iter().find(|piece| piece.filled.start < within.end && within.start < piece.filled.end);
        // What stands in a value cannot be replaced in the text.
        let replacement = diagnostic.replacement.filter(|_| touched.is_none());
        let hint = diagnostic.hint.or_else(|| touched.and_then(|piece| self.explained(piece)));
        Diagnostic { span: Some(self.span(span)), replacement, hint, ..diagnostic }
    }

    /// "Here ${size} is 5 MINUTE."
    fn explained(&self, piece: &Piece) -> Option<String> {
        const LONGEST: usize = 80;
        let written = self.written.get(piece.written.clone())?.strip_prefix("${")?;
        let name = written.split(['}', ':']).next()?;
        let value: String = self.text.get(piece.filled.clone())?.chars().take(LONGEST).collect();
        match self.uses.get(name)? {
            Use::Secret => None,
            Use::Value(_) | Use::Default(_) => Some(format!("Here ${{{name}}} is {value}.")),
        }
    }

    pub fn validation(&self, validation: Validation) -> Validation {
        if self.pieces.is_empty() {
            return validation;
        }
        let statements = validation.statements.into_iter().map(|mut statement| {
            statement.span = self.span(&statement.span);
            statement
        });
        Validation {
            diagnostics: validation.diagnostics.into_iter().map(|diagnostic| self.diagnostic(diagnostic)).collect(),
            statements: statements.collect(),
            ..validation
        }
    }

    pub fn completions(&self, items: Vec<CompletionItem>) -> Vec<CompletionItem> {
        let moved = |item: CompletionItem| CompletionItem {
            replace_from: u32::try_from(self.back_from_start(item.replace_from as usize)).unwrap_or(u32::MAX),
            ..item
        };
        items.into_iter().map(moved).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use millrace_wire::sql::Severity;

    use super::*;
    use crate::parameter::{Value, Values, fill};

    fn filled(sql: &str, values: &[(&str, &str)]) -> Filled {
        let values: Values =
            values.iter().map(|(name, value)| ((*name).to_owned(), Value::Plain((*value).to_owned()))).collect();
        fill(sql, &values).unwrap()
    }

    /// What the place of `needle` in the filled text is called in the written one.
    fn told(filled: &Filled, needle: &str) -> String {
        let start = filled.text().find(needle).unwrap();
        filled.written().get(filled.back(start..start + needle.len())).unwrap().to_owned()
    }

    #[test]
    fn places_behind_and_between_values_lead_back() {
        let script = filled(
            "SELECT größe, '${a}' FROM ${b} WHERE 漢 = ${c:-0}\n  AND kaputt",
            &[("a", "ä'quite'long"), ("b", "t")],
        );
        assert_eq!(script.text(), "SELECT größe, 'ä''quite''long' FROM t WHERE 漢 = 0\n  AND kaputt");
        for same in ["größe", " FROM ", "漢 =", "kaputt", "WHERE 漢"] {
            assert_eq!(told(&script, same), same);
        }
        assert_eq!(told(&script, "quite"), "${a}", "a part of a value is the whole parameter");
        assert_eq!(told(&script, "FROM t WHERE"), "FROM ${b} WHERE");
        assert_eq!(told(&script, "= 0"), "= ${c:-0}");
        assert_eq!(told(&script, "t WHERE"), "${b} WHERE");
    }

    #[test]
    fn lines_and_columns_are_those_of_the_written_text() {
        let script = filled("SELECT\n ${many}, 漢字, kaputt FROM t", &[("many", "a,\n b,\n c")]);
        let start = script.text().find("kaputt").unwrap();
        let span = LineIndex::new(script.text()).wire(SqlSpan { start, end: start + 6 });
        assert_eq!((span.line, span.column), (4, 9));
        let back = script.span(&span);
        assert_eq!((back.line, back.column, back.end_line, back.end_column), (2, 15, 2, 20));
    }

    #[test]
    fn a_problem_within_a_value_points_at_the_parameter_and_shows_the_value() {
        let script = filled("SELECT ${what}", &[("what", "nope")]);
        let wrong = |start, end| Diagnostic {
            severity: Severity::Error,
            code: "unknown-column".to_owned(),
            message: "There is no column 'nope'.".to_owned(),
            hint: None,
            span: Some(LineIndex::new(script.text()).wire(SqlSpan { start, end })),
            replacement: Some("note".to_owned()),
        };
        let told = script.diagnostic(wrong(7, 11));
        let span = told.span.unwrap();
        assert_eq!((span.start, span.end), (7, 14));
        assert_eq!((told.replacement, told.hint.as_deref()), (None, Some("Here ${what} is nope.")));
        assert_eq!(script.diagnostic(wrong(0, 6)).replacement.as_deref(), Some("note"));
    }

    #[test]
    fn a_caret_finds_its_place_and_an_empty_value_takes_none() {
        let script = filled("SELECT ${none} x, ${b} y", &[("none", ""), ("b", "long_name")]);
        assert_eq!(script.text(), "SELECT  x, long_name y");
        assert_eq!(script.forward(script.written().len()), script.text().len());
        assert_eq!(script.forward(3), 3);
        assert_eq!(script.forward(20), "SELECT  x, long_name".len(), "within a parameter");
        assert_eq!(told(&script, "x"), "x");
        assert_eq!(told(&script, "y"), "y");
    }
}
