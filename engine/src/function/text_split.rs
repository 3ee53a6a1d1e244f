//! SPLIT and SPLIT_INDEX.

use std::sync::Arc;

use arrow::array::{ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::registry::{Entry, Resolver};
use super::signature::{Form, Nulls, Param};
use super::{Call, Kernel};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        names: &["SPLIT_INDEX"],
        category: "string",
        signature: "SPLIT_INDEX(text, separator, index)",
        summary: "The part with that index, from 0; NULL when there is none.",
        resolver: Resolver::Forms(&[Form {
            params: &[Param::Text, Param::Text, Param::Int],
            variadic: false,
            returns: |_| LogicalType::String,
            nulls: Nulls::Always,
            kernel: Kernel::Native(split_index),
        }]),
    },
    Entry {
        names: &["SPLIT"],
        category: "string",
        signature: "SPLIT(text, separator)",
        summary: "All parts as an array.",
        resolver: Resolver::Forms(&[Form {
            params: &[Param::Text, Param::Text],
            variadic: false,
            returns: |_| LogicalType::Array(Box::new(Type::nullable(LogicalType::String))),
            nulls: Nulls::FromArguments,
            kernel: Kernel::Native(split),
        }]),
    },
];

fn split_index(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, separator, index) = (call.texts(0)?, call.texts(1)?, call.numbers::<Int32Type>(2)?);
    call.text_rows(|row| {
        let (input, separator) = (input.get(row)?, separator.get(row)?);
        let index = usize::try_from(index.get(row)?).ok()?;
        if input.is_empty() {
            return None;
        }
        let mut letters = separator.chars();
        match (letters.next(), letters.next()) {
            // Much quicker than to look for a text.
            (Some(letter), None) => input.split(letter).nth(index),
            _ => input.split(separator).nth(index),
        }
    })
}

fn split(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, separator) = (call.texts(0)?, call.texts(1)?);
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, true));
    for row in 0..call.rows {
        let (Some(input), Some(separator)) = (input.get(row), separator.get(row)) else {
            lists.append(false);
            continue;
        };
        if separator.is_empty() {
            input.chars().for_each(|letter| lists.values().append_value(letter.to_string()));
        } else if !input.is_empty() {
            input.split(separator).for_each(|part| lists.values().append_value(part));
        }
        lists.append(true);
    }
    Ok(ColumnarValue::Array(Arc::new(lists.finish())))
}
