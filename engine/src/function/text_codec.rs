//! Text in other clothes: base64, hexadecimal, character sets, digests.

use std::fmt::Write as _;

use arrow::datatypes::{Int32Type, Int64Type};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;
use sha2::Digest;

use super::registry::{Entry, Resolver, text_function as entry};
use super::signature::{Form, Nulls, Param};
use super::{Argument, Call, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

const T: Param = Param::Text;
const I: Param = Param::Int;

pub(super) const ENTRIES: &[Entry] = &[
    entry(&["TO_BASE64"], "TO_BASE64(text)", "In base64.", &[text(&[T], to_base64)]),
    entry(&["FROM_BASE64"], "FROM_BASE64(text)", "Out of base64.", &[text(&[T], from_base64)]),
    entry(
        &["HEX"],
        "HEX(number or text)",
        "In hexadecimal, upper case.",
        &[text(&[Param::BigInt], hex_number), text(&[T], hex_text)],
    ),
    entry(
        &["UNHEX"],
        "UNHEX(text)",
        "Bytes from hexadecimal; NULL where it is none.",
        &[Form { returns: |_| LogicalType::Bytes, nulls: Nulls::Always, ..text(&[T], unhex) }],
    ),
    entry(&["BIN"], "BIN(number)", "In binary.", &[text(&[Param::BigInt], bin)]),
    entry(&["CHR"], "CHR(number)", "The character with that code, modulo 256.", &[text(&[Param::BigInt], chr)]),
    entry(
        &["ENCODE"],
        "ENCODE(text, charset)",
        "The bytes of the text in US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, UTF-16LE or UTF-16.",
        &[Form { returns: |_| LogicalType::Bytes, ..text(&[T, T], encode) }],
    ),
    entry(
        &["DECODE"],
        "DECODE(bytes, charset)",
        "The text that the bytes hold in that charset.",
        &[text(&[Param::Bytes, T], decode)],
    ),
    entry(
        &["MD5"],
        "MD5(text)",
        "The digest in hexadecimal.",
        &[sized(&[T], |_| LogicalType::Char(32), digest::<md5::Md5>)],
    ),
    entry(
        &["SHA1"],
        "SHA1(text)",
        "The digest in hexadecimal.",
        &[sized(&[T], |_| LogicalType::Char(40), digest::<sha1::Sha1>)],
    ),
    entry(
        &["SHA224"],
        "SHA224(text)",
        "The digest in hexadecimal.",
        &[sized(&[T], |_| LogicalType::Char(56), digest::<sha2::Sha224>)],
    ),
    entry(
        &["SHA256"],
        "SHA256(text)",
        "The digest in hexadecimal.",
        &[sized(&[T], |_| LogicalType::Char(64), digest::<sha2::Sha256>)],
    ),
    entry(
        &["SHA384"],
        "SHA384(text)",
        "The digest in hexadecimal.",
        &[sized(&[T], |_| LogicalType::Char(96), digest::<sha2::Sha384>)],
    ),
    entry(
        &["SHA512"],
        "SHA512(text)",
        "The digest in hexadecimal.",
        &[sized(&[T], |_| LogicalType::Char(128), digest::<sha2::Sha512>)],
    ),
    entry(
        &["SHA2"],
        "SHA2(text, 224 | 256 | 384 | 512)",
        "The digest of that length in hexadecimal.",
        &[sized(&[T, I], |_| LogicalType::VarChar(128), sha2)],
    ),
    Entry {
        names: &["UUID"],
        category: "string",
        signature: "UUID()",
        summary: "A random UUID for each row.",
        resolver: Resolver::Custom(resolve_uuid),
    },
];

const fn text(params: &'static [Param], kernel: NativeFn) -> Form {
    sized(params, |_| LogicalType::String, kernel)
}

const fn sized(params: &'static [Param], returns: fn(&[Type]) -> LogicalType, kernel: NativeFn) -> Form {
    Form::native(params, returns, Nulls::FromArguments, kernel)
}

fn resolve_uuid(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let ty = Type::not_null(LogicalType::Char(36));
    let call = ScalarCall::new(name, Vec::new(), ty, Kernel::Native(|call| call.text_rows(|_| Some(random_uuid()))));
    args.is_empty().then_some(ScalarCall { volatile: true, ..call })
}

/// Version 4: random but for the bits that say so.
fn random_uuid() -> String {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string()
}

fn to_base64(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.text_rows(|row| input.get(row).map(|text| STANDARD.encode(text)))
}

fn from_base64(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.text_rows(|row| Some(String::from_utf8_lossy(&STANDARD.decode(input.get(row)?).ok()?).into_owned()))
}

pub(crate) fn hex(bytes: &[u8], upper: bool) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = if upper { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
    }
    text
}

fn hex_number(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.numbers::<Int64Type>(0)?;
    call.text_rows(|row| input.get(row).map(|number| format!("{number:X}")))
}

fn hex_text(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.text_rows(|row| input.get(row).map(|text| hex(text.as_bytes(), true)))
}

fn unhex(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.binary_rows(|row| bytes_from_hex(input.get(row)?))
}

pub(super) fn bytes_from_hex(text: &str) -> Option<Vec<u8>> {
    let padded = if text.len() % 2 == 1 { format!("0{text}") } else { text.to_owned() };
    let digits = padded.bytes().map(|byte| char::from(byte).to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let pairs = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit));
    pairs.map(|byte| u8::try_from(byte).ok()).collect()
}

fn bin(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.numbers::<Int64Type>(0)?;
    call.text_rows(|row| input.get(row).map(|number| format!("{number:b}")))
}

fn chr(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.numbers::<Int64Type>(0)?;
    call.text_rows(|row| {
        let code = input.get(row)?;
        if code < 0 {
            return Some(String::new());
        }
        u8::try_from(code & 0xff).ok().map(|code| char::from(code).to_string())
    })
}

fn encode(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, charset) = (call.texts(0)?, call.texts(1)?);
    check_charset(charset.get(0))?;
    call.binary_rows(|row| Some(encode_text(input.get(row)?, charset.get(row)?)))
}

fn check_charset(charset: Option<&str>) -> Result<(), DataFusionError> {
    const KNOWN: [&str; 6] = ["US-ASCII", "ISO-8859-1", "UTF-8", "UTF-16BE", "UTF-16LE", "UTF-16"];
    match charset {
        Some(name) if !KNOWN.contains(&name.to_ascii_uppercase().as_str()) => {
            exec_err!("'{name}' is not a known character set. Known are {}.", KNOWN.join(", "))
        }
        _ => Ok(()),
    }
}

fn encode_text(text: &str, charset: &str) -> Vec<u8> {
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let narrow = |limit: u32| {
        text.chars()
            .map(|letter| u8::try_from(u32::from(letter)).ok().filter(|_| u32::from(letter) < limit).unwrap_or(b'?'))
            .collect()
    };
    match charset.to_ascii_uppercase().as_str() {
        "US-ASCII" => narrow(128),
        "ISO-8859-1" => narrow(256),
        "UTF-16BE" => wide(u16::to_be_bytes),
        "UTF-16LE" => wide(u16::to_le_bytes),
        "UTF-16" => [vec![0xfe, 0xff], wide(u16::to_be_bytes)].concat(),
        _ => text.as_bytes().to_vec(),
    }
}

fn decode(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, charset) = (call.binaries(0)?, call.texts(1)?);
    check_charset(charset.get(0))?;
    call.text_rows(|row| Some(decode_bytes(input.get(row)?, charset.get(row)?)))
}

fn decode_bytes(bytes: &[u8], charset: &str) -> String {
    let wide = |bytes: &[u8], order: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(order)).collect();
        String::from_utf16_lossy(&units)
    };
    match charset.to_ascii_uppercase().as_str() {
        "ISO-8859-1" => bytes.iter().copied().map(char::from).collect(),
        "US-ASCII" => bytes
            .iter()
            .map(|byte| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER })
            .collect(),
        "UTF-16LE" => wide(bytes, u16::from_le_bytes),
        "UTF-16BE" => wide(bytes, u16::from_be_bytes),
        "UTF-16" => match bytes {
            [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] | rest => wide(rest, u16::from_be_bytes),
        },
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn digest<D: Digest>(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.text_rows(|row| input.get(row).map(|text| hex(&D::digest(text.as_bytes()), false)))
}

fn sha2(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, bits) = (call.texts(0)?, call.numbers::<Int32Type>(1)?);
    let known = |bits: i32| matches!(bits, 224 | 256 | 384 | 512);
    if let Some(bits) = bits.get(0).filter(|bits| !known(*bits)) {
        return exec_err!("SHA2 has no length of {bits} bits. It takes 224, 256, 384 or 512.");
    }
    call.text_rows(|row| {
        let text = input.get(row)?.as_bytes();
        match bits.get(row)? {
            224 => Some(hex(&sha2::Sha224::digest(text), false)),
            256 => Some(hex(&sha2::Sha256::digest(text), false)),
            384 => Some(hex(&sha2::Sha384::digest(text), false)),
            512 => Some(hex(&sha2::Sha512::digest(text), false)),
            _ => None,
        }
    })
}
