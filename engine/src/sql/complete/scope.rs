//! Which tables the SELECT around the caret reads.

use crate::sql::bind::{Outline, OutlineColumn};
use crate::sql::parser::is_reserved;
use crate::sql::token::{Token, TokenKind, tokenize};

use super::place::is_word;

/// A table of a FROM clause.
pub(super) struct InScope<'a> {
    pub(super) alias: String,
    source: Source<'a>,
}

enum Source<'a> {
    Named(Vec<String>),
    /// A query in parentheses.
    Query(&'a str),
    /// `TABLE(TUMBLE(…))`, as the text of its FROM item.
    Window(&'a str),
    /// `UNNEST(…)`, `LATERAL TABLE(…)`: a FROM clause that ends with it.
    Call(String),
}

impl InScope<'_> {
    pub(super) fn columns(&self, outline: &mut Outline) -> Vec<OutlineColumn> {
        let columns = match &self.source {
            Source::Named(parts) => outline.columns(parts),
            Source::Query(text) => outline.query_columns(text),
            Source::Window(text) => outline.query_columns(&format!("SELECT * FROM {text}")),
            Source::Call(text) => {
                outline.query_columns(&format!("SELECT {}.* FROM {text}", crate::sql::ddl::name(&self.alias)))
            }
        };
        columns.unwrap_or_default()
    }
}

/// Makes `WITH name AS (query)` of a statement known.
pub(super) fn define_ctes(statement: &str, outline: &mut Outline) {
    let tokens = significant(statement);
    let mut at = match tokens.iter().position(|token| is_word(token, "WITH")) {
        Some(at) if tokens.get(at + 1).is_some_and(|token| token.kind != TokenKind::Sign("(")) => at + 1,
        _ => return,
    };
    while let Some(TokenKind::Word(name) | TokenKind::Quoted(name)) = tokens.get(at).map(|token| &token.kind) {
        let opens = tokens.get(at + 1).is_some_and(|token| is_word(token, "AS"))
            && tokens.get(at + 2).is_some_and(|token| token.kind == TokenKind::Sign("("));
        let Some(close) = closing(&tokens, at + 2).filter(|_| opens) else { return };
        outline.define(name, between(statement, &tokens, at + 2, close));
        if tokens.get(close + 1).is_none_or(|token| token.kind != TokenKind::Sign(",")) {
            return;
        }
        at = close + 2;
    }
}

/// Tables in scope at an offset of the statement.
pub(super) fn tables(statement: &str, offset: usize) -> Vec<InScope<'_>> {
    let tokens = significant(statement);
    let caret = tokens.iter().position(|token| token.span.end >= offset).unwrap_or(tokens.len());
    // From the level of the caret outwards to the first that is a query.
    let mut from = caret;
    loop {
        let open = enclosing(&tokens, from);
        let level_start = open.map_or(0, |open| open + 1);
        let queries = tokens.get(level_start).is_some_and(|token| is_word(token, "SELECT") || is_word(token, "WITH"));
        match open {
            Some(open) if !queries => from = open,
            _ => return read_from(statement, &tokens, level_start, caret),
        }
    }
}

/// Reads FROM and JOIN items of the level that begins at `start`, in the SELECT that holds the caret.
fn read_from<'a>(statement: &'a str, tokens: &[Token], start: usize, caret: usize) -> Vec<InScope<'a>> {
    let mut found = Vec::new();
    let mut at = start;
    let mut first = start;
    let mut in_from = false;
    while let Some(token) = tokens.get(at) {
        match &token.kind {
            TokenKind::Sign(")") => break,
            TokenKind::Sign("(") if !in_from => {
                at = closing(tokens, at).unwrap_or(tokens.len());
            }
            TokenKind::Word(word) => match word.to_ascii_uppercase().as_str() {
                "SELECT" | "UNION" | "INTERSECT" | "EXCEPT" => {
                    // Another branch of a set operation.
                    if at >= caret && !found.is_empty() {
                        break;
                    }
                    found.clear();
                    in_from = false;
                }
                "FROM" | "JOIN" => {
                    if is_word(token, "FROM") {
                        first = at + 1;
                    }
                    in_from = true;
                    let next;
                    (next, at) = item(statement, tokens, at + 1, first);
                    found.extend(next);
                    continue;
                }
                "WHERE" | "GROUP" | "ORDER" | "HAVING" | "LIMIT" | "ON" => in_from = false,
                _ => {}
            },
            TokenKind::Sign(",") if in_from => {
                let next;
                (next, at) = item(statement, tokens, at + 1, first);
                found.extend(next);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// One FROM item and where it ends. `first` is where the clause begins.
fn item<'a>(statement: &'a str, tokens: &[Token], start: usize, first: usize) -> (Option<InScope<'a>>, usize) {
    if tokens.get(start).is_some_and(|token| is_word(token, "UNNEST") || is_word(token, "LATERAL")) {
        return function_item(statement, tokens, start, first);
    }
    let mut at = start;
    let source = match tokens.get(at).map(|token| &token.kind) {
        Some(TokenKind::Sign("(")) => {
            let Some(close) = closing(tokens, at) else { return (None, at + 1) };
            let inside = between(statement, tokens, at, close);
            at = close + 1;
            Source::Query(inside)
        }
        Some(TokenKind::Word(word)) if word.eq_ignore_ascii_case("TABLE") => {
            let Some(close) = closing(tokens, at + 1) else { return (None, at + 1) };
            let from = tokens.get(at).map_or(0, |token| token.span.start);
            let to = tokens.get(close).map_or(from, |token| token.span.end);
            at = close + 1;
            Source::Window(statement.get(from..to).unwrap_or_default())
        }
        Some(TokenKind::Word(_) | TokenKind::Quoted(_)) => {
            let mut parts = Vec::new();
            while let Some(TokenKind::Word(name) | TokenKind::Quoted(name)) = tokens.get(at).map(|token| &token.kind) {
                parts.push(name.clone());
                at += 1;
                if tokens.get(at).is_none_or(|token| token.kind != TokenKind::Sign(".")) {
                    break;
                }
                at += 1;
            }
            Source::Named(parts)
        }
        _ => return (None, at),
    };
    at = behind_system_time(tokens, at);
    if tokens.get(at).is_some_and(|token| is_word(token, "AS")) {
        at += 1;
    }
    let alias = match tokens.get(at).map(|token| &token.kind) {
        Some(TokenKind::Word(name)) if !is_reserved(name) => Some(name.clone()),
        Some(TokenKind::Quoted(name)) => Some(name.clone()),
        _ => None,
    };
    at += usize::from(alias.is_some());
    let own = match &source {
        Source::Named(parts) => parts.last().cloned().unwrap_or_default(),
        _ => String::new(),
    };
    (Some(InScope { alias: alias.unwrap_or(own), source }), at)
}

/// Behind `FOR SYSTEM_TIME AS OF a.b`, where that stands at `at`.
fn behind_system_time(tokens: &[Token], at: usize) -> usize {
    let clause = ["FOR", "SYSTEM_TIME", "AS", "OF"];
    let given = |(ahead, word): (usize, &&str)| tokens.get(at + ahead).is_some_and(|token| is_word(token, word));
    if !clause.iter().enumerate().all(given) {
        return at;
    }
    let time = tokens.get(at + clause.len()..).unwrap_or_default();
    let mut operand = true;
    let name = time.iter().take_while(|token| {
        let fits = match &token.kind {
            TokenKind::Word(_) | TokenKind::Quoted(_) => operand,
            TokenKind::Sign(".") => !operand,
            _ => false,
        };
        operand = !operand;
        fits
    });
    at + clause.len() + name.count()
}

/// A function whose rows stand beside those of what comes before it.
fn function_item<'a>(statement: &str, tokens: &[Token], start: usize, first: usize) -> (Option<InScope<'a>>, usize) {
    let open = (start..tokens.len()).find(|at| tokens.get(*at).is_some_and(|token| token.kind == TokenKind::Sign("(")));
    let Some(close) = open.and_then(|open| closing(tokens, open)) else { return (None, start + 1) };
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| is_word(token, word));
    let mut at = close + 1;
    if word(at, "WITH") && word(at + 1, "ORDINALITY") {
        at += 2;
    }
    at += usize::from(word(at, "AS"));
    let alias = match tokens.get(at).map(|token| &token.kind) {
        Some(TokenKind::Word(name)) if !is_reserved(name) => name.clone(),
        Some(TokenKind::Quoted(name)) => name.clone(),
        _ => return (None, at),
    };
    at += 1;
    if tokens.get(at).is_some_and(|token| token.kind == TokenKind::Sign("(")) {
        at = closing(tokens, at).map_or(at, |close| close + 1);
    }
    let from = tokens.get(first).map_or(0, |token| token.span.start);
    let to = tokens.get(at - 1).map_or(from, |token| token.span.end);
    let crossed = start < 2 || word(start - 2, "CROSS") || !word(start - 1, "JOIN");
    let condition = if crossed { "" } else { " ON TRUE" };
    let text = format!("{}{condition}", statement.get(from..to).unwrap_or_default());
    (Some(InScope { alias, source: Source::Call(text) }), at)
}

fn significant(text: &str) -> Vec<Token> {
    let mut tokens = tokenize(text);
    tokens.retain(|token| !matches!(token.kind, TokenKind::Comment | TokenKind::Hint(_)));
    tokens
}

/// The parenthesis that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            TokenKind::Sign("(") => depth += 1,
            TokenKind::Sign(")") => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// The open parenthesis around the token at `at`.
fn enclosing(tokens: &[Token], at: usize) -> Option<usize> {
    let mut closed = 0_usize;
    tokens.get(..at)?.iter().rposition(|token| match token.kind {
        TokenKind::Sign(")") => {
            closed += 1;
            false
        }
        TokenKind::Sign("(") if closed > 0 => {
            closed -= 1;
            false
        }
        TokenKind::Sign("(") => true,
        _ => false,
    })
}

fn between<'a>(text: &'a str, tokens: &[Token], open: usize, close: usize) -> &'a str {
    let start = tokens.get(open).map_or(0, |token| token.span.end);
    let end = tokens.get(close).map_or(start, |token| token.span.start);
    text.get(start..end).unwrap_or_default()
}
