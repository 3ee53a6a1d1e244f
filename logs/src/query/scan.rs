//! Text of a query → its pieces, with their places.

use std::ops::Range;

use super::QueryError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Open,
    Close,
    And,
    Or,
    /// `NOT`, or `-` right before something.
    Not,
    /// `name:` right before a value.
    Field(String),
    Word(String),
    /// In quotes, without them.
    Phrase(String),
    /// `[a TO b]`; a brace leaves its end out.
    Range {
        from: String,
        from_included: bool,
        to: String,
        to_included: bool,
    },
    /// `>`, `>=`, `<`, `<=` before a value.
    Compare(Compare),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Greater,
    AtLeast,
    Less,
    AtMost,
}

#[derive(Clone, Debug)]
pub(super) struct Spanned {
    pub(super) piece: Piece,
    pub(super) span: Range<usize>,
}

/// Names before a colon that mean a field. Other words with a colon inside are an error, since they look like one.
pub(super) const FIELDS: &[&str] = &[
    "level",
    "message",
    "target",
    "job",
    "job_name",
    "team",
    "run",
    "attempt",
    "worker",
    "operator",
    "source",
    "version",
    "organisation",
    "time",
    "seq",
    "group",
];

pub(super) fn scan(text: &str) -> Result<Vec<Spanned>, QueryError> {
    let mut scanner = Scanner { text, at: 0, pieces: Vec::new(), after_field: false };
    while scanner.step()? {}
    Ok(scanner.pieces)
}

pub(super) fn error(span: Range<usize>, message: impl Into<String>) -> QueryError {
    QueryError { span, message: message.into() }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    pieces: Vec<Spanned>,
    /// The piece before is `name:`: a value follows.
    after_field: bool,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, piece: Piece, length: usize) {
        self.after_field = matches!(piece, Piece::Field(_) | Piece::Compare(_));
        let span = self.at..self.at + length;
        self.pieces.push(Spanned { piece, span });
        self.at += length;
    }

    fn step(&mut self) -> Result<bool, QueryError> {
        let blanks = self.rest().len() - self.rest().trim_start().len();
        if blanks > 0 {
            if self.after_field {
                let span = self.pieces.last().map_or(0..0, |piece| piece.span.clone());
                return Err(error(span, "A value has to follow right here, without a blank."));
            }
            self.at += blanks;
        }
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(false) };
        match first {
            '(' => self.push(Piece::Open, 1),
            ')' => self.push(Piece::Close, 1),
            '"' => self.phrase()?,
            '[' | '{' if self.after_field => self.range()?,
            '>' | '<' if self.after_field => {
                let (compare, length) = match (first, rest.get(1..2)) {
                    ('>', Some("=")) => (Compare::AtLeast, 2),
                    ('>', _) => (Compare::Greater, 1),
                    (_, Some("=")) => (Compare::AtMost, 2),
                    (_, _) => (Compare::Less, 1),
                };
                self.push(Piece::Compare(compare), length);
            }
            '-' if !self.after_field && rest.get(1..).is_some_and(starts_something) => self.push(Piece::Not, 1),
            _ => self.word()?,
        }
        Ok(true)
    }

    fn phrase(&mut self) -> Result<(), QueryError> {
        let mut inside = String::new();
        let mut escaped = false;
        for (at, letter) in self.rest().char_indices().skip(1) {
            match letter {
                _ if escaped => {
                    inside.push(letter);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.push(Piece::Phrase(inside), at + 1);
                    return Ok(());
                }
                _ => inside.push(letter),
            }
        }
        Err(error(self.at..self.text.len(), "The closing quotation mark is missing."))
    }

    fn range(&mut self) -> Result<(), QueryError> {
        let rest = self.rest();
        let Some(end) = rest.find([']', '}']) else {
            return Err(error(self.at..self.text.len(), "The closing bracket of the range is missing."));
        };
        let inside = rest.get(1..end).unwrap_or_default();
        let Some((from, to)) = inside.split_once(" TO ") else {
            let message = "A range is written [from TO to], with * for an open end.";
            return Err(error(self.at..self.at + end + 1, message));
        };
        let plain = |text: &str| text.trim().trim_matches('"').to_owned();
        let piece = Piece::Range {
            from: plain(from),
            from_included: rest.starts_with('['),
            to: plain(to),
            to_included: rest.get(end..end + 1) == Some("]"),
        };
        self.push(piece, end + 1);
        Ok(())
    }

    fn word(&mut self) -> Result<(), QueryError> {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"')).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if !self.after_field {
            let joint = match word {
                "AND" => Some(Piece::And),
                "OR" => Some(Piece::Or),
                "NOT" => Some(Piece::Not),
                _ => None,
            };
            if let Some(joint) = joint {
                self.push(joint, end);
                return Ok(());
            }
            if let Some(length) = self.field(word)? {
                let name = word.get(..length - 1).unwrap_or_default().to_ascii_lowercase();
                self.push(Piece::Field(name), length);
                return Ok(());
            }
        }
        let piece = Piece::Word(word.to_owned());
        self.push(piece, end);
        Ok(())
    }

    /// The length of `name:` at the front of a word.
    fn field(&self, word: &str) -> Result<Option<usize>, QueryError> {
        let Some((name, value)) = word.split_once(':') else { return Ok(None) };
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        // Paths of modules and addresses are words.
        if !is_name || value.starts_with([':', '/']) {
            return Ok(None);
        }
        let is_known = FIELDS.contains(&name.to_ascii_lowercase().as_str());
        let quoted_value = self.text.get(self.at + word.len()..).is_some_and(|rest| rest.starts_with(['"', '(']));
        if is_known {
            return Ok(Some(name.len() + 1));
        }
        // "error: no such topic", as it is pasted from a log.
        if value.is_empty() && !quoted_value {
            return Ok(None);
        }
        let message = format!(
            "There is no field {name}. Fields are {}. To find the text itself, put it in quotation marks.",
            FIELDS.join(", ")
        );
        Err(error(self.at..self.at + name.len(), message))
    }
}

fn starts_something(rest: &str) -> bool {
    rest.chars().next().is_some_and(|c| !c.is_whitespace() && c != ')' && c != '-')
}
