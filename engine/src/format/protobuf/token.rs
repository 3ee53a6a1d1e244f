//! The words of a `.proto` text, and a cursor over them.

use super::text::Parsed;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Number(String),
    Text(String),
    Sign(char),
}

/// The words of a text, each with its line.
pub(super) fn tokens(text: &str) -> Parsed<Vec<(Token, usize)>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let (token, taken) = token(rest, first).map_err(|why| format!("line {line}: {why}"))?;
        tokens.extend(token.map(|token| (token, line)));
        let (passed, left) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        line += passed.matches('\n').count();
        rest = left;
    }
    Ok(tokens)
}

/// What the text begins with, unless it is space or a comment, and how long that is.
fn token(rest: &str, first: char) -> Parsed<(Option<Token>, usize)> {
    let until = |stop: &dyn Fn(char) -> bool| rest.find(stop).unwrap_or(rest.len());
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let of = |end: usize| rest.get(..end).unwrap_or_default().to_owned();
    Ok(if rest.starts_with("//") {
        (None, until(&|c| c == '\n'))
    } else if let Some(comment) = rest.strip_prefix("/*") {
        (None, 4 + comment.find("*/").ok_or("a comment has no end")?)
    } else if first.is_whitespace() {
        (None, first.len_utf8())
    } else if first.is_ascii_alphabetic() || first == '_' {
        let end = until(&|c| !is_word(c));
        (Some(Token::Word(of(end))), end)
    } else if first.is_ascii_digit() || first == '-' {
        let digits = rest.get(1..).unwrap_or_default();
        let end = digits.find(|c: char| !is_word(c)).map_or(rest.len(), |end| end + 1);
        (Some(Token::Number(of(end))), end)
    } else if first == '"' || first == '\'' {
        let (value, end) = quoted(rest, first)?;
        (Some(Token::Text(value)), end)
    } else if "{}[]()<>=;,.:+".contains(first) {
        (Some(Token::Sign(first)), 1)
    } else {
        return Err(format!("'{first}' was not expected"));
    })
}

/// A quoted text and how long it is with its quotes.
fn quoted(text: &str, quote: char) -> Parsed<(String, usize)> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return Ok((value, at + 1));
        }
        match letter {
            '\\' => match letters.next().map(|(_, escaped)| escaped) {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some(quoted @ ('\\' | '"' | '\'' | '?')) => value.push(quoted),
                Some(other) => return Err(format!("'\\{other}' in a text is not supported")),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err("a text has no end".to_owned())
}

/// Stands before the next token.
pub(super) struct Cursor<'a> {
    tokens: &'a [(Token, usize)],
    at: usize,
}

/// Default and packing.
pub(super) type FieldOptions = (Option<String>, Option<bool>);

impl<'a> Cursor<'a> {
    pub(super) const fn new(tokens: &'a [(Token, usize)]) -> Self {
        Cursor { tokens, at: 0 }
    }

    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// Of the token that was last looked at.
    pub(super) fn line(&self) -> usize {
        let at = self.at.min(self.tokens.len().saturating_sub(1));
        self.tokens.get(at).map_or(1, |(_, line)| *line)
    }

    pub(super) fn peek_word(&self) -> Option<&'a str> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Whether a block follows the word and the name behind it.
    pub(super) fn is_block(&self) -> bool {
        matches!(self.tokens.get(self.at + 2), Some((Token::Sign('{'), _)))
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let there = self.peek_word() == Some(word);
        self.at += usize::from(there);
        there
    }

    pub(super) fn take_sign(&mut self, sign: char) -> bool {
        let there = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(there);
        there
    }

    fn expected<T>(&self, what: &str) -> Parsed<T> {
        Err(match self.peek() {
            Some(Token::Word(found) | Token::Number(found)) => format!("{what} was expected, not '{found}'"),
            Some(Token::Text(found)) => format!("{what} was expected, not \"{found}\""),
            Some(Token::Sign(found)) => format!("{what} was expected, not '{found}'"),
            None => format!("{what} was expected at the end"),
        })
    }

    pub(super) fn sign(&mut self, sign: char) -> Parsed<()> {
        if self.take_sign(sign) { Ok(()) } else { self.expected(&format!("'{sign}'")) }
    }

    /// A name, perhaps with a leading dot.
    pub(super) fn word(&mut self) -> Parsed<String> {
        let dot = if self.take_sign('.') { "." } else { "" };
        match self.peek_word() {
            Some(word) => {
                self.at += 1;
                Ok(format!("{dot}{word}"))
            }
            None => self.expected("a name"),
        }
    }

    pub(super) fn text(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(Token::Text(text)) => {
                self.at += 1;
                Ok(text.clone())
            }
            _ => self.expected("a text"),
        }
    }

    pub(super) fn number(&mut self) -> Parsed<i64> {
        let Some(Token::Number(text)) = self.peek() else { return self.expected("a number") };
        self.at += 1;
        let (negative, digits) = text.strip_prefix('-').map_or((false, text.as_str()), |digits| (true, digits));
        let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            Some(hex) => i64::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        let value = value.map_err(|_| format!("'{text}' is no number"))?;
        Ok(if negative { -value } else { value })
    }

    /// `[default = 5, packed = true, (custom) = …]`
    pub(super) fn field_options(&mut self) -> Parsed<FieldOptions> {
        let mut found = (None, None);
        if !self.take_sign('[') {
            return Ok(found);
        }
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token {
                Token::Sign(']') if depth == 0 => return Ok(found),
                Token::Sign('{' | '[' | '(') => depth += 1,
                Token::Sign('}' | ']' | ')') => depth = depth.saturating_sub(1),
                Token::Word(word) if depth == 0 && (word == "default" || word == "packed") && self.take_sign('=') => {
                    let value = match self.next() {
                        Some(Token::Word(value) | Token::Number(value) | Token::Text(value)) => value.clone(),
                        _ => return Err(format!("the option '{word}' has no value")),
                    };
                    if word == "default" { found.0 = Some(value) } else { found.1 = Some(value == "true") }
                }
                _ => {}
            }
        }
        Err("the options of a field have no end".to_owned())
    }

    /// To the semicolon, over braces.
    pub(super) fn skip_statement(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token {
                Token::Sign(';') if depth == 0 => return,
                Token::Sign('{') => depth += 1,
                Token::Sign('}') => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    pub(super) fn skip_braces(&mut self) -> Parsed<()> {
        self.sign('{')?;
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next() {
                Some(Token::Sign('{')) => depth += 1,
                Some(Token::Sign('}')) => depth -= 1,
                Some(_) => {}
                None => return self.expected("'}'"),
            }
        }
        Ok(())
    }
}
