//! ELT, SUBSTRING_INDEX and PRINTF.

use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use datafusion_common::{DataFusionError, internal_err};
use datafusion_expr::ColumnarValue;

use super::printf::{Value, format};
use super::registry::{Entry, Resolver, text_function as entry};
use super::signature::{Form, Nulls, Param};
use super::{Argument, Call, Kernel, ScalarCall};
use crate::expr::cast::{decimal_text, is_castable};
use crate::types::{LogicalType, Type};

const T: Param = Param::Text;
const I: Param = Param::Int;

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        &["ELT"],
        "ELT(index, text, …)",
        "The text with that index, from 1; NULL where there is none.",
        &[Form { variadic: true, ..Form::native(&[I, T], |_| LogicalType::String, Nulls::Always, elt) }],
    ),
    entry(
        &["SUBSTRING_INDEX"],
        "SUBSTRING_INDEX(text, separator, count)",
        "What stands before so many separators, counted from the end when negative.",
        &[Form::native(&[T, T, I], |_| LogicalType::String, Nulls::FromArguments, substring_index)],
    ),
    Entry {
        names: &["PRINTF"],
        category: "string",
        signature: "PRINTF(format, value, …)",
        summary: "The values in a format such as '%5.2f %s'; NULL where the format does not fit them.",
        resolver: Resolver::Custom(printf_call),
    },
];

fn elt(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let index = call.numbers::<Int32Type>(0)?;
    let texts = (1..call.args.len()).map(|position| call.texts(position)).collect::<Result<Vec<_>, _>>()?;
    call.text_rows(|row| {
        let index = usize::try_from(index.get(row)?).ok()?.checked_sub(1)?;
        texts.get(index)?.get(row)
    })
}

fn substring_index(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, separator, count) = (call.texts(0)?, call.texts(1)?, call.numbers::<Int32Type>(2)?);
    call.text_rows(|row| {
        let (text, separator, count) = (input.get(row)?, separator.get(row)?, count.get(row)?);
        let wanted = usize::try_from(count.unsigned_abs()).ok()?;
        if separator.is_empty() || wanted == 0 {
            return Some("");
        }
        if count > 0 {
            let end = text.match_indices(separator).nth(wanted - 1).map_or(text.len(), |(at, _)| at);
            return text.get(..end);
        }
        let start = text.rmatch_indices(separator).nth(wanted - 1).map_or(0, |(at, found)| at + found.len());
        text.get(start..)
    })
}

fn printf_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let (pattern, values) = args.split_first()?;
    let mut types = vec![T.accept(&pattern.ty)?];
    for value in values {
        let plain = value.ty.logical.is_numeric() || value.ty.logical == LogicalType::Boolean;
        let logical = if plain { value.ty.logical.clone() } else { LogicalType::String };
        is_castable(&value.ty.logical, &logical).then_some(())?;
        types.push(Type::new(logical, value.ty.nullable));
    }
    Some(ScalarCall::new(name, types, Type::nullable(LogicalType::String), Kernel::Native(printf)))
}

fn printf(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let pattern = call.texts(0)?;
    let columns = (1..call.args.len()).map(|position| column(call, position)).collect::<Result<Vec<_>, _>>()?;
    call.text_rows(|row| {
        let values: Vec<Value> = columns.iter().map(|column| column(row)).collect();
        format(pattern.get(row)?, &values)
    })
}

type Column = Box<dyn Fn(usize) -> Value>;

/// The values of an argument, by their type.
fn column(call: &Call, position: usize) -> Result<Column, DataFusionError> {
    let Some(ty) = call.arg_types.get(position) else { return internal_err!("an argument has no type") };
    macro_rules! whole {
        ($kind:ty, $bits:literal) => {{
            let values = call.numbers::<$kind>(position)?;
            Box::new(move |row| {
                values.get(row).map_or(Value::Null, |value| Value::Whole { value: i64::from(value), bits: $bits })
            })
        }};
    }
    Ok(match &ty.logical {
        LogicalType::TinyInt => whole!(Int8Type, 8),
        LogicalType::SmallInt => whole!(Int16Type, 16),
        LogicalType::Int => whole!(Int32Type, 32),
        LogicalType::BigInt => whole!(Int64Type, 64),
        LogicalType::Float => {
            let values = call.numbers::<Float32Type>(position)?;
            Box::new(move |row| values.get(row).map_or(Value::Null, |value| Value::Float(f64::from(value))))
        }
        LogicalType::Double => {
            let values = call.numbers::<Float64Type>(position)?;
            Box::new(move |row| values.get(row).map_or(Value::Null, Value::Float))
        }
        LogicalType::Decimal { scale, .. } => {
            let (values, scale) = (call.numbers::<Decimal128Type>(position)?, *scale);
            Box::new(move |row| values.get(row).map_or(Value::Null, |value| Value::Decimal(decimal_text(value, scale))))
        }
        LogicalType::Boolean => {
            let values = call.booleans(position)?;
            Box::new(move |row| values.get(row).map_or(Value::Null, Value::Boolean))
        }
        _ => {
            let values = call.texts(position)?;
            Box::new(move |row| values.get(row).map_or(Value::Null, |text| Value::Text(text.to_owned())))
        }
    })
}
