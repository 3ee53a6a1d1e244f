//! Aggregation: GROUP BY keys, aggregate calls, and the expressions above them.
//!
//! Select list and HAVING are bound over the input's columns followed by one column per aggregate call. Afterwards
//! every part that equals a GROUP BY key becomes that key; an input column that is left over is not grouped.

mod function;
mod grouping;
mod plan;

use std::sync::Arc;

use super::attach::Attachments;
use super::expr::ExprScope;
use super::over::Overs;
use super::relation::WindowColumns;
use super::{Bind, Binder, Reported};
use crate::expr::{Expr, ExprKind, Value};
use crate::plan::logical::AggregateFunction;
use crate::plan::retention::Retention;
use crate::sql::ast;
use crate::sql::{Problem, Span};
use crate::types::Type;

pub(in crate::sql) use function::NAMES;
pub(super) use function::{Computed, find};
pub(super) use grouping::Keys;
pub(super) use plan::window_group;

/// `TUMBLE(ts, …)` in GROUP BY, as the text of its arguments, and its columns.
#[derive(Clone, Debug)]
pub(super) struct GroupWindow {
    pub(super) function: String,
    pub(super) signature: String,
    pub(super) columns: WindowColumns,
}

/// Aggregate calls found so far.
pub(super) struct Aggregates {
    keys: Keys,
    /// Columns of the input: call `i` is column `base + i`.
    base: usize,
    calls: Vec<Pending>,
    pub(super) window: Option<GroupWindow>,
    pub(super) overs: Overs,
    pub(super) retention: Retention<Expr>,
    /// Queries in the arguments of calls.
    pub(super) below: Attachments,
}

struct Pending {
    function: AggregateFunction,
    args: Vec<Expr>,
    constants: Vec<Value>,
    distinct: bool,
    filter: Option<Expr>,
    return_type: Type,
    user: Option<Arc<crate::udf::AggregateFunction>>,
}

impl Aggregates {
    pub(super) fn new(keys: Keys, base: usize, window: Option<GroupWindow>, overs: Overs) -> Self {
        let (retention, below) = (Retention::default(), Attachments::default());
        Aggregates { keys, base, calls: Vec::new(), window, overs, retention, below }
    }

    pub(super) fn is_used(&self) -> bool {
        !self.calls.is_empty() || !self.keys.exprs.is_empty()
    }
}

impl Binder<'_> {
    /// Binds a call to a column behind those of the input.
    pub(super) fn aggregate_call(
        &mut self,
        function: AggregateFunction,
        call: &ast::Call,
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Expr> {
        let name = call.name.last().to_ascii_uppercase();
        if let Some(clause) = call.unsupported.first() {
            return self.unsupported(&format!("{name} with {}", clause.what), span);
        }
        let clause = scope.clause;
        let relation = scope.relation;
        let Some(aggregates) = scope.aggregates.as_deref_mut() else {
            let problem =
                Problem::error("not-grouped", format!("The aggregate {name} cannot stand in {clause}."), span);
            let hint = if clause == "WHERE" {
                "Conditions on aggregates go into HAVING."
            } else {
                "Aggregate in a query below."
            };
            return Err(self.report(problem.with_hint(hint)));
        };
        let mut args = Vec::new();
        for arg in &call.args {
            if let Some(named) = &arg.name {
                return self.unsupported("A named argument of an aggregate", named.span);
            }
            let mut inner = ExprScope { relation, aggregates: None, clause: "another aggregate" };
            args.push(self.collecting_more(&mut aggregates.below, |binder| binder.expr(&arg.value, &mut inner))?);
        }
        let condition = match &call.filter {
            Some(condition) => {
                let mut inner = ExprScope { relation, aggregates: None, clause: "FILTER" };
                let below = &mut aggregates.below;
                Some(self.collecting_more(below, |binder| binder.condition(condition, &mut inner, "FILTER"))?)
            }
            None => None,
        };
        let never_empty = !aggregates.keys.exprs.is_empty() && condition.is_none();
        let computed = self.computed(function, call, args, never_empty, span)?;
        let return_type = computed.return_type.clone();
        let pending = Pending {
            function: computed.function,
            args: computed.args,
            constants: computed.constants,
            distinct: computed.distinct,
            filter: condition,
            return_type: computed.return_type,
            user: computed.user,
        };
        let known = aggregates.calls.iter().position(|known| known.is(&pending));
        if known.is_none() && aggregates.calls.len() >= super::MAX_COLUMNS {
            return self.unsupported("So many aggregates in one query", span);
        }
        let index = known.unwrap_or_else(|| {
            aggregates.calls.push(pending);
            aggregates.calls.len() - 1
        });
        Ok(Expr::column(aggregates.base + index, return_type))
    }
    /// `TUMBLE_START` and the like without its window.
    pub(super) fn group_window_missing(&mut self, function: &str, span: Span) -> Reported {
        let window = function.split('_').next().unwrap_or("TUMBLE");
        let problem =
            Problem::error("wrong-arguments", format!("{function} needs the same {window}(…) in GROUP BY."), span);
        self.report(problem)
    }
}

impl Pending {
    fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.args.iter_mut().chain(&mut self.filter)
    }

    fn is(&self, other: &Pending) -> bool {
        let same_args =
            self.args.len() == other.args.len() && self.args.iter().zip(&other.args).all(|(a, b)| same(a, b));
        let same_filter = match (&self.filter, &other.filter) {
            (None, None) => true,
            (Some(a), Some(b)) => same(a, b),
            _ => false,
        };
        self.function == other.function
            && self.constants == other.constants
            && self.distinct == other.distinct
            && self.user == other.user
            && same_args
            && same_filter
    }
}
/// What an expression computes, as a text; `None` for what is never the same twice.
fn fingerprint(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Column(index) => Some(format!("${index}")),
        _ if volatile(expr) => None,
        _ => Some(format!("{expr} {}", expr.ty.logical)),
    }
}

fn same(left: &Expr, right: &Expr) -> bool {
    fingerprint(left).is_some_and(|text| Some(text) == fingerprint(right))
}

/// Gives another result each time, so that two of them are never the same.
pub(super) fn volatile(expr: &Expr) -> bool {
    expr.is_volatile()
}
