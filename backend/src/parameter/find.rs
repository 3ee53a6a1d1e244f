//! Where the parameters of a script are, by the same rules for strings, names and comments as the engine's lexer.

use std::ops::Range;

/// One place of a script that is not taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub span: Range<usize>,
    pub what: What,
    pub place: Place,
    /// The option of a table whose value the string is, as far as its neighbours tell.
    pub option: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// `${name}`, or `${name:-default}` with the default as it is written.
    Parameter { name: String, default: Option<String> },
    /// The first of two dollars before a brace: it goes, and the rest is text.
    Escape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among words and signs.
    Code,
    /// Within a string. `backslashes`: of `U&'…'`, where they begin an escape.
    Text { backslashes: bool },
    /// Within a name between backticks.
    Name,
}

/// Whether there is anything to look for; spares the work for most scripts.
pub fn has_parameters(sql: &str) -> bool {
    sql.contains("${")
}

/// A name that can stand between the braces.
pub fn is_name(name: &str) -> bool {
    name.bytes().next().is_some_and(starts_name) && name.bytes().all(is_name_byte)
}

/// In the order of the text.
pub fn find(sql: &str) -> Vec<Found> {
    let mut scanner = Scanner { sql, at: 0, found: Vec::new(), before: Before::Other };
    if has_parameters(sql) {
        scanner.run();
    }
    scanner.found
}

const fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What stands before a string, as far as it makes the string the value of an option.
enum Before {
    Other,
    Key(String),
    KeyAndEquals(String),
}

/// Looks at bytes: whatever matters is ASCII, and no byte of another character equals one that is.
struct Scanner<'a> {
    sql: &'a str,
    at: usize,
    found: Vec<Found>,
    before: Before,
}

impl Scanner<'_> {
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.sql.as_bytes().get(self.at + ahead).copied()
    }

    fn run(&mut self) {
        while let Some(byte) = self.byte(0) {
            let next = self.byte(1);
            match (byte, next) {
                (b'\'', _) => self.text(),
                (b'`', _) => self.name(),
                (b'-', Some(b'-')) | (b'/', Some(b'/')) => self.skip_to("\n"),
                // A hint is looked into like any other code.
                (b'/', Some(b'*')) if self.byte(2) == Some(b'+') => self.pass(3),
                (b'/', Some(b'*')) => self.skip_to("*/"),
                (b'*', Some(b'/')) => self.pass(2),
                (b'$', _) => {
                    self.before = Before::Other;
                    if !self.parameter(Place::Code, None) {
                        self.at += 1;
                    }
                }
                (b'=', _) => {
                    self.before = match std::mem::replace(&mut self.before, Before::Other) {
                        Before::Key(key) => Before::KeyAndEquals(key),
                        _ => Before::Other,
                    };
                    self.at += 1;
                }
                _ if byte.is_ascii_whitespace() => self.at += 1,
                _ => self.pass(1),
            }
        }
    }

    /// Over signs that make nothing an option.
    fn pass(&mut self, bytes: usize) {
        self.before = Before::Other;
        self.at += bytes;
    }

    fn skip_to(&mut self, end: &str) {
        let rest = self.sql.get(self.at..).unwrap_or_default();
        self.at = rest.find(end).map_or(self.sql.len(), |length| self.at + length + end.len());
    }

    /// `U&` stands right before it, and is no end of a longer word.
    fn has_unicode_mark(&self) -> bool {
        let before = self.sql.get(..self.at).unwrap_or_default();
        let word = before.strip_suffix("U&").or_else(|| before.strip_suffix("u&"));
        word.is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$'))
    }

    fn text(&mut self) {
        let place = Place::Text { backslashes: self.has_unicode_mark() };
        let option = match std::mem::replace(&mut self.before, Before::Other) {
            Before::KeyAndEquals(key) => Some(key),
            _ => None,
        };
        let inside = self.quoted(b'\'', place, option.as_deref());
        self.before = Before::Key(inside);
    }

    fn name(&mut self) {
        self.quoted(b'`', Place::Name, None);
        self.before = Before::Other;
    }

    /// Up to the mark that ends it; a doubled mark does not. Gives what stands between.
    fn quoted(&mut self, mark: u8, place: Place, option: Option<&str>) -> String {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.byte(0) {
            if byte == mark && self.byte(1) == Some(mark) {
                self.at += 2;
            } else if byte == mark {
                break;
            } else if byte != b'$' || !self.parameter(place, option) {
                self.at += 1;
            }
        }
        let inside = self.sql.get(start..self.at).unwrap_or_default().to_owned();
        self.at += 1;
        inside
    }

    /// Takes the parameter, or the escaped one, that begins at this dollar; false when there is none.
    fn parameter(&mut self, place: Place, option: Option<&str>) -> bool {
        let rest = self.sql.get(self.at..).unwrap_or_default();
        let escaped = rest.strip_prefix('$').filter(|rest| read(rest, place).is_some());
        if let Some((_, length)) = escaped.and_then(|rest| read(rest, place)) {
            let span = self.at..self.at + 1;
            self.found.push(Found { span, what: What::Escape, place, option: None });
            self.at += 1 + length;
            return true;
        }
        let Some((what, length)) = read(rest, place) else { return false };
        let span = self.at..self.at + length;
        self.found.push(Found { span, what, place, option: option.map(str::to_owned) });
        self.at += length;
        true
    }
}

/// The parameter that the text begins with, and its length.
fn read(text: &str, place: Place) -> Option<(What, usize)> {
    let inside = text.strip_prefix("${")?;
    let name_length = inside.bytes().position(|byte| !is_name_byte(byte))?;
    let (name, after) = inside.split_at_checked(name_length)?;
    if !is_name(name) {
        return None;
    }
    if after.starts_with('}') {
        let what = What::Parameter { name: name.to_owned(), default: None };
        return Some((what, "${}".len() + name.len()));
    }
    let (default, _) = after.strip_prefix(":-")?.split_once('}')?;
    let ends_early = match place {
        Place::Code => false,
        Place::Text { .. } => default.replace("''", "").contains('\''),
        Place::Name => default.replace("``", "").contains('`'),
    };
    if ends_early || default.contains('\n') {
        return None;
    }
    let length = "${:-}".len() + name.len() + default.len();
    Some((What::Parameter { name: name.to_owned(), default: Some(default.to_owned()) }, length))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        let name = |found: Found| match found.what {
            What::Parameter { name, default: None } => name,
            What::Parameter { name, default: Some(default) } => format!("{name}|{default}"),
            What::Escape => "$".to_owned(),
        };
        find(sql).into_iter().map(name).collect()
    }

    #[test]
    fn parameters_are_found_where_they_count() {
        assert_eq!(
            names("SELECT ${a} FROM t_${b} WHERE x = 'é${c}' AND `ü${d}` > ${e:-1}"),
            ["a", "b", "c", "d", "e|1"]
        );
        assert_eq!(names("SELECT '${a:-it''s}', ${b:-'x'}, ${c:-}"), ["a|it''s", "b|'x'", "c|"]);
        assert_eq!(names("-- ${a}\n// ${b}\n/* ${c}\n */ SELECT '--${d}' /*+ OPTIONS('k'='${e}') */"), ["d", "e"]);
    }

    #[test]
    fn what_only_looks_like_one_is_left() {
        assert!(names("SELECT '${1}', '${}', '${a b}', ${a:-x\n}, '${a', '${a:-it's}'").is_empty());
        assert_eq!(names("SELECT '$${a} $$${b} ${c}'"), ["$", "$", "c"], "the second has a dollar of its own");
        assert!(names("").is_empty() && names("${").is_empty());
    }

    #[test]
    fn places_and_options_are_known() {
        let sql = "CREATE TABLE t (x INT) WITH ('a' = '${a}', 'b'='p${b}'); SELECT U&'${c}', 'd' <> '${d}', Xu&'${e}'";
        let seen: Vec<_> = find(sql).into_iter().map(|found| (found.place, found.option)).collect();
        let plain = Place::Text { backslashes: false };
        let expected = [
            (plain, Some("a".to_owned())),
            (plain, Some("b".to_owned())),
            (Place::Text { backslashes: true }, None),
            (plain, None),
            (plain, None),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn spans_are_bytes_of_the_text() {
        let sql = "SELECT 'größe 漢字 ${x}'";
        let found = find(sql);
        assert_eq!(sql.get(found[0].span.clone()).unwrap(), "${x}");
    }
}
