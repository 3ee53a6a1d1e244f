//! Which functions stand before OVER, and what they take.

use super::Call;
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{AggregateFunction, OverCall};
use crate::sql::bind::aggregate::Computed;
use crate::sql::bind::conversion::common_of;
use crate::sql::bind::{Bind, Binder, aggregate};
use crate::sql::{Span, ast};
use crate::types::Type;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    RowNumber,
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
    Ntile,
    Lag,
    Lead,
    Aggregate(AggregateFunction),
}

impl Function {
    fn find(name: &str) -> Option<Self> {
        Some(match name {
            "ROW_NUMBER" => Function::RowNumber,
            "RANK" => Function::Rank,
            "DENSE_RANK" => Function::DenseRank,
            "PERCENT_RANK" => Function::PercentRank,
            "CUME_DIST" => Function::CumeDist,
            "NTILE" => Function::Ntile,
            "LAG" => Function::Lag,
            "LEAD" => Function::Lead,
            "FIRST_VALUE" => Function::Aggregate(AggregateFunction::FirstValue),
            "LAST_VALUE" => Function::Aggregate(AggregateFunction::LastValue),
            _ => Function::Aggregate(aggregate::find(name)?),
        })
    }

    /// Aggregates have a frame; the others look at the whole partition.
    pub(super) const fn has_frame(self) -> bool {
        matches!(self, Function::Aggregate(_))
    }

    pub(super) const fn is_shift(self) -> bool {
        matches!(self, Function::Lag | Function::Lead)
    }

    pub(super) fn needs_order(self) -> bool {
        !self.has_frame() && self != Function::RowNumber
    }
}

impl Binder<'_> {
    pub(super) fn over_function(&mut self, name: &str, call: &ast::Call, span: Span) -> Bind<Function> {
        let mut user = || match self.aggregate_named(name)? {
            AggregateFunction::User => Some(Function::Aggregate(AggregateFunction::User)),
            _ => None,
        };
        let Some(function) = Function::find(name).or_else(&mut user) else {
            return self.unsupported(&format!("{name} with OVER"), span);
        };
        if let Some(clause) = call.unsupported.first() {
            return self.unsupported(&format!("{name} with {}", clause.what), span);
        }
        if let Some(named) = call.args.iter().find_map(|arg| arg.name.as_ref()) {
            return self.unsupported(&format!("A named argument of {name}"), named.span);
        }
        if function.has_frame() {
            return Ok(function);
        }
        for (wrong, what) in [(call.star, "*"), (call.distinct, "DISTINCT"), (call.filter.is_some(), "FILTER")] {
            if wrong {
                return self.refuse("wrong-arguments", format!("{name} does not take {what}."), span);
            }
        }
        let (least, most, form) = match function {
            Function::Ntile => (1, 1, "NTILE(parts)"),
            Function::Lag => (1, 3, "LAG(value [, offset [, default]])"),
            Function::Lead => (1, 3, "LEAD(value [, offset [, default]])"),
            _ => (0, 0, "no arguments"),
        };
        if !(least..=most).contains(&call.args.len()) {
            return self.refuse("wrong-arguments", format!("{name} takes {form}."), span);
        }
        Ok(function)
    }

    pub(super) fn bound_call(
        &mut self,
        function: Function,
        call: &ast::Call,
        args: Vec<Expr>,
        filter: Option<Expr>,
        span: Span,
    ) -> Bind<Call> {
        Ok(match function {
            Function::RowNumber => Call::Place(OverCall::RowNumber),
            Function::Rank => Call::Place(OverCall::Rank),
            Function::DenseRank => Call::Place(OverCall::DenseRank),
            Function::PercentRank => Call::Place(OverCall::PercentRank),
            Function::CumeDist => Call::Place(OverCall::CumeDist),
            Function::Ntile => match args.first().and_then(constant).filter(|parts| *parts > 0) {
                Some(parts) => Call::Place(OverCall::Ntile(parts.unsigned_abs())),
                None => return self.refuse("wrong-arguments", "NTILE takes a number above zero.", span),
            },
            Function::Lag | Function::Lead => return self.shift(function, args, span),
            Function::Aggregate(function) => self.over_aggregate(function, call, args, filter, span)?,
        })
    }

    fn shift(&mut self, function: Function, args: Vec<Expr>, span: Span) -> Bind<Call> {
        let mut args = args.into_iter();
        let Some(value) = args.next() else { return Err(crate::sql::bind::Reported) };
        let offset = match args.next() {
            None => 1,
            Some(offset) => match constant(&offset) {
                Some(offset) => offset,
                None => return self.unsupported("An offset of LAG or LEAD that is no whole number", span),
            },
        };
        let back = if function == Function::Lag { offset } else { offset.saturating_neg() };
        let Some(default) = args.next() else { return Ok(Call::Shift { value, default: None, back }) };
        let Some(common) = common_of([&value.ty, &default.ty].into_iter()) else {
            let message = format!("The value is {}, and the default {}.", value.ty.logical, default.ty.logical);
            return self.refuse("wrong-arguments", message, span);
        };
        let (of_value, of_default) = (value.ty.nullable, default.ty.nullable);
        let value = self.convert(value, &common.clone().with_nullable(of_value));
        let default = self.convert(default, &common.with_nullable(of_default));
        Ok(Call::Shift { value, default: Some(default), back })
    }

    fn over_aggregate(
        &mut self,
        function: AggregateFunction,
        call: &ast::Call,
        args: Vec<Expr>,
        filter: Option<Expr>,
        span: Span,
    ) -> Bind<Call> {
        let edge = matches!(function, AggregateFunction::FirstValue | AggregateFunction::LastValue);
        let name = call.name.last().to_ascii_uppercase();
        if matches!(function, AggregateFunction::JsonArrayAgg(_) | AggregateFunction::JsonObjectAgg(_)) {
            return self.unsupported(&format!("{name} with OVER"), span);
        }
        if !edge {
            let computed = self.computed(function, call, args, false, span)?;
            return Ok(Call::Aggregate(Box::new(computed), filter));
        }
        let ty = match args.as_slice() {
            [value] if !call.star => Some(Type::nullable(value.ty.logical.clone())),
            _ => None,
        };
        let Some(return_type) = ty else {
            let types: Vec<String> = args.iter().map(|arg| arg.ty.logical.to_string()).collect();
            let given = if call.star { "*".to_owned() } else { types.join(", ") };
            return self.refuse("wrong-arguments", format!("{name} does not take ({given})."), span);
        };
        // The first of all values is the first of the different ones.
        let computed = Computed { function, args, constants: Vec::new(), distinct: false, return_type, user: None };
        Ok(Call::Aggregate(Box::new(computed), filter))
    }
}

/// The value of a constant whole number.
pub(super) fn constant(expr: &Expr) -> Option<i64> {
    if !expr.ty.logical.is_integer() {
        return None;
    }
    let value = crate::plan::rewrite::constant(expr)?;
    value.as_i64().filter(|_| !matches!(expr.kind, ExprKind::Column(_)))
}
