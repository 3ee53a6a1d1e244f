//! Reading and writing time values of every type as local days and nanoseconds of the day.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Time32MillisecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use chrono::{LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use datafusion_common::{DataFusionError, internal_err};
use datafusion_expr::ColumnarValue;

use crate::function::Call;
use crate::types::LogicalType;

pub(crate) const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// A point on the local time line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Local {
    /// Since 1970-01-01.
    pub(crate) days: i64,
    /// 0 to 86,399,999,999,999.
    pub(crate) nanos: i64,
}

impl Local {
    pub(crate) const fn from_ticks(ticks: i64, per_second: i64) -> Self {
        let per_day = per_second * 86_400;
        Local { days: ticks.div_euclid(per_day), nanos: ticks.rem_euclid(per_day) * (1_000_000_000 / per_second) }
    }

    /// `None` beyond the range of the unit.
    pub(crate) fn to_ticks(self, per_second: i64) -> Option<i64> {
        let whole = self.days.checked_mul(per_second.checked_mul(86_400)?)?;
        whole.checked_add(self.nanos / (1_000_000_000 / per_second))
    }

    pub(crate) fn add_nanos(self, nanos: i128) -> Option<Self> {
        let total = i128::from(self.days) * i128::from(NANOS_PER_DAY) + i128::from(self.nanos) + nanos;
        let days = i64::try_from(total.div_euclid(i128::from(NANOS_PER_DAY))).ok()?;
        Some(Local { days, nanos: i64::try_from(total.rem_euclid(i128::from(NANOS_PER_DAY))).ok()? })
    }

    /// Nanoseconds since 1970.
    pub(crate) fn total_nanos(self) -> i128 {
        i128::from(self.days) * i128::from(NANOS_PER_DAY) + i128::from(self.nanos)
    }
}

/// A column of DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ, read as local values.
pub(crate) struct Locals {
    array: ArrayRef,
    constant: bool,
    /// Present for TIMESTAMP_LTZ.
    zone: Option<Tz>,
}

impl Locals {
    pub(crate) fn new(array: ArrayRef, constant: bool, zone: Tz) -> Result<Self, DataFusionError> {
        let zoned = match array.data_type() {
            DataType::Timestamp(_, zoned) => zoned.is_some(),
            DataType::Date32 | DataType::Time32(TimeUnit::Millisecond) => false,
            other => return internal_err!("a kernel expected a time, not {other}"),
        };
        Ok(Locals { array, constant, zone: (zoned && zone != Tz::UTC).then_some(zone) })
    }

    pub(crate) fn get(&self, row: usize) -> Option<Local> {
        let index = if self.constant { 0 } else { row };
        if self.array.is_null(index) {
            return None;
        }
        let local = match self.array.data_type() {
            DataType::Date32 => return Some(Local { days: self.at::<Date32Type>(index)?.into(), nanos: 0 }),
            DataType::Time32(_) => {
                return Some(Local { days: 0, nanos: i64::from(self.at::<Time32MillisecondType>(index)?) * 1_000_000 });
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Local::from_ticks(self.at::<TimestampMicrosecondType>(index)?, 1_000_000)
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                Local::from_ticks(self.at::<TimestampNanosecondType>(index)?, 1_000_000_000)
            }
            _ => Local::from_ticks(self.at::<TimestampMillisecondType>(index)?, 1_000),
        };
        match self.zone {
            Some(zone) => to_local(local, zone),
            None => Some(local),
        }
    }

    fn at<T: ArrowPrimitiveType>(&self, index: usize) -> Option<T::Native> {
        self.array.as_primitive_opt::<T>().map(|array| array.value(index))
    }
}

/// UTC → the zone's wall clock.
pub(crate) fn to_local(utc: Local, zone: Tz) -> Option<Local> {
    let offset = zone.offset_from_utc_datetime(&naive(utc)?).fix().local_minus_utc();
    utc.add_nanos(i128::from(offset) * 1_000_000_000)
}

/// The zone's wall clock → UTC. Of two instants the earlier; in a gap, the clock before it goes on.
pub(crate) fn to_utc(local: Local, zone: Tz) -> Option<Local> {
    if zone == Tz::UTC {
        return Some(local);
    }
    let wall = naive(local)?;
    let offset = match zone.offset_from_local_datetime(&wall) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset.fix().local_minus_utc(),
        LocalResult::None => {
            let before = wall.checked_sub_signed(chrono::TimeDelta::hours(3))?;
            zone.offset_from_local_datetime(&before).earliest()?.fix().local_minus_utc()
        }
    };
    local.add_nanos(-i128::from(offset) * 1_000_000_000)
}

fn naive(local: Local) -> Option<NaiveDateTime> {
    let date = NaiveDate::from_num_days_from_ce_opt(i32::try_from(local.days.checked_add(719_163)?).ok()?)?;
    let seconds = u32::try_from(local.nanos / 1_000_000_000).ok()?;
    let time = chrono::NaiveTime::from_num_seconds_from_midnight_opt(
        seconds,
        u32::try_from(local.nanos % 1_000_000_000).ok()?,
    )?;
    Some(date.and_time(time))
}

impl Call<'_> {
    pub(crate) fn locals(&self, position: usize) -> Result<Locals, DataFusionError> {
        let (array, constant) = self.array(position)?;
        Locals::new(array, constant, self.context.zone)
    }

    /// Time results of the call's return type; a TIMESTAMP_LTZ is taken back to UTC.
    pub(crate) fn local_rows(
        &self,
        each: impl FnMut(usize) -> Option<Local>,
    ) -> Result<ColumnarValue, DataFusionError> {
        write_locals(self, &self.return_type.logical, each)
    }
}

fn write_locals(
    call: &Call,
    ty: &LogicalType,
    mut each: impl FnMut(usize) -> Option<Local>,
) -> Result<ColumnarValue, DataFusionError> {
    let zone = call.context.zone;
    let cut = |precision: u8| 10_i64.pow(9 - u32::from(precision.min(9)));
    let mut point = |row: usize, precision: u8| {
        let local = each(row)?;
        let local = Local { nanos: local.nanos - local.nanos % cut(precision), ..local };
        if matches!(ty, LogicalType::TimestampLtz(_)) { to_utc(local, zone) } else { Some(local) }
    };
    match ty {
        LogicalType::Date => call.number_rows::<Date32Type>(|row| i32::try_from(point(row, 9)?.days).ok()),
        LogicalType::Time(precision) => {
            let precision = *precision;
            call.number_rows::<Time32MillisecondType>(|row| {
                i32::try_from(point(row, precision)?.nanos / 1_000_000).ok()
            })
        }
        LogicalType::Timestamp(precision) | LogicalType::TimestampLtz(precision) => {
            let precision = *precision;
            match precision {
                0..=3 => call.number_rows::<TimestampMillisecondType>(|row| point(row, precision)?.to_ticks(1_000)),
                4..=6 => call.number_rows::<TimestampMicrosecondType>(|row| point(row, precision)?.to_ticks(1_000_000)),
                _ => call.number_rows::<TimestampNanosecondType>(|row| point(row, precision)?.to_ticks(1_000_000_000)),
            }
        }
        other => internal_err!("a kernel cannot write a time as {other}"),
    }
}
