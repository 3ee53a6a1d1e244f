//! JSON functions: their clauses become arguments, so that the registry sees ordinary calls.

use super::expr::node;
use super::{Parse, Parser};
use crate::sql::Span;
use crate::sql::ast::{Argument, DataType, Expr, ExprKind, Literal};
use crate::types::{LogicalType, Type};

/// What is to happen where there is no value, and where something is wrong, each with its default.
struct Behaviours {
    empty: Expr,
    for_empty: Expr,
    error: Expr,
    for_error: Expr,
}

impl Parser<'_> {
    /// One of JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT and JSON_ARRAY; the name stands here, before `(`.
    pub(super) fn json_call(&mut self, upper: &str, start: Span) -> Parse<Expr> {
        let name = self.special_name()?;
        self.expect_sign("(")?;
        let args = match upper {
            "JSON_OBJECT" => self.json_object()?,
            "JSON_ARRAY" => self.json_array()?,
            _ => {
                let json = self.expr()?;
                self.expect_sign(",")?;
                let path = self.expr()?;
                let clauses = match upper {
                    "JSON_EXISTS" => vec![self.json_on_error()?],
                    "JSON_VALUE" => self.json_value()?,
                    _ => self.json_query()?,
                };
                [json, path].into_iter().chain(clauses).collect()
            }
        };
        self.expect_sign(")")?;
        let args = args.into_iter().map(|value| Argument { name: None, value }).collect();
        self.finish_call(name, args, start)
    }

    /// A word in the place of a clause.
    fn json_word(&self, word: &str) -> Parse<Expr> {
        node(ExprKind::Literal(Literal::Symbol(word.to_owned())), self.here(), 0)
    }

    fn json_null(&self) -> Parse<Expr> {
        node(ExprKind::Literal(Literal::Null), self.here(), 0)
    }

    /// `[{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR]`
    fn json_on_error(&mut self) -> Parse<Expr> {
        for word in ["TRUE", "FALSE", "UNKNOWN", "ERROR"] {
            if self.take_words(&[word, "ON", "ERROR"]) {
                return self.json_word(word);
            }
        }
        self.json_word("FALSE")
    }

    /// `[RETURNING type]` as NULL of that type.
    fn json_returning(&mut self) -> Parse<Expr> {
        let ty = if self.take_word("RETURNING") {
            self.data_type()?
        } else {
            DataType { ty: Type::nullable(LogicalType::String) }
        };
        let input = Box::new(self.json_null()?);
        node(ExprKind::Cast { input, ty, try_: false }, self.here(), 1)
    }

    fn json_value(&mut self) -> Parse<Vec<Expr>> {
        let returning = self.json_returning()?;
        let behaviours = self.json_behaviours(&[("NULL", &["NULL"]), ("ERROR", &["ERROR"])], true)?;
        Ok(vec![behaviours.empty, behaviours.for_empty, behaviours.error, behaviours.for_error, returning])
    }

    fn json_query(&mut self) -> Parse<Vec<Expr>> {
        const WORDS: &[(&str, &[&str])] = &[
            ("NULL", &["NULL"]),
            ("ERROR", &["ERROR"]),
            ("ARRAY", &["EMPTY", "ARRAY"]),
            ("OBJECT", &["EMPTY", "OBJECT"]),
            ("ARRAY", &["EMPTY"]),
        ];
        let returning = self.json_returning()?;
        let wrapper = self.json_wrapper()?;
        let behaviours = self.json_behaviours(WORDS, false)?;
        Ok(vec![wrapper, behaviours.empty, behaviours.error, returning])
    }

    /// `[{WITHOUT | WITH [CONDITIONAL | UNCONDITIONAL]} [ARRAY] WRAPPER]`
    fn json_wrapper(&mut self) -> Parse<Expr> {
        let wrapper = if self.take_word("WITHOUT") {
            "WITHOUT"
        } else if self.take_word("WITH") {
            if self.take_word("CONDITIONAL") {
                "CONDITIONAL"
            } else {
                self.take_word("UNCONDITIONAL");
                "UNCONDITIONAL"
            }
        } else {
            return self.json_word("WITHOUT");
        };
        self.take_word("ARRAY");
        self.expect_word("WRAPPER")?;
        self.json_word(wrapper)
    }

    /// `[… ON EMPTY] [… ON ERROR]`
    fn json_behaviours(&mut self, words: &[(&str, &[&str])], defaults: bool) -> Parse<Behaviours> {
        let mut found = Behaviours {
            empty: self.json_word("NULL")?,
            for_empty: self.json_null()?,
            error: self.json_word("NULL")?,
            for_error: self.json_null()?,
        };
        for _ in 0..2 {
            let (word, default) = if defaults && self.take_word("DEFAULT") {
                ("DEFAULT", self.expr()?)
            } else {
                let taken = words.iter().find(|(_, words)| {
                    // `ERROR` may only be taken where `ON` follows.
                    words.iter().chain(&["ON"]).enumerate().all(|(at, word)| self.word_ahead(at, word))
                });
                let Some((word, words)) = taken else { break };
                self.at += words.len();
                (*word, self.json_null()?)
            };
            let word = self.json_word(word)?;
            self.expect_word("ON")?;
            if self.take_word("EMPTY") {
                (found.empty, found.for_empty) = (word, default);
            } else {
                self.expect_word("ERROR")?;
                (found.error, found.for_error) = (word, default);
            }
        }
        Ok(found)
    }

    /// `[{NULL | ABSENT} ON NULL]`
    fn json_on_null(&mut self, default: &'static str) -> &'static str {
        if self.take_words(&["NULL", "ON", "NULL"]) {
            "NULL"
        } else if self.take_words(&["ABSENT", "ON", "NULL"]) {
            "ABSENT"
        } else {
            default
        }
    }

    fn json_object(&mut self) -> Parse<Vec<Expr>> {
        let mut pairs = Vec::new();
        let mut raw = String::new();
        while !self.at_sign(")") && !self.at_words(&["NULL", "ON"]) && !self.at_words(&["ABSENT", "ON"]) {
            if self.at_word("KEY") && !self.word_ahead(1, "VALUE") {
                self.at += 1;
            }
            pairs.push(self.expr()?);
            self.expect_word("VALUE")?;
            let value = self.expr()?;
            raw.push(raw_digit(&value));
            pairs.push(value);
            if !self.take_sign(",") {
                break;
            }
        }
        let on_null = self.json_on_null("NULL");
        let clause = self.json_word(&format!("{on_null} {raw}"))?;
        Ok(std::iter::once(clause).chain(pairs).collect())
    }

    fn json_array(&mut self) -> Parse<Vec<Expr>> {
        let mut values = Vec::new();
        let mut raw = String::new();
        while !self.at_sign(")") && !self.at_words(&["NULL", "ON"]) && !self.at_words(&["ABSENT", "ON"]) {
            let value = self.expr()?;
            raw.push(raw_digit(&value));
            values.push(value);
            if !self.take_sign(",") {
                break;
            }
        }
        let on_null = self.json_on_null("ABSENT");
        let clause = self.json_word(&format!("{on_null} {raw}"))?;
        Ok(std::iter::once(clause).chain(values).collect())
    }
}

/// `1` for a call that gives JSON, which goes into other JSON as it is.
fn raw_digit(value: &Expr) -> char {
    const JSON: [&str; 5] = ["JSON_OBJECT", "JSON_ARRAY", "JSON_OBJECTAGG", "JSON_ARRAYAGG", "JSON"];
    let is_json = match &value.kind {
        ExprKind::Call(call) => JSON.iter().any(|name| call.name.text().eq_ignore_ascii_case(name)),
        _ => false,
    };
    if is_json { '1' } else { '0' }
}
