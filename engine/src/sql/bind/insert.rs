//! `INSERT INTO t (a, b) SELECT …`: the query's columns become the sink's.

use super::conversion::fits_sink;
use super::relation::{Relation, project};
use super::{Bind, Binder};
use crate::catalog::{ColumnDef, TableRef};
use crate::connector::TableUse;
use crate::expr::Expr;
use crate::plan::logical::{BoundSink, SinkTarget};
use crate::plan::rewrite::null_literal;
use crate::sql::ast::Insert;
use crate::sql::{Problem, suggest};

impl Binder<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) -> Bind<BoundSink> {
        for clause in &insert.unsupported {
            let _ = self.unsupported::<()>(clause.what, clause.span);
        }
        let table = match self.table_to_write(&insert.table) {
            Ok(table) => self.with_hints(table, &insert.hints),
            Err(reported) => Err(reported),
        };
        // The query is checked although the table is wrong.
        let relation = self.query(&insert.query);
        let (table, relation) = (table?, relation?);
        self.writes.push(table.name.clone());
        self.check_table(&table, TableUse::Write, insert.table.span)?;
        let query = self.fit(insert, &table, relation)?;
        Ok(BoundSink { target: SinkTarget::Table(table), query })
    }

    /// Columns in the order and with the types of the sink's write columns.
    fn fit(&mut self, insert: &Insert, table: &TableRef, relation: Relation) -> Bind<crate::plan::logical::Rel> {
        let writable = table.write_columns();
        let targets =
            if insert.columns.is_empty() { writable.clone() } else { self.named_targets(insert, table, &writable)? };
        let found = relation.schema().len();
        if found != targets.len() {
            let names: Vec<&str> = targets
                .iter()
                .filter_map(|index| table.columns.get(*index))
                .map(|column| column.name.as_str())
                .collect();
            let message = format!(
                "The query gives {found} column(s), and '{}' takes {}: {}.",
                insert.table.text(),
                targets.len(),
                names.join(", ")
            );
            return self.refuse("sink-schema", message, insert.query.span);
        }
        let mut exprs = Vec::with_capacity(writable.len());
        let mut wrong = Vec::new();
        for index in &writable {
            let Some(column) = table.columns.get(*index) else { continue };
            let Some(from) = targets.iter().position(|target| target == index) else {
                if !column.ty.nullable {
                    wrong.push(format!("{} is NOT NULL and gets no value", column.name));
                }
                exprs.push(null_literal(&column.ty));
                continue;
            };
            let Some(value) = relation.column(from) else { continue };
            match self.fit_column(value, column, relation.schema().fields.get(from).map_or("", |field| &field.name)) {
                Ok(expr) => exprs.push(expr),
                Err(message) => wrong.push(message),
            }
        }
        if !wrong.is_empty() {
            let message = format!("The query does not fit '{}': {}.", insert.table.text(), wrong.join("; "));
            let problem = Problem::error("sink-schema", message, insert.query.span)
                .with_hint("Convert with CAST, or change the order of the columns.");
            return Err(self.report(problem));
        }
        let unchanged = exprs.len() == found
            && exprs.iter().enumerate().all(|(index, expr)| super::relation::passed_column(expr) == Some(index));
        if unchanged {
            return Ok(relation.rel);
        }
        let names =
            writable.iter().filter_map(|index| table.columns.get(*index)).map(|column| column.name.clone()).collect();
        Ok(project(relation.rel, exprs, names))
    }

    fn fit_column(&self, value: Expr, column: &ColumnDef, name: &str) -> Result<Expr, String> {
        if fits_sink(&value.ty.logical, &column.ty.logical) {
            Ok(self.convert(value, &column.ty))
        } else {
            Err(format!("{name} is {}, and {} is {}", value.ty.logical, column.name, column.ty.logical))
        }
    }

    fn named_targets(&mut self, insert: &Insert, table: &TableRef, writable: &[usize]) -> Bind<Vec<usize>> {
        let mut targets = Vec::with_capacity(insert.columns.len());
        for ident in &insert.columns {
            let names =
                || writable.iter().filter_map(|index| table.columns.get(*index)).map(|column| column.name.as_str());
            let index = writable
                .iter()
                .copied()
                .find(|index| table.columns.get(*index).is_some_and(|column| column.name == ident.value));
            match index {
                Some(index) if targets.contains(&index) => {
                    return self.refuse("duplicate-column", format!("'{}' is written twice.", ident.value), ident.span);
                }
                Some(index) => targets.push(index),
                None => {
                    let message =
                        format!("'{}' has no column '{}' that can be written.", insert.table.text(), ident.value);
                    let mut problem = Problem::error("unknown-column", message, ident.span);
                    if let Some(near) = suggest::nearest(&ident.value, names()) {
                        problem = problem.with_replacement(near);
                    }
                    return Err(self.report(problem));
                }
            }
        }
        Ok(targets)
    }
}
