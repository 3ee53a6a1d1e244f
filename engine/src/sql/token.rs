//! Text → tokens with byte spans. Never fails: what cannot be read becomes a [`TokenKind::Bad`] token, so that the
//! formatter and completion work on half-written scripts too.
//!
//! The lexer and parser are our own: an editor needs the exact extent of every node, comments and hints kept, and a
//! script with an open string still cut into statements. A general SQL parser gives none of the three, and its tree has
//! many optional parts that a binder could overlook in silence.

use super::Span;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// An unquoted word: keyword or identifier, as written.
    Word(String),
    /// `` `a b` `` without the marks.
    Quoted(String),
    /// `'it''s'` unescaped.
    Text(String),
    /// `X'0aff'`
    Hex(Vec<u8>),
    Number(String),
    /// Punctuation and operators: one of [`SIGNS`].
    Sign(&'static str),
    /// `/*+ … */`: the text between.
    Hint(String),
    Comment,
    Bad(BadToken),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadToken {
    OpenText,
    OpenQuote,
    OpenComment,
    Hex,
    Unicode,
    Character,
}

/// Longest first, so that `<=` is not read as `<` and `=`.
const SIGNS: &[&str] = &[
    "<>", "!=", "<=", ">=", "||", "=>", "::", "(", ")", "[", "]", "{", "}", ",", ";", ".", "+", "-", "*", "/", "%",
    "=", "<", ">", ":", "?", "|", "&", "^", "~", "@", "$", "#", "!",
];

impl BadToken {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::OpenText => "This string has no closing quote.",
            Self::OpenQuote => "This name has no closing backtick.",
            Self::OpenComment => "This comment has no end.",
            Self::Hex => "A binary literal holds an even number of hex digits.",
            Self::Unicode => "This Unicode escape is not valid.",
            Self::Character => "This character cannot stand here.",
        }
    }
}

/// All tokens of the text, comments included, blanks left out.
pub(crate) fn tokenize(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::with_capacity(text.len() / 5);
    while let Some(token) = lexer.next_token() {
        tokens.push(token);
    }
    tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next_token(&mut self) -> Option<Token> {
        let blank = self.rest().len() - self.rest().trim_start().len();
        self.at += blank;
        let start = self.at;
        let first = self.rest().chars().next()?;
        let kind = match first {
            '\'' => self.text_literal(),
            '`' => self.quoted_name(),
            '0'..='9' => self.number(),
            '.' if self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit) => self.number(),
            'x' | 'X' if self.rest().as_bytes().get(1) == Some(&b'\'') => self.hex(),
            'u' | 'U' if self.rest().get(1..3) == Some("&'") => self.unicode_text(),
            _ if is_name_start(first) => self.word(),
            _ if self.rest().starts_with("--") => self.line_comment(),
            _ if self.rest().starts_with("//") => self.line_comment(),
            _ if self.rest().starts_with("/*") => self.block_comment(),
            _ => self.sign(first),
        };
        Some(Token { kind, span: Span { start, end: self.at } })
    }

    fn word(&mut self) -> TokenKind {
        let length = self.rest().find(|c| !is_name_part(c)).unwrap_or(self.rest().len());
        let word = self.rest().get(..length).unwrap_or_default().to_owned();
        self.at += length;
        TokenKind::Word(word)
    }

    /// Reads up to the closing mark; a doubled mark stands for itself. `None` when the text ends first.
    fn until(&mut self, mark: char) -> Option<String> {
        self.at += mark.len_utf8();
        let mut value = String::new();
        loop {
            let Some(length) = self.rest().find(mark) else {
                self.at = self.text.len();
                return None;
            };
            value.push_str(self.rest().get(..length).unwrap_or_default());
            self.at += length + mark.len_utf8();
            if !self.rest().starts_with(mark) {
                return Some(value);
            }
            value.push(mark);
            self.at += mark.len_utf8();
        }
    }

    fn text_literal(&mut self) -> TokenKind {
        self.until('\'').map_or(TokenKind::Bad(BadToken::OpenText), TokenKind::Text)
    }

    fn quoted_name(&mut self) -> TokenKind {
        self.until('`').map_or(TokenKind::Bad(BadToken::OpenQuote), TokenKind::Quoted)
    }

    fn hex(&mut self) -> TokenKind {
        self.at += 1;
        let Some(digits) = self.until('\'') else { return TokenKind::Bad(BadToken::OpenText) };
        let digits: Option<Vec<u8>> =
            digits.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
        match digits {
            Some(digits) if digits.len() % 2 == 0 => TokenKind::Hex(
                digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect(),
            ),
            _ => TokenKind::Bad(BadToken::Hex),
        }
    }

    /// `U&'\00e9'`: four hex digits after a backslash, a doubled backslash stands for itself.
    fn unicode_text(&mut self) -> TokenKind {
        self.at += 2;
        let Some(raw) = self.until('\'') else { return TokenKind::Bad(BadToken::OpenText) };
        let mut value = String::new();
        let mut rest = raw.as_str();
        while let Some(position) = rest.find('\\') {
            value.push_str(rest.get(..position).unwrap_or_default());
            rest = rest.get(position + 1..).unwrap_or_default();
            if let Some(after) = rest.strip_prefix('\\') {
                value.push('\\');
                rest = after;
                continue;
            }
            let code = rest.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
            let Some(code) = code else { return TokenKind::Bad(BadToken::Unicode) };
            value.push(code);
            rest = rest.get(4..).unwrap_or_default();
        }
        value.push_str(rest);
        TokenKind::Text(value)
    }

    fn number(&mut self) -> TokenKind {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let mut length = digits(0);
        if bytes.get(length) == Some(&b'.') {
            length += 1 + digits(length + 1);
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits(length + 1 + sign);
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let number = self.rest().get(..length).unwrap_or_default().to_owned();
        self.at += length;
        TokenKind::Number(number)
    }

    fn line_comment(&mut self) -> TokenKind {
        let length = self.rest().find('\n').unwrap_or(self.rest().len());
        self.at += length;
        TokenKind::Comment
    }

    fn block_comment(&mut self) -> TokenKind {
        let Some(length) = self.rest().get(2..).and_then(|rest| rest.find("*/")) else {
            self.at = self.text.len();
            return TokenKind::Bad(BadToken::OpenComment);
        };
        let inner = self.rest().get(2..2 + length).unwrap_or_default();
        let kind = match inner.strip_prefix('+') {
            Some(hint) => TokenKind::Hint(hint.to_owned()),
            None => TokenKind::Comment,
        };
        self.at += length + 4;
        kind
    }

    fn sign(&mut self, first: char) -> TokenKind {
        match SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) {
            Some(sign) => {
                self.at += sign.len();
                TokenKind::Sign(sign)
            }
            None => {
                self.at += first.len_utf8();
                TokenKind::Bad(BadToken::Character)
            }
        }
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(crate) fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
