//! The formatter: clauses on lines of their own, reserved words in upper case, comments kept.
//!
//! It never changes what a script means: the result is read again, and where its tokens or comments are not those of
//! the original, the original comes back.

use super::parser::{self, is_reserved};
use super::token::{Token, TokenKind, tokenize};
use super::{Problem, stack, too_long};

/// A list is broken into lines when it would be longer.
const WIDTH: usize = 90;

/// The script in the house style, or why it cannot be read.
pub fn format_sql(sql: &str) -> Result<String, Problem> {
    if let Some(problem) = too_long(sql) {
        return Err(problem);
    }
    let first = stack::deep(|| parser::parse(sql).problems.into_iter().next()).flatten();
    if let Some(problem) = first {
        return Err(problem);
    }
    let formatted = Printer::new(sql).print();
    Ok(if same_meaning(sql, &formatted) { formatted } else { sql.to_owned() })
}

/// Whether two texts have the same tokens, but for the case of reserved words, and the same comments.
fn same_meaning(before: &str, after: &str) -> bool {
    let (old, new) = (tokenize(before), tokenize(after));
    let comment = |text: &str, token: &Token| {
        text.get(token.span.start..token.span.end).unwrap_or_default().trim_end().to_owned()
    };
    old.len() == new.len()
        && old.iter().zip(&new).enumerate().all(|(at, (left, right))| match (&left.kind, &right.kind) {
            (TokenKind::Word(a), TokenKind::Word(b)) => a == b || (is_keyword(&old, at) && a.eq_ignore_ascii_case(b)),
            (TokenKind::Comment, TokenKind::Comment) => comment(before, left) == comment(after, right),
            (a, b) => a == b,
        })
}

/// A reserved word, or one that its neighbour makes a keyword: the KEY of PRIMARY KEY.
fn is_keyword(tokens: &[Token], at: usize) -> bool {
    const BEHIND: &[(&str, &str)] = &[
        ("PRIMARY", "KEY"),
        ("NOT", "ENFORCED"),
        ("CREATE", "TEMPORARY"),
        ("CREATE", "VIEW"),
        ("TEMPORARY", "VIEW"),
        ("REPLACE", "TEMPORARY"),
        ("REPLACE", "VIEW"),
        ("INSERT", "OVERWRITE"),
        ("TEMPORARY", "FUNCTION"),
        ("EXECUTE", "STATEMENT"),
        ("BEGIN", "STATEMENT"),
        ("NULLS", "FIRST"),
        ("NULLS", "LAST"),
        ("FOR", "SYSTEM_TIME"),
        ("IGNORE", "NULLS"),
        ("RESPECT", "NULLS"),
        ("GROUPING", "SETS"),
    ];
    const AHEAD: &[(&str, &str)] = &[
        ("IGNORE", "NULLS"),
        ("RESPECT", "NULLS"),
        ("ABSENT", "ON"),
        ("WATERMARK", "FOR"),
        ("NULLS", "FIRST"),
        ("NULLS", "LAST"),
        ("EXECUTE", "STATEMENT"),
        ("IF", "NOT"),
        ("REPLACE", "TABLE"),
        ("REPLACE", "TEMPORARY"),
        ("REPLACE", "VIEW"),
    ];
    let word = |at: Option<usize>| match at.and_then(|at| tokens.get(at)).map(|token| &token.kind) {
        Some(TokenKind::Word(word)) => word.to_ascii_uppercase(),
        _ => String::new(),
    };
    let (before, own, after) = (word(at.checked_sub(1)), word(Some(at)), word(Some(at + 1)));
    let after_dot =
        at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|token| token.kind == TokenKind::Sign("."));
    if after_dot {
        return false;
    }
    let of_system_time = own == "OF" && before == "AS" && word(at.checked_sub(2)).eq_ignore_ascii_case("SYSTEM_TIME");
    is_reserved(&own)
        || of_system_time
        || (matches!(own.as_str(), "RETURNS" | "RETURN") && is_of_macro(tokens, at, &own))
        || BEHIND.contains(&(before.as_str(), own.as_str()))
        || AHEAD.contains(&(own.as_str(), after.as_str()))
}

/// Whether `word` is the one of `CREATE TEMPORARY FUNCTION f(…) RETURNS … RETURN …`: in the expression it may be a name.
fn is_of_macro(tokens: &[Token], at: usize, word: &str) -> bool {
    let said =
        |token: &Token, word: &str| matches!(&token.kind, TokenKind::Word(found) if found.eq_ignore_ascii_case(word));
    let before = tokens.get(..at).unwrap_or_default();
    let start = before.iter().rposition(|token| token.kind == TokenKind::Sign(";")).map_or(0, |end| end + 1);
    let mut statement = before.iter().skip(start).filter(|token| token.kind != TokenKind::Comment);
    let creates = ["CREATE", "TEMPORARY", "FUNCTION"];
    if !creates.iter().all(|word| statement.next().is_some_and(|token| said(token, word))) {
        return false;
    }
    let (mut open, mut parameters) = (0_usize, false);
    for token in statement {
        match token.kind {
            TokenKind::Sign("(") => open += 1,
            TokenKind::Sign(")") => open = open.saturating_sub(1),
            _ if open == 0 && parameters && (said(token, word) || said(token, "RETURN")) => return false,
            _ => {}
        }
        parameters |= open > 0;
    }
    open == 0 && parameters
}

/// What an open parenthesis holds.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    /// A statement or sub-query: clauses break lines.
    Query {
        between: bool,
        broken: bool,
    },
    /// Columns or options of a table: one per line.
    List,
    Inline,
}

struct Printer<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    out: String,
    levels: Vec<Level>,
    /// The first token of the statement that is no comment.
    start: usize,
    /// Open CASE expressions: their conditions stay on one line.
    cases: usize,
    /// Open angle brackets of `MAP<…>` or `ROW<…>`.
    angles: usize,
}

impl<'a> Printer<'a> {
    fn new(text: &'a str) -> Self {
        Printer {
            text,
            tokens: tokenize(text),
            out: String::new(),
            levels: vec![Level::Query { between: false, broken: false }],
            start: 0,
            cases: 0,
            angles: 0,
        }
    }

    fn print(mut self) -> String {
        for at in 0..self.tokens.len() {
            self.track(at);
            self.token(at);
        }
        let mut out = self.out.trim().to_owned();
        if !out.is_empty() {
            out.push('\n');
        }
        out
    }

    /// Keeps what a token opens and closes, for the rules that look back.
    fn track(&mut self, at: usize) {
        match self.keyword(at).as_str() {
            "CASE" => self.cases += 1,
            "END" => self.cases = self.cases.saturating_sub(1),
            _ => {}
        }
        let before = at.checked_sub(1);
        let begins =
            before.is_none_or(|before| self.is_sign(before, ";") || (before == self.start && self.is_comment(before)));
        if begins {
            (self.start, self.cases, self.angles) = (at, 0, 0);
        }
        let head = before.map(|before| self.keyword(before)).unwrap_or_default();
        if self.is_sign(at, "<") && ["MAP", "ROW", "ARRAY", "MULTISET"].contains(&head.as_str()) {
            self.angles += 1;
        } else if self.is_sign(at, ">") {
            self.angles = self.angles.saturating_sub(1);
        }
    }

    fn source(&self, at: usize) -> &'a str {
        self.tokens.get(at).and_then(|token| self.text.get(token.span.start..token.span.end)).unwrap_or_default()
    }

    /// Upper case of a reserved word that stands as such; empty for everything else.
    fn keyword(&self, at: usize) -> String {
        let after_dot = at.checked_sub(1).is_some_and(|before| self.is_sign(before, "."));
        match self.tokens.get(at).map(|token| &token.kind) {
            Some(TokenKind::Word(word)) if !after_dot => word.to_ascii_uppercase(),
            _ => String::new(),
        }
    }

    fn is_sign(&self, at: usize, sign: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| matches!(token.kind, TokenKind::Sign(found) if found == sign))
    }

    fn is_comment(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Comment)
    }

    /// The next token that is no comment.
    fn next(&self, at: usize) -> usize {
        (at + 1..self.tokens.len()).find(|next| !self.is_comment(*next)).unwrap_or(self.tokens.len())
    }

    fn previous(&self, at: usize) -> Option<usize> {
        (0..at).rev().find(|before| !self.is_comment(*before))
    }

    fn indent(&self) -> usize {
        2 * self.levels.iter().skip(1).filter(|level| **level != Level::Inline).count()
    }

    fn line(&mut self, extra: usize) {
        self.out.truncate(self.out.trim_end().len());
        if !self.out.is_empty() {
            self.out.push('\n');
            self.out.push_str(&" ".repeat(self.indent() + extra));
        }
    }

    fn at_line_start(&self) -> bool {
        self.out.chars().rev().find(|c| *c != ' ').is_none_or(|last| last == '\n')
    }

    fn token(&mut self, at: usize) {
        if self.is_comment(at) {
            return self.comment(at);
        }
        if at.checked_sub(1).is_some_and(|before| self.is_comment(before) && !self.source(before).ends_with("*/")) {
            self.line(0);
        }
        if self.is_sign(at, ")") {
            return self.close(at);
        }
        let word = self.keyword(at);
        self.break_before(at, &word);
        if !self.at_line_start() && self.space_before(at) {
            self.out.push(' ');
        }
        let source = self.source(at);
        if is_keyword(&self.tokens, at) {
            self.out.push_str(&word)
        } else {
            self.out.push_str(source)
        }
        self.after(at, &word);
    }

    fn comment(&mut self, at: usize) {
        let source = self.source(at).trim_end();
        let start = self.tokens.get(at).map_or(0, |token| token.span.start);
        let before = self.text.get(..start).unwrap_or_default();
        let own_line = before.chars().rev().find(|c| !matches!(c, ' ' | '\t' | '\r')).is_none_or(|last| last == '\n');
        if own_line && !self.at_line_start() {
            self.line(0);
        } else if !self.at_line_start() && !self.out.ends_with('(') {
            self.out.push(' ');
        }
        self.out.push_str(source);
        if own_line && source.ends_with("*/") {
            self.line(0);
        }
    }

    fn close(&mut self, at: usize) {
        let level = if self.levels.len() > 1 { self.levels.pop() } else { None };
        if matches!(level, Some(Level::Query { .. } | Level::List)) {
            self.line(0);
        }
        self.out.push_str(self.source(at));
    }

    /// Line breaks in front of clauses.
    fn break_before(&mut self, at: usize, word: &str) {
        let Some(Level::Query { between, broken }) = self.levels.last().copied() else { return };
        let called = self.is_sign(self.next(at), "(");
        let clause = match word {
            "SELECT" | "FROM" | "WHERE" | "HAVING" | "LIMIT" | "OFFSET" | "FETCH" | "UNION" | "INTERSECT"
            | "EXCEPT" | "WINDOW" => true,
            // The actions of MERGE; those of CASE stay on its line.
            "WHEN" => self.cases == 0,
            "USING" => self.keyword(self.start) == "MERGE",
            "GROUP" | "ORDER" => self.keyword(self.next(at)) == "BY",
            "LEFT" | "RIGHT" | "FULL" | "INNER" | "CROSS" | "NATURAL" => !called,
            "JOIN" => !self.previous(at).is_some_and(|before| {
                ["LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "OUTER"].contains(&self.keyword(before).as_str())
            }),
            _ => false,
        };
        let distinct_from =
            word == "FROM" && self.previous(at).is_some_and(|before| self.keyword(before) == "DISTINCT");
        if matches!(word, "RETURNS" | "RETURN") && is_keyword(&self.tokens, at) {
            self.line(2);
        } else if clause && !distinct_from {
            self.set(Level::Query { between: false, broken: false });
            if !self.at_line_start() {
                self.line(0);
            }
        } else if word == "AND" && between {
            self.set(Level::Query { between: false, broken });
        } else if matches!(word, "AND" | "OR") && !self.at_line_start() && self.cases == 0 {
            self.line(2);
        }
    }

    fn set(&mut self, level: Level) {
        if let Some(last) = self.levels.last_mut() {
            *last = level;
        }
    }

    fn after(&mut self, at: usize, word: &str) {
        let level = self.levels.last().copied();
        match (self.tokens.get(at).map(|token| &token.kind), level) {
            (Some(TokenKind::Sign("(")), _) => self.open(at),
            (Some(TokenKind::Sign(",")), Some(Level::List)) if !self.comment_follows(at) && self.angles == 0 => {
                self.line(0)
            }
            (Some(TokenKind::Sign(",")), Some(Level::Query { broken: true, .. })) if !self.comment_follows(at) => {
                self.line(2)
            }
            (Some(TokenKind::Sign(";")), _) => {
                self.levels.truncate(1);
                self.set(Level::Query { between: false, broken: false });
                if !self.comment_follows(at) {
                    self.out.push_str("\n\n");
                }
            }
            (_, Some(Level::Query { broken, .. })) if word == "BETWEEN" => {
                self.set(Level::Query { between: true, broken })
            }
            (_, Some(Level::Query { between, .. })) if word == "SELECT" && self.select_list_is_long(at) => {
                self.set(Level::Query { between, broken: true });
                if !["DISTINCT", "ALL"].contains(&self.keyword(self.next(at)).as_str()) {
                    self.line(2);
                }
            }
            _ => {}
        }
    }

    /// A comment on the same line stays there.
    fn comment_follows(&self, at: usize) -> bool {
        let (Some(here), Some(next)) = (self.tokens.get(at), self.tokens.get(at + 1)) else { return false };
        next.kind == TokenKind::Comment
            && !self.text.get(here.span.end..next.span.start).unwrap_or_default().contains('\n')
    }

    fn open(&mut self, at: usize) {
        let next = self.keyword(self.next(at));
        let head = self.previous(at).map(|before| self.keyword(before)).unwrap_or_default();
        let starts = self.start;
        let creates = self.keyword(starts) == "CREATE";
        let of_table = creates && (1..=3).any(|ahead| self.keyword(starts + ahead) == "TABLE");
        let top = self.levels.len() == 1;
        let level = if next == "SELECT" || next == "WITH" {
            Level::Query { between: false, broken: false }
        } else if of_table && top && (head == "WITH" || !(starts..at).any(|before| self.is_sign(before, "("))) {
            Level::List
        } else {
            Level::Inline
        };
        self.levels.push(level);
        if level != Level::Inline && !self.is_sign(self.next(at), ")") {
            self.line(0);
        }
    }

    fn select_list_is_long(&self, select: usize) -> bool {
        let mut depth = 0_usize;
        let mut width = self.indent() + "SELECT".len();
        for at in select + 1..self.tokens.len() {
            if self.is_sign(at, "(") {
                depth += 1;
            } else if self.is_sign(at, ")") || self.is_sign(at, ";") {
                if depth == 0 {
                    break;
                }
                depth -= usize::from(self.is_sign(at, ")"));
            } else if depth == 0 && ["FROM", "UNION", "WHERE"].contains(&self.keyword(at).as_str()) {
                break;
            }
            width += self.source(at).len() + 1;
            if width > WIDTH || (self.is_comment(at) && depth == 0) {
                return true;
            }
        }
        false
    }

    fn space_before(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return false };
        let (Some(left), Some(right)) = (self.tokens.get(before), self.tokens.get(at)) else { return false };
        let gap = left.span.end < right.span.start;
        match (&left.kind, &right.kind) {
            (TokenKind::Comment, _) => true,
            (_, TokenKind::Sign("," | ";" | ")" | "]" | ".")) | (TokenKind::Sign("(" | "[" | "."), _) => false,
            (_, TokenKind::Sign("(" | "[" | "<" | ">")) | (TokenKind::Sign("<" | ">"), _) => gap,
            (TokenKind::Sign("-" | "+"), _) => !self.is_unary(before),
            _ => true,
        }
    }

    fn is_unary(&self, at: usize) -> bool {
        match self.previous(at).and_then(|before| self.tokens.get(before)).map(|token| &token.kind) {
            None => true,
            Some(TokenKind::Sign(sign)) => !matches!(*sign, ")" | "]"),
            Some(TokenKind::Word(word)) => {
                is_reserved(word) && !word.eq_ignore_ascii_case("NULL") && !word.eq_ignore_ascii_case("END")
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::{format_sql, same_meaning};

    #[test]
    fn clauses_break_lines_and_comments_stay() {
        let sql = "-- head\nselect a, extract(day from ts) as d, -1 from t as x -- tail\nwhere a between 1 and 2 and b is distinct from c; insert into s select * from (select id from t where id<3)";
        let expected = "-- head\nSELECT a, extract(day FROM ts) AS d, -1\nFROM t AS x -- tail\nWHERE a BETWEEN 1 AND 2\n  AND b IS DISTINCT FROM c;\n\nINSERT INTO s\nSELECT *\nFROM (\n  SELECT id\n  FROM t\n  WHERE id<3\n)\n";
        let formatted = format_sql(sql).unwrap();
        assert_eq!(formatted, expected);
        assert_eq!(format_sql(&formatted).unwrap(), formatted);
    }

    #[test]
    fn tables_have_a_column_per_line() {
        let sql = "create table t (id bigint, m MAP<STRING, INT>, primary key (id) not enforced) with ('connector'='blackhole','a'='b')";
        let expected = "CREATE TABLE t (\n  id bigint,\n  m MAP<STRING, INT>,\n  PRIMARY KEY (id) NOT ENFORCED\n) WITH (\n  'connector' = 'blackhole',\n  'a' = 'b'\n)\n";
        assert_eq!(format_sql(sql).unwrap(), expected);
    }

    #[test]
    fn words_of_aggregates_are_in_upper_case_where_they_are_words() {
        let sql = "select array_agg(a) ignore nulls, json_arrayagg(a absent on null), sets from t group by grouping sets ((a), ())";
        let expected = "SELECT array_agg(a) IGNORE NULLS, json_arrayagg(a ABSENT ON NULL), sets\nFROM t\nGROUP BY GROUPING SETS ((a), ())\n";
        assert_eq!(format_sql(sql).unwrap(), expected);
    }

    #[test]
    fn the_time_of_a_temporal_join_is_a_clause() {
        let sql = "select * from o join r for system_time as of o.ts as v on o.k=v.k";
        let expected = "SELECT *\nFROM o\nJOIN r FOR SYSTEM_TIME AS OF o.ts AS v ON o.k = v.k\n";
        assert_eq!(format_sql(sql).unwrap(), expected);
        assert!(!same_meaning("select a as of", "SELECT a AS OF"));
    }

    #[test]
    fn the_actions_of_merge_have_a_line_each() {
        let sql = "merge into t using s on t.id = s.id when matched and case when s.gone then true end then delete when not matched then insert values (s.id)";
        let formatted = format_sql(sql).unwrap();
        let starts: Vec<&str> = formatted.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(starts, ["MERGE", "USING", "WHEN", "AND", "WHEN"], "{formatted}");
        assert_eq!(format_sql(&formatted).unwrap(), formatted);
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_names_keep_their_case() {
        assert!(format_sql("select from").is_err());
        assert!(same_meaning("select A", "SELECT A"));
        assert!(!same_meaning("select A", "SELECT a"));
        assert_eq!(format_sql("select t.order, Key from t").unwrap(), "SELECT t.order, Key\nFROM t\n");
        assert_eq!(format_sql("select t.`order`, view from t").unwrap(), "SELECT t.`order`, view\nFROM t\n");
    }
}
