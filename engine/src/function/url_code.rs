//! Texts in URLs: URL_ENCODE and URL_DECODE as HTML forms have them, and the parameters of a URL as a map.

use std::sync::Arc;

use arrow::datatypes::Int32Type;
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::collection::{append_pairs, text_map_builder};
use super::registry::{Entry, text_function as entry};
use super::signature::{Form, Nulls, Param};
use super::{Call, NativeFn};
use crate::types::{LogicalType, Type};

const T: Param = Param::Text;

/// URL_DECODE_RECURSIVE decodes so often at most, unless it is told otherwise.
const DEPTH: i32 = 10;

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        &["URL_ENCODE"],
        "URL_ENCODE(text)",
        "As a part of a URL: blanks as '+', other signs as % and two digits.",
        &[text(&[T], |call| map(call, |text| Some(encode(text))))],
    ),
    entry(
        &["URL_DECODE"],
        "URL_DECODE(text)",
        "Out of a part of a URL; NULL where a % is not followed by two digits.",
        &[text(&[T], |call| map(call, decode))],
    ),
    entry(
        &["URL_DECODE_RECURSIVE"],
        "URL_DECODE_RECURSIVE(text[, times])",
        "Decoded until nothing changes, ten times at most unless said otherwise.",
        &[text(&[T], decode_often), text(&[T, Param::Int], decode_often)],
    ),
    entry(
        &["URL_PARAMETERS"],
        "URL_PARAMETERS(url)",
        "What stands behind the '?' of a URL as MAP<STRING, STRING>, decoded; NULL without a '?'.",
        &[Form::native(&[T], |_| text_map(), Nulls::Always, parameters)],
    ),
];

fn text_map() -> LogicalType {
    let text = |nullable| Box::new(Type::new(LogicalType::String, nullable));
    LogicalType::Map(text(false), text(true))
}

const fn text(params: &'static [Param], kernel: NativeFn) -> Form {
    Form::native(params, |_| LogicalType::String, Nulls::Always, kernel)
}

fn map(call: &Call, each: fn(&str) -> Option<String>) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.text_rows(|row| each(input.get(row)?))
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn decode_often(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let times = if call.args.len() > 1 { Some(call.numbers::<Int32Type>(1)?) } else { None };
    call.text_rows(|row| {
        let times = match &times {
            Some(times) => times.get(row)?,
            None => DEPTH,
        };
        let mut text = input.get(row)?.to_owned();
        for _ in 0..times {
            // What cannot be decoded any further is what was meant.
            match decode(&text) {
                Some(decoded) if decoded != text => text = decoded,
                _ => break,
            }
        }
        Some(text)
    })
}

fn parameters(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let mut maps = text_map_builder(&call.return_type.logical)?;
    for row in 0..call.rows {
        let query = input.get(row).and_then(|url| {
            let url = url.split_once('#').map_or(url, |(url, _)| url);
            url.split_once('?').map(|(_, query)| query)
        });
        let plain = |part: &str| decode(part).unwrap_or_else(|| part.to_owned());
        let pairs: Option<Vec<(String, Option<String>)>> = query.map(|query| {
            let pairs = query.split('&').filter(|pair| !pair.is_empty());
            let pair = |pair: &str| match pair.split_once('=') {
                Some((key, value)) => (plain(key), Some(plain(value))),
                None => (plain(pair), None),
            };
            pairs.map(pair).collect()
        });
        let borrowed = pairs
            .as_ref()
            .map(|pairs| pairs.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect::<Vec<_>>());
        append_pairs(&mut maps, borrowed)?;
    }
    Ok(ColumnarValue::Array(Arc::new(maps.finish())))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn texts_are_encoded_as_forms_have_them() {
        assert_eq!(encode("a b&c=ü/*"), "a+b%26c%3D%C3%BC%2F*");
        assert_eq!(decode("a+b%26c%3d%C3%BC%2F*").as_deref(), Some("a b&c=ü/*"));
        assert_eq!(decode("100%"), None);
        assert_eq!(decode("%4"), None);
        assert_eq!(decode("%zz"), None);
    }
}
