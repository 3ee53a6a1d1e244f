//! Pieces of a query → its tree.
//!
//! ```text
//! either = both { "OR" both }
//! both   = one { ["AND"] one }
//! one    = { "NOT" | "-" } ( "(" either ")" | [ field ":" ] value | field ":" "(" either ")" )
//! value  = word | word "*" | "phrase" | range | comparison | "*"
//! ```

use std::ops::Range;

use millrace_wire::log::LogLevel;

use super::scan::{Compare, Piece, Spanned, error, scan};
use super::time::{self, Span};
use super::{Node, NumberField, QueryError, TextField, ValueField, Window};
use crate::token::{asked, folded};

/// Bytes of a query.
const LONGEST: usize = 4096;
/// Brackets and negations inside each other.
const DEEPEST: usize = 40;
/// Values of a query.
const MOST_VALUES: usize = 200;

type Parsed<T> = Result<T, QueryError>;

pub(super) fn parse(text: &str, now: i64) -> Parsed<Node> {
    if text.len() > LONGEST {
        return Err(error(0..text.len(), format!("The query is longer than {LONGEST} bytes.")));
    }
    let pieces = scan(text)?;
    let mut parser = Parser { pieces, at: 0, end: text.len(), now, values: 0 };
    let node = parser.either(0, None)?;
    if let Some(left) = parser.peek() {
        return Err(error(left.span.clone(), "This bracket closes nothing."));
    }
    Ok(node.unwrap_or(Node::All))
}

struct Parser {
    pieces: Vec<Spanned>,
    at: usize,
    end: usize,
    now: i64,
    values: usize,
}

/// A field by its name, and where that stands.
#[derive(Clone)]
struct Named {
    name: String,
    span: Range<usize>,
}

impl Parser {
    fn peek(&self) -> Option<&Spanned> {
        self.pieces.get(self.at)
    }

    fn next(&mut self) -> Option<Spanned> {
        let piece = self.pieces.get(self.at).cloned();
        self.at += usize::from(piece.is_some());
        piece
    }

    fn next_is(&self, piece: &Piece) -> bool {
        self.peek().is_some_and(|next| next.piece == *piece)
    }

    /// `None` when nothing in it can be looked for, such as signs only.
    fn either(&mut self, depth: usize, field: Option<&Named>) -> Parsed<Option<Node>> {
        let mut parts = Vec::new();
        loop {
            let begin = self.at;
            parts.extend(self.both(depth, field)?);
            let Some(or) = self.peek().filter(|next| next.piece == Piece::Or).cloned() else { break };
            if self.at == begin {
                return Err(error(or.span, "Before OR something to look for is missing."));
            }
            self.at += 1;
            if self.peek().is_none_or(|next| matches!(next.piece, Piece::Close | Piece::Or | Piece::And)) {
                return Err(error(or.span, "After OR something to look for is missing."));
            }
        }
        Ok(joined(parts, Node::Or))
    }

    fn both(&mut self, depth: usize, field: Option<&Named>) -> Parsed<Option<Node>> {
        let mut parts = Vec::new();
        let begin = self.at;
        while let Some(next) = self.peek().cloned() {
            match next.piece {
                Piece::Close | Piece::Or => break,
                Piece::And => {
                    if self.at == begin {
                        return Err(error(next.span, "Before AND something to look for is missing."));
                    }
                    self.at += 1;
                    if self.peek().is_none_or(|next| matches!(next.piece, Piece::Close | Piece::Or | Piece::And)) {
                        return Err(error(next.span, "After AND something to look for is missing."));
                    }
                }
                _ => parts.extend(self.one(depth, field)?),
            }
        }
        Ok(joined(parts, Node::And))
    }

    fn one(&mut self, depth: usize, field: Option<&Named>) -> Parsed<Option<Node>> {
        let Some(first) = self.next() else { return Ok(None) };
        if depth >= DEEPEST {
            return Err(error(first.span, "The query has too many brackets inside each other."));
        }
        match first.piece {
            Piece::Not => {
                if self.peek().is_none_or(|next| matches!(next.piece, Piece::Close | Piece::Or | Piece::And)) {
                    return Err(error(first.span, "After NOT something to look for is missing."));
                }
                Ok(self.one(depth + 1, field)?.map(|node| Node::Not(Box::new(node))))
            }
            Piece::Open => self.group(depth, field, first.span),
            Piece::Field(name) => {
                let named = Named { name, span: first.span };
                if field.is_some() {
                    return Err(error(named.span, "A field inside the brackets of another field is not possible."));
                }
                if self.next_is(&Piece::Open) {
                    let open = self.next().map_or(named.span.clone(), |open| open.span);
                    return self.group(depth, Some(&named), open);
                }
                self.value(&named)
            }
            Piece::Word(_) | Piece::Phrase(_) | Piece::Range { .. } | Piece::Compare(_) => {
                self.at -= 1;
                let message = Named { name: "message".to_owned(), span: first.span };
                self.value(field.unwrap_or(&message))
            }
            Piece::And | Piece::Or | Piece::Close => Err(error(first.span, "Something to look for is missing here.")),
        }
    }

    fn group(&mut self, depth: usize, field: Option<&Named>, open: Range<usize>) -> Parsed<Option<Node>> {
        let node = self.either(depth + 1, field)?;
        if !self.next_is(&Piece::Close) {
            return Err(error(open, "This bracket is not closed."));
        }
        self.at += 1;
        Ok(node)
    }

    fn value(&mut self, field: &Named) -> Parsed<Option<Node>> {
        self.values += 1;
        let span = self.peek().map_or(field.span.end..self.end, |next| next.span.clone());
        if self.values > MOST_VALUES {
            return Err(error(span, format!("The query asks for more than {MOST_VALUES} things.")));
        }
        let missing = || error(field.span.clone(), format!("After {}: a value is missing.", field.name));
        let value = self.next().ok_or_else(missing)?;
        match value.piece {
            Piece::Word(word) => self.word(field, &word, value.span),
            Piece::Phrase(text) => self.exact(field, &text, value.span),
            Piece::Range { from, from_included, to, to_included } => {
                self.range(field, &value.span, (&from, from_included), (&to, to_included)).map(Some)
            }
            Piece::Compare(compare) => {
                let operand = self.next().ok_or_else(missing)?;
                match operand.piece {
                    Piece::Word(text) | Piece::Phrase(text) => {
                        self.compare(field, compare, &text, operand.span).map(Some)
                    }
                    _ => Err(missing()),
                }
            }
            _ => Err(missing()),
        }
    }

    fn word(&self, field: &Named, word: &str, span: Range<usize>) -> Parsed<Option<Node>> {
        let Some(beginning) = word.strip_suffix('*') else { return self.exact(field, word, span) };
        if let Some(star) = beginning.find('*') {
            let at = span.start + star;
            return Err(error(at..at + 1, "A star can stand at the end of a word only."));
        }
        match kind(field)? {
            Kind::Text(TextField::Message) if beginning.is_empty() => Ok(Some(Node::All)),
            Kind::Text(text) => Ok(words(text, beginning, true)),
            Kind::Value(of) if beginning.is_empty() => Ok(Some(Node::Has(of))),
            Kind::Value(of) => Ok(Some(Node::Value { field: of, value: folded(beginning), open_end: true })),
            Kind::Level | Kind::Number(_) | Kind::Time | Kind::Group => {
                Err(error(span, format!("{} has whole values only, so no star.", field.name)))
            }
        }
    }

    fn exact(&self, field: &Named, text: &str, span: Range<usize>) -> Parsed<Option<Node>> {
        // In quotation marks a star is a sign like others; in a word it is meant.
        match kind(field)? {
            Kind::Text(of) => Ok(words(of, text, false)),
            Kind::Value(of) => Ok(Some(Node::Value { field: of, value: folded(text), open_end: false })),
            Kind::Level => Ok(Some(Node::Levels(vec![level(text, &span)?]))),
            Kind::Number(of) => {
                let number = number(field, text, &span)?;
                Ok(Some(Node::Number { field: of, from: number, to: number }))
            }
            Kind::Time => {
                let Span { start, end } = time::parse(text, self.now, &span)?;
                Ok(Some(Node::Time(Window { from: start, to: end })))
            }
            Kind::Group => match u64::from_str_radix(text, 16) {
                Ok(group) => Ok(Some(Node::Group(group))),
                Err(_) => Err(error(span, "A group of errors is named by 16 hexadecimal digits.")),
            },
        }
    }

    fn compare(&self, field: &Named, compare: Compare, text: &str, span: Range<usize>) -> Parsed<Node> {
        let open = ("*", true);
        match compare {
            Compare::Greater => self.range(field, &span, (text, false), open),
            Compare::AtLeast => self.range(field, &span, (text, true), open),
            Compare::Less => self.range(field, &span, open, (text, false)),
            Compare::AtMost => self.range(field, &span, open, (text, true)),
        }
    }

    fn range(&self, field: &Named, span: &Range<usize>, from: (&str, bool), to: (&str, bool)) -> Parsed<Node> {
        match kind(field)? {
            Kind::Level => {
                // More severe is more: warn and above is warn and error.
                let lowest = if from.0 == "*" { None } else { Some(level(from.0, span)?) };
                let highest = if to.0 == "*" { None } else { Some(level(to.0, span)?) };
                let fits = |found: &LogLevel| {
                    let above = lowest.is_none_or(|level| *found < level || (from.1 && *found == level));
                    above && highest.is_none_or(|level| *found > level || (to.1 && *found == level))
                };
                Ok(Node::Levels(LogLevel::ALL.iter().copied().filter(fits).collect()))
            }
            Kind::Number(of) => {
                let mut bounds = (0, u64::MAX);
                let mut is_empty = false;
                if from.0 != "*" {
                    let number = number(field, from.0, span)?;
                    is_empty |= !from.1 && number == u64::MAX;
                    bounds.0 = if from.1 { number } else { number.saturating_add(1) };
                }
                if to.0 != "*" {
                    let number = number(field, to.0, span)?;
                    is_empty |= !to.1 && number == 0;
                    bounds.1 = if to.1 { number } else { number.saturating_sub(1) };
                }
                // A range without anything in it finds nothing.
                let (from, to) = if is_empty { (1, 0) } else { bounds };
                Ok(Node::Number { field: of, from, to })
            }
            Kind::Time => {
                let mut window = Window::ALWAYS;
                if from.0 != "*" {
                    let at = time::parse(from.0, self.now, span)?;
                    window.from = if from.1 { at.start } else { at.end };
                }
                if to.0 != "*" {
                    let at = time::parse(to.0, self.now, span)?;
                    window.to = if to.1 { at.end } else { at.start };
                }
                Ok(Node::Time(window))
            }
            Kind::Text(_) | Kind::Value(_) | Kind::Group => {
                let message = format!("{} cannot be compared; level, attempt, seq and time can.", field.name);
                Err(error(span.clone(), message))
            }
        }
    }
}

fn joined(mut parts: Vec<Node>, join: impl FnOnce(Vec<Node>) -> Node) -> Option<Node> {
    if parts.len() > 1 { Some(join(parts)) } else { parts.pop() }
}

enum Kind {
    Text(TextField),
    Value(ValueField),
    Level,
    Number(NumberField),
    Time,
    Group,
}

fn kind(field: &Named) -> Parsed<Kind> {
    Ok(match field.name.as_str() {
        "message" => Kind::Text(TextField::Message),
        "target" => Kind::Text(TextField::Target),
        "organisation" => Kind::Value(ValueField::Organisation),
        "team" => Kind::Value(ValueField::Team),
        "job" => Kind::Value(ValueField::Job),
        "job_name" => Kind::Value(ValueField::JobName),
        "run" => Kind::Value(ValueField::Run),
        "worker" => Kind::Value(ValueField::Worker),
        "operator" => Kind::Value(ValueField::Operator),
        "source" => Kind::Value(ValueField::Source),
        "version" => Kind::Value(ValueField::Version),
        "level" => Kind::Level,
        "attempt" => Kind::Number(NumberField::Attempt),
        "seq" => Kind::Number(NumberField::Seq),
        "time" => Kind::Time,
        "group" => Kind::Group,
        _ => return Err(error(field.span.clone(), format!("There is no field {}.", field.name))),
    })
}

/// `None` when there is no word in it.
fn words(field: TextField, text: &str, open_end: bool) -> Option<Node> {
    let found = asked(text);
    let first = found.first()?.position;
    let words = found.into_iter().map(|word| (word.position - first, word.text)).collect();
    Some(Node::Text { field, words, open_end })
}

fn level(text: &str, span: &Range<usize>) -> Parsed<LogLevel> {
    let word = match text.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "err" => "error".to_owned(),
        other => other.to_owned(),
    };
    word.parse().map_err(|_| {
        let levels: Vec<&str> = LogLevel::ALL.iter().map(|level| level.as_str()).collect();
        error(span.clone(), format!("There is no level {text}. Levels are {}.", levels.join(", ")))
    })
}

fn number(field: &Named, text: &str, span: &Range<usize>) -> Parsed<u64> {
    text.parse().map_err(|_| error(span.clone(), format!("{} is a whole number, and {text} is none.", field.name)))
}
