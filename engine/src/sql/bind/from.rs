//! The FROM clause.

use super::expr::ExprScope;
use super::relation::{Relation, ScopeTable};
use super::{Bind, Binder};
use crate::sql::Span;
use crate::sql::ast::{self, From, FromKind};
use crate::types::LogicalType;

impl Binder<'_> {
    pub(super) fn from(&mut self, from: &From) -> Bind<Relation> {
        let mut relation = match &from.kind {
            FromKind::Table { name, hints, system_time } => {
                let relation = self.named_relation(name, hints)?;
                if let Some(time) = system_time {
                    return self.unsupported("FOR SYSTEM_TIME AS OF", time.span);
                }
                relation
            }
            FromKind::Query(query) => {
                let mut relation = self.query(query)?;
                relation.tables = vec![whole(&relation, "")];
                relation
            }
            FromKind::Function { call, call_span, lateral } => {
                if *lateral {
                    return self.unsupported("LATERAL TABLE", from.span);
                }
                let mut relation = self.window_function(call, *call_span)?;
                // Columns of a table function go by its alias only.
                relation.tables = vec![whole(&relation, "")];
                relation
            }
            FromKind::Unnest { input, call_span } => {
                let empty = super::query::one_row();
                return self.unnest(input, &empty, *call_span);
            }
            FromKind::Join { left, right, kind, condition } => {
                return self.join(left, right, *kind, condition, from.span);
            }
            FromKind::Unsupported(what) => return self.unsupported(what, from.span),
        };
        if let Some(alias) = &from.alias {
            relation = self.rename_columns(relation, &alias.columns, alias.name.span)?;
            relation.tables = vec![whole(&relation, &alias.name.value)];
            relation.star = None;
        }
        Ok(relation)
    }

    pub(super) fn unnest(&mut self, input: &ast::Expr, outer: &Relation, span: Span) -> Bind<Relation> {
        let input = self.expr(input, &mut ExprScope::over(outer, "UNNEST"))?;
        match input.ty.logical {
            LogicalType::Array(_) | LogicalType::Map(..) | LogicalType::Multiset(_) => self.unsupported("UNNEST", span),
            other => self.refuse(
                "type-mismatch",
                format!("UNNEST takes an array, map or multiset, and this is {other}."),
                span,
            ),
        }
    }
}

fn whole(relation: &Relation, alias: &str) -> ScopeTable {
    ScopeTable { alias: alias.to_owned(), database: None, columns: 0..relation.schema().len() }
}
