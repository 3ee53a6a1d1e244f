//! Time ± interval, interval ± interval, interval × number.

use arrow::datatypes::{Int32Type, Int64Type};
use datafusion_common::DataFusionError;
use datafusion_expr::{ColumnarValue, Operator};

use super::calendar::Date;
use super::value::Local;
use crate::function::{Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

/// Resolves `+ - *` where one side is an interval; `None` when none is.
pub(in crate::function) fn arithmetic(sign: &str, left: &Type, right: &Type) -> Option<ScalarCall> {
    let nullable = left.nullable || right.nullable;
    let is_time =
        |ty: &Type| ty.logical.is_timestamp() || matches!(ty.logical, LogicalType::Date | LogicalType::Time(_));
    let call = |args: [&Type; 2], result: &LogicalType, kernel: Kernel| {
        let args = args.into_iter().cloned().collect();
        ScalarCall::new(sign, args, Type::new(result.clone(), nullable), kernel)
    };
    match sign {
        "+" | "-" if is_time(left) && right.logical.is_interval() => {
            let kernel: NativeFn = if sign == "+" { |call| shift(call, 0, 1, 1) } else { |call| shift(call, 0, 1, -1) };
            Some(call([left, right], &left.logical, Kernel::Native(kernel)))
        }
        "+" if left.logical.is_interval() && is_time(right) => {
            Some(call([left, right], &right.logical, Kernel::Native(|call| shift(call, 1, 0, 1))))
        }
        "+" | "-" if left.logical.is_interval() && left.logical == right.logical => {
            let operator = if sign == "+" { Operator::Plus } else { Operator::Minus };
            Some(call([left, right], &left.logical, Kernel::Binary(operator)))
        }
        "*" if left.logical.is_interval() && right.logical.is_integer() => times(sign, left, right, false),
        "*" if left.logical.is_integer() && right.logical.is_interval() => times(sign, right, left, true),
        _ => None,
    }
}

fn times(sign: &str, interval: &Type, number: &Type, number_first: bool) -> Option<ScalarCall> {
    let nullable = interval.nullable || number.nullable;
    // Both are kept as the same integer type, so the number is cast to the interval's representation.
    let as_integer = match interval.logical {
        LogicalType::IntervalYearMonth => LogicalType::Int,
        _ => LogicalType::BigInt,
    };
    let number = Type::new(as_integer, number.nullable);
    let args = if number_first { vec![number, interval.clone()] } else { vec![interval.clone(), number] };
    Some(ScalarCall::new(sign, args, Type::new(interval.logical.clone(), nullable), Kernel::Binary(Operator::Multiply)))
}

fn shift(call: &Call, time: usize, interval: usize, sign: i64) -> Result<ColumnarValue, DataFusionError> {
    let times = call.locals(time)?;
    let is_clock = matches!(call.return_type.logical, LogicalType::Time(_));
    let months = call.arg_types.get(interval).is_some_and(|ty| ty.logical == LogicalType::IntervalYearMonth);
    if months {
        let amount = call.numbers::<Int32Type>(interval)?;
        return call.local_rows(|row| Some(add_months(times.get(row)?, sign * i64::from(amount.get(row)?))));
    }
    let amount = call.numbers::<Int64Type>(interval)?;
    call.local_rows(|row| {
        let moved = times.get(row)?.add_nanos(i128::from(sign) * i128::from(amount.get(row)?) * 1_000_000)?;
        Some(if is_clock { Local { days: 0, ..moved } } else { moved })
    })
}

pub(super) fn add_months(local: Local, months: i64) -> Local {
    Local { days: Date::from_days(local.days).add_months(months).to_days(), nanos: local.nanos }
}
