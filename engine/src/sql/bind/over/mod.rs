//! `… OVER (PARTITION BY … ORDER BY …)`.
//!
//! A call is bound to a column from [`OVER_BASE`] on, far behind those of the input; when the select list is known, one
//! operator per window computes them, and the columns get their real places.

mod apply;
mod call;
mod frame;
mod left_over;

use super::aggregate::Computed;
use super::expr::ExprScope;
use super::{Bind, Binder};
use crate::expr::Expr;
use crate::plan::logical::{Frame, OverCall};
use crate::sql::ast::{self, Ident};
use crate::sql::{Problem, Span};
use crate::types::Type;

pub(super) use left_over::left_over;

/// No relation has so many columns.
pub(super) const OVER_BASE: usize = usize::MAX / 2;

/// Calls of one SELECT with OVER, and the windows it names.
#[derive(Default)]
pub(super) struct Overs {
    named: Vec<(Ident, ast::Over)>,
    calls: Vec<Pending>,
    /// Arguments of such a call are being bound.
    inside: bool,
}

struct Pending {
    call: Call,
    partition: Vec<Expr>,
    order: Vec<Order>,
    frame: Frame,
    span: Option<Span>,
}

enum Call {
    /// One that reads no columns.
    Place(OverCall),
    Shift {
        value: Expr,
        default: Option<Expr>,
        back: i64,
    },
    /// With its FILTER.
    Aggregate(Box<Computed>, Option<Expr>),
}

struct Order {
    key: Expr,
    ascending: bool,
    nulls_first: bool,
}

impl Binder<'_> {
    pub(super) fn over_call(
        &mut self,
        call: &ast::Call,
        over: &ast::Over,
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Expr> {
        let name = call.name.last().to_ascii_uppercase();
        let function = self.over_function(&name, call, span)?;
        let (clause, relation) = (scope.clause, scope.relation);
        let Some(aggregates) = scope.aggregates.as_deref_mut().filter(|aggregates| !aggregates.overs.inside) else {
            let message = format!("{name} with OVER cannot stand in {clause}.");
            let problem = Problem::error("wrong-arguments", message, span);
            return Err(self.report(problem.with_hint("Compute it in a query below.")));
        };
        let over = self.resolved(over, &aggregates.overs.named)?;
        if over.order.is_empty() && (function.needs_order() || self.streaming()) {
            return self.refuse("wrong-arguments", format!("{name} needs ORDER BY inside OVER."), span);
        }
        aggregates.overs.inside = true;
        let mut inner = ExprScope { relation, aggregates: Some(&mut *aggregates), clause: "OVER" };
        let partition = self.exprs(&over.partition, &mut inner);
        let keys: Vec<Bind<Expr>> = over.order.iter().map(|item| self.expr(&item.expr, &mut inner)).collect();
        let args: Vec<Bind<Expr>> = call.args.iter().map(|arg| self.expr(&arg.value, &mut inner)).collect();
        let filter = call.filter.as_ref().map(|filter| self.condition(filter, &mut inner, "FILTER"));
        aggregates.overs.inside = false;
        let order = keys.into_iter().zip(&over.order).map(|(key, item)| {
            let nulls_first = item.nulls_first.unwrap_or(item.ascending);
            key.map(|key| Order { key, ascending: item.ascending, nulls_first })
        });
        let (partition, order) = (partition?, order.collect::<Bind<Vec<_>>>()?);
        let (args, filter) = (args.into_iter().collect::<Bind<Vec<_>>>()?, filter.transpose()?);
        let frame = self.frame_of(function, over.frame.as_ref(), &order, &name, span)?;
        let bound = self.bound_call(function, call, args, filter, span)?;
        let ty = bound.return_type();
        let Some(aggregates) = scope.aggregates.as_deref_mut() else { return Err(super::Reported) };
        aggregates.overs.calls.push(Pending { call: bound, partition, order, frame, span: self.span(span) });
        Ok(Expr::column(OVER_BASE + aggregates.overs.calls.len() - 1, ty))
    }

    /// The window with what the named one below it says.
    fn resolved(&mut self, over: &ast::Over, named: &[(Ident, ast::Over)]) -> Bind<ast::Over> {
        let Some(base) = &over.base else { return Ok(over.clone()) };
        let Some((position, (_, found))) = named.iter().enumerate().find(|(_, (name, _))| name.value == base.value)
        else {
            return self.refuse("wrong-arguments", format!("There is no window '{}'.", base.value), base.span);
        };
        // A window builds only upon those before it, so that this ends.
        let below = self.resolved(found, named.get(..position).unwrap_or_default())?;
        if !over.partition.is_empty() || (!over.order.is_empty() && !below.order.is_empty()) {
            let message = format!("The window '{}' says already how rows are parted and ordered.", base.value);
            return self.refuse("wrong-arguments", message, base.span);
        }
        let order = if over.order.is_empty() { below.order } else { over.order.clone() };
        let frame = over.frame.clone().or(below.frame);
        Ok(ast::Over { base: None, partition: below.partition, order, frame })
    }
}

impl Call {
    fn return_type(&self) -> Type {
        match self {
            Call::Place(call) => call.return_type(),
            Call::Shift { value, default, .. } => shift_type(value, default.as_ref()),
            Call::Aggregate(computed, _) => computed.return_type.clone(),
        }
    }
}

/// Without a default, there are NULLs at the edge.
fn shift_type(value: &Expr, default: Option<&Expr>) -> Type {
    let nullable = value.ty.nullable || default.is_none_or(|default| default.ty.nullable);
    Type::new(value.ty.logical.clone(), nullable)
}

impl Overs {
    pub(super) fn new(named: &[(Ident, ast::Over)]) -> Self {
        Overs { named: named.to_vec(), ..Overs::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// All expressions over the input.
    pub(super) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.calls.iter_mut().flat_map(|pending| {
            let (args, more) = match &mut pending.call {
                Call::Aggregate(computed, filter) => (computed.args.as_mut_slice(), filter.as_mut()),
                Call::Shift { value, default, .. } => (std::slice::from_mut(value), default.as_mut()),
                Call::Place(_) => (&mut [][..], None),
            };
            let order = pending.order.iter_mut().map(|order| &mut order.key);
            pending.partition.iter_mut().chain(order).chain(args).chain(more)
        })
    }
}
