//! What is expected at the caret, from the tokens before it.

use std::ops::Range;

use crate::sql::parser::is_reserved;
use crate::sql::token::{BadToken, Token, TokenKind, tokenize};

/// The word under the caret and what may stand there.
pub(super) struct Place {
    pub(super) prefix: String,
    pub(super) replace_from: usize,
    /// Byte range of the statement that the caret is in.
    pub(super) statement: Range<usize>,
    pub(super) expected: Expected,
    /// A table of FROM rather than the target of an INSERT.
    pub(super) in_from: bool,
}

#[derive(Debug, PartialEq)]
pub(super) enum Expected {
    Statement,
    Table {
        /// `database`, or `catalog.database`.
        database: Option<String>,
    },
    /// `after`: directly behind a finished operand, where only keywords go on.
    Column {
        qualifier: Vec<String>,
        after: bool,
    },
    /// Inside `DESCRIPTOR(…)`.
    TimeColumn {
        table: Vec<String>,
    },
    OptionKey {
        given: Vec<(String, String)>,
        quoted: bool,
    },
    OptionValue {
        key: String,
        given: Vec<(String, String)>,
        quoted: bool,
    },
    SettingKey {
        quoted: bool,
    },
}

impl Place {
    /// `None` inside comments, and where nothing sensible can be offered.
    pub(super) fn find(sql: &str, offset: usize) -> Option<Place> {
        let mut before = tokenize(sql.get(..offset)?);
        let end = before.last().map(|token| (token.kind.clone(), token.span));
        let (mut prefix, mut replace_from, mut quoted) = (String::new(), offset, false);
        match end {
            Some((TokenKind::Comment, span))
                if !sql.get(span.start..span.end)?.ends_with("*/") && span.end == offset =>
            {
                return None;
            }
            Some((TokenKind::Bad(BadToken::OpenComment), _)) => return None,
            Some((TokenKind::Bad(BadToken::OpenText), span)) => {
                quoted = true;
                replace_from = span.start + 1;
                prefix = sql.get(replace_from..offset)?.to_owned();
                before.pop();
            }
            Some((TokenKind::Bad(BadToken::OpenQuote), span)) => {
                replace_from = span.start;
                prefix = sql.get(span.start + 1..offset)?.to_owned();
                before.pop();
            }
            Some((TokenKind::Word(_), span)) if span.end == offset => {
                replace_from = span.start;
                prefix = sql.get(span.start..offset)?.to_owned();
                before.pop();
            }
            _ => {}
        }
        before.retain(|token| !matches!(token.kind, TokenKind::Comment));
        let first = before.iter().rposition(|token| token.kind == TokenKind::Sign(";")).map_or(0, |at| at + 1);
        let start = first.checked_sub(1).and_then(|at| before.get(at)).map_or(0, |token| token.span.end);
        let rest =
            tokenize(sql).into_iter().find(|token| token.span.start >= offset && token.kind == TokenKind::Sign(";"));
        let statement = start..rest.map_or(sql.len(), |token| token.span.start);
        let before = before.split_off(first);
        let expected = expected(&before, quoted)?;
        let in_from = before.last().is_some_and(|last| !is_word(last, "INTO") && !is_word(last, "OVERWRITE"));
        Some(Place { prefix, replace_from, statement, expected, in_from })
    }
}

fn expected(before: &[Token], quoted: bool) -> Option<Expected> {
    let Some(last) = before.last() else { return (!quoted).then_some(Expected::Statement) };
    if before.first().is_some_and(|first| is_word(first, "SET")) {
        return (before.len() == 1).then_some(Expected::SettingKey { quoted });
    }
    if let Some(open) = innermost_open(before)
        && let Some(head) = open.checked_sub(1).and_then(|at| before.get(at))
    {
        let inside = before.get(open + 1..).unwrap_or_default();
        if is_word(head, "WITH") && before.first().is_some_and(|first| is_word(first, "CREATE")) {
            return option(inside, quoted);
        }
        if is_word(head, "DESCRIPTOR") {
            return Some(Expected::TimeColumn { table: table_argument(before.get(..open).unwrap_or_default()) });
        }
    }
    if quoted {
        return None;
    }
    if let TokenKind::Sign(".") = last.kind {
        return qualified(before);
    }
    if ["FROM", "JOIN", "INTO", "OVERWRITE", "TABLE"].iter().any(|word| is_word(last, word)) && !creates(before) {
        return Some(Expected::Table { database: None });
    }
    if last.kind == TokenKind::Sign(",") && in_from_list(before) {
        return Some(Expected::Table { database: None });
    }
    if is_word(last, "OF") && before.iter().rev().nth(2).is_some_and(|before| is_word(before, "SYSTEM_TIME")) {
        return Some(Expected::Column { qualifier: Vec::new(), after: false });
    }
    let operand = match &last.kind {
        TokenKind::Word(word) => !is_reserved(word) && !is_clause(word),
        TokenKind::Quoted(_) | TokenKind::Text(_) | TokenKind::Number(_) => true,
        TokenKind::Sign(sign) => matches!(*sign, ")" | "]"),
        _ => false,
    };
    Some(Expected::Column { qualifier: Vec::new(), after: operand })
}

/// Words that are no names though not reserved: an operand follows them.
fn is_clause(word: &str) -> bool {
    ["BEGIN", "FILTER", "REPLACE"].iter().any(|clause| clause.eq_ignore_ascii_case(word))
}

/// `db.` after FROM is a database, elsewhere an alias.
fn qualified(before: &[Token]) -> Option<Expected> {
    let mut parts = Vec::new();
    let mut at = before.len();
    while at >= 2 && before.get(at - 1).is_some_and(|token| token.kind == TokenKind::Sign(".")) {
        match before.get(at - 2).map(|token| &token.kind) {
            Some(TokenKind::Word(name) | TokenKind::Quoted(name)) => parts.insert(0, name.clone()),
            _ => return None,
        }
        at -= 2;
    }
    let head = at.checked_sub(1).and_then(|at| before.get(at));
    let names_table = head.is_some_and(|head| ["FROM", "JOIN", "INTO", "TABLE"].iter().any(|word| is_word(head, word)))
        || (head.is_some_and(|head| head.kind == TokenKind::Sign(","))
            && in_from_list(before.get(..at).unwrap_or_default()));
    if names_table {
        return Some(Expected::Table { database: Some(parts.join(".")) });
    }
    Some(Expected::Column { qualifier: parts, after: false })
}

fn option(inside: &[Token], quoted: bool) -> Option<Expected> {
    let given = inside
        .windows(3)
        .filter_map(|three| match three {
            [
                Token { kind: TokenKind::Text(key), .. },
                Token { kind: TokenKind::Sign("="), .. },
                Token { kind: TokenKind::Text(value), .. },
            ] => Some((key.clone(), value.clone())),
            _ => None,
        })
        .collect();
    match inside {
        [] => Some(Expected::OptionKey { given, quoted }),
        [.., Token { kind: TokenKind::Sign(","), .. }] => Some(Expected::OptionKey { given, quoted }),
        [.., Token { kind: TokenKind::Text(key), .. }, Token { kind: TokenKind::Sign("="), .. }] => {
            Some(Expected::OptionValue { key: key.clone(), given, quoted })
        }
        _ => None,
    }
}

fn innermost_open(tokens: &[Token]) -> Option<usize> {
    let mut closed = 0_usize;
    tokens.iter().rposition(|token| match token.kind {
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

/// Whether the last comma parts tables of a FROM clause at the same level.
fn in_from_list(tokens: &[Token]) -> bool {
    let mut closed = 0_usize;
    for token in tokens.iter().rev() {
        match &token.kind {
            TokenKind::Sign(")") => closed += 1,
            TokenKind::Sign("(") if closed == 0 => return false,
            TokenKind::Sign("(") => closed -= 1,
            TokenKind::Word(word) if closed == 0 => match word.to_ascii_uppercase().as_str() {
                "FROM" => return true,
                "SELECT" | "WHERE" | "BY" | "HAVING" | "ON" | "VALUES" | "WITH" | "CREATE" | "INSERT" => return false,
                _ => {}
            },
            _ => {}
        }
    }
    false
}

/// The table named behind the nearest `TABLE`.
fn table_argument(before: &[Token]) -> Vec<String> {
    let Some(at) = before.iter().rposition(|token| is_word(token, "TABLE")) else { return Vec::new() };
    let names = before.get(at + 1..).unwrap_or_default().iter();
    let names = names
        .take_while(|token| matches!(token.kind, TokenKind::Word(_) | TokenKind::Quoted(_) | TokenKind::Sign(".")));
    names
        .filter_map(|token| match &token.kind {
            TokenKind::Word(name) | TokenKind::Quoted(name) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

fn creates(before: &[Token]) -> bool {
    before.len() <= 3 && before.first().is_some_and(|first| is_word(first, "CREATE"))
}

pub(super) fn is_word(token: &Token, word: &str) -> bool {
    matches!(&token.kind, TokenKind::Word(found) if found.eq_ignore_ascii_case(word))
}
