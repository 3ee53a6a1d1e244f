//! A plan under construction, with the names that its columns go by.

use std::ops::Range;

use crate::expr::Expr;
use crate::plan::logical::{Rel, RelNode, WindowBounds, WindowKind};
use crate::types::{Field, Schema};

#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) rel: Rel,
    pub(super) tables: Vec<ScopeTable>,
    pub(super) window: Option<WindowColumns>,
    /// What `*` gives and names without a table find, where that is not every column in order: joins with USING.
    pub(super) star: Option<Vec<usize>>,
}

/// A table or alias, and its columns in the relation's schema.
#[derive(Clone, Debug)]
pub(super) struct ScopeTable {
    /// Empty for a sub-query without alias.
    pub(super) alias: String,
    /// The database, where the table is named without an alias.
    pub(super) database: Option<String>,
    pub(super) columns: Range<usize>,
}

/// Where the window of a table function stands among the columns. Kept as long as both bounds are passed on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WindowColumns {
    pub(super) kind: WindowKind,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) time: Option<usize>,
    /// The event-time column the windows were made of, while it is there.
    pub(super) time_column: Option<usize>,
    /// Windows over `TIMESTAMP_LTZ`: the bounds are local times.
    pub(super) local: bool,
}

impl Relation {
    pub(super) fn new(rel: Rel, alias: &str) -> Self {
        let columns = 0..rel.schema.len();
        let tables = vec![ScopeTable { alias: alias.to_owned(), database: None, columns }];
        Relation { rel, tables, window: None, star: None }
    }

    pub(super) fn star(&self) -> Vec<usize> {
        self.star.clone().unwrap_or_else(|| (0..self.schema().len()).collect())
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.rel.schema
    }

    pub(super) fn column(&self, index: usize) -> Option<Expr> {
        let field = self.schema().fields.get(index)?;
        Some(Expr::column(index, field.ty.clone()))
    }
}

/// Projects, keeping the event-time mark of columns that are passed on unchanged.
pub(super) fn project(input: Rel, exprs: Vec<Expr>, names: Vec<String>) -> Rel {
    let passed = exprs.iter().map(passed_column).collect::<Vec<_>>();
    let event_time =
        passed.iter().enumerate().filter(|(_, from)| from.is_some_and(|from| input.schema.event_time.contains(&from)));
    let event_time = event_time.map(|(to, _)| to).collect();
    let fields = names.into_iter().zip(&exprs).map(|(name, expr)| Field::new(name, expr.ty.clone())).collect();
    let schema = Schema { fields, event_time };
    Rel { node: RelNode::Project { input: Box::new(input), exprs }, schema }
}

/// The input column that an expression passes on unchanged.
pub(super) fn passed_column(expr: &Expr) -> Option<usize> {
    match expr.kind {
        crate::expr::ExprKind::Column(index) => Some(index),
        _ => None,
    }
}

impl WindowColumns {
    pub(super) const fn bounds(&self) -> WindowBounds {
        let session = matches!(self.kind, WindowKind::Session { .. });
        WindowBounds { start: self.start, end: self.end, local: self.local, session }
    }

    /// The window after a projection, if both bounds are still there.
    pub(super) fn project(&self, exprs: &[Expr]) -> Option<Self> {
        let find = |column: usize| exprs.iter().position(|expr| passed_column(expr) == Some(column));
        Some(WindowColumns {
            kind: self.kind.clone(),
            start: find(self.start)?,
            end: find(self.end)?,
            time: self.time.and_then(find),
            time_column: self.time_column.and_then(find),
            local: self.local,
        })
    }
}

pub(super) fn filter(input: Rel, predicate: Expr) -> Rel {
    let schema = input.schema.clone();
    Rel { node: RelNode::Filter { input: Box::new(input), predicate }, schema }
}
