//! Text functions that look at characters: case, length, parts, padding, position. Positions count from 1.

use arrow::datatypes::Int32Type;
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::registry::{Entry, text_function as entry};
use super::signature::{Form, Nulls, Param, text_length};
use super::{Call, NativeFn};
use crate::types::{LogicalType, Type};

const T: Param = Param::Text;
const I: Param = Param::Int;

pub(super) const ENTRIES: &[Entry] = &[
    entry(&["UPPER"], "UPPER(text)", "In upper case.", &[text(&[T], |call| map(call, str::to_uppercase))]),
    entry(&["LOWER"], "LOWER(text)", "In lower case.", &[text(&[T], |call| map(call, str::to_lowercase))]),
    entry(&["INITCAP"], "INITCAP(text)", "Each word with a capital.", &[text(&[T], |call| map(call, capitals))]),
    entry(
        &["REVERSE"],
        "REVERSE(text)",
        "Backwards.",
        &[text(&[T], |call| map(call, |text| text.chars().rev().collect()))],
    ),
    entry(
        &["CHAR_LENGTH", "CHARACTER_LENGTH"],
        "CHAR_LENGTH(text)",
        "How many characters it has.",
        &[number(&[T], length)],
    ),
    entry(&["ASCII"], "ASCII(text)", "The code of the first character, 0 for empty text.", &[number(&[T], ascii)]),
    entry(&["||"], "text || text", "Joined.", &[Form { returns: joined_type, ..text(&[T, T], concat) }]),
    entry(
        &["CONCAT"],
        "CONCAT(text, …)",
        "Joined; NULL when one of them is NULL.",
        &[Form { variadic: true, ..text(&[T], concat) }],
    ),
    entry(
        &["CONCAT_WS"],
        "CONCAT_WS(separator, text, …)",
        "Joined with a separator between; NULLs are left out.",
        &[Form { variadic: true, ..text(&[T, T], concat_with_separator) }],
    ),
    entry(
        &["SUBSTRING", "SUBSTR"],
        "SUBSTRING(text, start[, length])",
        "A part; a negative start counts from the end.",
        &[text(&[T, I], substring), text(&[T, I, I], substring)],
    ),
    entry(&["LEFT"], "LEFT(text, n)", "The first n characters.", &[text(&[T, I], left)]),
    entry(&["RIGHT"], "RIGHT(text, n)", "The last n characters.", &[text(&[T, I], right)]),
    entry(&["REPEAT"], "REPEAT(text, n)", "The text n times.", &[text(&[T, I], repeat)]),
    entry(
        &["LPAD"],
        "LPAD(text, length, pad)",
        "Filled up, or cut, to a length from the left.",
        &[maybe_text(&[T, I, T], pad_left)],
    ),
    entry(
        &["RPAD"],
        "RPAD(text, length, pad)",
        "Filled up, or cut, to a length from the right.",
        &[maybe_text(&[T, I, T], pad_right)],
    ),
    entry(
        &["REPLACE"],
        "REPLACE(text, search, replacement)",
        "Every occurrence replaced.",
        &[text(&[T, T, T], replace)],
    ),
    entry(
        &["TRANSLATE"],
        "TRANSLATE(text, from, to)",
        "Each character of from becomes the one of to; without a counterpart it goes.",
        &[text(&[T, T, T], translate)],
    ),
    entry(
        &["OVERLAY"],
        "OVERLAY(text PLACING other FROM start [FOR length])",
        "A part replaced by another text.",
        &[text(&[T, T, I], overlay), text(&[T, T, I, I], overlay)],
    ),
    entry(
        &["TRIM", "BTRIM"],
        "TRIM([BOTH | LEADING | TRAILING] [characters FROM] text)",
        "Without blanks, or those characters, at both ends.",
        &[text(&[T], |call| trim(call, true, true)), text(&[T, T], |call| trim(call, true, true))],
    ),
    entry(
        &["LTRIM"],
        "LTRIM(text[, characters])",
        "Without blanks at the start.",
        &[text(&[T], |call| trim(call, true, false)), text(&[T, T], |call| trim(call, true, false))],
    ),
    entry(
        &["RTRIM"],
        "RTRIM(text[, characters])",
        "Without blanks at the end.",
        &[text(&[T], |call| trim(call, false, true)), text(&[T, T], |call| trim(call, false, true))],
    ),
    entry(
        &["POSITION"],
        "POSITION(search IN text)",
        "Where it occurs first; 0 when it does not.",
        &[number(&[T, T], |call| locate(call, 1, 0))],
    ),
    entry(
        &["LOCATE"],
        "LOCATE(search, text[, start])",
        "Where it occurs first, from a start on.",
        &[number(&[T, T], |call| locate(call, 1, 0)), number(&[T, T, I], |call| locate(call, 1, 0))],
    ),
    entry(
        &["INSTR"],
        "INSTR(text, search)",
        "Where it occurs first; 0 when it does not.",
        &[number(&[T, T], |call| locate(call, 0, 1))],
    ),
    entry(
        &["STARTSWITH"],
        "STARTSWITH(text, prefix)",
        "Whether it starts so.",
        &[boolean(&[T, T], |call| test(call, |text, part| text.starts_with(part)))],
    ),
    entry(
        &["ENDSWITH"],
        "ENDSWITH(text, suffix)",
        "Whether it ends so.",
        &[boolean(&[T, T], |call| test(call, |text, part| text.ends_with(part)))],
    ),
];

const fn text(params: &'static [Param], kernel: NativeFn) -> Form {
    Form::native(params, |_| LogicalType::String, Nulls::FromArguments, kernel)
}

const fn maybe_text(params: &'static [Param], kernel: NativeFn) -> Form {
    Form { nulls: Nulls::Always, ..text(params, kernel) }
}

const fn number(params: &'static [Param], kernel: NativeFn) -> Form {
    Form { returns: |_| LogicalType::Int, ..text(params, kernel) }
}

const fn boolean(params: &'static [Param], kernel: NativeFn) -> Form {
    Form { returns: |_| LogicalType::Boolean, ..text(params, kernel) }
}

/// `CHAR(a) || CHAR(b)` is `CHAR(a + b)`; with a VARCHAR it is a VARCHAR.
fn joined_type(types: &[Type]) -> LogicalType {
    let lengths: Option<Vec<u32>> = types.iter().map(|ty| text_length(&ty.logical)).collect();
    let fixed = types.iter().all(|ty| matches!(ty.logical, LogicalType::Char(_)));
    match lengths.map(|lengths| lengths.iter().fold(0u32, |sum, length| sum.saturating_add(*length))) {
        Some(sum) if fixed => LogicalType::Char(sum),
        Some(sum) if sum < i32::MAX.unsigned_abs() => LogicalType::VarChar(sum),
        _ => LogicalType::String,
    }
}

fn map(call: &Call, each: fn(&str) -> String) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.text_rows(|row| input.get(row).map(each))
}

fn test(call: &Call, holds: fn(&str, &str) -> bool) -> Result<ColumnarValue, DataFusionError> {
    let (input, part) = (call.texts(0)?, call.texts(1)?);
    call.boolean_rows(|row| Some(holds(input.get(row)?, part.get(row)?)))
}

fn capitals(text: &str) -> String {
    let mut start = true;
    let cased = text.chars().map(|letter| {
        let cased = if start { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        start = !letter.is_alphanumeric();
        cased
    });
    cased.collect()
}

fn length(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.number_rows::<Int32Type>(|row| i32::try_from(input.get(row)?.chars().count()).ok())
}

fn ascii(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.number_rows::<Int32Type>(|row| {
        Some(input.get(row)?.bytes().next().map_or(0, |byte| i32::from(byte.cast_signed())))
    })
}

fn concat(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let parts = (0..call.args.len()).map(|position| call.texts(position)).collect::<Result<Vec<_>, _>>()?;
    call.text_rows(|row| parts.iter().map(|part| part.get(row)).collect::<Option<String>>())
}

fn concat_with_separator(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let separator = call.texts(0)?;
    let parts = (1..call.args.len()).map(|position| call.texts(position)).collect::<Result<Vec<_>, _>>()?;
    call.text_rows(|row| {
        let present: Vec<&str> = parts.iter().filter_map(|part| part.get(row)).collect();
        separator.get(row).map(|separator| present.join(separator))
    })
}

/// Characters `from..to`, counted from 0.
fn slice(text: &str, from: usize, to: usize) -> &str {
    if text.is_ascii() {
        let to = to.min(text.len());
        return text.get(from.min(to)..to).unwrap_or_default();
    }
    let offset = |position: usize| text.char_indices().nth(position).map_or(text.len(), |(offset, _)| offset);
    let (start, end) = (offset(from), offset(to.max(from)));
    text.get(start..end).unwrap_or_default()
}

fn substring(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, start) = (call.texts(0)?, call.numbers::<Int32Type>(1)?);
    let wanted = if call.args.len() > 2 { Some(call.numbers::<Int32Type>(2)?) } else { None };
    call.text_rows(|row| {
        let (input, start) = (input.get(row)?, i64::from(start.get(row)?));
        let wanted = match &wanted {
            Some(wanted) => i64::from(wanted.get(row)?),
            None => i64::from(i32::MAX),
        };
        let count = i64::try_from(input.chars().count()).ok()?;
        // A start of 0 acts as 1.
        let from = if start > 0 {
            start - 1
        } else if start < 0 {
            count + start
        } else {
            0
        };
        if wanted <= 0 || from < 0 {
            return Some(String::new());
        }
        let (from, to) = (usize::try_from(from).ok()?, usize::try_from(from + wanted).ok()?);
        Some(slice(input, from, to).to_owned())
    })
}

fn left(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, count) = (call.texts(0)?, call.numbers::<Int32Type>(1)?);
    call.text_rows(|row| {
        let wanted = usize::try_from(count.get(row)?).unwrap_or(0);
        input.get(row).map(|text| slice(text, 0, wanted).to_owned())
    })
}

fn right(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, count) = (call.texts(0)?, call.numbers::<Int32Type>(1)?);
    call.text_rows(|row| {
        let (input, wanted) = (input.get(row)?, usize::try_from(count.get(row)?).unwrap_or(0));
        let all = input.chars().count();
        Some(slice(input, all.saturating_sub(wanted), all).to_owned())
    })
}

/// Results longer than this fail, so that one row cannot take the memory of the process.
const MAX_TEXT: usize = 64 << 20;

fn repeat(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, times) = (call.texts(0)?, call.numbers::<Int32Type>(1)?);
    for row in 0..call.rows {
        let size = input
            .get(row)
            .map_or(0, str::len)
            .saturating_mul(times.get(row).and_then(|n| usize::try_from(n).ok()).unwrap_or(0));
        if size > MAX_TEXT {
            return datafusion_common::exec_err!("REPEAT would give more than {} MB of text.", MAX_TEXT >> 20);
        }
    }
    call.text_rows(|row| Some(input.get(row)?.repeat(usize::try_from(times.get(row)?).unwrap_or(0))))
}

fn pad_left(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    pad(call, |text, padding| [&padding, text].concat())
}

fn pad_right(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    pad(call, |text, padding| [text, &padding].concat())
}

/// Lengths count UTF-16 units here and in [`overlay`], as in Flink; the other functions count characters.
fn pad(call: &Call, join: fn(&[u16], Vec<u16>) -> Vec<u16>) -> Result<ColumnarValue, DataFusionError> {
    let (input, wanted, filler) = (call.texts(0)?, call.numbers::<Int32Type>(1)?, call.texts(2)?);
    call.text_rows(|row| {
        let (input, filler): (Vec<u16>, Vec<u16>) =
            (input.get(row)?.encode_utf16().collect(), filler.get(row)?.encode_utf16().collect());
        let wanted = usize::try_from(wanted.get(row)?).ok().filter(|wanted| *wanted <= MAX_TEXT)?;
        if let Some(cut) = input.get(..wanted) {
            return Some(String::from_utf16_lossy(cut));
        }
        if filler.is_empty() {
            return None;
        }
        let padding = filler.iter().copied().cycle().take(wanted - input.len()).collect();
        Some(String::from_utf16_lossy(&join(&input, padding)))
    })
}

fn replace(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, search, replacement) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    call.text_rows(|row| Some(input.get(row)?.replace(search.get(row)?, replacement.get(row)?)))
}

fn translate(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, from, to) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    call.text_rows(|row| {
        let (from, to): (Vec<char>, Vec<char>) = (from.get(row)?.chars().collect(), to.get(row)?.chars().collect());
        let mapped =
            input.get(row)?.chars().filter_map(|letter| match from.iter().position(|known| *known == letter) {
                Some(position) => to.get(position).copied(),
                None => Some(letter),
            });
        Some(mapped.collect::<String>())
    })
}

fn overlay(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, other, start) = (call.texts(0)?, call.texts(1)?, call.numbers::<Int32Type>(2)?);
    let wanted = if call.args.len() > 3 { Some(call.numbers::<Int32Type>(3)?) } else { None };
    call.text_rows(|row| {
        let (text, other, start) = (input.get(row)?, other.get(row)?, start.get(row)?);
        let units: Vec<u16> = text.encode_utf16().collect();
        let other: Vec<u16> = other.encode_utf16().collect();
        let Some(from) = usize::try_from(start - 1).ok().filter(|from| *from <= units.len()) else {
            return Some(text.to_owned());
        };
        let replaced = match &wanted {
            Some(wanted) => usize::try_from(wanted.get(row)?).unwrap_or(units.len()),
            None => other.len(),
        };
        let end = from.saturating_add(replaced).min(units.len());
        let whole = [units.get(..from).unwrap_or_default(), &other, units.get(end..).unwrap_or_default()].concat();
        Some(String::from_utf16_lossy(&whole))
    })
}

fn trim(call: &Call, start: bool, end: bool) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    let characters = if call.args.len() > 1 { Some(call.texts(1)?) } else { None };
    call.text_rows(|row| {
        let set: Vec<char> = match &characters {
            Some(characters) => characters.get(row)?.chars().collect(),
            None => vec![' '],
        };
        let text = input.get(row)?;
        let text = if start { text.trim_start_matches(set.as_slice()) } else { text };
        Some(if end { text.trim_end_matches(set.as_slice()) } else { text }.to_owned())
    })
}

fn locate(call: &Call, text: usize, search: usize) -> Result<ColumnarValue, DataFusionError> {
    let (input, search) = (call.texts(text)?, call.texts(search)?);
    let start = if call.args.len() > 2 { Some(call.numbers::<Int32Type>(2)?) } else { None };
    call.number_rows::<Int32Type>(|row| {
        let (input, search) = (input.get(row)?, search.get(row)?);
        if search.is_empty() {
            return Some(1);
        }
        let skipped = match &start {
            Some(start) => usize::try_from(i64::from(start.get(row)?) - 1).unwrap_or(0),
            None => 0,
        };
        let rest = slice(input, skipped, usize::MAX);
        let Some(offset) = rest.find(search) else { return Some(0) };
        i32::try_from(skipped + rest.get(..offset)?.chars().count() + 1).ok()
    })
}
