//! Values as results show them → JSON as the `json` format reads it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use crate::types::LogicalType;

/// `value` is left alone where it is in the format's own notation already.
pub(super) fn for_decoder(value: &Value, ty: &LogicalType) -> Value {
    match (ty, value) {
        (LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_), Value::String(text)) => {
            Value::String(with_blank(text, matches!(ty, LogicalType::TimestampLtz(_))))
        }
        (LogicalType::Binary(_) | LogicalType::VarBinary(_) | LogicalType::Bytes, Value::String(text)) => {
            from_hex(text).map_or_else(|| value.clone(), |bytes| Value::String(BASE64.encode(bytes)))
        }
        (LogicalType::Array(element), Value::Array(values)) => {
            Value::Array(values.iter().map(|value| for_decoder(value, &element.logical)).collect())
        }
        (LogicalType::Row(fields), Value::Array(values)) => {
            let named = fields.iter().zip(values);
            Value::Object(
                named.map(|(field, value)| (field.name.clone(), for_decoder(value, &field.ty.logical))).collect(),
            )
        }
        (LogicalType::Row(fields), Value::Object(values)) => {
            let of_field = |name: &str| fields.iter().find(|field| field.name == name);
            let converted = values.iter().map(|(name, value)| {
                (
                    name.clone(),
                    of_field(name).map_or_else(|| value.clone(), |field| for_decoder(value, &field.ty.logical)),
                )
            });
            Value::Object(converted.collect())
        }
        (LogicalType::Map(_, item), Value::Array(pairs)) => of_pairs(pairs, |value| for_decoder(value, &item.logical)),
        (LogicalType::Multiset(_), Value::Array(pairs)) => of_pairs(pairs, Value::clone),
        _ => value.clone(),
    }
}

/// `2020-02-29T12:00:00` is written `2020-02-29 12:00:00` there, and the time of a zone ends in `Z`.
fn with_blank(text: &str, zone: bool) -> String {
    let blank = match text.split_once('T') {
        Some((day, time)) => format!("{day} {time}"),
        None => text.to_owned(),
    };
    if zone && !blank.ends_with('Z') { blank + "Z" } else { blank }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn of_pairs(pairs: &[Value], item: impl Fn(&Value) -> Value) -> Value {
    let mut object = Map::new();
    for pair in pairs {
        let (Some(key), Some(value)) = (pair.get(0), pair.get(1)) else { continue };
        let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        object.insert(key, item(value));
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::{Field, Type};

    #[test]
    fn what_results_show_can_be_given_back() {
        assert_eq!(for_decoder(&json!("2020-02-29T12:00:00.5"), &LogicalType::Timestamp(3)), "2020-02-29 12:00:00.5");
        assert_eq!(for_decoder(&json!("2020-02-29T12:00:00Z"), &LogicalType::TimestampLtz(0)), "2020-02-29 12:00:00Z");
        assert_eq!(for_decoder(&json!("2020-02-29 12:00:00"), &LogicalType::TimestampLtz(0)), "2020-02-29 12:00:00Z");
        assert_eq!(for_decoder(&json!("00ff"), &LogicalType::Bytes), "AP8=");
        let field = |name: &str, ty| Field::new(name, Type::nullable(ty));
        let row = LogicalType::Row(vec![field("a", LogicalType::Int), field("t", LogicalType::Timestamp(0))]);
        assert_eq!(for_decoder(&json!([1, "2020-02-29T12:00:00"]), &row), json!({"a": 1, "t": "2020-02-29 12:00:00"}));
        let (text, number) = (Type::nullable(LogicalType::String), Type::nullable(LogicalType::Int));
        let map = LogicalType::Map(Box::new(text), Box::new(number));
        assert_eq!(for_decoder(&json!([["k", 1]]), &map), json!({"k": 1}));
    }
}
