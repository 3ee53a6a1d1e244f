//! Text ⇄ DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ, and between these.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion_common::{DataFusionError, exec_err, internal_err};
use datafusion_expr::ColumnarValue;

use super::Cast;
use crate::expr::CastMode;
use crate::function::Call;
use crate::function::time::parse::{
    format_date, format_time, format_timestamp, parse_date, parse_time, parse_timestamp,
};
use crate::function::time::value::{Local, Locals};
use crate::types::{LogicalType, Type};

pub(super) fn parse(cast: &Cast, array: &ArrayRef, to: &LogicalType) -> Result<ArrayRef, DataFusionError> {
    let Some(texts) = array.as_string_opt::<i32>() else { return internal_err!("expected text") };
    let read = |text: &str| match to {
        LogicalType::Date => parse_date(text).map(|days| Local { days, nanos: 0 }),
        LogicalType::Time(_) => parse_time(text).map(|nanos| Local { days: 0, nanos }),
        _ => parse_timestamp(text).map(|(days, nanos)| Local { days, nanos }),
    };
    let parsed: Vec<Option<Local>> = texts.iter().map(|text| text.and_then(read)).collect();
    let failed = parsed.iter().enumerate().find(|(row, local)| local.is_none() && texts.is_valid(*row));
    if let (Some((row, _)), CastMode::Strict) = (failed, cast.mode) {
        return exec_err!("'{}' cannot be cast to {to}.", texts.value(row));
    }
    write(cast, array.len(), |row| parsed.get(row).copied().flatten())
}

pub(super) fn format(cast: &Cast, array: &ArrayRef, from: &LogicalType) -> Result<ArrayRef, DataFusionError> {
    let locals = Locals::new(Arc::clone(array), false, cast.context.zone)?;
    let text = |Local { days, nanos }: Local| match from {
        LogicalType::Date => format_date(days),
        LogicalType::Time(precision) => format_time(nanos, *precision),
        LogicalType::Timestamp(precision) | LogicalType::TimestampLtz(precision) => {
            format_timestamp(days, nanos, *precision)
        }
        _ => String::new(),
    };
    Ok(Arc::new((0..array.len()).map(|row| locals.get(row).map(text)).collect::<StringArray>()))
}

/// DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ into each other; a finer precision is cut.
pub(super) fn between_times(cast: &Cast, array: &ArrayRef) -> Result<ArrayRef, DataFusionError> {
    let locals = Locals::new(Arc::clone(array), false, cast.context.zone)?;
    let only_clock = matches!(cast.to, LogicalType::Time(_));
    write(cast, array.len(), |row| {
        let local = locals.get(row)?;
        Some(match cast.to {
            LogicalType::Date => Local { nanos: 0, ..local },
            _ if only_clock => Local { days: 0, ..local },
            _ => local,
        })
    })
}

fn write(cast: &Cast, rows: usize, each: impl FnMut(usize) -> Option<Local>) -> Result<ArrayRef, DataFusionError> {
    let return_type = Type::nullable(cast.to.clone());
    let call = Call { args: &[], rows, arg_types: &[], return_type: &return_type, context: cast.context };
    match call.local_rows(each)? {
        ColumnarValue::Array(array) => Ok(array),
        ColumnarValue::Scalar(scalar) => scalar.to_array_of_size(rows),
    }
}
