//! TIMESTAMPDIFF and TIMESTAMPADD.

use arrow::datatypes::{Int32Type, Int64Type};
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;

use super::arithmetic::add_months;
use super::calendar::Date;
use super::value::Local;
use crate::function::registry::{Entry, Resolver};
use crate::function::{Argument, Call, Kernel, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        names: &["TIMESTAMPDIFF"],
        category: "time",
        signature: "TIMESTAMPDIFF(unit, from, to)",
        summary: "Whole units between two times: SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER or YEAR.",
        resolver: Resolver::Custom(resolve_difference),
    },
    Entry {
        names: &["TIMESTAMPADD"],
        category: "time",
        signature: "TIMESTAMPADD(unit, number, time)",
        summary: "The time so many units later.",
        resolver: Resolver::Custom(resolve_addition),
    },
];

#[derive(Clone, Copy)]
enum Unit {
    Nanos(i64),
    Months(i64),
}

impl Unit {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "SECOND" | "SQL_TSI_SECOND" => Self::Nanos(1_000_000_000),
            "MINUTE" | "SQL_TSI_MINUTE" => Self::Nanos(60_000_000_000),
            "HOUR" | "SQL_TSI_HOUR" => Self::Nanos(3_600_000_000_000),
            "DAY" | "SQL_TSI_DAY" => Self::Nanos(86_400_000_000_000),
            "WEEK" | "SQL_TSI_WEEK" => Self::Nanos(604_800_000_000_000),
            "MONTH" | "SQL_TSI_MONTH" => Self::Months(1),
            "QUARTER" | "SQL_TSI_QUARTER" => Self::Months(3),
            "YEAR" | "SQL_TSI_YEAR" => Self::Months(12),
            _ => return None,
        })
    }
}

fn is_time(ty: &Type) -> bool {
    ty.logical.is_timestamp() || ty.logical == LogicalType::Date
}

fn resolve_difference(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [unit, from, to] = args else { return None };
    Unit::parse(unit.literal.as_ref()?.as_str()?)?;
    if !is_time(&from.ty) || !is_time(&to.ty) {
        return None;
    }
    let types = args.iter().map(|argument| argument.ty.clone()).collect();
    let result = Type::new(LogicalType::Int, from.ty.nullable || to.ty.nullable);
    Some(ScalarCall::new(name, types, result, Kernel::Native(difference)))
}

fn resolve_addition(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [unit, number, time] = args else { return None };
    let parsed = Unit::parse(unit.literal.as_ref()?.as_str()?)?;
    if !number.ty.logical.is_integer() || !is_time(&time.ty) {
        return None;
    }
    let whole_days = !matches!(parsed, Unit::Nanos(nanos) if nanos < 86_400_000_000_000);
    let logical = match &time.ty.logical {
        LogicalType::Date if !whole_days => LogicalType::Timestamp(0),
        other => other.clone(),
    };
    let types = vec![unit.ty.clone(), Type::new(LogicalType::BigInt, number.ty.nullable), time.ty.clone()];
    let result = Type::new(logical, number.ty.nullable || time.ty.nullable);
    Some(ScalarCall::new(name, types, result, Kernel::Native(addition)))
}

fn unit_of(call: &Call) -> Result<Unit, DataFusionError> {
    match call.texts(0)?.get(0).and_then(Unit::parse) {
        Some(unit) => Ok(unit),
        None => exec_err!("This is no unit of time."),
    }
}

fn difference(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let unit = unit_of(call)?;
    let (from, to) = (call.locals(1)?, call.locals(2)?);
    call.number_rows::<Int32Type>(|row| {
        let (from, to) = (from.get(row)?, to.get(row)?);
        match unit {
            // Wraps where it passes INT, as Java's cast does.
            Unit::Nanos(nanos) => {
                let whole = (to.total_nanos() - from.total_nanos()) / i128::from(nanos);
                i64::try_from(whole).ok().map(wrap)
            }
            Unit::Months(months) => Some(wrap(months_between(from, to) / months)),
        }
    })
}

#[expect(clippy::cast_possible_truncation, reason = "Flink's result is the low 32 bits")]
const fn wrap(wide: i64) -> i32 {
    wide as i32
}

/// Whole months: as many as can be added to the first day without passing the last one, where adding stops at the end
/// of a shorter month; one less when the last day is reached but not its clock. Calcite's rule.
fn months_between(from: Local, to: Local) -> i64 {
    let months = months_between_days(from.days, to.days);
    let reached = add_months(from, months).days;
    if reached == to.days && to.nanos < from.nanos { months - 1 } else { months }
}

fn months_between_days(from: i64, to: i64) -> i64 {
    if to < from {
        return -months_between_days(to, from);
    }
    let (start, end) = (Date::from_days(from), Date::from_days(to));
    let estimate = (end.year - start.year) * 12 + end.month - start.month;
    if start.add_months(estimate).to_days() > to { estimate - 1 } else { estimate }
}

fn addition(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let unit = unit_of(call)?;
    let (number, times) = (call.numbers::<Int64Type>(1)?, call.locals(2)?);
    call.local_rows(|row| {
        let (number, local) = (number.get(row)?, times.get(row)?);
        match unit {
            Unit::Nanos(nanos) => local.add_nanos(i128::from(nanos).checked_mul(number.into())?),
            Unit::Months(months) => Some(add_months(local, months.checked_mul(number)?)),
        }
    })
}
