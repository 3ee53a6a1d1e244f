//! A reader over one JSON record: tokens on demand, so that fields nobody asked for are only skipped.
//!
//! The record must be valid UTF-8; the decoder checks that once per record.

use std::borrow::Cow;

/// Nesting beyond this is refused instead of followed.
pub(super) const DEPTH_LIMIT: usize = 500;

/// Why a record could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum JsonError {
    /// The text is no JSON. Nothing of the record can be used.
    Syntax { at: usize, expected: &'static str },
    /// The value is JSON but does not fit the column.
    Value(String),
}

pub(super) type JsonResult<T> = Result<T, JsonError>;

/// The kind of value that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Object,
    Array,
    Text,
    Number,
    True,
    False,
    Null,
}

/// A string token without its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawText<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) escaped: bool,
}

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, at: 0 }
    }

    pub(super) const fn position(&self) -> usize {
        self.at
    }

    pub(super) fn go_to(&mut self, position: usize) {
        self.at = position;
    }

    /// The text between two positions.
    pub(super) fn between(&self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    #[inline]
    fn peek_byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek_byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.skip_blanks();
        self.at >= self.bytes.len()
    }

    #[cold]
    pub(super) fn unexpected<T>(&self, expected: &'static str) -> JsonResult<T> {
        Err(JsonError::Syntax { at: self.at, expected })
    }

    /// Takes `byte` when it is the next one after blanks.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.peek_byte() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    pub(super) fn next(&mut self) -> JsonResult<Next> {
        self.skip_blanks();
        match self.peek_byte() {
            Some(b'"') => Ok(Next::Text),
            Some(b'-' | b'0'..=b'9') => Ok(Next::Number),
            Some(b'{') => Ok(Next::Object),
            Some(b'[') => Ok(Next::Array),
            Some(b't') => Ok(Next::True),
            Some(b'f') => Ok(Next::False),
            Some(b'n') => Ok(Next::Null),
            _ => self.unexpected("a value"),
        }
    }

    /// `true`, `false` or `null`, as `next` announced it.
    pub(super) fn word(&mut self, word: &'static [u8]) -> JsonResult<()> {
        if !self.bytes.get(self.at..).unwrap_or_default().starts_with(word) {
            return self.unexpected("a value");
        }
        self.at += word.len();
        match self.peek_byte() {
            Some(byte) if byte.is_ascii_alphanumeric() => self.unexpected("a value"),
            _ => Ok(()),
        }
    }

    /// A string, as `next` announced it.
    #[inline]
    pub(super) fn text(&mut self) -> JsonResult<RawText<'a>> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = find_special(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(RawText { bytes: self.between(start, at), escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    at += 2;
                }
                Some(_) => {
                    self.at = at;
                    return self.unexpected("no control character in a string");
                }
                None => {
                    self.at = self.bytes.len();
                    return self.unexpected("the end of a string");
                }
            }
        }
    }

    /// The literal of a number, checked against JSON's grammar.
    #[inline]
    pub(super) fn number(&mut self) -> JsonResult<&'a [u8]> {
        let start = self.at;
        if self.peek_byte() == Some(b'-') {
            self.at += 1;
        }
        match self.peek_byte() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return self.unexpected("a digit"),
        }
        if self.peek_byte() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek_byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek_byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        match self.peek_byte() {
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'.' => self.unexpected("the end of a number"),
            _ => Ok(self.between(start, self.at)),
        }
    }

    #[inline]
    fn digits(&mut self) {
        while matches!(self.peek_byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> JsonResult<()> {
        let before = self.at;
        self.digits();
        if self.at == before { self.unexpected("a digit") } else { Ok(()) }
    }

    /// The next key of an object with its colon, or `None` at the closing brace. `first` right after the opening brace.
    #[inline]
    pub(super) fn key(&mut self, first: &mut bool) -> JsonResult<Option<RawText<'a>>> {
        if self.take(b'}') {
            return Ok(None);
        }
        if !std::mem::replace(first, false) && !self.take(b',') {
            return self.unexpected("',' or '}'");
        }
        self.skip_blanks();
        if self.peek_byte() != Some(b'"') {
            return self.unexpected("a field name");
        }
        let key = self.text()?;
        if !self.take(b':') {
            return self.unexpected("':'");
        }
        Ok(Some(key))
    }

    /// Takes the next key and its colon when it is the one in `pattern` (`"name"`, as it is written). Most records of a
    /// stream are alike, and this is much faster than reading the key.
    #[inline]
    pub(super) fn take_known_key(&mut self, first: &mut bool, pattern: &[u8]) -> bool {
        let start = self.at;
        if !*first {
            if self.peek_byte() != Some(b',') {
                return false;
            }
            self.at += 1;
        }
        self.skip_blanks();
        if self.bytes.get(self.at..).unwrap_or_default().starts_with(pattern) {
            self.at += pattern.len();
            if self.take(b':') {
                *first = false;
                return true;
            }
        }
        self.at = start;
        false
    }

    /// Whether another element of an array follows.
    #[inline]
    pub(super) fn element(&mut self, first: &mut bool) -> JsonResult<bool> {
        if self.take(b']') {
            return Ok(false);
        }
        if !std::mem::replace(first, false) && !self.take(b',') {
            return self.unexpected("',' or ']'");
        }
        Ok(true)
    }

    /// Passes over the next value, whatever it is, checking that it is JSON.
    pub(super) fn skip(&mut self) -> JsonResult<()> {
        self.skip_nested(0)
    }

    fn skip_nested(&mut self, depth: usize) -> JsonResult<()> {
        if depth > DEPTH_LIMIT {
            return self.unexpected("less nesting");
        }
        match self.next()? {
            Next::Text => {
                let text = self.text()?;
                if text.escaped {
                    text.unescape()?;
                }
            }
            Next::Number => {
                self.number()?;
            }
            Next::True => self.word(b"true")?,
            Next::False => self.word(b"false")?,
            Next::Null => self.word(b"null")?,
            Next::Object => {
                self.at += 1;
                let mut first = true;
                while self.key(&mut first)?.is_some() {
                    self.skip_nested(depth + 1)?;
                }
            }
            Next::Array => {
                self.at += 1;
                let mut first = true;
                while self.element(&mut first)? {
                    self.skip_nested(depth + 1)?;
                }
            }
        }
        Ok(())
    }
}

impl<'a> RawText<'a> {
    /// The text with its escapes resolved.
    pub(super) fn unescape(self) -> JsonResult<Cow<'a, [u8]>> {
        if !self.escaped {
            return Ok(Cow::Borrowed(self.bytes));
        }
        let mut out = Vec::with_capacity(self.bytes.len());
        self.unescape_into(&mut out)?;
        Ok(Cow::Owned(out))
    }

    pub(super) fn unescape_into(self, out: &mut Vec<u8>) -> JsonResult<()> {
        let mut rest = self.bytes;
        while let Some(backslash) = rest.iter().position(|byte| *byte == b'\\') {
            let (plain, escape) = rest.split_at(backslash);
            out.extend_from_slice(plain);
            let Some((letter, tail)) = escape.split_first().and_then(|(_, after)| after.split_first()) else {
                return Err(bad_escape());
            };
            rest = tail;
            match letter {
                b'"' | b'\\' | b'/' => out.push(*letter),
                b'b' => out.push(8),
                b'f' => out.push(12),
                b'n' => out.push(b'\n'),
                b'r' => out.push(b'\r'),
                b't' => out.push(b'\t'),
                b'u' => {
                    let (character, tail) = unicode_escape(rest)?;
                    rest = tail;
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => return Err(bad_escape()),
            }
        }
        out.extend_from_slice(rest);
        Ok(())
    }
}

fn bad_escape() -> JsonError {
    JsonError::Syntax { at: 0, expected: "a known escape in a string" }
}

/// The character after `\u`, taking the second half of a pair along. A lone half becomes the replacement character, as
/// it cannot be kept in UTF-8.
fn unicode_escape(text: &[u8]) -> JsonResult<(char, &[u8])> {
    let (unit, rest) = four_hex(text)?;
    if !(0xD800..0xDC00).contains(&unit) {
        return Ok((char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), rest));
    }
    let Some(second) = rest.strip_prefix(b"\\u") else { return Ok((char::REPLACEMENT_CHARACTER, rest)) };
    let (low, after) = four_hex(second)?;
    if !(0xDC00..0xE000).contains(&low) {
        return Ok((char::REPLACEMENT_CHARACTER, rest));
    }
    let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    Ok((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), after))
}

fn four_hex(text: &[u8]) -> JsonResult<(u32, &[u8])> {
    let (head, rest) = text.split_first_chunk::<4>().ok_or_else(bad_escape)?;
    let mut value = 0;
    for byte in head {
        value = value * 16 + char::from(*byte).to_digit(16).ok_or_else(bad_escape)?;
    }
    Ok((value, rest))
}

/// Index of the next quote, backslash or control character, eight bytes at a time.
#[inline]
fn find_special(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        // The classic zero-byte test; borrows can only mark bytes after the first true hit, and only the first is used.
        let hits = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let hits = hits & HIGHS;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            return at;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn skips(text: &str) -> bool {
        let mut cursor = Cursor::new(text.as_bytes());
        cursor.skip().is_ok() && cursor.at_end()
    }

    #[test]
    fn json_is_told_from_no_json() {
        for good in [r#"{"a":[1,-0.5e+3,"x\n\u00e4\\",true,false,null,{}],"b":[]}"#, " 1 ", "\"\"", "[[]]"] {
            assert!(skips(good), "{good}");
        }
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            "-",
            "tru",
            "nullx",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "{a:1}",
            "[1 2]",
            "\"tab\there\"",
            "1x",
            "}",
        ] {
            assert!(!skips(bad), "{bad}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(skips(&format!("{}{}", "[".repeat(400), "]".repeat(400))));
        assert!(!skips(&"[".repeat(1_000_000)));
    }

    #[test]
    fn special_bytes_are_found_at_every_offset() {
        for offset in 0..40 {
            for special in [b'"', b'\\', 0, 0x1f] {
                let mut bytes = vec![0xC3; 40];
                bytes[offset] = special;
                assert_eq!(find_special(&bytes, 0), offset);
            }
        }
        assert_eq!(find_special(b"abcdefghijk", 0), 11);
    }

    #[test]
    fn escapes_are_resolved() {
        let mut cursor = Cursor::new(br#""a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00\ud83dx""#);
        let text = cursor.text().unwrap().unescape().unwrap();
        assert_eq!(std::str::from_utf8(&text).unwrap(), "a\"\\/\u{8}\u{c}\n\r\tä😀\u{fffd}x");
    }
}
