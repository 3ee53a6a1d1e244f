//! `MERGE INTO target USING source ON …`, over bounded input.
//!
//! Planned as the cheapest join that its actions allow: an anti join where rows are only inserted, an inner one where
//! rows of the target only change, else an outer one.

use super::expr::ExprScope;
use super::join::{beside, joined};
use super::relation::{Relation, ScopeTable, filter, project};
use super::{Bind, Binder};
use crate::catalog::{TableDef, TableRef};
use crate::connector::TableUse;
use crate::expr::{Expr, ExprKind, Value};
use crate::plan::logical::{BoundSink, JoinKind, Rel, RelNode, SinkTarget, merge_action};
use crate::plan::rewrite::{all_of, null_literal};
use crate::sql::ast::{self, Ident, Merge, MergeAction, MergeClause};
use crate::sql::{Problem, Span, suggest};
use crate::types::{Field, LogicalType, Schema, Type};

/// A clause over the rows of the join: what it needs to be true, and the row that it leaves.
struct Action {
    kind: i32,
    matched: bool,
    condition: Option<Expr>,
    /// One value per column that is written.
    row: Vec<Expr>,
}

impl Binder<'_> {
    pub(super) fn merge(&mut self, merge: &Merge, span: Span) -> Bind<BoundSink> {
        if self.streaming() {
            let problem = Problem::error("unsupported", "MERGE INTO works over bounded input only.", span);
            return Err(self.report(problem.with_hint("Say SET 'execution.runtime-mode' = 'batch' before it.")));
        }
        let table = self.table_to_write(&merge.target)?;
        let table = self.with_hints(table, &merge.hints)?;
        if table.primary_key.is_empty() {
            let message = format!("MERGE INTO needs a primary key, and '{}' has none.", merge.target.text());
            let problem = Problem::error("sink-schema", message, merge.target.span);
            return Err(self.report(problem.with_hint("Declare PRIMARY KEY (…) NOT ENFORCED.")));
        }
        self.writes.push(table.name.clone());
        self.check_table(&table, TableUse::Write, merge.target.span)?;
        let mut target = self.named_relation(&merge.target, &merge.hints, TableUse::Read)?;
        if let Some(alias) = &merge.alias {
            let columns = 0..target.schema().len();
            target.tables = vec![ScopeTable { alias: alias.value.clone(), database: None, columns }];
        }
        let source = self.from(&merge.source)?;
        self.count_nodes(6, span)?;
        self.check_width(3 * (source.schema().len() + target.schema().len()), span)?;
        let width = source.schema().len();
        let both = beside(source.clone(), target);
        let on = self.condition(&merge.on, &mut ExprScope::over(&both, "ON"), "ON")?;
        let mut actions = Vec::with_capacity(merge.clauses.len());
        for clause in &merge.clauses {
            actions.push(self.merge_action(clause, &table, &both, &source)?);
        }
        let (changes, inserts) =
            (actions.iter().any(|action| action.matched), actions.iter().any(|action| !action.matched));
        let kind = match (changes, inserts) {
            (true, true) => JoinKind::Left,
            (true, false) => JoinKind::Inner,
            (false, _) => JoinKind::Anti,
        };
        let rows = joined(both, width, kind, Some(on));
        let query = self.merged(rows, &actions, &table, width, kind, span)?;
        Ok(BoundSink { target: SinkTarget::Table(table), query })
    }

    fn merge_action(
        &mut self,
        clause: &MergeClause,
        table: &TableRef,
        both: &Relation,
        source: &Relation,
    ) -> Bind<Action> {
        // A row that comes new has no row of the target to read.
        let scope = if clause.matched { both } else { source };
        let condition = clause.condition.as_ref();
        let condition = condition
            .map(|condition| self.condition(condition, &mut ExprScope::over(scope, "WHEN"), "WHEN"))
            .transpose()?;
        let old = old_row(table, source.schema().len());
        let (kind, row) = match &clause.action {
            MergeAction::Delete => (merge_action::DELETE, old),
            MergeAction::Update { set } => (merge_action::UPDATE, self.updated(set, table, old, scope)?),
            MergeAction::Insert { columns, values } => {
                (merge_action::INSERT, self.inserted(columns, values, table, scope, clause.span)?)
            }
        };
        Ok(Action { kind, matched: clause.matched, condition, row })
    }

    fn updated(
        &mut self,
        set: &[(Ident, ast::Expr)],
        table: &TableRef,
        mut row: Vec<Expr>,
        scope: &Relation,
    ) -> Bind<Vec<Expr>> {
        let written = table.write_columns();
        let mut done: Vec<usize> = Vec::new();
        for (name, value) in set {
            let place = self.merge_column(name, table, &written)?;
            if written.get(place).is_some_and(|column| table.primary_key.contains(column)) {
                let message = format!("'{}' is in the primary key and cannot change.", name.value);
                return self.refuse("unsupported", message, name.span);
            }
            if done.contains(&place) {
                return self.refuse("duplicate-column", format!("'{}' is set twice.", name.value), name.span);
            }
            done.push(place);
            let value = self.merge_value(value, table, &written, place, scope)?;
            if let Some(held) = row.get_mut(place) {
                *held = value;
            }
        }
        Ok(row)
    }

    fn inserted(
        &mut self,
        columns: &[Ident],
        values: &[ast::Expr],
        table: &TableRef,
        scope: &Relation,
        span: Span,
    ) -> Bind<Vec<Expr>> {
        let written = table.write_columns();
        let mut places = Vec::with_capacity(columns.len());
        for name in columns {
            let place = self.merge_column(name, table, &written)?;
            if places.contains(&place) {
                return self.refuse("duplicate-column", format!("'{}' is written twice.", name.value), name.span);
            }
            places.push(place);
        }
        if columns.is_empty() {
            places = (0..written.len()).collect();
        }
        if places.len() != values.len() {
            let message = format!("{} value(s) are given for {} column(s).", values.len(), places.len());
            return self.refuse("sink-schema", message, span);
        }
        let mut row = Vec::with_capacity(written.len());
        for (place, column) in written.iter().filter_map(|column| table.columns.get(*column)).enumerate() {
            match places.iter().position(|given| *given == place).and_then(|given| values.get(given)) {
                Some(value) => row.push(self.merge_value(value, table, &written, place, scope)?),
                None if column.ty.nullable => row.push(null_literal(&column.ty)),
                None => {
                    let message = format!("{} is NOT NULL and gets no value.", column.name);
                    return self.refuse("sink-schema", message, span);
                }
            }
        }
        Ok(row)
    }

    /// The place of a column among those that are written.
    fn merge_column(&mut self, name: &Ident, table: &TableDef, written: &[usize]) -> Bind<usize> {
        let names = || written.iter().filter_map(|index| table.columns.get(*index)).map(|column| column.name.as_str());
        if let Some(place) = names().position(|column| column == name.value) {
            return Ok(place);
        }
        let message = format!("'{}' has no column '{}' that can be written.", table.name, name.value);
        let mut problem = Problem::error("unknown-column", message, name.span);
        if let Some(near) = suggest::nearest(&name.value, names()) {
            problem = problem.with_replacement(near);
        }
        Err(self.report(problem))
    }

    fn merge_value(
        &mut self,
        value: &ast::Expr,
        table: &TableDef,
        written: &[usize],
        place: usize,
        scope: &Relation,
    ) -> Bind<Expr> {
        let bound = self.expr(value, &mut ExprScope::over(scope, "MERGE"))?;
        let Some(column) = written.get(place).and_then(|column| table.columns.get(*column)) else { return Ok(bound) };
        if !super::conversion::fits_sink(&bound.ty.logical, &column.ty.logical) {
            let message = format!("This is {}, and {} is {}.", bound.ty.logical, column.name, column.ty.logical);
            let problem = Problem::error("sink-schema", message, value.span).with_hint("Convert it with CAST.");
            return Err(self.report(problem));
        }
        Ok(self.convert(bound, &column.ty))
    }

    /// Joined rows → rows for the target, by the first action whose condition holds.
    fn merged(
        &mut self,
        rows: Relation,
        actions: &[Action],
        table: &TableRef,
        width: usize,
        kind: JoinKind,
        span: Span,
    ) -> Bind<Rel> {
        let int = |number: usize| Expr::literal(Value::int(number as i32), Type::not_null(LogicalType::Int));
        let mut branches = Vec::with_capacity(actions.len());
        for (index, action) in actions.iter().enumerate() {
            let mut tests: Vec<Expr> = action.condition.iter().cloned().collect();
            if kind == JoinKind::Left {
                tests.insert(0, self.is_matched(table, width, action.matched, span)?);
            }
            let truth = || Expr::literal(Value::boolean(true), Type::not_null(LogicalType::Boolean));
            branches.push((all_of(tests).unwrap_or_else(truth), int(index)));
        }
        let base = rows.schema().len();
        let nullable_int = Type::nullable(LogicalType::Int);
        let chosen = Expr { kind: ExprKind::Case { branches, otherwise: None }, ty: nullable_int.clone(), span: None };
        let mut exprs = super::decorrelate::columns(&rows.rel);
        let mut names = super::decorrelate::names(&rows.rel);
        exprs.push(chosen);
        names.push("action$".to_owned());
        let rows = project(rows.rel, exprs, names);
        let chosen = Expr::column(base, nullable_int.clone());
        let does = self.operator("IS NOT NULL", vec![chosen.clone()], span)?;
        let rows = filter(rows, does);
        let mut is = Vec::with_capacity(actions.len());
        for index in 0..actions.len() {
            is.push(self.operator("=", vec![chosen.clone(), int(index)], span)?);
        }
        let pick = |ty: &Type, values: Vec<Expr>| {
            let branches = is.iter().cloned().zip(values).collect();
            Expr { kind: ExprKind::Case { branches, otherwise: None }, ty: ty.clone(), span: None }
        };
        let written = table.write_columns();
        let columns: Vec<&crate::catalog::ColumnDef> =
            written.iter().filter_map(|column| table.columns.get(*column)).collect();
        let new = columns.iter().enumerate().map(|(place, column)| {
            let values = actions.iter().filter_map(|action| action.row.get(place).cloned()).collect();
            pick(&Type::nullable(column.ty.logical.clone()), values)
        });
        let new: Vec<Expr> = new.collect();
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        if kind == JoinKind::Anti {
            return Ok(project(rows, new, names));
        }
        let kinds =
            actions.iter().map(|action| Expr::literal(Value::int(action.kind), Type::not_null(LogicalType::Int)));
        let mut exprs = vec![pick(&nullable_int, kinds.collect())];
        let padded = |expr: Expr| Expr { ty: Type::nullable(expr.ty.logical.clone()), ..expr };
        exprs.extend(old_row(table, width).into_iter().map(padded));
        exprs.extend(new);
        let mut all = vec!["kind$".to_owned()];
        all.extend(names.iter().map(|name| format!("{name}$old")));
        all.extend(names.iter().cloned());
        let input = project(rows, exprs, all);
        let fields = columns.iter().map(|column| Field::new(&column.name, Type::nullable(column.ty.logical.clone())));
        let schema = Schema::new(fields.collect());
        let key = table.primary_key.iter().filter_map(|key| written.iter().position(|column| column == key)).collect();
        Ok(Rel { node: RelNode::Merge { input: Box::new(input), key }, schema })
    }

    /// Whether an outer join found a row of the target: its key is not NULL then.
    fn is_matched(&mut self, table: &TableRef, width: usize, matched: bool, span: Span) -> Bind<Expr> {
        let key = table.primary_key.first().copied().unwrap_or(0);
        let ty = table.columns.get(key).map_or(LogicalType::Null, |column| column.ty.logical.clone());
        let test = if matched { "IS NOT NULL" } else { "IS NULL" };
        self.operator(test, vec![Expr::column(width + key, Type::nullable(ty))], span)
    }
}

/// The columns of the target that are written, as they stand behind those of the source.
fn old_row(table: &TableDef, width: usize) -> Vec<Expr> {
    let column = |index: usize| {
        let ty = table.columns.get(index).map_or(Type::nullable(LogicalType::Null), |column| column.ty.clone());
        Expr::column(width + index, ty)
    };
    table.write_columns().into_iter().map(column).collect()
}
