//! `MERGE INTO target USING source ON … WHEN MATCHED … WHEN NOT MATCHED …`.

use super::{Parse, Parser};
use crate::sql::ast::{Merge, MergeAction, MergeClause};

impl Parser<'_> {
    pub(super) fn merge(&mut self) -> Parse<Merge> {
        self.expect_word("MERGE")?;
        self.expect_word("INTO")?;
        let target = self.name("a table name")?;
        let hints = self.hints()?;
        let alias = if self.take_word("AS") { Some(self.ident("an alias name")?) } else { self.take_ident() };
        self.expect_word("USING")?;
        let source = self.merge_source()?;
        self.expect_word("ON")?;
        let on = self.expr()?;
        let mut clauses = Vec::new();
        while self.at_word("WHEN") {
            clauses.push(self.merge_clause()?);
        }
        if clauses.is_empty() {
            return Err(self.expected("WHEN MATCHED or WHEN NOT MATCHED"));
        }
        Ok(Merge { target, hints, alias, source, on, clauses })
    }

    fn merge_clause(&mut self) -> Parse<MergeClause> {
        let start = self.here();
        self.expect_word("WHEN")?;
        let matched = !self.take_word("NOT");
        self.expect_word("MATCHED")?;
        let condition = if self.take_word("AND") { Some(self.expr()?) } else { None };
        self.expect_word("THEN")?;
        let action = if !matched {
            self.expect_word("INSERT")?;
            let columns = self.optional_columns()?;
            self.expect_word("VALUES")?;
            self.expect_sign("(")?;
            let values = self.separated(Parser::expr)?;
            self.expect_sign(")")?;
            MergeAction::Insert { columns, values }
        } else if self.take_word("DELETE") {
            MergeAction::Delete
        } else if self.take_word("UPDATE") {
            self.expect_word("SET")?;
            let set = self.separated(|parser| {
                // `t.v = …`: it can only be the target's.
                let mut column = parser.ident("a column name")?;
                while parser.take_sign(".") {
                    column = parser.ident_after_dot()?;
                }
                parser.expect_sign("=")?;
                Ok((column, parser.expr()?))
            })?;
            MergeAction::Update { set }
        } else {
            return Err(self.expected("UPDATE SET or DELETE"));
        };
        Ok(MergeClause { matched, condition, action, span: self.since(start) })
    }
}
