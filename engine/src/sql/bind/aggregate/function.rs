//! The aggregate functions: their names, what they take and what they give.

use std::sync::Arc;

use super::super::user_function::UserFunction;
use super::super::{Bind, Binder};
use crate::expr::{CastMode, Expr, ExprKind, Value};
use crate::plan::logical::{AggregateFunction, Nulls};
use crate::plan::rewrite::constant;
use crate::sql::Span;
use crate::sql::ast::{self, NullTreatment};
use crate::types::{LogicalType, Type};
use crate::udf::{self, ModuleFunction};

/// Names that completion and suggestions know.
pub(in crate::sql) const NAMES: &[&str] = &[
    "APPROX_COUNT_DISTINCT",
    "ARRAY_AGG",
    "AVG",
    "COLLECT",
    "COUNT",
    "FIRST_VALUE",
    "JSON_ARRAYAGG",
    "JSON_OBJECTAGG",
    "LAST_VALUE",
    "LISTAGG",
    "MAX",
    "MIN",
    "PERCENTILE",
    "STDDEV",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "SUM",
    "VARIANCE",
    "VAR_POP",
    "VAR_SAMP",
];

/// Flink's length for the texts that JSON aggregates give.
const JSON_LENGTH: u32 = 2000;

pub(in crate::sql::bind) fn find(name: &str) -> Option<AggregateFunction> {
    Some(match name.to_ascii_uppercase().as_str() {
        "APPROX_COUNT_DISTINCT" => AggregateFunction::ApproxCountDistinct,
        "ARRAY_AGG" => AggregateFunction::ArrayAgg(Nulls::Kept),
        "AVG" => AggregateFunction::Avg,
        "COLLECT" => AggregateFunction::Collect,
        "COUNT" => AggregateFunction::Count,
        "FIRST_VALUE" => AggregateFunction::FirstValue,
        "JSON_ARRAYAGG" => AggregateFunction::JsonArrayAgg(Nulls::LeftOut),
        "JSON_OBJECTAGG" => AggregateFunction::JsonObjectAgg(Nulls::Kept),
        "LAST_VALUE" => AggregateFunction::LastValue,
        "LISTAGG" => AggregateFunction::ListAgg,
        "MAX" => AggregateFunction::Max,
        "MIN" => AggregateFunction::Min,
        "PERCENTILE" => AggregateFunction::Percentile,
        "STDDEV" | "STDDEV_SAMP" => AggregateFunction::StddevSamp,
        "STDDEV_POP" => AggregateFunction::StddevPop,
        "SUM" => AggregateFunction::Sum,
        "VARIANCE" | "VAR_SAMP" => AggregateFunction::VarSamp,
        "VAR_POP" => AggregateFunction::VarPop,
        _ => return None,
    })
}

/// A call with its arguments told apart.
pub(in crate::sql::bind) struct Computed {
    pub(in crate::sql::bind) function: AggregateFunction,
    pub(in crate::sql::bind) args: Vec<Expr>,
    pub(in crate::sql::bind) constants: Vec<Value>,
    pub(in crate::sql::bind) distinct: bool,
    pub(in crate::sql::bind) return_type: Type,
    pub(in crate::sql::bind) user: Option<Arc<udf::AggregateFunction>>,
}

impl Binder<'_> {
    /// Checks the arguments of a call, and sets those apart that are the same for every row.
    pub(in crate::sql::bind) fn computed(
        &mut self,
        function: AggregateFunction,
        call: &ast::Call,
        args: Vec<Expr>,
        never_empty: bool,
        span: Span,
    ) -> Bind<Computed> {
        if function == AggregateFunction::User {
            return self.computed_by_user(call, args, span);
        }
        let name = call.name.last().to_ascii_uppercase();
        let Some(return_type) = result_type(function, call.star, &args, never_empty) else {
            let types: Vec<String> = args.iter().map(|arg| arg.ty.logical.to_string()).collect();
            let given = if call.star { "*".to_owned() } else { types.join(", ") };
            return self.refuse("wrong-arguments", format!("{name} does not take ({given}). {}", form(function)), span);
        };
        if function == AggregateFunction::Count && args.len() > 1 && (self.streaming() || !call.distinct) {
            let message =
                format!("{name} of several columns is not supported. Count one, or count ROWs of a query below.");
            return self.refuse("unsupported", message, span);
        }
        if function == AggregateFunction::ApproxCountDistinct && self.streaming() {
            return self.unsupported("APPROX_COUNT_DISTINCT over a stream", span);
        }
        let mut computed = Computed {
            function: with_nulls(function, call.nulls),
            args,
            constants: Vec::new(),
            // Of distinct values these are the same as of all.
            distinct: call.distinct
                && !matches!(
                    function,
                    AggregateFunction::Min | AggregateFunction::Max | AggregateFunction::ApproxCountDistinct
                ),
            return_type,
            user: None,
        };
        match function {
            AggregateFunction::ListAgg => self.separator(&mut computed, span)?,
            AggregateFunction::Percentile => self.percentages(&mut computed, span)?,
            AggregateFunction::JsonObjectAgg(_) | AggregateFunction::JsonArrayAgg(_) => {
                self.json_argument(&mut computed, span)?;
            }
            _ => {}
        }
        Ok(computed)
    }

    fn computed_by_user(&mut self, call: &ast::Call, args: Vec<Expr>, span: Span) -> Bind<Computed> {
        let name = call.name.last();
        let Some(UserFunction::Module(ModuleFunction::Aggregate(user))) = self.user_function(name) else {
            return self.unsupported(name, span);
        };
        if call.star {
            return self.refuse("wrong-arguments", format!("{name} does not take *."), span);
        }
        let given: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
        let types = udf::accept_all(name, user.arguments(), &given);
        let types = types.or_else(|message| self.refuse("wrong-arguments", message, span))?;
        if call.distinct && args.is_empty() {
            return self.refuse("wrong-arguments", format!("{name} without arguments does not take DISTINCT."), span);
        }
        Ok(Computed {
            function: AggregateFunction::User,
            args: args.into_iter().zip(&types).map(|(arg, ty)| self.convert(arg, ty)).collect(),
            constants: Vec::new(),
            distinct: call.distinct,
            return_type: Type::nullable(user.result()),
            user: Some(user),
        })
    }

    fn separator(&mut self, computed: &mut Computed, span: Span) -> Bind<()> {
        let given = if computed.args.len() > 1 { computed.args.pop() } else { None };
        let separator = match given.map(|given| given.kind) {
            None => Value::string(","),
            Some(ExprKind::Literal(separator)) if separator.as_str().is_some() => separator,
            Some(_) => return self.refuse("wrong-arguments", "The separator of LISTAGG is a text in quotes.", span),
        };
        computed.constants.push(separator);
        Ok(())
    }

    /// The last argument as a text of JSON. What is one already goes in as it is.
    fn json_argument(&mut self, computed: &mut Computed, span: Span) -> Bind<()> {
        const MADE: &[&str] = &["JSON", "JSON_ARRAY", "JSON_OBJECT"];
        let Some(value) = computed.args.pop() else { return Ok(()) };
        let made = matches!(&value.kind, ExprKind::Call { function, .. } if MADE.contains(&function.name()));
        computed.args.push(if made { value } else { self.operator("JSON_STRING", vec![value], span)? });
        Ok(())
    }

    /// The percentage, or the array of them, as DOUBLE.
    fn percentages(&mut self, computed: &mut Computed, span: Span) -> Bind<()> {
        let given = computed.args.remove(1);
        let double = Type::nullable(LogicalType::Double);
        let wanted = match &given.ty.logical {
            LogicalType::Array(_) => Type::nullable(LogicalType::Array(Box::new(double))),
            _ => double,
        };
        let given = given.cast(wanted, CastMode::Strict);
        let Some(percentages) = constant(&given) else {
            return self.unsupported("PERCENTILE with a percentage that is no constant", span);
        };
        let in_range = numbers(&percentages).is_some_and(|all| all.iter().all(|one| (0.0..=1.0).contains(one)));
        if !in_range {
            return self.refuse("wrong-arguments", "A percentage of PERCENTILE is a number from 0 to 1.", span);
        }
        computed.constants.push(percentages);
        Ok(())
    }
}

/// The percentages of a constant; `None` when one is NULL.
fn numbers(percentages: &Value) -> Option<Vec<f64>> {
    use arrow::array::{Array as _, AsArray as _};
    use arrow::datatypes::Float64Type;
    use datafusion_common::ScalarValue;
    match &percentages.0 {
        ScalarValue::Float64(number) => number.map(|number| vec![number]),
        ScalarValue::List(list) if list.is_valid(0) => {
            let numbers = list.values().as_primitive_opt::<Float64Type>()?;
            (numbers.null_count() == 0).then(|| numbers.values().to_vec())
        }
        _ => None,
    }
}

const fn with_nulls(function: AggregateFunction, said: Option<NullTreatment>) -> AggregateFunction {
    let nulls = match said {
        None => return function,
        Some(NullTreatment::Kept) => Nulls::Kept,
        Some(NullTreatment::LeftOut) => Nulls::LeftOut,
    };
    match function {
        AggregateFunction::ArrayAgg(_) => AggregateFunction::ArrayAgg(nulls),
        AggregateFunction::JsonObjectAgg(_) => AggregateFunction::JsonObjectAgg(nulls),
        AggregateFunction::JsonArrayAgg(_) => AggregateFunction::JsonArrayAgg(nulls),
        function => function,
    }
}

/// `None` when the function does not take these arguments.
fn result_type(function: AggregateFunction, star: bool, args: &[Expr], never_empty: bool) -> Option<Type> {
    if star {
        return (function == AggregateFunction::Count).then(|| Type::not_null(LogicalType::BigInt));
    }
    let (arg, more) = args.split_first()?;
    let ty = &arg.ty.logical;
    let (logical, nullable) = match function {
        AggregateFunction::Count => return Some(Type::not_null(LogicalType::BigInt)),
        AggregateFunction::ListAgg => {
            let all_text = args.iter().all(|arg| arg.ty.logical.is_character());
            return (all_text && more.len() <= 1).then(|| Type::nullable(ty.clone()));
        }
        AggregateFunction::Percentile => return percentile_type(ty, more),
        AggregateFunction::JsonObjectAgg(_) => {
            let fits = ty.is_character() && more.len() == 1;
            return fits.then(|| Type::not_null(LogicalType::VarChar(JSON_LENGTH)));
        }
        _ if !more.is_empty() => return None,
        AggregateFunction::JsonArrayAgg(_) => (LogicalType::VarChar(JSON_LENGTH), false),
        AggregateFunction::Sum => match ty {
            LogicalType::Decimal { scale, .. } => (LogicalType::Decimal { precision: 38, scale: *scale }, !never_empty),
            ty if ty.is_numeric() => (ty.clone(), !never_empty),
            _ => return None,
        },
        AggregateFunction::Avg | AggregateFunction::StddevPop | AggregateFunction::VarPop => {
            (mean_type(ty)?, !never_empty)
        }
        // Of one value there is none.
        AggregateFunction::StddevSamp | AggregateFunction::VarSamp => (mean_type(ty)?, true),
        AggregateFunction::ApproxCountDistinct => {
            return has_order(ty).then(|| Type::not_null(LogicalType::BigInt));
        }
        AggregateFunction::Collect => {
            return can_be_kept(ty).then(|| Type::not_null(LogicalType::Multiset(Box::new(arg.ty.clone()))));
        }
        AggregateFunction::ArrayAgg(_) if can_be_kept(ty) => (LogicalType::Array(Box::new(arg.ty.clone())), true),
        AggregateFunction::FirstValue | AggregateFunction::LastValue if can_be_kept(ty) => (ty.clone(), !never_empty),
        AggregateFunction::Min | AggregateFunction::Max if has_order(ty) => match ty {
            // The shortest of all strings may be any of them.
            LogicalType::Char(length) => (LogicalType::VarChar(*length), !never_empty),
            ty => (ty.clone(), !never_empty),
        },
        _ => return None,
    };
    Some(Type::new(logical, arg.ty.nullable || nullable))
}

/// What AVG and the like give.
fn mean_type(ty: &LogicalType) -> Option<LogicalType> {
    match ty {
        LogicalType::Decimal { scale, .. } => Some(LogicalType::Decimal { precision: 38, scale: (*scale).max(6) }),
        ty => ty.is_numeric().then(|| ty.clone()),
    }
}

fn percentile_type(value: &LogicalType, more: &[Expr]) -> Option<Type> {
    let (percentage, frequency) = match more {
        [percentage] => (percentage, None),
        [percentage, frequency] => (percentage, Some(frequency)),
        _ => return None,
    };
    if !value.is_numeric() || frequency.is_some_and(|frequency| !frequency.ty.logical.is_integer()) {
        return None;
    }
    match &percentage.ty.logical {
        LogicalType::Array(element) if element.logical.is_numeric() => {
            Some(Type::nullable(LogicalType::Array(Box::new(Type::nullable(LogicalType::Double)))))
        }
        ty => ty.is_numeric().then(|| Type::nullable(LogicalType::Double)),
    }
}

fn has_order(ty: &LogicalType) -> bool {
    use LogicalType as L;
    let nested = matches!(ty, L::Array(_) | L::Map(..) | L::Multiset(_) | L::Row(_) | L::Null);
    !nested && !ty.is_binary() && !ty.is_interval()
}

/// Values of the type can be told from each other in the state.
fn can_be_kept(ty: &LogicalType) -> bool {
    match ty {
        LogicalType::Null | LogicalType::Map(..) | LogicalType::Multiset(_) => false,
        LogicalType::Array(element) => can_be_kept(&element.logical),
        LogicalType::Row(fields) => fields.iter().all(|field| can_be_kept(&field.ty.logical)),
        _ => true,
    }
}

const fn form(function: AggregateFunction) -> &'static str {
    match function {
        AggregateFunction::Count => "It takes COUNT(*), COUNT(value) or COUNT(DISTINCT value).",
        AggregateFunction::Sum
        | AggregateFunction::Avg
        | AggregateFunction::StddevPop
        | AggregateFunction::StddevSamp
        | AggregateFunction::VarPop
        | AggregateFunction::VarSamp => "It takes one number.",
        AggregateFunction::Percentile => {
            "It takes a number, a percentage or an array of them, and how often it counts."
        }
        AggregateFunction::ListAgg => "It takes a text, and a separator in quotes.",
        AggregateFunction::JsonObjectAgg(_) => "It takes KEY text VALUE value.",
        AggregateFunction::FirstValue
        | AggregateFunction::LastValue
        | AggregateFunction::Collect
        | AggregateFunction::ArrayAgg(_) => "It takes one value that is no map.",
        AggregateFunction::JsonArrayAgg(_) => "It takes one value.",
        _ => "It takes one value that has an order.",
    }
}
