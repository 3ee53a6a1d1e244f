//! Queries in expressions: columns that are joined to the rows of a clause.
//!
//! While a clause is bound, what a query in it gives is bound to columns from [`ATTACHED_BASE`] on, numbered over all
//! queries of the clause. When the clause is known, each query is joined to its rows, and the columns get their places.

use super::join::{beside, joined};
use super::relation::{Relation, filter, project};
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{JoinKind, Rel};
use crate::plan::rewrite::all_of;
use crate::sql::Span;
use crate::types::Type;

/// No relation has so many columns.
pub(super) const ATTACHED_BASE: usize = usize::MAX / 8;

/// Queries of one clause, in the order in which they were found.
#[derive(Default)]
pub(super) struct Attachments {
    list: Vec<Attached>,
    width: usize,
}

/// For each row of the clause, the rows of a query that belong to it: one at most.
pub(super) struct Attached {
    pub(super) rel: Rel,
    pub(super) keys: Vec<AttachedKey>,
    pub(super) span: Span,
}

/// A column of the query that equals a value of the row.
pub(super) struct AttachedKey {
    pub(super) column: usize,
    pub(super) value: Expr,
    pub(super) null_safe: bool,
}

impl Attachments {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Gives a column of the query as one of the clause: NULL where no row belongs.
    pub(super) fn push(&mut self, attached: Attached) -> impl Fn(usize) -> Expr + use<> {
        let first = ATTACHED_BASE + self.width;
        self.width += attached.rel.schema.len();
        let types: Vec<Type> =
            attached.rel.schema.fields.iter().map(|field| Type::nullable(field.ty.logical.clone())).collect();
        self.list.push(attached);
        move |column| {
            let ty = types.get(column).cloned().unwrap_or(Type::nullable(crate::types::LogicalType::Null));
            Expr::column(first + column, ty)
        }
    }

    /// What rows of the clause are compared with.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.list.iter_mut().flat_map(|attached| attached.keys.iter_mut().map(|key| &mut key.value))
    }
}

/// An expression over a clause's rows and what was attached to them from column `base` on.
pub(super) fn placed(expr: &Expr, base: usize) -> Expr {
    expr.replace_columns(&|index, column| match index.checked_sub(ATTACHED_BASE) {
        Some(attached) if index < super::subquery::OUTER_BASE => {
            Expr { kind: ExprKind::Column(base + attached), ..column.clone() }
        }
        _ => column.clone(),
    })
}

pub(super) fn is_attached(expr: &Expr) -> bool {
    expr.columns().iter().any(|column| (ATTACHED_BASE..super::subquery::OUTER_BASE).contains(column))
}

impl Binder<'_> {
    /// Queries may stand in what is bound by `work`.
    pub(super) fn collecting<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, Attachments) {
        let around = self.attachments.replace(Attachments::default());
        let result = work(self);
        let found = std::mem::replace(&mut self.attachments, around);
        (result, found.unwrap_or_default())
    }

    /// As [`Binder::collecting`], for what is computed below the clause; nothing where queries cannot stand.
    pub(super) fn collecting_more<T>(&mut self, attachments: &mut Attachments, work: impl FnOnce(&mut Self) -> T) -> T {
        if self.attachments.is_none() {
            return work(self);
        }
        let around = self.attachments.replace(std::mem::take(attachments));
        let result = work(self);
        *attachments = std::mem::replace(&mut self.attachments, around).unwrap_or_default();
        result
    }

    /// The rows of a clause with the columns of its queries behind their own.
    pub(super) fn attach_all(&mut self, relation: Relation, attachments: Attachments) -> Bind<Relation> {
        if attachments.is_empty() {
            return Ok(relation);
        }
        let base = relation.schema().len();
        let (tables, star) = (relation.tables.clone(), relation.star());
        // Rows change behind a join that keeps them, so that windows cannot fire once.
        let window = relation.window.clone().filter(|_| !self.streaming());
        let mut result = relation;
        for Attached { rel, keys, span } in attachments.list {
            self.count_nodes(3, span)?;
            let width = result.schema().len();
            let both = beside(result, Relation::new(rel, ""));
            let mut equal = Vec::with_capacity(keys.len());
            for key in keys {
                let Some(column) = both.column(width + key.column) else { continue };
                let operator = if key.null_safe { "IS NOT DISTINCT FROM" } else { "=" };
                equal.push(self.operator(operator, vec![placed(&key.value, base), column], span)?);
            }
            result = joined(both, width, JoinKind::Left, all_of(equal));
        }
        Ok(Relation { tables, star: Some(star), window, ..result })
    }

    /// Rows that pass conditions with queries, with the columns that they had.
    pub(super) fn filter_attached(
        &mut self,
        mut relation: Relation,
        conditions: Vec<Expr>,
        attachments: Attachments,
    ) -> Bind<Relation> {
        let (with, without): (Vec<Expr>, Vec<Expr>) = conditions.into_iter().partition(is_attached);
        if let Some(predicate) = all_of(without) {
            relation.rel = filter(relation.rel, predicate);
        }
        if attachments.is_empty() {
            return Ok(relation);
        }
        let (base, star) = (relation.schema().len(), relation.star.clone());
        let mut wide = self.attach_all(relation, attachments)?;
        if let Some(predicate) = all_of(with.iter().map(|condition| placed(condition, base)).collect()) {
            wide.rel = filter(wide.rel, predicate);
        }
        let exprs = (0..base).filter_map(|column| wide.column(column)).collect();
        let names = wide.schema().fields.iter().take(base).map(|field| field.name.clone()).collect();
        Ok(Relation { rel: project(wide.rel, exprs, names), star, ..wide })
    }
}
