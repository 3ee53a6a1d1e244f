//! What a value is: IS_ALPHA, IS_DIGIT, IS_DECIMAL, TYPEOF, and bytes that are UTF-8.

use arrow::array::Array;
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::registry::{Entry, Resolver};
use super::signature::{Form, Nulls, Param};
use super::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::expr::cast::parse_decimal;
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    test(
        &["IS_ALPHA"],
        "IS_ALPHA(text)",
        "Whether all characters are letters; not so of empty text, numbers and NULL.",
        |name, args| {
            test_call(name, args, |call| texts(call, |text| text.chars().all(char::is_alphabetic)), false, false)
        },
    ),
    test(&["IS_DIGIT"], "IS_DIGIT(text or number)", "Whether all characters are digits.", |name, args| {
        test_call(name, args, |call| texts(call, |text| text.chars().all(char::is_numeric)), true, false)
    }),
    test(&["IS_DECIMAL"], "IS_DECIMAL(text or number)", "Whether the text is a number.", |name, args| {
        test_call(name, args, |call| texts(call, is_decimal), true, true)
    }),
    Entry {
        names: &["CURRENT_DATABASE"],
        category: "conversion",
        signature: "CURRENT_DATABASE()",
        summary: "The database that names without one belong to.",
        // The binder knows it.
        resolver: Resolver::Custom(|_, _| None),
    },
    Entry {
        names: &["TYPEOF"],
        category: "conversion",
        signature: "TYPEOF(value[, complete])",
        summary: "The type of the value as text; with TRUE as it can be stored in a catalog.",
        resolver: Resolver::Custom(type_call),
    },
    Entry {
        names: &["IS_VALID_UTF8"],
        category: "string",
        signature: "IS_VALID_UTF8(bytes)",
        summary: "Whether the bytes are a text in UTF-8.",
        resolver: Resolver::Forms(&[Form::native(
            &[Param::Bytes],
            |_| LogicalType::Boolean,
            Nulls::FromArguments,
            |call| {
                let input = call.binaries(0)?;
                call.boolean_rows(|row| input.get(row).map(|bytes| std::str::from_utf8(bytes).is_ok()))
            },
        )]),
    },
    Entry {
        names: &["MAKE_VALID_UTF8"],
        category: "string",
        signature: "MAKE_VALID_UTF8(bytes)",
        summary: "The bytes as text, with U+FFFD for what is no UTF-8.",
        resolver: Resolver::Forms(&[Form::native(
            &[Param::Bytes],
            |_| LogicalType::String,
            Nulls::FromArguments,
            |call| {
                let input = call.binaries(0)?;
                call.text_rows(|row| input.get(row).map(String::from_utf8_lossy))
            },
        )]),
    },
];

const fn test(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    resolve: fn(&str, &[Argument]) -> Option<ScalarCall>,
) -> Entry {
    Entry { names, category: "string", signature, summary, resolver: Resolver::Custom(resolve) }
}

/// Texts are looked at; whole numbers, and other numbers, are what they are.
fn test_call(name: &str, args: &[Argument], texts: NativeFn, whole: bool, other: bool) -> Option<ScalarCall> {
    let [value] = args else { return None };
    let kernel: NativeFn = match &value.ty.logical {
        ty if ty.is_character() || *ty == LogicalType::Null => texts,
        ty if ty.is_numeric() && (if ty.is_integer() { whole } else { other }) => |call| present(call, true),
        ty if ty.is_numeric() => |call| present(call, false),
        _ => return None,
    };
    let types = vec![Param::Text.accept(&value.ty).unwrap_or_else(|| value.ty.clone())];
    Some(ScalarCall::new(name, types, Type::not_null(LogicalType::Boolean), Kernel::Native(kernel)))
}

fn texts(call: &Call, test: fn(&str) -> bool) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.boolean_rows(|row| Some(input.get(row).is_some_and(|text| !text.is_empty() && test(text))))
}

fn present(call: &Call, answer: bool) -> Result<ColumnarValue, DataFusionError> {
    let (array, constant) = call.array(0)?;
    call.boolean_rows(|row| Some(answer && array.is_valid(if constant { 0 } else { row })))
}

fn is_decimal(text: &str) -> bool {
    // With an exponent, a number may be beyond every DECIMAL.
    parse_decimal(text, 38, 18).is_some()
        || (text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) && text.parse::<f64>().is_ok())
}

fn type_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let complete = match args {
        [_] => false,
        [_, flag] => match flag.literal.as_ref()?.0 {
            datafusion_common::ScalarValue::Boolean(Some(flag)) => flag,
            _ => return None,
        },
        _ => return None,
    };
    let kernel: NativeFn = if complete { |call| type_text(call, true) } else { |call| type_text(call, false) };
    let types = args.iter().map(|arg| arg.ty.clone()).collect();
    Some(ScalarCall::new(name, types, Type::nullable(LogicalType::String), Kernel::Native(kernel)))
}

fn type_text(call: &Call, complete: bool) -> Result<ColumnarValue, DataFusionError> {
    let text = call.arg_types.first().map(|ty| if complete { complete_type(ty) } else { ty.to_string() });
    call.text_rows(|_| text.as_deref())
}

/// Without the short names of the longest texts and bytes.
fn complete_type(ty: &Type) -> String {
    let null = if ty.nullable { "" } else { " NOT NULL" };
    let logical = match &ty.logical {
        LogicalType::String => "VARCHAR(2147483647)".to_owned(),
        LogicalType::Bytes => "VARBINARY(2147483647)".to_owned(),
        LogicalType::Array(element) => format!("ARRAY<{}>", complete_type(element)),
        LogicalType::Multiset(element) => format!("MULTISET<{}>", complete_type(element)),
        LogicalType::Map(key, value) => format!("MAP<{}, {}>", complete_type(key), complete_type(value)),
        LogicalType::Row(fields) => {
            let fields = fields.iter().map(|field| format!("`{}` {}", field.name, complete_type(&field.ty)));
            format!("ROW<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    };
    format!("{logical}{null}")
}
