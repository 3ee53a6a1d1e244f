//! `a JOIN b ON …`, with USING and NATURAL, and tables with a comma between.
//!
//! The whole condition stays in the join; a rewrite finds keys and filters in it.

use super::attach::Attachments;
use super::expr::ExprScope;
use super::name::find_visible;
use super::relation::{Relation, ScopeTable, WindowColumns, project};
use super::table_call::is_table_call;
use super::{Bind, Binder};
use crate::expr::Expr;
use crate::plan::logical::{AsOf, JoinKind, JoinSpec, Rel, RelNode};
use crate::plan::rewrite::all_of;
use crate::sql::Span;
use crate::sql::ast::{self, From, FromKind, Ident, JoinCondition};
use crate::types::Schema;

impl Binder<'_> {
    pub(super) fn join(
        &mut self,
        left_from: &From,
        right_from: &From,
        kind: ast::JoinKind,
        condition: &JoinCondition,
        span: Span,
    ) -> Bind<Relation> {
        let left = self.from(left_from);
        if is_table_call(right_from) {
            return self.table_call_join(left?, right_from, kind, condition, span);
        }
        let mut as_of = None;
        let right = match (&right_from.kind, &left) {
            (FromKind::Table { system_time: Some(time), .. }, Ok(left)) => {
                self.as_of(left, right_from, time, kind).map(|(relation, found)| {
                    as_of = Some(found);
                    relation
                })
            }
            _ => self.from(right_from),
        };
        let (left, right) = (left?, right?);
        // Other joins forget by themselves.
        let retention = match as_of {
            Some(_) => Default::default(),
            None => [self.side_retention(left_from, &left)?, self.side_retention(right_from, &right)?],
        };
        let bare = matches!(condition, JoinCondition::None);
        let kind = match kind {
            ast::JoinKind::Cross => JoinKind::Inner,
            _ if bare => {
                return self.refuse("parse", "A JOIN needs ON or USING; without a condition it is a CROSS JOIN.", span);
            }
            ast::JoinKind::Inner => JoinKind::Inner,
            ast::JoinKind::Left => JoinKind::Left,
            ast::JoinKind::Right => JoinKind::Right,
            ast::JoinKind::Full => JoinKind::Full,
        };
        self.count_nodes(3, span)?;
        self.check_width(left.schema().len() + right.schema().len(), span)?;
        let shared = match condition {
            JoinCondition::Using(names) => self.using(names, &left, &right)?,
            JoinCondition::Natural => self.common(&left, &right, span)?,
            _ => Vec::new(),
        };
        let width = left.schema().len();
        let star = (!shared.is_empty() || left.star.is_some() || right.star.is_some()).then(|| {
            let right = right.star().into_iter().map(|column| column + width);
            left.star().into_iter().chain(right).collect::<Vec<_>>()
        });
        let mut both = beside(left, right);
        both.star = star;
        if let Some(as_of) = as_of {
            both = meets_state(both, width, as_of);
        }
        let mut queries = Attachments::default();
        let condition = match condition {
            JoinCondition::On(condition) if kind == JoinKind::Inner => {
                let (bound, attachments) = self.collecting(|binder| {
                    let mut scope = ExprScope::over(&both, "ON");
                    binder.only_truth(|binder| binder.condition(condition, &mut scope, "ON"))
                });
                queries = attachments;
                Some(bound?)
            }
            JoinCondition::On(condition) => {
                let mut scope = ExprScope::over(&both, "ON of an outer join");
                Some(self.condition(condition, &mut scope, "ON")?)
            }
            _ => {
                let mut equal = Vec::new();
                for (left, right) in &shared {
                    let sides = [*left, right + width].into_iter().filter_map(|column| both.column(column));
                    equal.push(self.operator("=", sides.collect(), span)?);
                }
                all_of(equal)
            }
        };
        let (above, condition) = if queries.is_empty() { (None, condition) } else { (condition, None) };
        let mut joined = joined(both, width, kind, condition);
        if let RelNode::Join { join, .. } = &mut joined.rel.node {
            *join.retention = retention;
        }
        if let Some(condition) = above {
            joined = self.filter_attached(joined, vec![condition], queries)?;
        }
        if shared.is_empty() { Ok(joined) } else { self.merge_shared(joined, width, kind, &shared, span) }
    }

    /// Columns of both sides with these names.
    fn using(&mut self, names: &[Ident], left: &Relation, right: &Relation) -> Bind<Vec<(usize, usize)>> {
        let mut shared = Vec::new();
        for name in names {
            let mut find = |relation: &Relation, side: &str| match find_visible(relation, &name.value) {
                Some(Ok(column)) => Ok(column),
                Some(Err(())) => {
                    let message = format!("The column '{}' is there twice on the {side} side.", name.value);
                    self.refuse("ambiguous-column", message, name.span)
                }
                None => {
                    let message = format!("There is no column '{}' on the {side} side.", name.value);
                    self.refuse("unknown-column", message, name.span)
                }
            };
            shared.push((find(left, "left")?, find(right, "right")?));
        }
        Ok(shared)
    }

    /// Columns whose names are on both sides.
    fn common(&mut self, left: &Relation, right: &Relation, span: Span) -> Bind<Vec<(usize, usize)>> {
        let mut shared = Vec::new();
        for column in left.star() {
            let Some(field) = left.schema().fields.get(column) else { continue };
            match find_visible(right, &field.name) {
                Some(Ok(other)) => shared.push((column, other)),
                Some(Err(())) => {
                    let message = format!("The column '{}' is there twice on the right side.", field.name);
                    return self.refuse("ambiguous-column", message, span);
                }
                None => {}
            }
        }
        Ok(shared)
    }

    /// USING gives each shared column once, in front of all others: the value of the side that is always there.
    fn merge_shared(
        &mut self,
        mut joined: Relation,
        width: usize,
        kind: JoinKind,
        shared: &[(usize, usize)],
        span: Span,
    ) -> Bind<Relation> {
        let gone = |column: &usize| shared.iter().any(|(left, right)| column == left || *column == right + width);
        let mut star: Vec<usize> = match kind {
            JoinKind::Right => shared.iter().map(|(_, right)| right + width).collect(),
            JoinKind::Full => (0..shared.len()).map(|index| joined.schema().len() + index).collect(),
            _ => shared.iter().map(|(left, _)| *left).collect(),
        };
        star.extend(joined.star().into_iter().filter(|column| !gone(column)));
        if kind == JoinKind::Full {
            let mut exprs: Vec<Expr> = (0..joined.schema().len()).filter_map(|column| joined.column(column)).collect();
            let mut names: Vec<String> = joined.schema().fields.iter().map(|field| field.name.clone()).collect();
            for (left, right) in shared {
                let sides = [*left, right + width].into_iter().filter_map(|column| joined.column(column));
                exprs.push(self.operator("COALESCE", sides.collect(), span)?);
                names.extend(joined.schema().fields.get(*left).map(|field| field.name.clone()));
            }
            joined.rel = project(joined.rel, exprs, names);
        }
        joined.star = Some(star);
        Ok(joined)
    }
}

/// All columns of both, as they are before any padding.
pub(super) fn beside(left: Relation, right: Relation) -> Relation {
    let width = left.schema().len();
    let fields = left.schema().fields.iter().chain(&right.schema().fields).cloned().collect();
    let times = right.schema().event_time.iter().map(|time| time + width);
    let event_time = left.schema().event_time.iter().copied().chain(times).collect();
    let bounds = |relation: &Relation| relation.window.as_ref().map(WindowColumns::bounds);
    let windows = bounds(&left).zip(bounds(&right));
    let moved = right
        .tables
        .into_iter()
        .map(|table| ScopeTable { columns: table.columns.start + width..table.columns.end + width, ..table });
    let tables = left.tables.into_iter().chain(moved).collect();
    let join = JoinSpec {
        kind: JoinKind::Inner,
        keys: Vec::new(),
        condition: None,
        windows,
        time: None,
        retention: Default::default(),
        as_of: None,
    };
    let node = RelNode::Join { left: Box::new(left.rel), right: Box::new(right.rel), join };
    Relation { rel: Rel { node, schema: Schema { fields, event_time } }, tables, window: None, star: None }
}

/// Rows of the right side are states: their windows and times mean nothing to the rows that come out.
fn meets_state(mut both: Relation, width: usize, as_of: AsOf) -> Relation {
    both.rel.schema.event_time.retain(|time| *time < width);
    if let RelNode::Join { join, .. } = &mut both.rel.node {
        join.windows = None;
        join.as_of = Some(as_of);
    }
    both
}

/// The join itself, with what may be padded nullable.
pub(super) fn joined(both: Relation, width: usize, kind: JoinKind, condition: Option<Expr>) -> Relation {
    let Relation { rel: Rel { node, mut schema }, mut tables, window, star } = both;
    let RelNode::Join { left, right, join } = node else {
        return Relation { rel: Rel { node, schema }, tables, window, star };
    };
    for (index, field) in schema.fields.iter_mut().enumerate() {
        let padded = match kind {
            JoinKind::Left => index >= width,
            JoinKind::Right => index < width,
            JoinKind::Full => true,
            JoinKind::Inner | JoinKind::Semi | JoinKind::Anti => false,
        };
        field.ty.nullable |= padded;
    }
    if matches!(kind, JoinKind::Semi | JoinKind::Anti) {
        schema.fields.truncate(width);
        schema.event_time.retain(|time| *time < width);
        tables.retain(|table| table.columns.end <= width);
    }
    let join = JoinSpec { kind, condition, ..join };
    Relation { rel: Rel { node: RelNode::Join { left, right, join }, schema }, tables, window, star }
}
