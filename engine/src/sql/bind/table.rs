//! `CREATE TABLE` → [`TableDef`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expr::ExprScope;
use super::relation::Relation;
use super::{Bind, Binder, Named};
use crate::catalog::{ColumnDef, ColumnKind, TableDef, TableRef, WatermarkDef};
use crate::connector::registry::{self, OptionProblem};
use crate::connector::{TableUse, credential};
use crate::plan::logical::{BoundSink, Rel, RelNode};
use crate::sql::ast::{self, CreateTable, PrimaryKey, TableOption, Watermark};
use crate::sql::{Problem, Span, suggest};
use crate::types::{Field, LogicalType, Schema};

/// Where a table of the script is described, to place problems with its options.
pub(crate) struct TableParts {
    pub options: Vec<TableOption>,
    pub options_span: Option<Span>,
    pub name: Span,
    checked: Vec<TableUse>,
}

impl Binder<'_> {
    /// With a query, what fills the table.
    pub(super) fn create_table(&mut self, table: &CreateTable) -> Bind<Option<BoundSink>> {
        let full = self.full_name(&table.name);
        let in_catalog = self.catalog.tables.contains_key(&full) && !table.temporary;
        if self.local.contains_key(&full) && !table.or_replace || in_catalog {
            if table.if_not_exists {
                return Ok(None);
            }
            let message = format!("There is a table or view '{}' already.", table.name.text());
            let mut problem = Problem::error("exists-already", message, table.name.span);
            if in_catalog {
                problem = problem.with_hint("CREATE TEMPORARY TABLE hides the one of the catalog within this script.");
            }
            return Err(self.report(problem));
        }
        if let Some(query) = &table.query {
            return self.create_filled(table, query).map(Some);
        }
        self.define(table, full);
        Ok(None)
    }

    pub(super) fn define(&mut self, table: &CreateTable, full: String) {
        let name = table.name.text();
        let definition = self.table_definition(table, &name);
        let named = match definition {
            Ok(mut definition) => {
                credential::fill_in(&mut definition.options, &self.catalog.secrets);
                let parts = TableParts {
                    options: table.options.clone(),
                    options_span: table.options_span,
                    name: table.name.span,
                    checked: Vec::new(),
                };
                self.parts.insert(name, parts);
                Named::Table(Arc::new(definition))
            }
            Err(_) => Named::Broken,
        };
        self.local.insert(full, named);
    }

    /// Reports everything that is wrong before it gives up.
    pub(super) fn table_definition(&mut self, table: &CreateTable, name: &str) -> Bind<TableDef> {
        self.check_width(table.columns.len(), table.name.span)?;
        let before = self.problems.len();
        for clause in &table.unsupported {
            let _ = self.unsupported::<()>(clause.what, clause.span);
        }
        let mut definition = TableDef {
            name: name.to_owned(),
            columns: Vec::new(),
            watermark: None,
            primary_key: Vec::new(),
            partition_keys: Vec::new(),
            options: BTreeMap::new(),
            comment: table.comment.clone(),
        };
        if let Some(like) = &table.like {
            self.take_from(&mut definition, like)?;
        }
        self.declare_columns(table, &mut definition);
        self.bind_computed(table, &mut definition);
        for option in &table.options {
            if definition.options.insert(option.key.clone(), option.value.clone()).is_some() && table.like.is_none() {
                let _ =
                    self.refuse::<()>("parse", format!("The option '{}' is given twice.", option.key), option.key_span);
            }
        }
        if let [_, second, ..] = table.watermarks.as_slice() {
            let _ = self.refuse::<()>("unsupported", "A table has one watermark.", second.span);
        }
        if let Some(watermark) = table.watermarks.first() {
            let _ = self.watermark(watermark, &mut definition);
        }
        if let [_, second, ..] = table.primary_keys.as_slice() {
            let _ = self.refuse::<()>("parse", "A table has one primary key.", second.span);
        }
        if let Some(key) = table.primary_keys.first() {
            let _ = self.primary_key(key, &mut definition);
        }
        self.partition_keys(&table.partition_keys, &mut definition);
        if definition.columns.is_empty() && self.problems.len() == before {
            let _ = self.refuse::<()>("parse", "A table needs at least one column.", table.name.span);
        }
        if self.problems.len() > before { Err(super::Reported) } else { Ok(definition) }
    }

    /// Adds all columns; computed ones get their type in [`Self::bind_computed`].
    fn declare_columns(&mut self, table: &CreateTable, definition: &mut TableDef) {
        for column in &table.columns {
            if definition.columns.iter().any(|known| known.name == column.name.value) {
                let message = format!("The column '{}' is defined twice.", column.name.value);
                let _ = self.refuse::<()>("duplicate-column", message, column.name.span);
                continue;
            }
            let (ty, kind) = match &column.kind {
                ast::ColumnKind::Physical { ty } => (ty.ty.clone(), ColumnKind::Physical),
                ast::ColumnKind::Metadata { ty, key, virtual_ } => {
                    let key = key.clone().unwrap_or_else(|| column.name.value.clone());
                    (ty.ty.clone(), ColumnKind::Metadata { key, virtual_: *virtual_ })
                }
                ast::ColumnKind::Computed { .. } => continue,
            };
            definition.columns.push(ColumnDef {
                name: column.name.value.clone(),
                ty,
                kind,
                comment: column.comment.clone(),
            });
        }
    }

    /// Computed columns see the physical and metadata columns, and stand where they were declared.
    fn bind_computed(&mut self, table: &CreateTable, definition: &mut TableDef) {
        let computed = table.columns.iter().filter(|column| matches!(column.kind, ast::ColumnKind::Computed { .. }));
        if computed.count() == 0 {
            return;
        }
        let base = std::mem::take(&mut definition.columns);
        // The final order: as declared, after what LIKE brought.
        let declared = table.columns.iter().filter(|column| base.iter().any(|known| known.name == column.name.value));
        // A column that is there twice has been reported.
        let inherited = base.len().saturating_sub(declared.count());
        let mut order: Vec<Option<usize>> = (0..inherited).map(Some).collect();
        for column in &table.columns {
            match &column.kind {
                ast::ColumnKind::Computed { .. } => order.push(None),
                _ => order.push(base.iter().position(|known| known.name == column.name.value)),
            }
        }
        let final_index = |old: usize| order.iter().position(|from| *from == Some(old)).unwrap_or(old);
        let relation = relation_over(&base, &definition.name);
        let mut expressions = table.columns.iter().filter_map(|column| match &column.kind {
            ast::ColumnKind::Computed { expr } => Some((column, expr)),
            _ => None,
        });
        let mut columns: Vec<ColumnDef> = Vec::new();
        for from in &order {
            if let Some(from) = from {
                columns.extend(base.get(*from).cloned());
                continue;
            }
            let Some((column, expr)) = expressions.next() else { continue };
            if base.iter().chain(&columns).any(|known| known.name == column.name.value) {
                let message = format!("The column '{}' is defined twice.", column.name.value);
                let _ = self.refuse::<()>("duplicate-column", message, column.name.span);
                continue;
            }
            let Ok(bound) = self.expr(expr, &mut ExprScope::over(&relation, "a computed column")) else { continue };
            let bound = bound.replace_columns(&|index, expr| {
                let mut moved = expr.clone();
                moved.kind = crate::expr::ExprKind::Column(final_index(index));
                moved
            });
            let (name, comment) = (column.name.value.clone(), column.comment.clone());
            columns.push(ColumnDef { name, ty: bound.ty.clone(), kind: ColumnKind::Computed(bound), comment });
        }
        definition.columns = columns;
    }

    fn watermark(&mut self, watermark: &Watermark, definition: &mut TableDef) -> Bind<()> {
        let wanted = watermark.column.text();
        let Some(column) = definition.columns.iter().position(|column| column.name == wanted) else {
            let message = format!("The watermark is for a column '{wanted}', which the table does not have.");
            let mut problem = Problem::error("unknown-column", message, watermark.column.span);
            if let Some(near) = suggest::nearest(&wanted, definition.columns.iter().map(|column| column.name.as_str()))
            {
                problem = problem.with_replacement(near);
            }
            return Err(self.report(problem));
        };
        let ty = definition.columns.get(column).map(|column| column.ty.logical.clone()).unwrap_or(LogicalType::Null);
        if !ty.can_be_event_time() {
            let message = format!("'{wanted}' is {ty} and cannot be event time.");
            let problem = Problem::error("type-mismatch", message, watermark.column.span);
            return Err(self.report(problem.with_hint("Event time is a TIMESTAMP(3) or TIMESTAMP_LTZ(3) column. Add a computed column, for example ts AS TO_TIMESTAMP(s).")));
        }
        let relation = relation_over(&definition.columns, &definition.name);
        let expression = self.expr(&watermark.expr, &mut ExprScope::over(&relation, "a watermark"))?;
        if !expression.ty.logical.is_timestamp() {
            let message = format!("A watermark is a timestamp, and this is {}.", expression.ty.logical);
            return self.refuse("type-mismatch", message, watermark.expr.span);
        }
        let expression = self.convert(
            expression,
            &definition.columns.get(column).map(|column| column.ty.clone()).unwrap_or(LogicalType::Timestamp(3).into()),
        );
        definition.watermark = Some(WatermarkDef { column, expression });
        Ok(())
    }

    fn primary_key(&mut self, key: &PrimaryKey, definition: &mut TableDef) -> Bind<()> {
        if key.enforced {
            let problem =
                Problem::error("unsupported", "A primary key cannot be enforced: the data is not ours.", key.span);
            return Err(self.report(problem.with_hint("Write PRIMARY KEY (…) NOT ENFORCED.")));
        }
        for ident in &key.columns {
            let Some(index) = definition.columns.iter().position(|column| column.name == ident.value) else {
                let message =
                    format!("The primary key names a column '{}', which the table does not have.", ident.value);
                let mut problem = Problem::error("unknown-column", message, ident.span);
                if let Some(near) =
                    suggest::nearest(&ident.value, definition.columns.iter().map(|column| column.name.as_str()))
                {
                    problem = problem.with_replacement(near);
                }
                return Err(self.report(problem));
            };
            if definition.primary_key.contains(&index) {
                return self.refuse(
                    "duplicate-column",
                    format!("'{}' is in the primary key twice.", ident.value),
                    ident.span,
                );
            }
            if let Some(column) = definition.columns.get_mut(index) {
                if !matches!(column.kind, ColumnKind::Physical) {
                    return self.refuse(
                        "unsupported",
                        format!("'{}' is no physical column and cannot be in the primary key.", ident.value),
                        ident.span,
                    );
                }
                column.ty.nullable = false;
            }
            definition.primary_key.push(index);
        }
        Ok(())
    }

    fn partition_keys(&mut self, keys: &[ast::Ident], definition: &mut TableDef) {
        for ident in keys {
            let index = definition.columns.iter().position(|column| column.name == ident.value);
            let column = index.and_then(|index| definition.columns.get(index));
            let (code, message) = match (index, column.map(|column| &column.kind)) {
                (Some(index), Some(ColumnKind::Physical)) if !definition.partition_keys.contains(&index) => {
                    definition.partition_keys.push(index);
                    continue;
                }
                (Some(_), Some(ColumnKind::Physical)) => {
                    ("duplicate-column", format!("The table is partitioned by '{}' twice.", ident.value))
                }
                (Some(_), _) => {
                    ("unsupported", format!("'{}' is no physical column and cannot partition the table.", ident.value))
                }
                (None, _) => (
                    "unknown-column",
                    format!("The table is partitioned by a column '{}', which it does not have.", ident.value),
                ),
            };
            let _ = self.refuse::<()>(code, message, ident.span);
        }
    }

    /// Connector, format and options, once per table and use. The problems stand at the option where it is in the
    /// script, else where the table is used.
    pub(super) fn check_table(&mut self, table: &TableRef, use_: TableUse, used: Span) -> Bind<()> {
        if !self.spans {
            return Ok(());
        }
        let parts = self.parts.get_mut(&table.name);
        if let Some(parts) = parts {
            if parts.checked.contains(&use_) {
                return Ok(());
            }
            parts.checked.push(use_);
        }
        let problems = registry::problems(table, use_);
        if problems.is_empty() {
            return Ok(());
        }
        let parts = self.parts.get(&table.name);
        let placed: Vec<Problem> = problems.into_iter().map(|problem| place(problem, parts, used)).collect();
        self.problems.extend(placed);
        Err(super::Reported)
    }
}

/// Puts a problem about an option where that option stands.
fn place(found: OptionProblem, parts: Option<&TableParts>, used: Span) -> Problem {
    let mut problem = found.problem;
    problem.span = Some(used);
    let Some(parts) = parts else { return problem };
    problem.span = parts.options_span.or(Some(parts.name));
    if let Some(option) = parts.options.iter().find(|option| option.key == found.option) {
        let at_key = problem.code == "unknown-option";
        problem.span = Some(if at_key { option.key_span } else { option.value_span });
        if let Some(replacement) = problem.replacement.take() {
            problem.replacement = Some(format!("'{}'", replacement.trim_matches('\'')));
        }
    }
    problem
}

/// The columns as a relation, to bind expressions of the definition over.
pub(super) fn relation_over(columns: &[ColumnDef], name: &str) -> Relation {
    let fields = columns.iter().map(|column| Field::new(&column.name, column.ty.clone())).collect();
    let rel = Rel { node: RelNode::Values { rows: Vec::new() }, schema: Schema::new(fields) };
    Relation::new(rel, name.rsplit('.').next().unwrap_or(name))
}
