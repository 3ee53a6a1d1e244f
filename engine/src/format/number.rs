//! Numbers from text, as Java's parsers read them.

/// What `Integer.parseInt(text.trim())` and its sisters accept; the caller checks the range.
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii();
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 19 && digits.iter().take(digits.len() - 19).any(|digit| *digit != b'0') {
        return None;
    }
    let mut value: i64 = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Counted downwards, so that the smallest number fits.
        value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// What `Double.parseDouble(text.trim())` accepts, without its hexadecimal notation.
pub fn parse_double(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned.bytes().next()? {
        b'0'..=b'9' | b'.' => text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text).parse().ok(),
        // Rust also takes `inf` and any case; Java only these.
        _ if unsigned == "NaN" || unsigned == "Infinity" => text.parse().ok(),
        _ => None,
    }
}

/// A decimal of at most 38 digits: its digits as an integer, and how many of them are behind the point.
struct Literal {
    digits: i128,
    scale: i32,
}

/// How a decimal fits its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalValue {
    Fits(i128),
    /// Flink reads a number that does not fit as NULL.
    Overflow,
}

/// `new BigDecimal(text)` brought to `precision` and `scale`, rounded half up. `None` when it is no number.
pub fn parse_decimal(text: &[u8], precision: u8, scale: u8) -> Option<DecimalValue> {
    let text = text.trim_ascii();
    let (negative, unsigned) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let Some(literal) = read_literal(unsigned)? else { return Some(DecimalValue::Overflow) };
    let Some(value) = rescale(literal, i32::from(scale)) else { return Some(DecimalValue::Overflow) };
    let limit = 10_i128.checked_pow(u32::from(precision)).unwrap_or(i128::MAX);
    if value >= limit {
        return Some(DecimalValue::Overflow);
    }
    Some(DecimalValue::Fits(if negative { -value } else { value }))
}

/// Outer `None`: no number. Inner `None`: a number too large to hold.
fn read_literal(text: &[u8]) -> Option<Option<Literal>> {
    let mut literal = Literal { digits: 0, scale: 0 };
    let (mut any_digit, mut point, mut full, mut too_large) = (false, false, false, false);
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        match byte {
            b'0'..=b'9' => {
                any_digit = true;
                let next =
                    literal.digits.checked_mul(10).and_then(|digits| digits.checked_add(i128::from(byte - b'0')));
                match next {
                    Some(digits) if !full => {
                        literal.digits = digits;
                        literal.scale += i32::from(point);
                    }
                    // Further fraction digits cannot matter after 38 digits; further whole ones make it overflow.
                    _ => {
                        full = true;
                        too_large |= !point;
                    }
                }
            }
            b'.' if !point => point = true,
            b'e' | b'E' if any_digit => {
                let exponent = parse_integer(tail)?;
                let Ok(exponent) = i32::try_from(exponent) else { return Some(None) };
                literal.scale = literal.scale.checked_sub(exponent)?;
                rest = &[];
                continue;
            }
            _ => return None,
        }
        rest = tail;
    }
    any_digit.then_some((!too_large).then_some(literal))
}

fn rescale(literal: Literal, scale: i32) -> Option<i128> {
    if literal.digits == 0 {
        return Some(0);
    }
    let shift = scale.checked_sub(literal.scale)?;
    if shift >= 0 {
        let factor = 10_i128.checked_pow(u32::try_from(shift).ok()?)?;
        return literal.digits.checked_mul(factor);
    }
    let Some(divisor) = 10_i128.checked_pow(shift.unsigned_abs()) else { return Some(0) };
    let (whole, rest) = (literal.digits / divisor, literal.digits % divisor);
    Some(whole + i128::from(rest >= divisor - rest))
}

/// The digits of a decimal at another scale, rounded half up; `None` when they are more than the precision.
pub fn decimal_to_scale(digits: i128, from: u8, precision: u8, scale: u8) -> Option<i128> {
    let negative = digits < 0;
    let literal = Literal { digits: digits.checked_abs()?, scale: from.into() };
    let value = rescale(literal, scale.into())?;
    let limit = 10_i128.checked_pow(precision.into())?;
    (value < limit).then_some(if negative { -value } else { value })
}

/// Writes a decimal with exactly `scale` fraction digits.
pub fn write_decimal(out: &mut Vec<u8>, value: i128, scale: i8) {
    let scale = usize::try_from(scale).unwrap_or(0);
    let digits = value.unsigned_abs().to_string();
    if value < 0 {
        out.push(b'-');
    }
    if scale == 0 {
        out.extend_from_slice(digits.as_bytes());
        return;
    }
    let padded = if digits.len() <= scale { format!("{digits:0>width$}", width = scale + 1) } else { digits };
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    out.extend_from_slice(whole.as_bytes());
    out.push(b'.');
    out.extend_from_slice(fraction.as_bytes());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn integers_as_java_reads_them() {
        assert_eq!(parse_integer(b" 17 "), Some(17));
        assert_eq!(parse_integer(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_integer(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(parse_integer(b"9223372036854775808"), None);
        assert_eq!(parse_integer(b"+5"), Some(5));
        assert_eq!(parse_integer(b"00000000000000000000000005"), Some(5));
        for wrong in ["", "-", "1.0", "1e3", "x", "1 2"] {
            assert_eq!(parse_integer(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn doubles_as_java_reads_them() {
        assert_eq!(parse_double(b"1.5e3"), Some(1500.0));
        assert_eq!(parse_double(b"-.5"), Some(-0.5));
        assert_eq!(parse_double(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert!(parse_double(b"NaN").unwrap().is_nan());
        assert_eq!(parse_double(b"2d"), Some(2.0));
        assert_eq!(parse_double(b"inf"), None);
        assert_eq!(parse_double(b"nan"), None);
        assert_eq!(parse_double(b""), None);
    }

    #[test]
    fn decimals_round_half_up_and_overflow() {
        let parse = |text: &str, precision, scale| parse_decimal(text.as_bytes(), precision, scale);
        assert_eq!(parse("1.5", 8, 2), Some(DecimalValue::Fits(150)));
        assert_eq!(parse("1.005", 8, 2), Some(DecimalValue::Fits(101)));
        assert_eq!(parse("-1.005", 8, 2), Some(DecimalValue::Fits(-101)));
        assert_eq!(parse("1e3", 8, 2), Some(DecimalValue::Fits(100_000)));
        assert_eq!(parse("1E-3", 8, 2), Some(DecimalValue::Fits(0)));
        assert_eq!(parse("1000000", 8, 2), Some(DecimalValue::Overflow));
        assert_eq!(parse("999999.995", 8, 2), Some(DecimalValue::Overflow));
        assert_eq!(parse("1e999999999", 8, 2), Some(DecimalValue::Overflow));
        assert_eq!(parse(&"9".repeat(60), 38, 0), Some(DecimalValue::Overflow));
        assert_eq!(parse(&format!("0.{}", "3".repeat(60)), 4, 2), Some(DecimalValue::Fits(33)));
        assert_eq!(parse("x", 8, 2), None);
        assert_eq!(parse("1.2.3", 8, 2), None);
        assert_eq!(parse(".", 8, 2), None);
    }

    #[test]
    fn decimals_are_written_with_their_scale() {
        let text = |value, scale| {
            let mut out = Vec::new();
            write_decimal(&mut out, value, scale);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(150, 2), "1.50");
        assert_eq!(text(-5, 2), "-0.05");
        assert_eq!(text(7, 0), "7");
    }
}
