//! Between text, numbers and times: DATE_FORMAT, TO_TIMESTAMP, TO_DATE, UNIX_TIMESTAMP, FROM_UNIXTIME, …

use arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::parse::{format_timestamp, parse_date, parse_timestamp};
use super::pattern::Pattern;
use super::value::{Local, to_local, to_utc};
use super::zone_id::ZoneId;
use crate::function::compiled::Compiled;
use crate::function::registry::{Entry, Resolver};
use crate::function::signature::{Form, Nulls, Param};
use crate::function::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

const T: Param = Param::Text;

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        names: &["DATE_FORMAT"],
        category: "time",
        signature: "DATE_FORMAT(timestamp, pattern)",
        summary: "The timestamp as text, by a Java pattern such as yyyy-MM-dd HH:mm.",
        resolver: Resolver::Custom(resolve_format),
    },
    forms(
        &["TO_TIMESTAMP"],
        "TO_TIMESTAMP(text[, pattern])",
        "Text as TIMESTAMP(3); NULL where it does not match.",
        &[
            form(&[T], |_| LogicalType::Timestamp(3), to_timestamp),
            form(&[T, T], |_| LogicalType::Timestamp(3), to_timestamp),
        ],
    ),
    forms(
        &["TO_TIMESTAMP_LTZ"],
        "TO_TIMESTAMP_LTZ(number[, 0 | 3]) or TO_TIMESTAMP_LTZ(text[, pattern[, time zone]])",
        "Seconds (0) or milliseconds (3) since 1970, or a text, in UTC unless said otherwise, as TIMESTAMP_LTZ(3).",
        &[
            form(&[Param::BigInt], |_| LogicalType::TimestampLtz(3), from_epoch),
            form(&[Param::BigInt, Param::Int], |_| LogicalType::TimestampLtz(3), from_epoch),
            form(&[Param::Double], |_| LogicalType::TimestampLtz(3), from_fraction),
            form(&[Param::Double, Param::Int], |_| LogicalType::TimestampLtz(3), from_fraction),
            form(&[T], |_| LogicalType::TimestampLtz(3), instant),
            form(&[T, T], |_| LogicalType::TimestampLtz(3), instant),
            form(&[T, T, T], |_| LogicalType::TimestampLtz(3), instant),
        ],
    ),
    forms(
        &["TO_DATE"],
        "TO_DATE(text[, pattern])",
        "Text as DATE; NULL where it does not match.",
        &[form(&[T], |_| LogicalType::Date, to_date), form(&[T, T], |_| LogicalType::Date, to_date)],
    ),
    forms(
        &["FROM_UNIXTIME"],
        "FROM_UNIXTIME(seconds[, pattern])",
        "Seconds since 1970 as text in the session's time zone.",
        &[
            form(&[Param::BigInt], |_| LogicalType::String, from_unix_time),
            form(&[Param::BigInt, T], |_| LogicalType::String, from_unix_time),
        ],
    ),
    Entry {
        names: &["UNIX_TIMESTAMP"],
        category: "time",
        signature: "UNIX_TIMESTAMP([text[, pattern]])",
        summary: "Seconds since 1970: now, or of a text.",
        resolver: Resolver::Custom(resolve_unix_timestamp),
    },
    forms(
        &["CONVERT_TZ"],
        "CONVERT_TZ(text, from zone, to zone)",
        "A timestamp text moved from one time zone to another.",
        &[form(&[T, T, T], |_| LogicalType::String, convert_zone)],
    ),
];

const fn forms(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    forms: &'static [Form],
) -> Entry {
    Entry { names, category: "time", signature, summary, resolver: Resolver::Forms(forms) }
}

const fn form(params: &'static [Param], returns: fn(&[Type]) -> LogicalType, kernel: NativeFn) -> Form {
    Form { params, variadic: false, returns, nulls: Nulls::Always, kernel: Kernel::Native(kernel) }
}

/// The patterns of one batch, compiled.
#[derive(Default)]
struct Patterns(Compiled<Pattern>);

impl Patterns {
    fn get(&mut self, text: &str) -> Option<&Pattern> {
        self.0.get(text, Pattern::parse).map(|pattern| &*pattern)
    }
}

fn resolve_format(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [time, pattern] = args else { return None };
    let logical = match &time.ty.logical {
        text if text.is_character() => LogicalType::Timestamp(3),
        time if time.is_timestamp() => time.clone(),
        _ => return None,
    };
    let types = vec![Type::new(logical, time.ty.nullable), T.accept(&pattern.ty)?];
    let result = Type::new(LogicalType::String, time.ty.nullable || pattern.ty.nullable);
    Some(ScalarCall::new(name, types, result, Kernel::Native(format)))
}

fn format(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (times, pattern) = (call.locals(0)?, call.texts(1)?);
    let mut patterns = Patterns::default();
    call.written_rows(|row, out| {
        patterns.get(pattern.get(row)?)?.write(times.get(row)?, out);
        Some(())
    })
}

fn to_timestamp(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let pattern = if call.args.len() > 1 { Some(call.texts(1)?) } else { None };
    let mut patterns = Patterns::default();
    call.local_rows(|row| {
        let text = input.get(row)?;
        match &pattern {
            // A text that does not match the pattern may still be a plain timestamp.
            Some(pattern) => patterns.get(pattern.get(row)?)?.read(text).or_else(|| plain_timestamp(text)),
            None => plain_timestamp(text),
        }
    })
}

fn plain_timestamp(text: &str) -> Option<Local> {
    parse_timestamp(text).map(|(days, nanos)| Local { days, nanos })
}

fn from_epoch(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let number = call.numbers::<Int64Type>(0)?;
    let precision = if call.args.len() > 1 { Some(call.numbers::<Int32Type>(1)?) } else { None };
    let zone = call.context.zone;
    call.local_rows(|row| {
        let per_second = match &precision {
            Some(precision) => match precision.get(row)? {
                0 => 1,
                3 => 1_000,
                _ => return None,
            },
            None => 1_000,
        };
        to_local(Local::from_ticks(number.get(row)?, per_second), zone)
    })
}

/// Seconds or milliseconds with a fraction, cut to milliseconds.
fn from_fraction(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let number = call.numbers::<Float64Type>(0)?;
    let precision = if call.args.len() > 1 { Some(call.numbers::<Int32Type>(1)?) } else { None };
    let zone = call.context.zone;
    call.local_rows(|row| {
        let factor = match &precision {
            Some(precision) => match precision.get(row)? {
                0 => 1_000.0,
                3 => 1.0,
                _ => return None,
            },
            None => 1.0,
        };
        let millis = number.get(row)? * factor;
        // Beyond this no year can be written.
        (millis.abs() < 1e15).then(|| to_local(Local::from_ticks(millis as i64, 1_000), zone)).flatten()
    })
}

/// A text in a time zone, UTC unless it is named, as an instant.
fn instant(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let pattern = if call.args.len() > 1 { Some(call.texts(1)?) } else { None };
    let zone = if call.args.len() > 2 { Some(call.texts(2)?) } else { None };
    let mut patterns = Patterns::default();
    call.local_rows(|row| {
        let text = input.get(row)?;
        let local = match &pattern {
            Some(pattern) => patterns.get(pattern.get(row)?)?.read(text)?,
            None => plain_timestamp(text)?,
        };
        let zone = match &zone {
            Some(zone) => ZoneId::parse(zone.get(row)?),
            None => ZoneId::Offset(0),
        };
        to_local(zone.to_utc(local)?, call.context.zone)
    })
}

fn to_date(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let pattern = if call.args.len() > 1 { Some(call.texts(1)?) } else { None };
    let mut patterns = Patterns::default();
    call.local_rows(|row| {
        let text = input.get(row)?;
        match &pattern {
            Some(pattern) => patterns.get(pattern.get(row)?)?.read(text),
            None => parse_date(text).map(|days| Local { days, nanos: 0 }),
        }
    })
}

const DEFAULT_PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

fn from_unix_time(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let seconds = call.numbers::<Int64Type>(0)?;
    let pattern = if call.args.len() > 1 { Some(call.texts(1)?) } else { None };
    let mut patterns = Patterns::default();
    let zone = call.context.zone;
    call.written_rows(|row, out| {
        let pattern = match &pattern {
            Some(pattern) => pattern.get(row)?,
            None => DEFAULT_PATTERN,
        };
        let local = to_local(Local::from_ticks(seconds.get(row)?, 1), zone)?;
        patterns.get(pattern)?.write(local, out);
        Some(())
    })
}

fn resolve_unix_timestamp(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    if args.is_empty() {
        return super::now::resolve_seconds(name, args);
    }
    let types = args.iter().map(|argument| T.accept(&argument.ty)).collect::<Option<Vec<Type>>>()?;
    let nullable = types.iter().any(|ty| ty.nullable);
    let result = Type::new(LogicalType::BigInt, nullable);
    (types.len() <= 2).then(|| ScalarCall::new(name, types, result, Kernel::Native(unix_timestamp)))
}

/// A text that does not match gives the smallest BIGINT, as Flink does.
fn unix_timestamp(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let pattern = if call.args.len() > 1 { Some(call.texts(1)?) } else { None };
    let mut patterns = Patterns::default();
    let zone = call.context.zone;
    call.number_rows::<Int64Type>(|row| {
        let text = input.get(row)?;
        let pattern = match &pattern {
            Some(pattern) => pattern.get(row)?,
            None => DEFAULT_PATTERN,
        };
        let local = patterns.get(pattern).and_then(|pattern| pattern.read(text));
        let seconds = local.and_then(|local| to_utc(local, zone)).and_then(|utc| utc.to_ticks(1));
        Some(seconds.unwrap_or(i64::MIN))
    })
}

fn convert_zone(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, from, to) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    call.text_rows(|row| {
        let (days, nanos) = parse_timestamp(input.get(row)?)?;
        let (from, to) = (ZoneId::parse(from.get(row)?), ZoneId::parse(to.get(row)?));
        let moved = to.to_local(from.to_utc(Local { days, nanos })?)?;
        Some(format_timestamp(moved.days, moved.nanos, 0))
    })
}
