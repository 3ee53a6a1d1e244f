//! Statements other than CREATE TABLE.

use super::{Parse, Parser};
use crate::sql::Problem;
use crate::sql::ast::{CreateView, Insert, Statement, StatementKind};
use crate::sql::token::TokenKind;

impl Parser<'_> {
    /// `None` for the marks of a statement set: every INSERT of a script belongs to one job anyway.
    pub(super) fn statement(&mut self) -> Parse<Option<Statement>> {
        let marked = self.take_words(&["EXECUTE", "STATEMENT", "SET", "BEGIN"])
            || self.take_words(&["BEGIN", "STATEMENT", "SET"]);
        if marked && self.peek().is_none() {
            return Ok(None);
        }
        if self.at_word("END") && self.tokens.len() == 1 {
            return Ok(None);
        }
        self.take_word("EXECUTE");
        let start = self.here();
        let kind = self.statement_kind()?;
        self.at_end()?;
        Ok(Some(Statement { kind, span: self.since(start) }))
    }

    fn statement_kind(&mut self) -> Parse<StatementKind> {
        let Some(TokenKind::Word(word)) = self.peek_kind(0) else {
            return if self.at_sign("(") { self.query_statement() } else { Err(self.expected("a statement")) };
        };
        match word.to_ascii_uppercase().as_str() {
            "SELECT" | "WITH" | "VALUES" | "TABLE" => self.query_statement(),
            "INSERT" => Ok(StatementKind::Insert(Box::new(self.insert()?))),
            "MERGE" => Ok(StatementKind::Merge(Box::new(self.merge()?))),
            "CREATE" => self.create(),
            "REPLACE" => {
                self.expect_word("REPLACE")?;
                self.expect_word("TABLE")?;
                Ok(StatementKind::CreateTable(Box::new(self.create_table(false, true)?)))
            }
            "SET" => self.set(),
            "EXPLAIN" => self.explain(),
            "USE" => self.use_database(),
            "DROP" => self.drop_object(),
            "ALTER" | "ANALYZE" | "CALL" | "COMPILE" | "DELETE" | "DESCRIBE" | "DESC" | "LOAD" | "RESET" | "SHOW"
            | "TRUNCATE" | "UNLOAD" | "UPDATE" | "ADD" | "REMOVE" => {
                let message = format!("{} is not supported in a script.", word.to_uppercase());
                Err(Problem::error("unsupported", message, self.here()))
            }
            _ => Err(self.expected("a statement: SELECT, INSERT INTO, CREATE TABLE, CREATE VIEW, SET or EXPLAIN")),
        }
    }

    fn query_statement(&mut self) -> Parse<StatementKind> {
        Ok(StatementKind::Query(Box::new(self.query()?)))
    }

    fn insert(&mut self) -> Parse<Insert> {
        self.expect_word("INSERT")?;
        let mode = self.here();
        let overwrite = self.take_word("OVERWRITE").then_some(mode);
        if overwrite.is_some() {
            self.take_word("INTO");
        } else {
            self.expect_word("INTO")?;
        }
        let table = self.name("a table name")?;
        let hints = self.hints()?;
        let mut partition = Vec::new();
        if self.take_word("PARTITION") {
            self.expect_sign("(")?;
            partition = self.separated(|parser| {
                let column = parser.ident("a partition column")?;
                parser.expect_sign("=")?;
                Ok((column, parser.expr()?))
            })?;
            self.expect_sign(")")?;
        }
        // `INSERT INTO t (a, b) SELECT …` against `INSERT INTO t (SELECT …)`.
        let names =
            self.at_sign("(") && !["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|word| self.word_ahead(1, word));
        let columns = if names && !self.sign_ahead(1, "(") { self.columns()? } else { Vec::new() };
        let query = self.query()?;
        Ok(Insert { table, columns, partition, overwrite, query, hints })
    }

    fn create(&mut self) -> Parse<StatementKind> {
        let start = self.here();
        self.expect_word("CREATE")?;
        let or_replace = self.take_words(&["OR", "REPLACE"]);
        let temporary = self.take_word("TEMPORARY");
        if self.take_word("TABLE") {
            return Ok(StatementKind::CreateTable(Box::new(self.create_table(temporary, or_replace)?)));
        }
        if self.take_word("VIEW") {
            let if_not_exists = self.take_words(&["IF", "NOT", "EXISTS"]);
            let name = self.name("the name of the view")?;
            let columns = self.optional_columns()?;
            if self.take_word("COMMENT") {
                self.expect_text()?;
            }
            self.expect_word("AS")?;
            let query = self.query()?;
            return Ok(StatementKind::CreateView(Box::new(CreateView {
                name,
                if_not_exists,
                or_replace,
                columns,
                query,
            })));
        }
        if !or_replace && (self.take_words(&["SYSTEM", "FUNCTION"]) || self.take_word("FUNCTION")) {
            return Ok(StatementKind::CreateFunction(Box::new(self.create_function(temporary, start)?)));
        }
        if or_replace && self.at_word("FUNCTION") {
            let problem =
                Problem::error("unsupported", "CREATE OR REPLACE FUNCTION is not supported.", self.since(start));
            return Err(problem.with_hint("Give the function another name."));
        }
        for what in ["SYSTEM", "CATALOG", "DATABASE", "MODEL", "MATERIALIZED"] {
            if self.at_word(what) {
                let message = format!("CREATE {what} is not supported in a script.");
                return Err(Problem::error("unsupported", message, self.since(start)));
            }
        }
        Err(self.expected("TABLE, VIEW or FUNCTION"))
    }

    /// `SET 'key' = 'value'`, also without quotes; `SET` alone lists settings in Flink's shell and does nothing here.
    fn set(&mut self) -> Parse<StatementKind> {
        self.expect_word("SET")?;
        if self.peek().is_none() {
            return Ok(StatementKind::Set { key: None });
        }
        let key = self.setting_word()?;
        self.expect_sign("=")?;
        let value = self.setting_word()?;
        Ok(StatementKind::Set { key: Some((key, value)) })
    }

    fn setting_word(&mut self) -> Parse<String> {
        if let Some(TokenKind::Text(text)) = self.peek_kind(0) {
            self.at += 1;
            return Ok(text.clone());
        }
        let mut word = String::new();
        while let Some(token) = self.peek() {
            match &token.kind {
                TokenKind::Word(part) | TokenKind::Number(part) => word.push_str(part),
                TokenKind::Sign(sign @ ("." | "-" | ":")) => word.push_str(sign),
                _ => break,
            }
            self.at += 1;
        }
        if word.is_empty() { Err(self.expected("a setting in single quotes")) } else { Ok(word) }
    }

    fn explain(&mut self) -> Parse<StatementKind> {
        self.expect_word("EXPLAIN")?;
        if !self.take_words(&["PLAN", "FOR"]) {
            self.explain_details()?;
        }
        let start = self.here();
        if self.at_word("EXPLAIN") {
            return Err(self.expected("a query or INSERT"));
        }
        let kind = self.statement_kind()?;
        Ok(StatementKind::Explain(Box::new(Statement { kind, span: self.since(start) })))
    }

    /// Changelog modes are shown in any case; other details of Flink's planner are none of ours.
    fn explain_details(&mut self) -> Parse<()> {
        loop {
            for what in ["ESTIMATED_COST", "JSON_EXECUTION_PLAN", "PLAN_ADVICE"] {
                if self.at_word(what) {
                    let message = format!("EXPLAIN {what} is not supported.");
                    return Err(Problem::error("unsupported", message, self.here()));
                }
            }
            let shown = self.take_word("CHANGELOG_MODE");
            if !shown || !self.take_sign(",") {
                return Ok(());
            }
        }
    }

    fn use_database(&mut self) -> Parse<StatementKind> {
        self.expect_word("USE")?;
        Ok(StatementKind::Use(self.name("a database")?))
    }

    fn drop_object(&mut self) -> Parse<StatementKind> {
        self.expect_word("DROP")?;
        let temporary = self.take_word("TEMPORARY");
        if temporary && (self.take_words(&["SYSTEM", "FUNCTION"]) || self.take_word("FUNCTION")) {
            let if_exists = self.take_words(&["IF", "EXISTS"]);
            return Ok(StatementKind::DropFunction { name: self.name("a name")?, if_exists });
        }
        let what = if self.take_word("TABLE") {
            "TABLE"
        } else if self.take_word("VIEW") {
            "VIEW"
        } else {
            return Err(Problem::error(
                "unsupported",
                "Only DROP TABLE, DROP VIEW and DROP TEMPORARY FUNCTION can stand in a script.",
                self.here(),
            ));
        };
        let if_exists = self.take_words(&["IF", "EXISTS"]);
        Ok(StatementKind::Drop { what, name: self.name("a name")?, if_exists })
    }

    /// Skips `( … )` with everything in it.
    pub(super) fn skip_parentheses(&mut self) -> Parse<()> {
        self.expect_sign("(")?;
        let mut open = 1_usize;
        while open > 0 {
            let Some(token) = self.advance() else { return Err(self.expected("')'")) };
            match token.kind {
                TokenKind::Sign("(") => open += 1,
                TokenKind::Sign(")") => open -= 1,
                _ => {}
            }
        }
        Ok(())
    }
}
