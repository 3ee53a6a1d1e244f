//! A script of `CREATE TABLE` statements → the forms of tables, the way back from [`super::write_ddl`].
//!
//! Reads as much as it can: what is wrong with one statement is told with its line, and the others are read all the same.

use std::collections::BTreeMap;

use millrace_wire::table::{Column, ColumnKind, EventTime, TableDraft};

use super::ast::{self, CreateTable, Like, LikeChoice, Name, StatementKind};
use super::token::{Token, TokenKind, tokenize};
use super::{LineIndex, Problem, Span, parser, stack, too_long};

/// What a script says about databases and tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableScript {
    /// Name and comment, in the order of the script.
    pub databases: Vec<(String, String)>,
    pub tables: Vec<ScriptTable>,
    /// Line and reason.
    pub problems: Vec<(u32, String)>,
    /// Statements of other kinds, with their lines: they are not about tables.
    pub left_out: Vec<(u32, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ScriptTable {
    pub line: u32,
    /// Without connection; the options hold everything but connector and format.
    pub draft: TableDraft,
    /// What is taken over in another way than it is written.
    pub notes: Vec<String>,
    /// Why it cannot be taken over.
    pub problems: Vec<String>,
}

/// `known`: tables that `LIKE` may name besides those of the script, by `database.table`.
pub fn read_tables(sql: &str, database: &str, known: &BTreeMap<String, TableDraft>) -> TableScript {
    let told = |message: String| TableScript { problems: vec![(1, message)], ..TableScript::default() };
    if let Some(problem) = too_long(sql) {
        return told(problem.message);
    }
    stack::deep(|| Reader::new(sql, database, known).read())
        .unwrap_or_else(|| told("The script is too complex to be read.".to_owned()))
}

struct Reader<'a> {
    sql: &'a str,
    index: LineIndex<'a>,
    database: String,
    known: &'a BTreeMap<String, TableDraft>,
    script: TableScript,
}

impl<'a> Reader<'a> {
    fn new(sql: &'a str, database: &str, known: &'a BTreeMap<String, TableDraft>) -> Self {
        let (index, script) = (LineIndex::new(sql), TableScript::default());
        Reader { sql, index, database: database.to_owned(), known, script }
    }

    fn read(mut self) -> TableScript {
        let mut tokens = tokenize(self.sql);
        tokens.retain(|token| token.kind != TokenKind::Comment);
        for chunk in tokens.split(|token| token.kind == TokenKind::Sign(";")) {
            let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { continue };
            let line = self.index.wire(first.span).line;
            if let Some(database) = database_of(chunk) {
                self.script.databases.push(database);
                continue;
            }
            let text = self.sql.get(first.span.start..last.span.end).unwrap_or_default();
            self.statement(text, line);
        }
        self.script
    }

    fn statement(&mut self, text: &str, line: u32) {
        let parsed = parser::parse(text);
        for problem in parsed.problems {
            // Counted from where the statement begins.
            let below = problem.span.map_or(0, |span| LineIndex::new(text).wire(span).line.saturating_sub(1));
            self.script.problems.push((line + below, sentence(&problem)));
        }
        for statement in parsed.statements {
            match statement.kind {
                StatementKind::CreateTable(table) => {
                    let table = self.table(&table, text, line);
                    self.script.tables.push(table);
                }
                StatementKind::Use(name) => self.database = name.last().to_owned(),
                _ => {
                    let words: Vec<&str> = text.split_whitespace().take(3).collect();
                    self.script.left_out.push((line, words.join(" ")));
                }
            }
        }
    }

    fn table(&self, table: &CreateTable, text: &str, line: u32) -> ScriptTable {
        let written = |span: Span| text.get(span.start..span.end).unwrap_or_default().to_owned();
        let (mut notes, mut problems) = (Vec::new(), Vec::new());
        let (database, name) = self.named(&table.name, &mut notes);
        let mut draft = self.inherited(table, &mut problems);
        (draft.database, draft.name) = (database, name);
        if !table.comment.is_empty() || table.like.is_none() {
            draft.comment.clone_from(&table.comment);
        }
        for column in &table.columns {
            let column = read_column(column, &written, &mut notes);
            draft.columns.retain(|known| known.name != column.name);
            draft.columns.push(column);
        }
        for watermark in &table.watermarks {
            let time = EventTime { column: watermark.column.text(), watermark: written(watermark.expr.span) };
            draft.event_time = Some(time);
        }
        if table.watermarks.len() > 1 {
            problems.push("It has more than one watermark.".to_owned());
        }
        for key in &table.primary_keys {
            draft.primary_key = key.columns.iter().map(|column| column.value.clone()).collect();
            if key.enforced {
                problems.push("A primary key has to say NOT ENFORCED.".to_owned());
            }
        }
        for option in &table.options {
            match option.key.as_str() {
                "connector" => draft.connector.clone_from(&option.value),
                "format" => draft.format = Some(option.value.clone()),
                _ => {
                    draft.options.insert(option.key.clone(), option.value.clone());
                }
            }
        }
        if draft.connector.is_empty() {
            problems.push("It names no connector.".to_owned());
        }
        if !table.partition_keys.is_empty() {
            problems.push("PARTITIONED BY cannot be taken over.".to_owned());
        }
        if table.query.is_some() {
            problems.push("CREATE TABLE … AS fills a table: it belongs into a job.".to_owned());
        }
        problems.extend(table.unsupported.iter().map(|clause| format!("{} is not supported.", clause.what)));
        if table.temporary {
            notes.push("It is TEMPORARY in the script and stays here.".to_owned());
        }
        ScriptTable { line, draft, notes, problems }
    }

    /// Database and table; a catalog before them is left out.
    fn named(&self, name: &Name, notes: &mut Vec<String>) -> (String, String) {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.value.as_str()).collect();
        match parts.as_slice() {
            [catalog, database, name] => {
                notes.push(format!("The catalog '{catalog}' is left out."));
                ((*database).to_owned(), (*name).to_owned())
            }
            [database, name] => ((*database).to_owned(), (*name).to_owned()),
            _ => (self.database.clone(), name.last().to_owned()),
        }
    }

    /// What `LIKE` takes over, or nothing yet.
    fn inherited(&self, table: &CreateTable, problems: &mut Vec<String>) -> TableDraft {
        let empty = TableDraft {
            database: String::new(),
            name: String::new(),
            comment: String::new(),
            connector: String::new(),
            connection: None,
            format: None,
            options: BTreeMap::new(),
            columns: Vec::new(),
            event_time: None,
            primary_key: Vec::new(),
        };
        let Some(like) = &table.like else { return empty };
        let (database, name) = self.named(&like.table, &mut Vec::new());
        let in_script =
            self.script.tables.iter().rev().find(|table| table.draft.database == database && table.draft.name == name);
        let known = in_script.map(|table| &table.draft).or_else(|| self.known.get(&format!("{database}.{name}")));
        let Some(source) = known else {
            problems.push(format!("There is no table '{database}.{name}' for LIKE."));
            return empty;
        };
        taken(source.clone(), like)
    }
}

/// As the binder does it: everything unless excluded.
fn taken(mut source: TableDraft, like: &Like) -> TableDraft {
    let takes = |what: &str| {
        let named = like.choices.iter().rev().find(|(_, choice)| choice == what);
        let all = like.choices.iter().rev().find(|(_, choice)| choice == "ALL");
        named.or(all).is_none_or(|(choice, _)| *choice != LikeChoice::Excluding)
    };
    let columns = source.columns.len();
    source.columns.retain(|column| match column.kind {
        ColumnKind::Physical => true,
        ColumnKind::Computed => takes("GENERATED"),
        ColumnKind::Metadata => takes("METADATA"),
    });
    if !takes("CONSTRAINTS") {
        source.primary_key.clear();
    }
    if !takes("WATERMARKS") || source.columns.len() < columns {
        source.event_time = None;
    }
    if !takes("OPTIONS") {
        source.options.clear();
        source.connector.clear();
        (source.format, source.connection) = (None, None);
    }
    source
}

fn read_column(column: &ast::Column, written: &dyn Fn(Span) -> String, notes: &mut Vec<String>) -> Column {
    let name = column.name.value.clone();
    let comment = column.comment.clone();
    match &column.kind {
        ast::ColumnKind::Physical { ty } => Column {
            name,
            data_type: ty.ty.logical.to_string(),
            kind: ColumnKind::Physical,
            source: None,
            nullable: ty.ty.nullable,
            comment,
        },
        ast::ColumnKind::Computed { expr } => Column {
            name,
            data_type: String::new(),
            kind: ColumnKind::Computed,
            source: Some(written(expr.span)),
            nullable: true,
            comment,
        },
        ast::ColumnKind::Metadata { ty, key, virtual_ } => {
            if !virtual_ {
                notes.push(format!("The metadata column '{name}' is read only: it becomes VIRTUAL."));
            }
            Column {
                data_type: ty.ty.logical.to_string(),
                kind: ColumnKind::Metadata,
                source: key.clone().filter(|key| *key != name),
                nullable: ty.ty.nullable,
                name,
                comment,
            }
        }
    }
}

/// `CREATE DATABASE [IF NOT EXISTS] name [COMMENT 'x'] …`
fn database_of(tokens: &[Token]) -> Option<(String, String)> {
    let is = |at: usize, word: &str| matches!(tokens.get(at).map(|token| &token.kind), Some(TokenKind::Word(found)) if found.eq_ignore_ascii_case(word));
    if !(is(0, "CREATE") && is(1, "DATABASE")) {
        return None;
    }
    let mut at = if is(2, "IF") { 5 } else { 2 };
    let name_at = |at: usize| match tokens.get(at).map(|token| &token.kind) {
        Some(TokenKind::Word(name) | TokenKind::Quoted(name)) => Some(name.clone()),
        _ => None,
    };
    let mut name = name_at(at)?;
    // A catalog before it is left out.
    while matches!(tokens.get(at + 1).map(|token| &token.kind), Some(TokenKind::Sign("."))) {
        at += 2;
        name = name_at(at)?;
    }
    let comment = match tokens.get(at + 2).map(|token| &token.kind) {
        Some(TokenKind::Text(comment)) if is(at + 1, "COMMENT") => comment.clone(),
        _ => String::new(),
    };
    Some((name, comment))
}

fn sentence(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{} {hint}", problem.message),
        None => problem.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::sql::write_ddl;

    fn read(sql: &str) -> TableScript {
        read_tables(sql, "main", &BTreeMap::new())
    }

    const ORDERS: &str = "\
CREATE DATABASE IF NOT EXISTS shop COMMENT 'the shop';
-- a comment; with a semicolon
CREATE TABLE shop.orders (
  `id` BIGINT NOT NULL COMMENT 'it''s unique',
  amount DECIMAL(10, 2),
  twice AS amount * 2,
  at TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL,
  `partition` INT METADATA,
  WATERMARK FOR at AS at - INTERVAL '5' SECOND,
  PRIMARY KEY (id) NOT ENFORCED
) COMMENT 'all orders' WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'format' = 'json',
  'properties.bootstrap.servers' = 'kafka-1:9092', 'properties.sasl.jaas.config' = 'x;y'
);
USE shop;
CREATE TABLE late LIKE orders (EXCLUDING WATERMARKS);
INSERT INTO x SELECT 1;";

    #[test]
    fn a_script_becomes_forms() {
        let script = read(ORDERS);
        assert_eq!(script.problems, []);
        assert_eq!(script.databases, [("shop".to_owned(), "the shop".to_owned())]);
        assert_eq!(script.left_out, [(17, "INSERT INTO x".to_owned())]);
        let orders = &script.tables[0];
        assert_eq!((orders.line, orders.problems.len(), orders.notes.len()), (3, 0, 1));
        let draft = &orders.draft;
        assert_eq!(
            (draft.database.as_str(), draft.name.as_str(), draft.connector.as_str()),
            ("shop", "orders", "kafka")
        );
        assert_eq!((draft.format.as_deref(), draft.comment.as_str()), (Some("json"), "all orders"));
        assert_eq!(draft.options["properties.sasl.jaas.config"], "x;y");
        let columns: Vec<String> = draft
            .columns
            .iter()
            .map(|column| format!("{} {} {:?} {}", column.name, column.data_type, column.source, column.nullable))
            .collect();
        assert_eq!(
            columns,
            [
                "id BIGINT None false",
                "amount DECIMAL(10, 2) None true",
                "twice  Some(\"amount * 2\") true",
                "at TIMESTAMP(3) Some(\"timestamp\") true",
                "partition INT None true",
            ]
        );
        assert_eq!(draft.event_time.as_ref().unwrap().watermark, "at - INTERVAL '5' SECOND");
        assert_eq!(draft.primary_key, ["id"]);
        let late = &script.tables[1].draft;
        assert_eq!((late.database.as_str(), late.columns.len(), late.event_time.is_none()), ("shop", 5, true));
        assert_eq!(late.options, draft.options);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for table in read(ORDERS).tables {
            let again = read(&write_ddl(&table.draft));
            assert_eq!((again.problems.as_slice(), &again.tables[0].draft), (&[][..], &table.draft));
        }
    }

    #[test]
    fn one_wrong_statement_leaves_the_others() {
        let script = read(
            "CREATE TABLE a (x INT,\n y WRONG) WITH ('connector' = 'print');\nCREATE TABLE b (x INT) WITH ('connector' = 'print');",
        );
        assert_eq!(script.problems.len(), 1);
        assert_eq!(script.problems[0].0, 2);
        assert_eq!(script.tables[0].draft.name, "b");
    }

    #[test]
    fn what_cannot_be_taken_over_is_told() {
        let problems = |sql: &str| read(sql).tables[0].problems.join(" ");
        assert!(problems("CREATE TABLE t (a INT)").contains("no connector"));
        assert!(problems("CREATE TABLE t LIKE nothing").contains("no table 'main.nothing'"));
        let partitioned = "CREATE TABLE t (a INT) PARTITIONED BY (a) WITH ('connector' = 'filesystem')";
        assert!(problems(partitioned).contains("PARTITIONED BY"));
        assert!(problems("CREATE TABLE t WITH ('connector' = 'print') AS SELECT 1").contains("belongs into a job"));
        assert!(
            problems("CREATE TABLE t (a INT, PRIMARY KEY (a)) WITH ('connector' = 'print')").contains("NOT ENFORCED")
        );
    }
}
