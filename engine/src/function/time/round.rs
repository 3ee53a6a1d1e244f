//! `FLOOR(time TO unit)` and `CEIL(time TO unit)`.

use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;

use super::calendar::{Date, iso_weekday};
use super::value::{Local, NANOS_PER_DAY};
use crate::function::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::LogicalType;

/// Resolves `FLOOR(time, 'UNIT')`; `None` when the first argument is no time or the second no unit.
pub(in crate::function) fn rounding(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [time, unit] = args else { return None };
    Unit::parse(unit.literal.as_ref()?.as_str()?)?;
    let is_time = time.ty.logical.is_timestamp() || matches!(time.ty.logical, LogicalType::Date | LogicalType::Time(_));
    let kernel: NativeFn = match name {
        "FLOOR" => |call| round(call, false),
        "CEIL" | "CEILING" => |call| round(call, true),
        _ => return None,
    };
    let types = vec![time.ty.clone(), unit.ty.clone()];
    is_time.then(|| ScalarCall::new(name, types, time.ty.clone(), Kernel::Native(kernel)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Of so many nanoseconds.
    Fixed(i64),
    Week,
    /// Of so many months.
    Months(i64),
}

impl Unit {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "NANOSECOND" => Self::Fixed(1),
            "MICROSECOND" => Self::Fixed(1_000),
            "MILLISECOND" => Self::Fixed(1_000_000),
            "SECOND" => Self::Fixed(1_000_000_000),
            "MINUTE" => Self::Fixed(60_000_000_000),
            "HOUR" => Self::Fixed(3_600_000_000_000),
            "DAY" => Self::Fixed(NANOS_PER_DAY),
            "WEEK" => Self::Week,
            "MONTH" => Self::Months(1),
            "QUARTER" => Self::Months(3),
            "YEAR" => Self::Months(12),
            "DECADE" => Self::Months(120),
            "CENTURY" => Self::Months(1_200),
            "MILLENNIUM" => Self::Months(12_000),
            _ => return None,
        })
    }

    fn floor(self, local: Local) -> Local {
        match self {
            Self::Fixed(nanos) => Local { nanos: local.nanos - local.nanos % nanos, ..local },
            // Weeks start on Sunday here, as Calcite has it.
            Self::Week => Local { days: local.days - iso_weekday(local.days) % 7, nanos: 0 },
            Self::Months(months) => {
                let date = Date::from_days(local.days);
                let total = date.year * 12 + date.month - 1;
                let start = total - total.rem_euclid(months);
                let first = Date { year: start.div_euclid(12), month: start.rem_euclid(12) + 1, day: 1 };
                Local { days: first.to_days(), nanos: 0 }
            }
        }
    }

    fn next(self, start: Local) -> Option<Local> {
        match self {
            Self::Fixed(nanos) => start.add_nanos(nanos.into()),
            Self::Week => Some(Local { days: start.days + 7, ..start }),
            Self::Months(months) => Some(super::arithmetic::add_months(start, months)),
        }
    }
}

fn round(call: &Call, up: bool) -> Result<ColumnarValue, DataFusionError> {
    let (times, unit) = (call.locals(0)?, call.texts(1)?);
    let Some(unit) = unit.get(0).and_then(Unit::parse) else { return exec_err!("This unit cannot be rounded to.") };
    call.local_rows(|row| {
        let mut local = times.get(row)?;
        if !up && !matches!(unit, Unit::Fixed(_)) && local.days < 0 && local.nanos > 0 {
            // Before 1970 Flink takes the next day for that of weeks, months and longer.
            local = Local { days: local.days + 1, nanos: 0 };
        }
        let floor = unit.floor(local);
        if up && floor != local { unit.next(floor) } else { Some(floor) }
    })
}
