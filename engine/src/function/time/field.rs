//! EXTRACT and its short forms YEAR, MONTH, …

use arrow::datatypes::Int64Type;
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;

use super::calendar::{Date, iso_weekday};
use super::value::Local;
use crate::function::registry::{Entry, Resolver};
use crate::function::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        &["EXTRACT"],
        "EXTRACT(unit FROM time)",
        "One field of a time: YEAR, QUARTER, MONTH, WEEK, DAY, DOY, DOW, HOUR, MINUTE, SECOND, …",
        resolve_extract,
    ),
    entry(&["YEAR"], "YEAR(date)", "The year.", resolve_short),
    entry(&["QUARTER"], "QUARTER(date)", "The quarter, 1 to 4.", resolve_short),
    entry(&["MONTH"], "MONTH(date)", "The month, 1 to 12.", resolve_short),
    entry(&["WEEK"], "WEEK(date)", "The ISO week, 1 to 53.", resolve_short),
    entry(&["DAYOFYEAR"], "DAYOFYEAR(date)", "The day of the year, from 1.", resolve_short),
    entry(&["DAYOFMONTH"], "DAYOFMONTH(date)", "The day of the month.", resolve_short),
    entry(&["DAYOFWEEK"], "DAYOFWEEK(date)", "The day of the week, Sunday is 1.", resolve_short),
    entry(&["HOUR"], "HOUR(timestamp)", "The hour, 0 to 23.", resolve_short),
    entry(&["MINUTE"], "MINUTE(timestamp)", "The minute.", resolve_short),
    entry(&["SECOND"], "SECOND(timestamp)", "The second.", resolve_short),
];

const fn entry(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    resolve: fn(&str, &[Argument]) -> Option<ScalarCall>,
) -> Entry {
    Entry { names, category: "time", signature, summary, resolver: Resolver::Custom(resolve) }
}

fn is_time(ty: &Type) -> bool {
    ty.logical.is_timestamp() || matches!(ty.logical, LogicalType::Date | LogicalType::Time(_))
}

fn resolve_extract(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [unit, time] = args else { return None };
    kernel_of(unit.literal.as_ref()?.as_str()?)?;
    let types = vec![unit.ty.clone(), time.ty.clone()];
    let result = Type::new(LogicalType::BigInt, time.ty.nullable);
    is_time(&time.ty).then(|| ScalarCall::new(name, types, result, Kernel::Native(extract)))
}

fn resolve_short(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [time] = args else { return None };
    let unit = match name {
        "DAYOFYEAR" => "DOY",
        "DAYOFMONTH" => "DAY",
        "DAYOFWEEK" => "DOW",
        other => other,
    };
    let kernel = kernel_of(unit)?;
    let result = Type::new(LogicalType::BigInt, time.ty.nullable);
    is_time(&time.ty).then(|| ScalarCall::new(name, vec![time.ty.clone()], result, Kernel::Native(kernel)))
}

/// `EXTRACT('YEAR', time)`: the same as the short form with the second argument.
fn extract(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let unit = call.texts(0)?;
    let field = match unit.get(0).and_then(field_of) {
        Some(field) => field,
        None => return exec_err!("EXTRACT does not know this unit."),
    };
    fields(call, 1, field)
}

fn fields(call: &Call, position: usize, field: fn(Local) -> i64) -> Result<ColumnarValue, DataFusionError> {
    let times = call.locals(position)?;
    call.number_rows::<Int64Type>(|row| times.get(row).map(field))
}

fn kernel_of(unit: &str) -> Option<NativeFn> {
    Some(match unit.to_ascii_uppercase().as_str() {
        "YEAR" => |call| fields(call, 0, year),
        "QUARTER" => |call| fields(call, 0, quarter),
        "MONTH" => |call| fields(call, 0, month),
        "WEEK" => |call| fields(call, 0, week),
        "DAY" => |call| fields(call, 0, day),
        "DOY" => |call| fields(call, 0, day_of_year),
        "DOW" => |call| fields(call, 0, day_of_week),
        "HOUR" => |call| fields(call, 0, hour),
        "MINUTE" => |call| fields(call, 0, minute),
        "SECOND" => |call| fields(call, 0, second),
        other => {
            field_of(other)?;
            extract
        }
    })
}

fn field_of(unit: &str) -> Option<fn(Local) -> i64> {
    Some(match unit.to_ascii_uppercase().as_str() {
        "YEAR" => year,
        "QUARTER" => quarter,
        "MONTH" => month,
        "WEEK" => week,
        "DAY" => day,
        "DOY" => day_of_year,
        "DOW" => day_of_week,
        "HOUR" => hour,
        "MINUTE" => minute,
        "SECOND" => second,
        "ISODOW" => |local| iso_weekday(local.days),
        "ISOYEAR" => |local| Date::from_days(local.days).iso_week().0,
        "EPOCH" => |local| local.days * 86_400 + local.nanos / 1_000_000_000,
        "DECADE" => |local| year(local).div_euclid(10),
        "CENTURY" => |local| (year(local) + 99).div_euclid(100),
        "MILLENNIUM" => |local| (year(local) + 999).div_euclid(1000),
        "MILLISECOND" => |local| local.nanos / 1_000_000 % 60_000,
        "MICROSECOND" => |local| local.nanos / 1_000 % 60_000_000,
        "NANOSECOND" => |local| local.nanos % 60_000_000_000,
        _ => return None,
    })
}

fn year(local: Local) -> i64 {
    Date::from_days(local.days).year
}

fn quarter(local: Local) -> i64 {
    (month(local) - 1) / 3 + 1
}

fn month(local: Local) -> i64 {
    Date::from_days(local.days).month
}

fn week(local: Local) -> i64 {
    Date::from_days(local.days).iso_week().1
}

fn day(local: Local) -> i64 {
    Date::from_days(local.days).day
}

fn day_of_year(local: Local) -> i64 {
    Date::from_days(local.days).day_of_year()
}

fn day_of_week(local: Local) -> i64 {
    iso_weekday(local.days) % 7 + 1
}

fn hour(local: Local) -> i64 {
    local.nanos / 3_600_000_000_000
}

fn minute(local: Local) -> i64 {
    local.nanos / 60_000_000_000 % 60
}

fn second(local: Local) -> i64 {
    local.nanos / 1_000_000_000 % 60
}
