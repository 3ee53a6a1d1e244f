//! The values of one generated column.

use crate::catalog::TableRef;
use crate::connector::generator::Dice;
use crate::connector::option::Options;
use crate::error::{EngineError, Result};
use crate::format::column::{Column, Data, offset_of};
use crate::format::temporal::units_per_second;
use crate::types::LogicalType;

const DEFAULT_LENGTH: u64 = 100;
const MILLIS_PER_DAY: i64 = 86_400_000;

#[derive(Clone)]
pub(super) struct ValueMaker {
    ty: LogicalType,
    kind: Kind,
    null_rate: f64,
    seed: u64,
    stream: u64,
}

#[derive(Clone)]
enum Kind {
    Sequence {
        start: i64,
        end: i64,
    },
    Boolean,
    Integer {
        min: i64,
        max: i64,
    },
    Real {
        min: f64,
        max: f64,
    },
    Text {
        length: u64,
        varying: bool,
    },
    /// Up to so many milliseconds before now.
    Past {
        millis: u64,
    },
    Array {
        element: Box<ValueMaker>,
        length: u64,
    },
    Row(Vec<ValueMaker>),
}

impl ValueMaker {
    pub(super) fn of_table(table: &TableRef, name: &str, ty: &LogicalType, seed: u64, stream: u64) -> Result<Self> {
        let options = Options(&table.options);
        let option = |suffix: &str| format!("fields.{name}.{suffix}");
        let null_rate = options.number(&option("null-rate"))?.unwrap_or(0.0);
        let kind = if options.text(&option("kind")) == Some("sequence") {
            let bound = |suffix: &str| {
                let value = options.integer(&option(suffix))?;
                value.ok_or_else(|| EngineError::user("missing_option", format!("'{}' is missing.", option(suffix))))
            };
            let takes = ty.is_numeric() || ty.is_character();
            if !takes {
                return Err(EngineError::user(
                    "bad_option",
                    format!("'{}': a sequence cannot be of type {ty}.", option("kind")),
                ));
            }
            Kind::Sequence { start: bound("start")?, end: bound("end")? }
        } else {
            random(&options, &option, ty, seed, stream)?
        };
        Ok(ValueMaker { ty: ty.clone(), kind, null_rate, seed, stream })
    }

    pub(super) const fn logical(&self) -> &LogicalType {
        &self.ty
    }

    /// Rows until a sequence is used up.
    pub(super) fn rows(&self) -> Option<u64> {
        match self.kind {
            Kind::Sequence { start, end } => Some(u64::try_from(i128::from(end) - i128::from(start) + 1).unwrap_or(0)),
            _ => None,
        }
    }

    pub(super) fn push(&self, row: u64, column: &mut Column) {
        let mut dice = Dice::new(self.seed, self.stream, row);
        self.push_rolled(row, &mut dice, column);
    }

    fn push_rolled(&self, row: u64, dice: &mut Dice, column: &mut Column) {
        if self.null_rate > 0.0 && dice.fraction() < self.null_rate {
            return column.push_null();
        }
        match &self.kind {
            Kind::Sequence { start, .. } => push_number(start.wrapping_add_unsigned(row), column),
            Kind::Boolean => {
                if let Data::Boolean(values) = column.data() {
                    values.push(dice.next() & 1 == 1);
                    column.accept();
                }
            }
            Kind::Integer { min, max } => {
                let span = max.abs_diff(*min).saturating_add(1);
                push_number(min.wrapping_add_unsigned(dice.below(span)), column);
            }
            Kind::Real { min, max } => push_real(min + dice.fraction() * (max - min), column),
            Kind::Text { length, varying } => {
                let length = if *varying { dice.below(length + 1) } else { *length };
                push_text(length, dice, column);
            }
            Kind::Past { millis } => {
                let back = if *millis == 0 { 0 } else { dice.below(*millis + 1) };
                push_time(chrono::Utc::now().timestamp_millis().saturating_sub_unsigned(back), column);
            }
            Kind::Array { element, length } => {
                let Data::List { offsets, items } = column.data() else { return };
                for _ in 0..*length {
                    element.push_rolled(row, dice, items);
                }
                offsets.push(offset_of(items.len()));
                column.accept();
            }
            Kind::Row(makers) => {
                let Data::Row(children) = column.data() else { return };
                for (maker, child) in makers.iter().zip(children) {
                    maker.push_rolled(row, dice, child);
                }
                column.accept();
            }
        }
    }
}

fn random(
    options: &Options<'_>,
    option: &dyn Fn(&str) -> String,
    ty: &LogicalType,
    seed: u64,
    stream: u64,
) -> Result<Kind> {
    let integer = |low: i64, high: i64| -> Result<Kind> {
        let min = options.integer(&option("min"))?.unwrap_or(low);
        let max = options.integer(&option("max"))?.unwrap_or(high);
        if min > max || min < low || max > high {
            let message = format!("'{}' and '{}' have to be in order and fit {ty}.", option("min"), option("max"));
            return Err(EngineError::user("bad_option", message));
        }
        Ok(Kind::Integer { min, max })
    };
    let length =
        |default: u64| -> Result<u64> { Ok(options.count(&option("length"))?.unwrap_or(default).min(1 << 20)) };
    let inner = |ty: &LogicalType| -> Result<ValueMaker> {
        Ok(ValueMaker {
            ty: ty.clone(),
            kind: random(options, option, ty, seed, stream)?,
            null_rate: 0.0,
            seed,
            stream,
        })
    };
    Ok(match ty {
        LogicalType::Boolean => Kind::Boolean,
        LogicalType::TinyInt => integer(i8::MIN.into(), i8::MAX.into())?,
        LogicalType::SmallInt => integer(i16::MIN.into(), i16::MAX.into())?,
        LogicalType::Int => integer(i32::MIN.into(), i32::MAX.into())?,
        LogicalType::BigInt => integer(i64::MIN, i64::MAX)?,
        LogicalType::Float | LogicalType::Double | LogicalType::Decimal { .. } => {
            let limit = match ty {
                LogicalType::Decimal { precision, scale } => {
                    10_f64.powi(i32::from(*precision) - i32::from(*scale)) - 1.0
                }
                LogicalType::Float => f64::from(f32::MAX),
                _ => f64::MAX / 2.0,
            };
            let min = options.number(&option("min"))?.unwrap_or(-limit);
            Kind::Real { min, max: options.number(&option("max"))?.unwrap_or(limit) }
        }
        LogicalType::Char(size) | LogicalType::Binary(size) => Kind::Text { length: u64::from(*size), varying: false },
        ty if ty.is_character() || ty.is_binary() => {
            Kind::Text { length: length(DEFAULT_LENGTH)?, varying: options.is_true(&option("var-len")) }
        }
        LogicalType::Date | LogicalType::Time(_) | LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_) => {
            let past = options.duration(&option("max-past"))?.unwrap_or_default();
            Kind::Past { millis: u64::try_from(past.as_millis()).unwrap_or(u64::MAX - 1) }
        }
        LogicalType::Array(element) => Kind::Array { element: Box::new(inner(&element.logical)?), length: length(3)? },
        LogicalType::Row(fields) => {
            Kind::Row(fields.iter().map(|field| inner(&field.ty.logical)).collect::<Result<_>>()?)
        }
        other => {
            return Err(EngineError::user(
                "unsupported",
                format!("'{}': no random values of type {other}.", option("kind")),
            ));
        }
    })
}

fn push_number(value: i64, column: &mut Column) {
    match column.logical().clone() {
        LogicalType::Float | LogicalType::Double | LogicalType::Decimal { .. } => push_real(value as f64, column),
        ty if ty.is_character() => column.push_bytes(value.to_string().as_bytes()),
        _ => column.push_i64(value),
    }
}

fn push_real(value: f64, column: &mut Column) {
    let scale = match column.logical() {
        LogicalType::Decimal { scale, .. } => i32::from(*scale),
        _ => 0,
    };
    match column.data() {
        Data::Float32(values) => values.push(value as f32),
        Data::Float64(values) => values.push(value),
        Data::Decimal(values) => values.push((value * 10_f64.powi(scale)) as i128),
        _ => return column.push_null(),
    }
    column.accept();
}

/// Hexadecimal digits, as Flink's generator gives them.
fn push_text(length: u64, dice: &mut Dice, column: &mut Column) {
    let mut text = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    while (text.len() as u64) < length {
        text.extend_from_slice(format!("{:016x}", dice.next()).as_bytes());
    }
    text.truncate(usize::try_from(length).unwrap_or(0));
    column.push_bytes(&text);
}

fn push_time(millis: i64, column: &mut Column) {
    let value = match column.logical() {
        LogicalType::Date => millis.div_euclid(MILLIS_PER_DAY),
        LogicalType::Time(_) => millis.rem_euclid(MILLIS_PER_DAY),
        LogicalType::Timestamp(precision) | LogicalType::TimestampLtz(precision) => {
            millis.saturating_mul(units_per_second(*precision) / 1000)
        }
        _ => millis,
    };
    column.push_i64(value);
}
