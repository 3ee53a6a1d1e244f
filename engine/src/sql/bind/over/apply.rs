//! Calls with OVER → one operator per window, below the select list.

use super::{Call, OVER_BASE, Overs, shift_type};
use crate::expr::Expr;
use crate::plan::logical::{AggregateCall, OverCall, OverSpec, Rel, RelNode, SortKey};
use crate::plan::rewrite::is_processing_time;
use crate::sql::bind::relation::{Relation, WindowColumns, passed_column, project};
use crate::types::{Field, Schema};

impl Overs {
    /// Computes the calls above `relation`, and puts their columns into `exprs`.
    pub(in crate::sql::bind) fn apply(self, relation: Relation, exprs: Vec<Expr>) -> (Relation, Vec<Expr>) {
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
                Call::Place(call) => call,
                Call::Shift { value, default, back } => {
                    let return_type = shift_type(&value, default.as_ref());
                    let default = default.as_ref().map(&mut slot);
                    OverCall::Shift { value: slot(&value), default, back, return_type }
                }
                Call::Aggregate(computed, filter) => OverCall::Aggregate(AggregateCall {
                    function: computed.function,
                    args: computed.args.iter().map(&mut slot).collect(),
                    distinct: computed.distinct,
                    filter: filter.as_ref().map(&mut slot),
                    constants: computed.constants,
                    return_type: computed.return_type,
                    user: computed.user,
                }),
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
        if let Some(column) = operators.iter().find_map(|over| by_clock(&rel, over)) {
            rel = rel.in_processing_time(column);
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

/// The processing time that rows are ordered by.
fn by_clock(rel: &Rel, over: &OverSpec) -> Option<usize> {
    let [key] = over.sort.as_slice() else { return None };
    let numbers = over.calls.iter().all(|call| *call == OverCall::RowNumber);
    ((key.ascending || numbers) && is_processing_time(rel, key.column)).then_some(key.column)
}
