//! Constants → typed values.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use datafusion_common::ScalarValue;

use super::{Bind, Binder};
use crate::expr::{Expr, Value};
use crate::sql::ast::{IntervalLiteral, Literal, Unit};
use crate::sql::{Problem, Span};
use crate::types::{LogicalType, Type};

impl Binder<'_> {
    pub(super) fn literal(&mut self, literal: &Literal, span: Span) -> Bind<Expr> {
        let typed = match literal {
            Literal::Null => return Ok(Expr::literal(Value(ScalarValue::Null), Type::nullable(LogicalType::Null))),
            Literal::Boolean(truth) => Some((ScalarValue::Boolean(Some(*truth)), LogicalType::Boolean)),
            Literal::Text(text) => Some((ScalarValue::Utf8(Some(text.clone())), text_type(text))),
            Literal::Symbol(word) => Some((ScalarValue::Utf8(Some(word.clone())), text_type(word))),
            Literal::Binary(bytes) => {
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).max(1);
                Some((ScalarValue::Binary(Some(bytes.clone())), LogicalType::Binary(length)))
            }
            Literal::Number(digits) => number(digits),
            Literal::Date(text) => date(text),
            Literal::Time(text) => time(text),
            Literal::Timestamp(text) => timestamp(text),
            Literal::Interval(interval) => return self.interval(interval, span),
        };
        match typed {
            Some((value, logical)) => Ok(Expr::literal(Value(value), Type::not_null(logical))),
            None => {
                let (what, form) = match literal {
                    Literal::Number(_) => ("number", "at most 38 digits"),
                    Literal::Date(_) => ("date", "DATE '2020-12-31'"),
                    Literal::Time(_) => ("time", "TIME '23:59:59'"),
                    _ => ("timestamp", "TIMESTAMP '2020-12-31 23:59:59.999'"),
                };
                let problem = Problem::error("parse", format!("This is no valid {what}."), span);
                Err(self.report(problem.with_hint(format!("Expected {form}."))))
            }
        }
    }

    fn interval(&mut self, interval: &IntervalLiteral, span: Span) -> Bind<Expr> {
        let months = matches!(interval.from, Unit::Year | Unit::Quarter | Unit::Month);
        // Flink reads at most as many leading digits as the unit's precision, two by default.
        let leading = interval.text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().len();
        let allowed =
            interval.precision.filter(|_| interval.from != Unit::Second || interval.to.is_none()).unwrap_or(2);
        if leading > allowed as usize {
            let unit = format!("{:?}", interval.from).to_uppercase();
            let problem = Problem::error(
                "parse",
                format!("An interval in {unit} has at most {allowed} digits unless it says otherwise."),
                span,
            );
            return Err(self.report(problem.with_hint(format!("Use a larger unit, or write {unit}({leading})."))));
        }
        let Some(amount) = interval_amount(interval) else {
            let problem = Problem::error("parse", "This is no valid interval.", span);
            return Err(self.report(problem.with_hint("Expected for example INTERVAL '10' SECOND, INTERVAL '1 02:03:04' DAY TO SECOND or INTERVAL '1-2' YEAR TO MONTH.")));
        };
        let amount = if interval.negative { -amount } else { amount };
        if months {
            let Ok(months) = i32::try_from(amount) else {
                return self.refuse("parse", "The interval is too long.", span);
            };
            return Ok(Expr::literal(Value::int(months), Type::not_null(LogicalType::IntervalYearMonth)));
        }
        Ok(Expr::literal(Value::big_int(amount), Type::not_null(LogicalType::IntervalDayTime)))
    }
}

/// A string is CHAR of its length, in characters; the empty one counts as one.
fn text_type(text: &str) -> LogicalType {
    LogicalType::Char(u32::try_from(text.chars().count()).unwrap_or(u32::MAX).max(1))
}

/// INT, BIGINT or DECIMAL for digits, DECIMAL with a point, DOUBLE with an exponent.
fn number(digits: &str) -> Option<(ScalarValue, LogicalType)> {
    if digits.contains(['e', 'E']) {
        let number: f64 = digits.parse().ok()?;
        return number.is_finite().then_some((ScalarValue::Float64(Some(number)), LogicalType::Double));
    }
    if !digits.contains('.') {
        if let Ok(number) = digits.parse::<i32>() {
            return Some((ScalarValue::Int32(Some(number)), LogicalType::Int));
        }
        if let Ok(number) = digits.parse::<i64>() {
            return Some((ScalarValue::Int64(Some(number)), LogicalType::BigInt));
        }
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let significant = whole.trim_start_matches('-').trim_start_matches('0').len();
    let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= 38)?;
    let precision =
        u8::try_from(significant + fraction.len()).ok().filter(|precision| *precision <= 38)?.max(scale).max(1);
    let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
    let value = ScalarValue::Decimal128(Some(unscaled), precision, i8::try_from(scale).ok()?);
    Some((value, LogicalType::Decimal { precision, scale }))
}

fn date(text: &str) -> Option<(ScalarValue, LogicalType)> {
    let date = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()?;
    Some((ScalarValue::Date32(Some(days(date)?)), LogicalType::Date))
}

fn days(date: NaiveDate) -> Option<i32> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    i32::try_from(date.signed_duration_since(epoch).num_days()).ok()
}

fn time(text: &str) -> Option<(ScalarValue, LogicalType)> {
    let (time, digits) = parse_time(text.trim())?;
    let millis = time.num_seconds_from_midnight().checked_mul(1000)? + time.nanosecond() / 1_000_000;
    Some((ScalarValue::Time32Millisecond(Some(i32::try_from(millis).ok()?)), LogicalType::Time(digits)))
}

/// With the number of fraction digits.
fn parse_time(text: &str) -> Option<(NaiveTime, u8)> {
    let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok()?;
    let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    Some((time, u8::try_from(digits).ok().filter(|digits| *digits <= 9)?))
}

fn timestamp(text: &str) -> Option<(ScalarValue, LogicalType)> {
    let (date, time) = text.trim().split_once(' ')?;
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    let (time, digits) = parse_time(time.trim())?;
    let stamp = NaiveDateTime::new(date, time).and_utc();
    let value = match digits {
        0..=3 => ScalarValue::TimestampMillisecond(Some(stamp.timestamp_millis()), None),
        4..=6 => ScalarValue::TimestampMicrosecond(Some(stamp.timestamp_micros()), None),
        _ => ScalarValue::TimestampNanosecond(Some(stamp.timestamp_nanos_opt()?), None),
    };
    Some((value, LogicalType::Timestamp(digits)))
}

/// Months for year-month intervals, else milliseconds.
fn interval_amount(interval: &IntervalLiteral) -> Option<i64> {
    let text = interval.text.as_str();
    let Some(to) = interval.to else {
        let factor = unit_size(interval.from);
        if interval.from == Unit::Second {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            return whole_number(whole)?.checked_mul(factor)?.checked_add(millis(fraction)?);
        }
        return whole_number(text)?.checked_mul(factor);
    };
    if (interval.from, to) == (Unit::Year, Unit::Month) {
        let (years, months) = text.split_once('-')?;
        let months = whole_number(months).filter(|months| *months < 12)?;
        return whole_number(years)?.checked_mul(12)?.checked_add(months);
    }
    if interval.from < Unit::Day || to <= interval.from {
        return None;
    }
    // `d hh:mm:ss.fff`, from the leading unit to the last.
    let units = [Unit::Day, Unit::Hour, Unit::Minute, Unit::Second];
    let wanted = units.into_iter().filter(|unit| *unit >= interval.from && *unit <= to);
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.is_empty() && to != Unit::Second {
        return None;
    }
    let mut parts = text.split([' ', ':']);
    let mut total = millis(fraction)?;
    for unit in wanted {
        let amount = whole_number(parts.next()?)?;
        let limit = match unit {
            _ if unit == interval.from => i64::MAX,
            Unit::Hour => 24,
            _ => 60,
        };
        if amount >= limit {
            return None;
        }
        total = total.checked_add(amount.checked_mul(unit_size(unit))?)?;
    }
    parts.next().is_none().then_some(total)
}

fn whole_number(digits: &str) -> Option<i64> {
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if valid { digits.parse().ok() } else { None }
}

/// Milliseconds of a fraction of a second; further digits are cut.
fn millis(fraction: &str) -> Option<i64> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || fraction.len() > 9 {
        return None;
    }
    format!("{fraction:0<3}").get(..3)?.parse().ok()
}

/// In months or milliseconds.
const fn unit_size(unit: Unit) -> i64 {
    match unit {
        Unit::Year => 12,
        Unit::Quarter => 3,
        Unit::Month => 1,
        Unit::Week => 7 * 86_400_000,
        Unit::Day => 86_400_000,
        Unit::Hour => 3_600_000,
        Unit::Minute => 60_000,
        Unit::Second => 1_000,
    }
}
