//! `INSERT INTO t PARTITION (k = 'v') (a, b) SELECT …`: the query's columns become the sink's; `INSERT OVERWRITE`.

use std::sync::Arc;

use super::conversion::{can_cast, fits_sink};
use super::expr::ExprScope;
use super::relation::{Relation, project};
use super::table::relation_over;
use super::{Bind, Binder};
use crate::catalog::{ColumnDef, TableDef, TableRef};
use crate::connector::{OVERWRITE, TableUse, registry};
use crate::expr::Expr;
use crate::plan::logical::{BoundSink, SinkTarget};
use crate::plan::rewrite::null_literal;
use crate::sql::ast::{ExprKind as Ast, Insert};
use crate::sql::{Problem, Span, suggest};

impl Binder<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) -> Bind<BoundSink> {
        let table = match self.table_to_write(&insert.table) {
            Ok(table) => self.with_hints(table, &insert.hints),
            Err(reported) => Err(reported),
        };
        // The query is checked although the table is wrong.
        let relation = self.query(&insert.query);
        let (table, relation) = (table?, relation?);
        self.fill(insert, table, relation)
    }

    /// The query of the statement, bound already, into the table.
    pub(super) fn fill(&mut self, insert: &Insert, table: TableRef, relation: Relation) -> Bind<BoundSink> {
        self.writes.push(table.name.clone());
        self.check_table(&table, TableUse::Write, insert.table.span)?;
        let query = self.fit(insert, &table, relation)?;
        let table = match insert.overwrite {
            Some(span) => self.overwritten(&table, span)?,
            None => table,
        };
        Ok(BoundSink { target: SinkTarget::Table(table), query })
    }

    /// What is there before goes when the query has ended, so it has to end.
    fn overwritten(&mut self, table: &TableRef, span: Span) -> Bind<TableRef> {
        if self.streaming() {
            let message = "INSERT OVERWRITE replaces what is there when its input has ended, in a batch job.";
            let problem = Problem::error("unsupported", message, span);
            return Err(self.report(problem.with_hint("Put SET 'execution.runtime-mode' = 'batch' before it.")));
        }
        if !registry::find(table.connector()).is_some_and(|connector| connector.overwrites()) {
            let message = format!("INSERT OVERWRITE is not supported by the connector '{}'.", table.connector());
            return self.refuse("unsupported", message, span);
        }
        let mut changed = TableDef::clone(table);
        changed.options.insert(OVERWRITE.to_owned(), "true".to_owned());
        Ok(Arc::new(changed))
    }

    /// The values of `PARTITION (…)`, by column.
    fn static_values(&mut self, insert: &Insert, table: &TableRef) -> Bind<Vec<(usize, Expr)>> {
        let mut values: Vec<(usize, Expr)> = Vec::new();
        for (ident, value) in &insert.partition {
            let named = |index: &&usize| table.columns.get(**index).is_some_and(|column| column.name == ident.value);
            let Some(index) = table.partition_keys.iter().find(named).copied() else {
                let message = format!("'{}' is not partitioned by '{}'.", insert.table.text(), ident.value);
                return self.refuse("unknown-column", message, ident.span);
            };
            if values.iter().any(|(known, _)| *known == index) || insert.columns.iter().any(|c| c.value == ident.value)
            {
                return self.refuse("duplicate-column", format!("'{}' is written twice.", ident.value), ident.span);
            }
            if !matches!(value.kind, Ast::Literal(_)) {
                return self.refuse("wrong-arguments", "The value of a partition is a literal.", value.span);
            }
            let nothing = relation_over(&[], &table.name);
            let bound = self.expr(value, &mut ExprScope::over(&nothing, "PARTITION"))?;
            let Some(column) = table.columns.get(index) else { continue };
            let (from, to) = (&bound.ty.logical, &column.ty.logical);
            if !(fits_sink(from, to) || from.is_character() && can_cast(from, to)) {
                let message = format!("The value is {from}, and {} is {to}.", column.name);
                return self.refuse("type-mismatch", message, value.span);
            }
            values.push((index, self.convert(bound, &column.ty)));
        }
        Ok(values)
    }

    /// Columns in the order and with the types of the sink's write columns.
    fn fit(&mut self, insert: &Insert, table: &TableRef, relation: Relation) -> Bind<crate::plan::logical::Rel> {
        let fixed = self.static_values(insert, table)?;
        let writable = table.write_columns();
        let targets = if insert.columns.is_empty() {
            let is_open = |index: &usize| fixed.iter().all(|(column, _)| column != index);
            writable.iter().copied().filter(is_open).collect()
        } else {
            self.named_targets(insert, table, &writable)?
        };
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
            if let Some((_, value)) = fixed.iter().find(|(column, _)| column == index) {
                exprs.push(value.clone());
                continue;
            }
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
