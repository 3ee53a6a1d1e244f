//! SQL taken apart for colouring: keywords, texts, numbers, comments. It never fails; the engine is what parses.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Keyword,
    Text,
    Number,
    Comment,
    Plain,
}

const KEYWORDS: [&str; 52] = [
    "AS",
    "BIGINT",
    "BOOLEAN",
    "BY",
    "BYTES",
    "CHAR",
    "COMMENT",
    "CONSTRAINT",
    "CREATE",
    "DATE",
    "DAY",
    "DECIMAL",
    "DOUBLE",
    "ENFORCED",
    "EXISTS",
    "FLOAT",
    "FOR",
    "FROM",
    "GROUP",
    "HOUR",
    "IF",
    "INSERT",
    "INT",
    "INTEGER",
    "INTERVAL",
    "INTO",
    "KEY",
    "MAP",
    "METADATA",
    "MINUTE",
    "NOT",
    "NULL",
    "PARTITIONED",
    "PRIMARY",
    "ROW",
    "SECOND",
    "SELECT",
    "SMALLINT",
    "STRING",
    "TABLE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "TINYINT",
    "VARBINARY",
    "VARCHAR",
    "VIEW",
    "VIRTUAL",
    "WATERMARK",
    "WHERE",
    "WITH",
    "ARRAY",
];

/// The parts of a text in order; put together they are the text.
pub fn words(text: &str) -> Vec<(Word, &str)> {
    let mut out: Vec<(Word, &str)> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = next(rest, first);
        let (part, after) = rest.split_at(length.max(first.len_utf8()).min(rest.len()));
        out.push((kind, part));
        rest = after;
    }
    out
}

fn next(rest: &str, first: char) -> (Word, usize) {
    if rest.starts_with("--") {
        return (Word::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Word::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    match first {
        '\'' => (Word::Text, quoted(rest, '\'')),
        '`' => (Word::Plain, quoted(rest, '`')),
        '0'..='9' => (Word::Number, run(rest, |letter| letter.is_ascii_digit() || letter == '.')),
        letter if letter.is_alphabetic() || letter == '_' => {
            let length = run(rest, |letter| letter.is_alphanumeric() || letter == '_');
            let word = rest.get(..length).unwrap_or_default();
            let known = KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word));
            (if known { Word::Keyword } else { Word::Plain }, length)
        }
        _ => {
            let stop = |letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '\'' | '`' | '-' | '/'));
            (Word::Plain, run(rest, stop).max(first.len_utf8()))
        }
    }
}

fn run(rest: &str, keep: impl Fn(char) -> bool) -> usize {
    rest.find(|letter| !keep(letter)).unwrap_or(rest.len())
}

/// A doubled quote is a quote inside the text.
fn quoted(rest: &str, quote: char) -> usize {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            if letters.peek().is_some_and(|(_, next)| *next == quote) {
                letters.next();
            } else {
                return at + quote.len_utf8();
            }
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_put_together_are_the_text() {
        for text in ["", "CREATE TABLE `a b` (x INT) -- é\n WITH ('k' = 'it''s')", "'open", "/* open", "1.5-2/3 ü`"] {
            let joined: String = words(text).into_iter().map(|(_, part)| part).collect();
            assert_eq!(joined, text);
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        let found = words("create x 'it''s' 10 -- end");
        let of = |kind| found.iter().filter(|(known, _)| *known == kind).map(|(_, part)| *part).collect::<Vec<_>>();
        assert_eq!(of(Word::Keyword), ["create"]);
        assert_eq!(of(Word::Text), ["'it''s'"]);
        assert_eq!(of(Word::Number), ["10"]);
        assert_eq!(of(Word::Comment), ["-- end"]);
    }
}
