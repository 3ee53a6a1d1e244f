//! `… OVER (PARTITION BY … ORDER BY …)`.
//!
//! A call is bound to a column from [`OVER_BASE`] on, far behind those of the input; when the select list is known, one
//! operator per window computes them, and the columns get their real places.

use super::expr::ExprScope;
use super::relation::{Relation, WindowColumns, passed_column, project};
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{AggregateCall, AggregateFunction, Frame, OverCall, OverSpec, Rel, RelNode, SortKey};
use crate::sql::ast::{self, FrameBound, Ident};
use crate::sql::{Problem, Span};
use crate::types::{Field, LogicalType, Schema, Type};

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
    RowNumber,
    Aggregate { function: AggregateFunction, args: Vec<Expr>, distinct: bool, filter: Option<Expr>, return_type: Type },
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
        let function = match (name.as_str(), super::aggregate::find(&name)) {
            ("ROW_NUMBER", _) => None,
            (_, Some(function)) => Some(function),
            _ => return self.unsupported(&format!("{name} with OVER"), span),
        };
        if let Some(clause) = call.unsupported.first() {
            return self.unsupported(&format!("{name} with {}", clause.what), span);
        }
        let given = !call.args.is_empty() || call.star || call.distinct || call.filter.is_some();
        if function.is_none() && given {
            return self.refuse("wrong-arguments", format!("{name} takes no arguments."), span);
        }
        let (clause, relation) = (scope.clause, scope.relation);
        let Some(aggregates) = scope.aggregates.as_deref_mut().filter(|aggregates| !aggregates.overs.inside) else {
            let message = format!("{name} with OVER cannot stand in {clause}.");
            let problem = Problem::error("wrong-arguments", message, span);
            return Err(self.report(problem.with_hint("Compute it in a query below.")));
        };
        let over = self.resolved(over, &aggregates.overs.named)?;
        if over.order.is_empty() && (function.is_none() || self.streaming()) {
            return self.refuse("wrong-arguments", format!("{name} needs ORDER BY inside OVER."), span);
        }
        let frame = match function {
            Some(_) => self.frame(over.frame.as_ref(), &name, span)?,
            None if over.frame.is_some() => return self.unsupported(&format!("{name} with a frame"), span),
            None => Frame::RowsUnbounded,
        };
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
        let (bound, ty) = match function {
            None => (Call::RowNumber, OverCall::RowNumber.return_type()),
            Some(function) => {
                let Some(ty) = super::aggregate::result_type(function, call.star, &args, false) else {
                    let types: Vec<String> = args.iter().map(|arg| arg.ty.logical.to_string()).collect();
                    return self.refuse(
                        "wrong-arguments",
                        format!("{name} does not take ({}).", types.join(", ")),
                        span,
                    );
                };
                let (distinct, return_type) = (call.distinct, ty.clone());
                (Call::Aggregate { function, args, distinct, filter, return_type }, ty)
            }
        };
        aggregates.overs.calls.push(Pending { call: bound, partition, order, frame, span: self.span(span) });
        Ok(Expr::column(OVER_BASE + aggregates.overs.calls.len() - 1, ty))
    }

    fn frame(&mut self, frame: Option<&ast::Frame>, name: &str, span: Span) -> Bind<Frame> {
        let Some(frame) = frame else { return Ok(Frame::RangeUnbounded) };
        if !matches!(frame.end, FrameBound::CurrentRow) {
            return self.unsupported(&format!("{name} over rows behind the current one"), span);
        }
        let distance = match &frame.start {
            FrameBound::UnboundedPreceding if frame.rows => return Ok(Frame::RowsUnbounded),
            FrameBound::UnboundedPreceding => return Ok(Frame::RangeUnbounded),
            FrameBound::CurrentRow if frame.rows => return Ok(Frame::Rows(0)),
            FrameBound::CurrentRow => return Ok(Frame::Range(0)),
            FrameBound::Preceding(distance) => distance,
            FrameBound::Following | FrameBound::UnboundedFollowing => {
                return self.unsupported(&format!("{name} over rows behind the current one"), span);
            }
        };
        let bound = self.expr(distance, &mut ExprScope::over(&super::query::one_row(), "a frame"))?;
        let number = match &bound.kind {
            ExprKind::Literal(value) => value.as_i64().filter(|number| *number >= 0),
            _ => None,
        };
        let is_span = bound.ty.logical == LogicalType::IntervalDayTime;
        match number.filter(|_| is_span != frame.rows) {
            Some(number) if frame.rows => Ok(Frame::Rows(number.unsigned_abs())),
            Some(number) => Ok(Frame::Range(number)),
            None => {
                let wanted = if frame.rows { "ROWS takes a whole number" } else { "RANGE takes an interval of time" };
                self.refuse("wrong-arguments", format!("{wanted}."), distance.span)
            }
        }
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
            let (args, filter) = match &mut pending.call {
                Call::Aggregate { args, filter, .. } => (args.as_mut_slice(), filter.as_mut()),
                Call::RowNumber => (&mut [][..], None),
            };
            let order = pending.order.iter_mut().map(|order| &mut order.key);
            pending.partition.iter_mut().chain(order).chain(args).chain(filter)
        })
    }

    /// Computes the calls above `relation`, and puts their columns into `exprs`.
    pub(super) fn apply(self, relation: Relation, exprs: Vec<Expr>) -> (Relation, Vec<Expr>) {
        if self.calls.is_empty() {
            return (relation, exprs);
        }
        let mut columns: Vec<Expr> = (0..relation.schema().len()).filter_map(|index| relation.column(index)).collect();
        let width = columns.len();
        let mut slot = |expr: &Expr| {
            passed_column(expr).unwrap_or_else(|| {
                columns.push(expr.clone());
                columns.len() - 1
            })
        };
        let mut operators: Vec<OverSpec> = Vec::new();
        // Operator and call of each.
        let mut uses: Vec<(usize, usize)> = Vec::new();
        for pending in self.calls {
            let partition: Vec<usize> = pending.partition.iter().map(&mut slot).collect();
            let sort: Vec<SortKey> = pending
                .order
                .iter()
                .map(|order| SortKey {
                    column: slot(&order.key),
                    ascending: order.ascending,
                    nulls_first: order.nulls_first,
                })
                .collect();
            let call = match pending.call {
                Call::RowNumber => OverCall::RowNumber,
                Call::Aggregate { function, args, distinct, filter, return_type } => {
                    OverCall::Aggregate(AggregateCall {
                        function,
                        args: args.iter().map(&mut slot).collect(),
                        distinct,
                        filter: filter.as_ref().map(&mut slot),
                        constants: Vec::new(),
                        return_type,
                    })
                }
            };
            // A row number stands alone, so that it can become a Top-N.
            let numbers = call == OverCall::RowNumber;
            let same = operators.iter().position(|spec| {
                let alike = spec.partition == partition && spec.sort == sort && spec.frame == pending.frame;
                alike && spec.calls.contains(&OverCall::RowNumber) == numbers
            });
            let operator = same.unwrap_or_else(|| {
                let bounds = relation.window.as_ref().map(WindowColumns::bounds);
                let window = bounds.filter(|window| [window.start, window.end].iter().all(|c| partition.contains(c)));
                let frame = pending.frame;
                operators.push(OverSpec { partition, sort, frame, calls: Vec::new(), window, span: pending.span });
                operators.len() - 1
            });
            let calls = &mut operators[operator].calls;
            let number = calls.iter().position(|known| *known == call).unwrap_or_else(|| {
                calls.push(call);
                calls.len() - 1
            });
            uses.push((operator, number));
        }
        let Relation { mut rel, window, .. } = relation;
        if columns.len() > width {
            let name = |index: usize, rel: &Rel| {
                rel.schema.fields.get(index).map_or_else(|| format!("over${index}"), |field| field.name.clone())
            };
            let names = (0..columns.len()).map(|index| name(index, &rel)).collect();
            rel = project(rel, columns, names);
        }
        let mut first = Vec::new();
        for spec in operators {
            let mut schema: Schema = rel.schema.clone();
            let base = schema.len();
            first.push(base);
            let fields = spec.calls.iter().enumerate();
            schema
                .fields
                .extend(fields.map(|(call, of)| Field::new(format!("over${}", base + call), of.return_type())));
            rel = Rel { node: RelNode::Over { input: Box::new(rel), over: spec }, schema };
        }
        let put = |index: usize, column: &Expr| {
            let of_call = index.checked_sub(OVER_BASE).and_then(|call| uses.get(call));
            let place = of_call.map_or(index, |(operator, call)| first[*operator] + call);
            let mut moved = Expr::column(place, column.ty.clone());
            moved.span = column.span;
            moved
        };
        let exprs = exprs.iter().map(|expr| expr.replace_columns(&put)).collect();
        (Relation { rel, tables: Vec::new(), window, star: None }, exprs)
    }
}

/// The place of the first call that no operator can compute: over a stream those that are not in the order of event time.
pub(super) fn left_over(rel: &Rel, streaming: bool) -> Option<Option<Span>> {
    let own = match &rel.node {
        RelNode::Over { input, over } if streaming => match over.sort.as_slice() {
            [key] if key.ascending && input.schema.event_time.contains(&key.column) => None,
            _ => Some(over.span),
        },
        _ => None,
    };
    own.or_else(|| rel.inputs().into_iter().find_map(|input| left_over(input, streaming)))
}
