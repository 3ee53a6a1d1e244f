//! What is wrong with a table's definition, by the field of the form it came from.

use std::collections::BTreeMap;

use millrace_wire::error::FieldError;
use millrace_wire::link::TableSource;
use millrace_wire::table::{ColumnKind as WireKind, ResolvedColumn};

use super::parser::{parse_data_type, parse_expression};
use super::token::{Token, TokenKind, tokenize};
use super::{Problem, bind_table};
use crate::catalog::{ColumnKind, TableDef, TableRef};
use crate::connector::TableUse;
use crate::connector::registry::{self, OptionProblem};

/// The answer to a form's check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableReport {
    pub problems: Vec<FieldError>,
    /// Empty while the definition is wrong.
    pub resolved: Vec<ResolvedColumn>,
}

/// Checks DDL as [`super::write_ddl`] writes it, with the options that the connection adds.
pub fn check_table(ddl: &str, hidden_options: &BTreeMap<String, String>) -> TableReport {
    let source = TableSource { ddl: ddl.to_owned(), hidden_options: hidden_options.clone() };
    match bind_table(&name_of(ddl), &source) {
        Err(problems) => {
            // Spans of a catalog table are those of its own DDL.
            let elements = Elements::of(ddl);
            let fields = problems.iter().map(|problem| elements.field_error(problem)).collect();
            TableReport { problems: fields, resolved: Vec::new() }
        }
        Ok(table) => TableReport { problems: option_errors(&table, hidden_options), resolved: resolved(&table) },
    }
}

/// `database.table` of the statement, for messages.
fn name_of(ddl: &str) -> String {
    let tokens = tokenize(ddl);
    let names =
        tokens.iter().skip_while(|token| !matches!(&token.kind, TokenKind::Word(word) if word == "TABLE")).skip(1);
    let names = names
        .take_while(|token| matches!(token.kind, TokenKind::Quoted(_) | TokenKind::Word(_) | TokenKind::Sign(".")));
    names
        .filter_map(|token| match &token.kind {
            TokenKind::Quoted(name) | TokenKind::Word(name) => Some(name.as_str()),
            _ => None,
        })
        .collect::<Vec<_>>()
        .join(".")
}

fn option_errors(table: &TableRef, hidden: &BTreeMap<String, String>) -> Vec<FieldError> {
    let schema = registry::find(table.connector()).map(|connector| connector.schema());
    let use_ = match schema {
        Some(schema) if !schema.source && schema.sink => TableUse::Write,
        Some(schema) if !schema.source && schema.lookup => TableUse::Lookup,
        _ => TableUse::Read,
    };
    registry::problems(table, use_).into_iter().map(|found| option_error(found, hidden)).collect()
}

fn option_error(found: OptionProblem, hidden: &BTreeMap<String, String>) -> FieldError {
    let field = match found.option.as_str() {
        "connector" | "" => "connector".to_owned(),
        "format" => "format".to_owned(),
        option if hidden.contains_key(option) || option.starts_with("properties.") => "connection".to_owned(),
        option => format!("options.{option}"),
    };
    FieldError { field, message: sentence(&found.problem) }
}

fn sentence(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{} {hint}", problem.message),
        None => problem.message.clone(),
    }
}

/// Columns as the planner sees them.
pub fn resolved(table: &TableDef) -> Vec<ResolvedColumn> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(index, column)| ResolvedColumn {
            name: column.name.clone(),
            data_type: column.ty.to_string(),
            kind: match column.kind {
                ColumnKind::Physical => WireKind::Physical,
                ColumnKind::Computed(_) => WireKind::Computed,
                ColumnKind::Metadata { .. } => WireKind::Metadata,
            },
            event_time: table.watermark.as_ref().is_some_and(|watermark| watermark.column == index),
            key: table.primary_key.contains(&index),
            comment: column.comment.clone(),
        })
        .collect()
}

/// The parts of `CREATE TABLE … ( … ) WITH ( … )` with their extent.
struct Elements<'a> {
    ddl: &'a str,
    tokens: Vec<Token>,
    /// Token ranges of the elements between the first parentheses.
    elements: Vec<std::ops::Range<usize>>,
}

impl<'a> Elements<'a> {
    fn of(ddl: &'a str) -> Self {
        let tokens = tokenize(ddl);
        let mut elements = Vec::new();
        let mut open: Vec<&str> = Vec::new();
        let mut start = None;
        let mut of_type = false;
        for (index, token) in tokens.iter().enumerate() {
            match token.kind {
                TokenKind::Sign(sign @ ("(" | "[")) => {
                    open.push(sign);
                    if open.len() == 1 {
                        start = Some(index + 1);
                    }
                }
                // An angle bracket is one only after ARRAY, MAP, ROW, MULTISET; else it compares.
                TokenKind::Sign("<") if of_type => open.push("<"),
                TokenKind::Sign(">") if open.last() == Some(&"<") => {
                    open.pop();
                }
                TokenKind::Sign(")" | "]") => {
                    open.pop();
                    if open.is_empty() {
                        elements.extend(start.take().map(|start| start..index));
                        break;
                    }
                }
                TokenKind::Sign(",") if open.len() == 1 => {
                    elements.extend(start.map(|start| start..index));
                    start = Some(index + 1);
                }
                _ => {}
            }
            let collection = |word: &String| {
                ["ARRAY", "MAP", "ROW", "MULTISET"].iter().any(|known| known.eq_ignore_ascii_case(word))
            };
            of_type = matches!(&token.kind, TokenKind::Word(word) if collection(word));
        }
        elements.extend(start.map(|start| start..tokens.len()));
        Elements { ddl, tokens, elements }
    }

    fn field_error(&self, problem: &Problem) -> FieldError {
        let offset = problem.span.map_or(0, |span| span.start);
        let mut columns = 0;
        for element in &self.elements {
            let tokens = self.tokens.get(element.clone()).unwrap_or_default();
            let inside = tokens
                .first()
                .zip(tokens.last())
                .is_some_and(|(first, last)| (first.span.start..=last.span.end).contains(&offset));
            let first = tokens.first().map(|token| &token.kind);
            let is = |word: &str| matches!(first, Some(TokenKind::Word(found)) if found == word);
            if inside {
                return match first {
                    _ if is("WATERMARK") => self.watermark_error(problem, tokens, offset),
                    _ if is("PRIMARY") => FieldError { field: "primary_key".to_owned(), message: sentence(problem) },
                    _ => self.column_error(problem, tokens, columns, offset),
                };
            }
            columns += usize::from(!is("WATERMARK") && !is("PRIMARY"));
        }
        let field = if problem.message.contains("at least one column") || self.elements.is_empty() {
            "columns"
        } else {
            "name"
        };
        FieldError { field: field.to_owned(), message: sentence(problem) }
    }

    fn column_error(&self, problem: &Problem, tokens: &[Token], index: usize, offset: usize) -> FieldError {
        if let Some(source) = marked(tokens) {
            let computed =
                matches!(tokens.get(1).map(|token| &token.kind), Some(TokenKind::Word(word)) if word == "AS");
            let (part, reason) =
                if computed { ("source", expression_problem(source)) } else { ("data_type", type_problem(source)) };
            return FieldError { field: format!("columns[{index}].{part}"), message: reason };
        }
        let on_name = tokens.first().is_some_and(|name| name.span.end > offset);
        let computed = matches!(tokens.get(1).map(|token| &token.kind), Some(TokenKind::Word(word)) if word == "AS");
        let part = match (on_name, computed) {
            (true, _) => "name",
            (false, true) => "source",
            (false, false) => "data_type",
        };
        FieldError { field: format!("columns[{index}].{part}"), message: sentence(problem) }
    }

    fn watermark_error(&self, problem: &Problem, tokens: &[Token], offset: usize) -> FieldError {
        if let Some(source) = marked(tokens) {
            return FieldError { field: "event_time.watermark".to_owned(), message: expression_problem(source) };
        }
        let after_as = tokens.iter().find(|token| matches!(&token.kind, TokenKind::Word(word) if word == "AS"));
        let field = if after_as.is_some_and(|token| offset > token.span.start) {
            "event_time.watermark"
        } else {
            "event_time.column"
        };
        debug_assert!(offset <= self.ddl.len());
        FieldError { field: field.to_owned(), message: sentence(problem) }
    }
}

/// The text behind the mark that the DDL writer leaves where something does not parse.
fn marked(tokens: &[Token]) -> Option<&str> {
    tokens.windows(2).find_map(|pair| match pair {
        [Token { kind: TokenKind::Sign("?"), .. }, Token { kind: TokenKind::Text(source), .. }] => {
            Some(source.as_str())
        }
        _ => None,
    })
}

fn type_problem(source: &str) -> String {
    match parse_data_type(source) {
        _ if source.trim().is_empty() => "Choose a type.".to_owned(),
        Err(problem) => sentence(&problem),
        Ok(_) => "This is no type.".to_owned(),
    }
}

fn expression_problem(source: &str) -> String {
    match parse_expression(source) {
        _ if source.trim().is_empty() => "Write an expression.".to_owned(),
        Err(problem) => sentence(&problem),
        Ok(_) => "This is no expression.".to_owned(),
    }
}
