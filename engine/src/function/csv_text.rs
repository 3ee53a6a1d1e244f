//! A line of CSV as an array and back. Records as RFC 4180 has them: fields in quotes may hold separators and line ends.

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;

use super::arguments::Values;
use super::collection::Lists;
use super::registry::{Entry, Resolver};
use super::signature::{Form, Nulls, Param};
use super::{Argument, Call, Kernel, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        names: &["CSV_TO_ARRAY"],
        category: "conversion",
        signature: "CSV_TO_ARRAY(text[, separator])",
        summary: "The fields of the first record of a CSV text; NULL where it is no CSV.",
        resolver: Resolver::Forms(&[csv_form(&[Param::Text]), csv_form(&[Param::Text, Param::Text])]),
    },
    Entry {
        names: &["ARRAY_TO_CSV"],
        category: "conversion",
        signature: "ARRAY_TO_CSV(array[, separator])",
        summary: "An array of texts as a line of CSV, in quotes where it is needed; NULL is an empty field.",
        resolver: Resolver::Custom(array_to_csv_call),
    },
];

const fn csv_form(params: &'static [Param]) -> Form {
    let returns = |_: &[Type]| LogicalType::Array(Box::new(Type::nullable(LogicalType::String)));
    Form::native(params, returns, Nulls::Always, csv_to_array)
}

fn array_to_csv_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let (array, separators) = args.split_first().filter(|(_, separators)| separators.len() <= 1)?;
    let LogicalType::Array(element) = &array.ty.logical else { return None };
    element.logical.is_character().then_some(())?;
    let separators = separators.iter().map(|text| Param::Text.accept(&text.ty)).collect::<Option<Vec<Type>>>()?;
    let nullable = array.ty.nullable || separators.iter().any(|text| text.nullable);
    let types = std::iter::once(array.ty.clone()).chain(separators).collect();
    Some(ScalarCall::new(name, types, Type::new(LogicalType::String, nullable), Kernel::Native(array_to_csv)))
}

/// The separator argument of a call; a comma without one.
pub(super) struct Separator(Option<Values<arrow::array::StringArray>>);

impl Separator {
    pub(super) fn of(call: &Call, position: usize) -> Result<Self, DataFusionError> {
        Ok(Separator(if call.args.len() > position { Some(call.texts(position)?) } else { None }))
    }

    /// `None` for NULL.
    pub(super) fn get(&self, row: usize) -> Result<Option<u8>, DataFusionError> {
        let Some(texts) = &self.0 else { return Ok(Some(b',')) };
        match texts.get(row).map(str::as_bytes) {
            None => Ok(None),
            Some([only]) if only.is_ascii() && !b"\"\r\n".contains(only) => Ok(Some(*only)),
            Some(_) => exec_err!("A CSV separator is one ASCII character, and no quote or line end."),
        }
    }
}

/// The records of a text.
pub(super) fn records(text: &str, separator: u8) -> csv::StringRecordsIntoIter<&[u8]> {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes()).into_records()
}

fn csv_to_array(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let separator = Separator::of(call, 1)?;
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, true));
    for row in 0..call.rows {
        let record = match (input.get(row), separator.get(row)?) {
            (Some(text), Some(separator)) => match records(text, separator).next() {
                Some(record) => record.ok(),
                None => Some(csv::StringRecord::new()),
            },
            _ => None,
        };
        record.iter().flatten().for_each(|field| lists.values().append_value(field));
        lists.append(record.is_some());
    }
    Ok(ColumnarValue::Array(Arc::new(lists.finish())))
}

fn array_to_csv(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let lists = Lists::of(call, 0)?;
    let separator = Separator::of(call, 1)?;
    let elements = lists.values().as_string_opt::<i32>();
    let mut lines = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let line = match (lists.range(row), separator.get(row)?, elements) {
            (Some(range), Some(separator), Some(elements)) => {
                let field = |index: usize| if elements.is_valid(index) { elements.value(index) } else { "" };
                Some(csv_line(range.map(field), separator))
            }
            _ => None,
        };
        lines.push(line);
    }
    call.text_rows(|row| lines.get_mut(row).and_then(Option::take))
}

fn csv_line<'a>(fields: impl Iterator<Item = &'a str>, separator: u8) -> String {
    let mut line = String::new();
    for (position, field) in fields.enumerate() {
        if position > 0 {
            line.push(char::from(separator));
        }
        let quoted = field.bytes().any(|byte| byte == separator || b"\"\r\n".contains(&byte));
        if quoted {
            line.push('"');
            line.push_str(&field.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(field);
        }
    }
    line
}
