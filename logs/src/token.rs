//! Words of a log message.
//!
//! - A word is a run of letters and digits; everything else stands between words. So `kafka_source`, `a.b-c`, `/var/log/x`
//!   and `key=value` are several words in a row, and asking for them as written asks for the words in that order.
//! - A word of letters only is also cut where its case changes (`maxPollRecords`, `HTTPServer`): first the whole, then its
//!   parts, the first part at the place of the whole.
//! - Words with digits stay whole, so that hex ids and numbers are one word.
//! - In scripts that write without blanks (Chinese, Japanese, Korean) each character is a word.
//! - Case does not count. A word longer than 128 bytes is cut there.
//!
//! The same cutting serves the index, the questions, the live tail and what is marked in an answer.

use std::ops::Range;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

const LONGEST: usize = 128;

/// A word at its place. Several may share a position: a whole and its first part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) position: usize,
    pub(crate) span: Range<usize>,
    /// A whole of which the parts follow.
    pub(crate) is_whole_of_parts: bool,
}

pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    each(text, |word| words.push(word));
    words
}

/// The words that a question for `text` asks for: parts instead of their whole.
pub(crate) fn asked(text: &str) -> Vec<Word> {
    words(text).into_iter().filter(|word| !word.is_whole_of_parts).collect()
}

fn each(text: &str, mut take: impl FnMut(Word)) {
    let mut position = 0;
    let mut rest = text.char_indices().peekable();
    while let Some((start, first)) = rest.next() {
        if !first.is_alphanumeric() {
            continue;
        }
        if stands_alone(first) {
            let span = start..start + first.len_utf8();
            take(Word { text: lower(text, &span), position, span, is_whole_of_parts: false });
            position += 1;
            continue;
        }
        let mut end = start + first.len_utf8();
        while let Some((at, next)) = rest.next_if(|(_, next)| continues(*next)) {
            end = at + next.len_utf8();
        }
        position += run(text, start..end, position, &mut take);
    }
}

/// A run of letters and digits; gives how many positions it takes.
fn run(text: &str, span: Range<usize>, position: usize, take: &mut impl FnMut(Word)) -> usize {
    let parts = parts(text, &span);
    let is_whole_of_parts = parts.len() > 1;
    take(Word { text: lower(text, &span), position, span, is_whole_of_parts });
    if !is_whole_of_parts {
        return 1;
    }
    let count = parts.len();
    for (number, part) in parts.into_iter().enumerate() {
        let text = lower(text, &part);
        take(Word { text, position: position + number, span: part, is_whole_of_parts: false });
    }
    count
}

/// Where the case changes inside a word of letters: `aB` begins a part at `B`, `ABc` one at `B`.
fn parts(text: &str, span: &Range<usize>) -> Vec<Range<usize>> {
    let word = text.get(span.clone()).unwrap_or_default();
    let mut parts = Vec::new();
    if word.len() > LONGEST || !word.chars().all(char::is_alphabetic) {
        return parts;
    }
    let mut begin = span.start;
    let mut before: Option<char> = None;
    let mut letters = word.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next_is_lower = letters.peek().is_some_and(|(_, next)| next.is_lowercase());
        let hump = letter.is_uppercase()
            && before.is_some_and(|before| before.is_lowercase() || (before.is_uppercase() && next_is_lower));
        if hump {
            parts.push(begin..span.start + at);
            begin = span.start + at;
        }
        before = Some(letter);
    }
    parts.push(begin..span.end);
    parts
}

fn lower(text: &str, span: &Range<usize>) -> String {
    let mut lower = text.get(span.clone()).unwrap_or_default().to_lowercase();
    if lower.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| lower.is_char_boundary(*end)).unwrap_or(0);
        lower.truncate(end);
    }
    lower
}

fn continues(letter: char) -> bool {
    letter.is_alphanumeric() && !stands_alone(letter)
}

const fn stands_alone(letter: char) -> bool {
    matches!(letter,
        '\u{3040}'..='\u{30ff}'     // Hiragana, Katakana
        | '\u{3400}'..='\u{4dbf}'   // Han, extension A
        | '\u{4e00}'..='\u{9fff}'   // Han
        | '\u{ac00}'..='\u{d7af}'   // Hangul
        | '\u{f900}'..='\u{faff}'   // Han, compatibility
        | '\u{20000}'..='\u{3ffff}' // Han, further extensions
    )
}

/// The same words for the index.
#[derive(Clone, Default)]
pub(crate) struct LogTokenizer;

pub(crate) struct LogTokens {
    words: std::vec::IntoIter<Word>,
    token: Token,
}

impl Tokenizer for LogTokenizer {
    type TokenStream<'a> = LogTokens;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> LogTokens {
        LogTokens { words: words(text).into_iter(), token: Token::default() }
    }
}

impl TokenStream for LogTokens {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.next() else { return false };
        self.token.offset_from = word.span.start;
        self.token.offset_to = word.span.end;
        self.token.position = word.position;
        self.token.text = word.text;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// A value that is compared as a whole, whatever its case.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// One word: the whole value in lower case.
#[derive(Clone, Default)]
pub(crate) struct WholeTokenizer;

impl Tokenizer for WholeTokenizer {
    type TokenStream<'a> = LogTokens;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> LogTokens {
        let word = Word { text: folded(text), position: 0, span: 0..text.len(), is_whole_of_parts: false };
        LogTokens { words: vec![word].into_iter(), token: Token::default() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<(usize, String)> {
        words(text).into_iter().map(|word| (word.position, word.text)).collect()
    }

    fn at(position: usize, text: &str) -> (usize, String) {
        (position, text.to_owned())
    }

    #[test]
    fn signs_stand_between_words() {
        assert_eq!(cut("a.b_c-d=/e"), [at(0, "a"), at(1, "b"), at(2, "c"), at(3, "d"), at(4, "e")]);
        assert_eq!(cut("  "), []);
    }

    #[test]
    fn a_change_of_case_cuts_words_of_letters_only() {
        assert_eq!(cut("maxPoll x"), [at(0, "maxpoll"), at(0, "max"), at(1, "poll"), at(2, "x")]);
        assert_eq!(cut("HTTPServer"), [at(0, "httpserver"), at(0, "http"), at(1, "server")]);
        assert_eq!(cut("3fA2bC"), [at(0, "3fa2bc")]);
        assert_eq!(cut("Error ERROR"), [at(0, "error"), at(1, "error")]);
    }

    #[test]
    fn scripts_without_blanks_are_cut_into_characters() {
        assert_eq!(cut("检查v2点"), [at(0, "检"), at(1, "查"), at(2, "v2"), at(3, "点")]);
    }

    proptest! {
        #[test]
        fn words_stand_in_order_and_their_spans_are_texts(text in ".{0,100}") {
            let mut last = 0;
            for word in words(&text) {
                prop_assert!(word.position >= last);
                last = word.position;
                prop_assert!(text.get(word.span).is_some());
                prop_assert!(word.text.len() <= LONGEST);
            }
        }
    }
}
