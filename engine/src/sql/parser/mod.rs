//! Tokens → syntax trees, one per statement. An error in one statement leaves the others readable.
//!
//! Depth is bounded: [`MAX_HEIGHT`] levels of nesting, counted while parsing, so that nothing that walks a tree later can
//! overflow its stack.

mod create_table;
mod data_type;
mod expr;
mod from;
mod function;
mod grouping;
mod json;
mod json_aggregate;
mod keyword;
mod literal;
mod merge;
mod over;
mod query;
mod special;
mod statement;
#[cfg(test)]
mod tests;

use super::ast::{Hint, HintArg, Ident, Name, Statement};
use super::token::{Token, TokenKind, tokenize};
use super::{Problem, Span};

pub(crate) use keyword::{KEYWORDS, is_reserved};

/// Levels of nesting that a statement may have.
pub(crate) const MAX_HEIGHT: usize = 200;

/// Statements of one script. More is no script that a person wrote, and would only slow everything down.
const MAX_STATEMENTS: usize = 2_000;

type Parse<T> = Result<T, Problem>;

/// What could be read, and what could not.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub statements: Vec<Statement>,
    pub problems: Vec<Problem>,
}

/// Reads a whole script.
pub(crate) fn parse(text: &str) -> Parsed {
    let mut tokens = tokenize(text);
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let mut parsed = Parsed::default();
    for (count, chunk) in tokens.split(|token| token.kind == TokenKind::Sign(";")).enumerate() {
        let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { continue };
        if count >= MAX_STATEMENTS {
            let message = format!("A script has at most {MAX_STATEMENTS} statements.");
            parsed.problems.push(Problem::error("parse", message, first.span));
            break;
        }
        let mut parser = Parser::new(chunk, last.span.end);
        match parser.bad_token().map_or_else(|| parser.statement(), Err) {
            Ok(Some(statement)) => parsed.statements.push(statement),
            Ok(None) => {}
            Err(problem) => parsed.problems.push(problem),
        }
    }
    parsed
}

/// Reads one expression: a computed column or watermark of the table form.
pub(crate) fn parse_expression(text: &str) -> Parse<super::ast::Expr> {
    parse_all(text, |parser| parser.expr())
}

pub(crate) fn parse_query(text: &str) -> Parse<super::ast::Query> {
    parse_all(text, |parser| parser.query())
}

/// `(x INT) RETURNS INT RETURN x + 1`
pub(crate) fn parse_macro(text: &str) -> Parse<super::ast::Macro> {
    parse_all(text, |parser| parser.macro_definition())
}

pub(crate) fn parse_data_type(text: &str) -> Parse<super::ast::DataType> {
    parse_all(text, |parser| parser.data_type())
}

fn parse_all<T>(text: &str, read: impl FnOnce(&mut Parser) -> Parse<T>) -> Parse<T> {
    let mut tokens = tokenize(text);
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let mut parser = Parser::new(&tokens, text.len());
    if let Some(problem) = parser.bad_token() {
        return Err(problem);
    }
    let value = read(&mut parser)?;
    parser.at_end()?;
    Ok(value)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    /// Where the statement ends, for errors at its end.
    end: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(tokens: &'a [Token], end: usize) -> Self {
        Parser { tokens, at: 0, end, depth: 0 }
    }

    fn bad_token(&self) -> Option<Problem> {
        self.tokens.iter().find_map(|token| match token.kind {
            TokenKind::Bad(bad) => Some(Problem::error("parse", bad.message(), token.span)),
            _ => None,
        })
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn peek_kind(&self, ahead: usize) -> Option<&'a TokenKind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    fn advance(&mut self) -> Option<&'a Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    /// Where the next token stands; an empty span at the end.
    fn here(&self) -> Span {
        self.peek().map_or(Span { start: self.end, end: self.end }, |token| token.span)
    }

    /// From `start` to the end of what was read last.
    fn since(&self, start: Span) -> Span {
        let end =
            self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start.end, |token| token.span.end);
        Span { start: start.start, end: end.max(start.start) }
    }

    /// Counts a level of nesting around `read`.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= MAX_HEIGHT {
            return Err(too_deep(self.here()));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn at_word(&self, word: &str) -> bool {
        self.word_ahead(0, word)
    }

    fn word_ahead(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek_kind(ahead), Some(TokenKind::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn at_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.word_ahead(ahead, word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        self.at += usize::from(found);
        found
    }

    fn take_words(&mut self, words: &[&str]) -> bool {
        let found = self.at_words(words);
        self.at += if found { words.len() } else { 0 };
        found
    }

    fn expect_word(&mut self, word: &str) -> Parse<()> {
        if self.take_word(word) { Ok(()) } else { Err(self.expected(word)) }
    }

    fn at_sign(&self, sign: &str) -> bool {
        self.sign_ahead(0, sign)
    }

    fn sign_ahead(&self, ahead: usize, sign: &str) -> bool {
        matches!(self.peek_kind(ahead), Some(TokenKind::Sign(found)) if *found == sign)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.at_sign(sign);
        self.at += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str) -> Parse<()> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.expected(&format!("'{sign}'"))) }
    }

    fn expect_text(&mut self) -> Parse<(String, Span)> {
        let span = self.here();
        match self.peek_kind(0) {
            Some(TokenKind::Text(text)) => {
                self.at += 1;
                Ok((text.clone(), span))
            }
            _ => Err(self.expected("a string in single quotes")),
        }
    }

    fn at_end(&self) -> Parse<()> {
        if self.peek().is_none() { Ok(()) } else { Err(self.expected("the end of the statement or ';'")) }
    }

    /// "Expected X, found Y" at the next token.
    fn expected(&self, what: &str) -> Problem {
        let message = match self.peek() {
            None => format!("The statement ends too early: expected {what}."),
            Some(token) => format!("Expected {what}, found {}.", describe(&token.kind)),
        };
        let mut problem = Problem::error("parse", message, self.here());
        if let Some(TokenKind::Word(word)) = self.peek_kind(0)
            && is_reserved(word)
            && what.contains("name")
        {
            problem.hint =
                Some(format!("{} is a reserved word. Write it in backticks to use it as a name.", word.to_uppercase()));
            problem.replacement = Some(format!("`{word}`"));
        }
        problem
    }

    /// An identifier that is not reserved, or a quoted one.
    fn take_ident(&mut self) -> Option<Ident> {
        let value = match self.peek_kind(0)? {
            TokenKind::Word(word) if !is_reserved(word) => word.clone(),
            TokenKind::Quoted(name) => name.clone(),
            _ => return None,
        };
        let span = self.here();
        self.at += 1;
        Some(Ident { value, span })
    }

    fn ident(&mut self, what: &str) -> Parse<Ident> {
        self.take_ident().ok_or_else(|| self.expected(what))
    }

    /// After a dot every word is a name.
    fn ident_after_dot(&mut self) -> Parse<Ident> {
        let span = self.here();
        match self.peek_kind(0) {
            Some(TokenKind::Word(name) | TokenKind::Quoted(name)) => {
                self.at += 1;
                Ok(Ident { value: name.clone(), span })
            }
            _ => Err(self.expected("a name")),
        }
    }

    fn name(&mut self, what: &str) -> Parse<Name> {
        let start = self.here();
        let mut parts = vec![self.ident(what)?];
        while self.at_sign(".") && !self.sign_ahead(1, "*") {
            self.at += 1;
            parts.push(self.ident_after_dot()?);
        }
        Ok(Name { parts, span: self.since(start) })
    }

    /// `(a, b)`; empty when there is no parenthesis.
    fn optional_columns(&mut self) -> Parse<Vec<Ident>> {
        if !self.at_sign("(") {
            return Ok(Vec::new());
        }
        self.columns()
    }

    fn columns(&mut self) -> Parse<Vec<Ident>> {
        self.expect_sign("(")?;
        let columns = self.separated(|parser| parser.ident("a column name"))?;
        self.expect_sign(")")?;
        Ok(columns)
    }

    fn separated<T>(&mut self, mut read: impl FnMut(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        let mut items = vec![read(self)?];
        while self.take_sign(",") {
            items.push(read(self)?);
        }
        Ok(items)
    }

    /// Hints that stand here. Their text has tokens of its own.
    fn hints(&mut self) -> Parse<Vec<Hint>> {
        let mut hints = Vec::new();
        while let Some(TokenKind::Hint(text)) = self.peek_kind(0) {
            let span = self.here();
            self.at += 1;
            // The text begins after `/*+`; its spans are moved there.
            let mut tokens = tokenize(text);
            tokens.retain(|token| token.kind != TokenKind::Comment);
            for token in &mut tokens {
                token.span = Span { start: token.span.start + span.start + 3, end: token.span.end + span.start + 3 };
            }
            let mut inner = Parser::new(&tokens, span.end);
            if let Some(problem) = inner.bad_token() {
                return Err(problem);
            }
            while inner.peek().is_some() {
                hints.push(inner.hint()?);
                inner.take_sign(",");
            }
        }
        Ok(hints)
    }

    fn hint(&mut self) -> Parse<Hint> {
        let start = self.here();
        let name = self.ident_after_dot()?;
        let mut args = Vec::new();
        if self.take_sign("(") {
            args = self.separated(|parser| {
                let key_span = parser.here();
                let key = parser.hint_word()?;
                let given = parser.take_sign("=");
                let value_span = if given { parser.here() } else { key_span };
                let value = if given { parser.hint_word()? } else { String::new() };
                Ok(HintArg { key, value, key_span, value_span })
            })?;
            self.expect_sign(")")?;
        }
        Ok(Hint { name, args, span: self.since(start) })
    }

    fn hint_word(&mut self) -> Parse<String> {
        match self.peek_kind(0) {
            Some(TokenKind::Text(word) | TokenKind::Word(word) | TokenKind::Quoted(word) | TokenKind::Number(word)) => {
                self.at += 1;
                Ok(word.clone())
            }
            _ => Err(self.expected("a string in single quotes")),
        }
    }
}

fn too_deep(span: Span) -> Problem {
    let message = format!("This is nested deeper than {MAX_HEIGHT} levels.");
    Problem::error("unsupported", message, span)
        .with_hint("Give parts of it a name with WITH or CREATE VIEW, or write a shorter expression.")
}

fn describe(kind: &TokenKind) -> String {
    match kind {
        TokenKind::Word(word) => format!("'{word}'"),
        TokenKind::Quoted(name) => format!("the name `{name}`"),
        TokenKind::Text(_) => "a string".to_owned(),
        TokenKind::Hex(_) => "a binary literal".to_owned(),
        TokenKind::Number(number) => format!("the number {number}"),
        TokenKind::Sign(sign) => format!("'{sign}'"),
        TokenKind::Hint(_) => "a hint".to_owned(),
        TokenKind::Comment => "a comment".to_owned(),
        TokenKind::Bad(bad) => bad.message().to_owned(),
    }
}
