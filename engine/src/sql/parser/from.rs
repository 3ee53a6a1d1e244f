//! The FROM clause: tables, sub-queries, window functions, joins.

use super::query::from_height;
use super::{MAX_HEIGHT, Parse, Parser, too_deep};
use crate::sql::Span;
use crate::sql::ast::{Alias, Call, ExprKind, From, FromKind, JoinCondition, JoinKind, Query, SystemTime};

impl Parser<'_> {
    pub(super) fn tables(&mut self) -> Parse<From> {
        let start = self.here();
        let mut left = self.joined()?;
        while self.take_sign(",") {
            let right = self.joined()?;
            left = self.join(left, right, JoinKind::Cross, JoinCondition::None, start)?;
        }
        Ok(left)
    }

    fn joined(&mut self) -> Parse<From> {
        let start = self.here();
        let mut left = self.table()?;
        loop {
            let natural = self.take_word("NATURAL");
            let kind = if self.take_word("CROSS") {
                JoinKind::Cross
            } else if self.take_word("LEFT") {
                JoinKind::Left
            } else if self.take_word("RIGHT") {
                JoinKind::Right
            } else if self.take_word("FULL") {
                JoinKind::Full
            } else if self.take_word("INNER") || self.at_word("JOIN") {
                JoinKind::Inner
            } else if natural {
                return Err(self.expected("JOIN"));
            } else {
                return Ok(left);
            };
            self.take_word("OUTER");
            self.expect_word("JOIN")?;
            let right = self.table()?;
            let condition = if natural {
                JoinCondition::Natural
            } else if kind == JoinKind::Cross {
                JoinCondition::None
            } else if self.take_word("ON") {
                JoinCondition::On(self.expr()?)
            } else if self.take_word("USING") {
                JoinCondition::Using(self.columns()?)
            } else {
                JoinCondition::None
            };
            left = self.join(left, right, kind, condition, start)?;
        }
    }

    fn join(&mut self, left: From, right: From, kind: JoinKind, condition: JoinCondition, start: Span) -> Parse<From> {
        let span = self.since(start);
        let from = From {
            kind: FromKind::Join { left: Box::new(left), right: Box::new(right), kind, condition },
            alias: None,
            span,
        };
        if from_height(&from) + self.depth >= MAX_HEIGHT { Err(too_deep(span)) } else { Ok(from) }
    }

    /// The source of a MERGE: one table or query.
    pub(super) fn merge_source(&mut self) -> Parse<From> {
        self.table()
    }

    fn table(&mut self) -> Parse<From> {
        self.nested(Parser::table_inner)
    }

    fn table_inner(&mut self) -> Parse<From> {
        let start = self.here();
        let lateral = self.take_word("LATERAL");
        let kind = if self.at_words(&["TABLE"]) && self.sign_ahead(1, "(") {
            self.at += 2;
            let (call, call_span) = self.table_function()?;
            self.expect_sign(")")?;
            FromKind::Function { call: Box::new(call), call_span, lateral }
        } else if self.take_word("UNNEST") {
            self.expect_sign("(")?;
            let input = self.expr()?;
            self.expect_sign(")")?;
            let call_span = self.since(start);
            let ordinality = self.take_words(&["WITH", "ORDINALITY"]);
            FromKind::Unnest { input, call_span, ordinality }
        } else if self.take_sign("(") {
            self.parenthesised()?
        } else if self.take_word("VALUES") {
            return Err(self.expected("VALUES in parentheses"));
        } else {
            let name = self.name("a table name")?;
            if self.at_sign("(") {
                let expr = self.call(name)?;
                let ExprKind::Call(call) = expr.kind else { return Err(self.expected("a table function")) };
                FromKind::Function { call, call_span: expr.span, lateral }
            } else {
                let hints = self.hints()?;
                let system_time = self.system_time()?;
                FromKind::Table { name, hints, system_time }
            }
        };
        let kind = self.table_suffix(kind)?;
        let alias = self.alias()?;
        Ok(From { kind, alias, span: self.since(start) })
    }

    fn system_time(&mut self) -> Parse<Option<Box<SystemTime>>> {
        let start = self.here();
        if !self.take_words(&["FOR", "SYSTEM_TIME", "AS", "OF"]) {
            return Ok(None);
        }
        let time = self.expr()?;
        Ok(Some(Box::new(SystemTime { time, span: self.since(start) })))
    }

    /// Clauses between a table and its alias that are refused by name.
    fn table_suffix(&mut self, kind: FromKind) -> Parse<FromKind> {
        for what in ["TABLESAMPLE", "MATCH_RECOGNIZE", "PIVOT", "UNPIVOT"] {
            if self.at_word(what) && (what == "TABLESAMPLE" || self.sign_ahead(1, "(")) {
                self.at += 1;
                while self.peek().is_some() && !self.at_sign("(") {
                    self.at += 1;
                }
                self.skip_parentheses()?;
                return Ok(FromKind::Unsupported(what));
            }
        }
        Ok(kind)
    }

    fn parenthesised(&mut self) -> Parse<FromKind> {
        // `((SELECT …) UNION …)` and `(a JOIN b)`: a query begins with SELECT, WITH, VALUES, TABLE or a parenthesis
        // that holds one.
        let opened = (0..).take_while(|ahead| self.sign_ahead(*ahead, "(")).count();
        let query = ["SELECT", "WITH", "VALUES"].iter().any(|word| self.word_ahead(opened, word))
            || (self.word_ahead(opened, "TABLE") && !self.sign_ahead(opened + 1, "("));
        if query {
            let query = self.query()?;
            self.expect_sign(")")?;
            return Ok(FromKind::Query(Box::new(query)));
        }
        let inner = self.tables()?;
        self.expect_sign(")")?;
        if inner.alias.is_some() {
            // `(t AS x)`: the parentheses change nothing, but an alias outside would come on top.
            return Err(self.expected("a table without alias inside the parentheses"));
        }
        Ok(inner.kind)
    }

    fn table_function(&mut self) -> Parse<(Call, Span)> {
        let name = self.name("a table function, for example TUMBLE")?;
        if !self.at_sign("(") {
            return Err(self.expected("'('"));
        }
        let expr = self.call(name)?;
        match expr.kind {
            ExprKind::Call(call) => Ok((*call, expr.span)),
            _ => Err(self.expected("a table function")),
        }
    }

    /// `TABLE t` inside a window function.
    pub(super) fn plain_table(&mut self) -> Parse<From> {
        let start = self.here();
        let name = self.name("a table name")?;
        let hints = self.hints()?;
        Ok(From { kind: FromKind::Table { name, hints, system_time: None }, alias: None, span: self.since(start) })
    }

    fn alias(&mut self) -> Parse<Option<Alias>> {
        let name =
            if self.take_word("AS") { Some(self.ident("an alias name")?) } else { self.take_ident_unless_clause() };
        let Some(name) = name else { return Ok(None) };
        let columns = self.optional_columns()?;
        Ok(Some(Alias { name, columns }))
    }
}

pub(super) fn query_from(query: Query, span: Span) -> From {
    From { kind: FromKind::Query(Box::new(query)), alias: None, span }
}
