//! Time ± interval, interval ± interval, interval × number.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use chrono_tz::Tz;
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
    if let Some(moved) = shift_ticks(call, time, interval, sign)? {
        return Ok(moved);
    }
    let amount = call.numbers::<Int64Type>(interval)?;
    call.local_rows(|row| {
        let moved = times.get(row)?.add_nanos(i128::from(sign) * i128::from(amount.get(row)?) * 1_000_000)?;
        Some(if is_clock { Local { days: 0, ..moved } } else { moved })
    })
}

/// What watermarks do to each record: a column of timestamps and a constant, no daylight saving between them. The same
/// as the general way, many times faster; nothing where it does not apply.
fn shift_ticks(call: &Call, time: usize, interval: usize, sign: i64) -> Result<Option<ColumnarValue>, DataFusionError> {
    let precision = match call.return_type.logical {
        LogicalType::Timestamp(precision) => precision,
        LogicalType::TimestampLtz(precision) if call.context.zone == Tz::UTC => precision,
        _ => return Ok(None),
    };
    let (times, is_constant) = call.array(time)?;
    let amount = call.numbers::<Int64Type>(interval)?;
    // Coarser timestamps would have to be cut again.
    if precision < 3 || is_constant || !amount.is_constant() {
        return Ok(None);
    }
    let Some(millis) = amount.get(0).and_then(|amount| amount.checked_mul(sign)) else { return Ok(None) };
    let moved = match times.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => add::<TimestampMillisecondType>(&times, Some(millis)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            add::<TimestampMicrosecondType>(&times, millis.checked_mul(1_000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            add::<TimestampNanosecondType>(&times, millis.checked_mul(1_000_000))
        }
        _ => None,
    };
    Ok(moved.map(ColumnarValue::Array))
}

fn add<T: ArrowPrimitiveType<Native = i64>>(times: &ArrayRef, ticks: Option<i64>) -> Option<ArrayRef> {
    let ticks = ticks?;
    let moved = times.as_primitive_opt::<T>()?.unary_opt::<_, T>(|at| at.checked_add(ticks));
    Some(Arc::new(moved.with_data_type(times.data_type().clone())))
}

pub(super) fn add_months(local: Local, months: i64) -> Local {
    Local { days: Date::from_days(local.days).add_months(months).to_days(), nanos: local.nanos }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::{Int64Array, TimestampMicrosecondArray, TimestampMillisecondArray};
    use datafusion_common::ScalarValue;
    use proptest::prelude::*;

    use super::*;
    use crate::function::EvalContext;

    /// A column moved by a constant, and by a column that holds nothing but it.
    fn both(times: &ArrayRef, ty: &LogicalType, millis: i64, sign: i64) -> [ArrayRef; 2] {
        let rows = times.len();
        let repeated: ArrayRef = Arc::new(Int64Array::from(vec![millis; rows]));
        let amounts = [ColumnarValue::Scalar(ScalarValue::Int64(Some(millis))), ColumnarValue::Array(repeated)];
        let interval = Type::not_null(LogicalType::IntervalDayTime);
        let types = [Type::nullable(ty.clone()), interval];
        amounts.map(|amount| {
            let args = [ColumnarValue::Array(Arc::clone(times)), amount];
            let call =
                Call { args: &args, arg_types: &types, rows, return_type: &types[0], context: EvalContext::default() };
            assert_eq!(shift_ticks(&call, 0, 1, sign).unwrap().is_some(), matches!(args[1], ColumnarValue::Scalar(_)));
            shift(&call, 0, 1, sign).unwrap().into_array(rows).unwrap()
        })
    }

    proptest! {
        #[test]
        fn all_at_once_is_the_same_as_one_by_one(
            times in proptest::collection::vec(proptest::option::of(-400_000_000_000_000_i64..400_000_000_000_000), 1..20),
            millis in -9_000_000_000_i64..9_000_000_000, forwards: bool
        ) {
            let sign = if forwards { 1 } else { -1 };
            let by_millis: ArrayRef = Arc::new(TimestampMillisecondArray::from(times.clone()));
            let [fast, general] = both(&by_millis, &LogicalType::Timestamp(3), millis, sign);
            prop_assert_eq!(&fast, &general);
            let ltz = LogicalType::TimestampLtz(6);
            let by_micros: ArrayRef = Arc::new(TimestampMicrosecondArray::from(times).with_data_type(ltz.to_arrow()));
            let [fast, general] = both(&by_micros, &ltz, millis, sign);
            prop_assert_eq!(&fast, &general);
        }
    }
}
