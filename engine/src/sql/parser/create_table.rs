//! `CREATE TABLE name (columns …) COMMENT … WITH (…) LIKE …`.

use super::{Parse, Parser};
use crate::sql::Problem;
use crate::sql::ast::{
    Column, ColumnKind, CreateTable, Like, LikeChoice, PrimaryKey, TableOption, Unsupported, Watermark,
};

impl Parser<'_> {
    pub(super) fn create_table(&mut self, temporary: bool, or_replace: bool) -> Parse<CreateTable> {
        let if_not_exists = self.take_words(&["IF", "NOT", "EXISTS"]);
        let name = self.name("the name of the table")?;
        let mut table = CreateTable {
            name,
            temporary,
            if_not_exists,
            or_replace,
            columns: Vec::new(),
            watermarks: Vec::new(),
            primary_keys: Vec::new(),
            partition_keys: Vec::new(),
            comment: String::new(),
            options: Vec::new(),
            options_span: None,
            like: None,
            query: None,
            unsupported: Vec::new(),
        };
        if self.take_sign("(") && !self.take_sign(")") {
            loop {
                self.table_element(&mut table)?;
                if !self.take_sign(",") {
                    break;
                }
            }
            self.expect_sign(")")?;
        }
        if self.take_word("COMMENT") {
            table.comment = self.expect_text()?.0;
        }
        if self.take_word("PARTITIONED") {
            self.expect_word("BY")?;
            table.partition_keys = self.columns()?;
        }
        let clause = self.here();
        if self.take_word("DISTRIBUTED") {
            while !self.at_word("WITH") && self.advance().is_some() {}
            table.unsupported.push(Unsupported { what: "DISTRIBUTED BY", span: self.since(clause) });
        }
        let start = self.here();
        if self.take_word("WITH") {
            table.options = self.table_options()?;
            table.options_span = Some(self.since(start));
        }
        if self.take_word("LIKE") {
            table.like = Some(self.like()?);
        }
        if self.take_word("AS") {
            table.query = Some(self.query()?);
        }
        Ok(table)
    }

    fn table_element(&mut self, table: &mut CreateTable) -> Parse<()> {
        let start = self.here();
        if self.at_words(&["WATERMARK", "FOR"]) {
            self.at += 2;
            let column = self.name("the event-time column")?;
            self.expect_word("AS")?;
            let expr = self.expr()?;
            table.watermarks.push(Watermark { column, expr, span: self.since(start) });
            return Ok(());
        }
        if self.at_word("CONSTRAINT") {
            self.at += 1;
            self.ident("the constraint's name")?;
        }
        if self.at_words(&["PRIMARY", "KEY"]) {
            self.at += 2;
            let columns = self.columns()?;
            let enforced = self.enforcement();
            table.primary_keys.push(PrimaryKey { columns, enforced, span: self.since(start) });
            return Ok(());
        }
        if self.at_word("UNIQUE") {
            return Err(Problem::error(
                "unsupported",
                "UNIQUE is not supported. Use PRIMARY KEY … NOT ENFORCED.",
                self.here(),
            ));
        }
        let column = self.column(table)?;
        table.columns.push(column);
        Ok(())
    }

    fn column(&mut self, table: &mut CreateTable) -> Parse<Column> {
        let name = self.ident("a column name")?;
        let mut comment = String::new();
        let kind = if self.take_word("AS") {
            ColumnKind::Computed { expr: self.expr()? }
        } else {
            let mut ty = self.data_type()?;
            if self.take_word("METADATA") {
                let key = if self.take_word("FROM") { Some(self.expect_text()?.0) } else { None };
                ColumnKind::Metadata { ty, key, virtual_: self.take_word("VIRTUAL") }
            } else {
                let key = self.here();
                if self.take_words(&["PRIMARY", "KEY"]) {
                    let enforced = self.enforcement();
                    ty.ty.nullable = false;
                    table.primary_keys.push(PrimaryKey {
                        columns: vec![name.clone()],
                        enforced,
                        span: self.since(key),
                    });
                }
                ColumnKind::Physical { ty }
            }
        };
        if self.take_word("COMMENT") {
            comment = self.expect_text()?.0;
        }
        Ok(Column { name, kind, comment })
    }

    /// A key is enforced unless it says otherwise; Flink then refuses it.
    fn enforcement(&mut self) -> bool {
        if self.take_words(&["NOT", "ENFORCED"]) {
            return false;
        }
        self.take_word("ENFORCED");
        true
    }

    pub(super) fn table_options(&mut self) -> Parse<Vec<TableOption>> {
        self.expect_sign("(")?;
        if self.take_sign(")") {
            return Ok(Vec::new());
        }
        let options = self.separated(|parser| {
            let (key, key_span) = parser.expect_text()?;
            parser.expect_sign("=")?;
            let (value, value_span) = parser.expect_text()?;
            Ok(TableOption { key, value, key_span, value_span })
        })?;
        self.expect_sign(")")?;
        Ok(options)
    }

    fn like(&mut self) -> Parse<Like> {
        let table = self.name("a table name")?;
        let mut choices = Vec::new();
        if self.take_sign("(") {
            while !self.take_sign(")") {
                let choice = if self.take_word("INCLUDING") {
                    LikeChoice::Including
                } else if self.take_word("EXCLUDING") {
                    LikeChoice::Excluding
                } else if self.take_word("OVERWRITING") {
                    LikeChoice::Overwriting
                } else {
                    return Err(self.expected("INCLUDING, EXCLUDING or OVERWRITING"));
                };
                let span = self.here();
                let what = self.ident_like_choice()?;
                if ![
                    "ALL",
                    "CONSTRAINTS",
                    "GENERATED",
                    "METADATA",
                    "OPTIONS",
                    "PARTITIONS",
                    "WATERMARKS",
                    "DISTRIBUTION",
                ]
                .contains(&what.as_str())
                {
                    return Err(Problem::error("parse", format!("LIKE has no part named {what}."), span));
                }
                choices.push((choice, what));
                self.take_sign(",");
            }
        }
        Ok(Like { table, choices })
    }

    fn ident_like_choice(&mut self) -> Parse<String> {
        Ok(self.ident_after_dot()?.value.to_ascii_uppercase())
    }
}
