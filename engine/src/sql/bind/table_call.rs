//! UNNEST and LATERAL TABLE: the rows of a function beside the row that it is called for.

use super::expr::ExprScope;
use super::relation::{Relation, ScopeTable, filter, project};
use super::{Bind, Binder};
use crate::expr::Expr;
use crate::function::ResolveError;
use crate::function::table::{TableFunctionRef, resolve_table};
use crate::plan::logical::{Rel, RelNode, TableCallSpec};
use crate::sql::ast::{self, From, FromKind, JoinCondition, JoinKind, Literal};
use crate::sql::{Problem, Span};
use crate::types::{Field, Schema};

/// Whether a FROM item is a function that is called for each row of what stands before it.
pub(super) fn is_table_call(from: &From) -> bool {
    match &from.kind {
        FromKind::Unnest { .. } => true,
        FromKind::Function { call, .. } => !super::window::is_window_function(call.name.last()),
        _ => false,
    }
}

impl Binder<'_> {
    /// A call with nothing before it: over constants.
    pub(super) fn lone_table_call(&mut self, from: &From) -> Bind<Relation> {
        let mut relation = self.with_table_call(super::query::one_row(), from, false)?;
        let own: Vec<usize> = (1..relation.schema().len()).collect();
        let exprs = own.iter().filter_map(|column| relation.column(*column)).collect();
        let fields = &relation.schema().fields;
        let names = own.iter().filter_map(|column| fields.get(*column)).map(|field| field.name.clone()).collect();
        relation.rel = project(relation.rel, exprs, names);
        for table in &mut relation.tables {
            table.columns = 0..own.len();
        }
        relation.star = None;
        Ok(relation)
    }

    /// `left JOIN UNNEST(left.tags) AS u(tag) ON TRUE`, and the other kinds of joins that there are for it.
    pub(super) fn table_call_join(
        &mut self,
        left: Relation,
        right: &From,
        kind: JoinKind,
        condition: &JoinCondition,
        span: Span,
    ) -> Bind<Relation> {
        match kind {
            JoinKind::Right => return self.unsupported("A RIGHT JOIN with a table function", span),
            JoinKind::Full => return self.unsupported("A FULL JOIN with a table function", span),
            JoinKind::Inner | JoinKind::Left if matches!(condition, JoinCondition::None) => {
                return self.refuse("parse", "A JOIN needs ON; without a condition it is a CROSS JOIN.", span);
            }
            _ => {}
        }
        if matches!(condition, JoinCondition::Using(_) | JoinCondition::Natural) {
            return self.unsupported("USING or NATURAL with a table function", span);
        }
        let outer = kind == JoinKind::Left;
        let relation = self.with_table_call(left, right, outer)?;
        match condition {
            JoinCondition::On(condition) if is_true(condition) => Ok(relation),
            JoinCondition::On(condition) if outer => {
                let problem = Problem::error(
                    "unsupported",
                    "A LEFT JOIN with a table function takes no condition but TRUE.",
                    condition.span,
                );
                Err(self.report(problem.with_hint("Write ON TRUE, and the condition where the result is read.")))
            }
            JoinCondition::On(condition) => {
                let predicate = self.condition(condition, &mut ExprScope::over(&relation, "ON"), "ON")?;
                Ok(Relation { rel: filter(relation.rel, predicate), ..relation })
            }
            _ => Ok(relation),
        }
    }

    fn with_table_call(&mut self, left: Relation, from: &From, outer: bool) -> Bind<Relation> {
        let (function, args, span) = self.table_function(from, &left)?;
        self.count_nodes(2, span)?;
        let columns = self.named_columns(from, function.columns())?;
        let width = left.schema().len();
        self.check_width(width + columns.len(), span)?;
        let mut tables = left.tables;
        let alias = from.alias.as_ref().map_or("", |alias| alias.name.value.as_str());
        tables.push(ScopeTable { alias: alias.to_owned(), database: None, columns: width..width + columns.len() });
        let star = left.star.map(|star| star.into_iter().chain(width..width + columns.len()).collect());
        let schema = &left.rel.schema;
        let padded = columns.into_iter().map(|column| {
            let nullable = column.ty.nullable || outer;
            Field::new(column.name, column.ty.with_nullable(nullable))
        });
        let fields = schema.fields.iter().cloned().chain(padded).collect();
        let schema = Schema { fields, event_time: schema.event_time.clone() };
        let call = TableCallSpec { function, args, outer, passed: (0..width).collect() };
        let node = RelNode::TableCall { input: Box::new(left.rel), call };
        Ok(Relation { rel: Rel { node, schema }, tables, window: left.window, star })
    }

    fn table_function(&mut self, from: &From, left: &Relation) -> Bind<(TableFunctionRef, Vec<Expr>, Span)> {
        match &from.kind {
            FromKind::Unnest { input, call_span, ordinality } => {
                let input = self.expr(input, &mut ExprScope::over(left, "UNNEST"))?;
                let name = if *ordinality { "UNNEST WITH ORDINALITY" } else { "UNNEST" };
                let ty = input.ty.logical.clone();
                match self.resolved_table(name, vec![input]) {
                    Ok((function, args)) => Ok((function, args, *call_span)),
                    Err(_) => {
                        let message = format!("UNNEST takes an array, map or multiset, and this is {ty}.");
                        self.refuse("type-mismatch", message, *call_span)
                    }
                }
            }
            FromKind::Function { call, call_span, lateral } => {
                let lone = super::query::one_row();
                let scope = if *lateral { left } else { &lone };
                let (function, args) = self.called_function(call, scope, *call_span)?;
                Ok((function, args, *call_span))
            }
            _ => self.unsupported("This table function", from.span),
        }
    }

    fn called_function(
        &mut self,
        call: &ast::Call,
        scope: &Relation,
        span: Span,
    ) -> Bind<(TableFunctionRef, Vec<Expr>)> {
        let name = call.name.text().to_ascii_uppercase();
        let plain = !call.star && !call.distinct && call.filter.is_none() && call.over.is_none();
        if !plain || !call.unsupported.is_empty() {
            return self.refuse("wrong-arguments", format!("{name} is no aggregate: it takes plain values."), span);
        }
        if let Some(named) = call.args.iter().find_map(|arg| arg.name.as_ref()) {
            return self.unsupported("A named argument of a table function", named.span);
        }
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            args.push(self.expr(&arg.value, &mut ExprScope::over(scope, "a table function")));
        }
        let args = args.into_iter().collect::<Bind<Vec<Expr>>>()?;
        if let Some(user) = self.user_function(&name) {
            return self.user_rows(user, call.name.last(), args, span);
        }
        match self.resolved_table(&name, args) {
            Ok(resolved) => Ok(resolved),
            Err(error) => Err(self.unresolved_table(&name, error, span)),
        }
    }

    fn resolved_table(&self, name: &str, args: Vec<Expr>) -> Result<(TableFunctionRef, Vec<Expr>), ResolveError> {
        let arguments: Vec<_> = args.iter().map(super::call::argument).collect();
        let function = resolve_table(name, &arguments)?;
        let args = args.into_iter().zip(function.arg_types()).map(|(arg, ty)| self.convert(arg, ty)).collect();
        Ok((function, args))
    }

    fn unresolved_table(&mut self, name: &str, error: ResolveError, span: Span) -> super::Reported {
        let problem = match error {
            ResolveError::UnknownFunction { suggestion } => {
                let scalar = crate::function::list().iter().any(|known| known.name == name);
                let problem = if scalar {
                    Problem::error("wrong-arguments", format!("{name} gives a value, not rows."), span)
                } else if super::flink_function::is_known(name) {
                    Problem::error("unsupported", format!("The table function {name} is not supported yet."), span)
                } else {
                    Problem::error("unknown-function", format!("There is no table function '{name}'."), span)
                };
                match suggestion {
                    Some(other) => problem.with_hint(format!("Did you mean '{other}'?")),
                    None => problem,
                }
            }
            ResolveError::WrongArguments { message } => Problem::error("wrong-arguments", message, span),
            ResolveError::Unsupported { message } => Problem::error("unsupported", message, span),
        };
        self.report(problem)
    }

    /// The columns under the names of the alias. A single column of UNNEST goes by the alias itself.
    fn named_columns(&mut self, from: &From, columns: &[Field]) -> Bind<Vec<Field>> {
        let Some(alias) = &from.alias else { return Ok(columns.to_vec()) };
        let named = |names: &[&str]| {
            names.iter().zip(columns).map(|(name, column)| Field::new(*name, column.ty.clone())).collect()
        };
        if alias.columns.is_empty() {
            let unnest = matches!(from.kind, FromKind::Unnest { .. });
            let single = unnest && columns.len() == 1;
            return Ok(if single { named(&[alias.name.value.as_str()]) } else { columns.to_vec() });
        }
        if alias.columns.len() != columns.len() {
            let message = format!("{} names are given for {} columns.", alias.columns.len(), columns.len());
            return self.refuse("wrong-arguments", message, alias.name.span);
        }
        let names: Vec<&str> = alias.columns.iter().map(|column| column.value.as_str()).collect();
        Ok(named(&names))
    }
}

fn is_true(condition: &ast::Expr) -> bool {
    matches!(condition.kind, ast::ExprKind::Literal(Literal::Boolean(true)))
}
