//! Text of declared lengths, text as booleans, text as bytes.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, BooleanArray, StringArray};
use datafusion_common::{DataFusionError, exec_err, internal_err};

use crate::expr::CastMode;
use crate::types::LogicalType;

/// CHAR(n) is filled with blanks and cut, VARCHAR(n) is cut.
pub(super) fn fit(array: &ArrayRef, from: &LogicalType, to: &LogicalType) -> Result<ArrayRef, DataFusionError> {
    let (limit, pad) = match (to, from) {
        (LogicalType::Char(length), _) => (*length as usize, true),
        (LogicalType::VarChar(to), LogicalType::Char(from) | LogicalType::VarChar(from)) if from <= to => {
            return Ok(Arc::clone(array));
        }
        (LogicalType::VarChar(length), _) => (*length as usize, false),
        _ => return Ok(Arc::clone(array)),
    };
    let Some(texts) = array.as_string_opt::<i32>() else { return internal_err!("expected text") };
    let fitted = texts.iter().map(|text| {
        text.map(|text| {
            let end = text.char_indices().nth(limit).map_or(text.len(), |(offset, _)| offset);
            let cut = text.get(..end).unwrap_or(text);
            if pad { format!("{cut:<limit$}") } else { cut.to_owned() }
        })
    });
    Ok(Arc::new(fitted.collect::<StringArray>()))
}

pub(super) fn to_boolean(array: &ArrayRef, mode: CastMode) -> Result<ArrayRef, DataFusionError> {
    let Some(texts) = array.as_string_opt::<i32>() else { return internal_err!("expected text") };
    let truths = texts.iter().map(|text| {
        let Some(text) = text else { return Ok(None) };
        match text.trim().to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "1" => Ok(Some(true)),
            "f" | "false" | "n" | "no" | "0" => Ok(Some(false)),
            _ if mode == CastMode::Strict => exec_err!("'{text}' cannot be cast to BOOLEAN."),
            _ => Ok(None),
        }
    });
    Ok(Arc::new(truths.collect::<Result<BooleanArray, DataFusionError>>()?))
}

pub(super) fn from_boolean(array: &ArrayRef) -> Result<ArrayRef, DataFusionError> {
    let Some(truths) = array.as_boolean_opt() else { return internal_err!("expected booleans") };
    let words = truths.iter().map(|truth| truth.map(|truth| if truth { "TRUE" } else { "FALSE" }));
    Ok(Arc::new(words.collect::<StringArray>()))
}

pub(super) fn to_binary(array: &ArrayRef, to: &LogicalType) -> Result<ArrayRef, DataFusionError> {
    let Some(texts) = array.as_string_opt::<i32>() else { return internal_err!("expected text") };
    let bytes: ArrayRef = Arc::new(texts.iter().map(|text| text.map(str::as_bytes)).collect::<BinaryArray>());
    fit_binary(&bytes, to)
}

pub(super) fn from_binary(array: &ArrayRef) -> Result<ArrayRef, DataFusionError> {
    let Some(bytes) = array.as_binary_opt::<i32>() else { return internal_err!("expected bytes") };
    let texts = bytes.iter().map(|bytes| bytes.map(String::from_utf8_lossy));
    Ok(Arc::new(texts.collect::<StringArray>()))
}

/// BINARY(n) is filled with zeros and cut, VARBINARY(n) is cut.
pub(super) fn fit_binary(array: &ArrayRef, to: &LogicalType) -> Result<ArrayRef, DataFusionError> {
    let (limit, pad) = match to {
        LogicalType::Binary(length) => (*length as usize, true),
        LogicalType::VarBinary(length) => (*length as usize, false),
        _ => return Ok(Arc::clone(array)),
    };
    let Some(values) = array.as_binary_opt::<i32>() else { return internal_err!("expected bytes") };
    let fitted = values.iter().map(|bytes| {
        bytes.map(|bytes| {
            let mut cut = bytes.get(..limit).unwrap_or(bytes).to_vec();
            if pad {
                cut.resize(limit, 0);
            }
            cut
        })
    });
    Ok(Arc::new(fitted.collect::<BinaryArray>()))
}
