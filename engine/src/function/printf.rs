//! Formats of `java.util.Formatter`: `%[index$][flags][width][.precision]conversion`.
//!
//! Conversions: `d x X o` of whole numbers, `f e E` of others, `s S b B c` of anything that fits, `%%` and `%n`.

use crate::expr::cast::double_text;

/// Widths and precisions beyond this fit no format.
const LONGEST: usize = 10_000;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    /// Of a type with so many bits.
    Whole {
        value: i64,
        bits: u32,
    },
    Float(f64),
    /// With its point.
    Decimal(String),
    Boolean(bool),
    Text(String),
}

#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    comma: bool,
    parentheses: bool,
    alternate: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// `None` where the format is wrong, or does not fit the values.
pub(super) fn format(pattern: &str, values: &[Value]) -> Option<String> {
    let mut out = String::new();
    let mut letters = pattern.chars().peekable();
    let mut next = 0;
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut spec = Spec::default();
        let mut index = None;
        // A zero is a flag.
        let begins = letters.peek().is_some_and(|letter| ('1'..='9').contains(letter));
        let mut number = if begins { digits(&mut letters)? } else { None };
        if number.is_some() && letters.next_if_eq(&'$').is_some() {
            index = number.take();
        }
        if number.is_none() {
            flags(&mut spec, &mut letters);
            number = digits(&mut letters)?;
        }
        spec.width = number;
        if letters.next_if_eq(&'.').is_some() {
            spec.precision = Some(digits(&mut letters)??);
        }
        let conversion = letters.next()?;
        if matches!(conversion, '%' | 'n') {
            out.push_str(&pad(if conversion == '%' { "%" } else { "\n" }.to_owned(), &spec));
            continue;
        }
        let at = match index {
            Some(index) => index.checked_sub(1)?,
            None => {
                next += 1;
                next - 1
            }
        };
        out.push_str(&one(&spec, conversion, values.get(at)?)?);
    }
    Some(out)
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn flags(spec: &mut Spec, letters: &mut Letters) {
    while let Some(flag) = letters.next_if(|letter| "-+ 0,(#".contains(*letter)) {
        match flag {
            '-' => spec.left = true,
            '+' => spec.plus = true,
            ' ' => spec.space = true,
            '0' => spec.zero = true,
            ',' => spec.comma = true,
            '(' => spec.parentheses = true,
            _ => spec.alternate = true,
        }
    }
}

/// Digits, if there are any; the outer `None` where they are too many.
fn digits(letters: &mut Letters) -> Option<Option<usize>> {
    let mut number = None;
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        let next = number.unwrap_or(0) * 10 + usize::try_from(digit.to_digit(10)?).ok()?;
        if next > LONGEST {
            return None;
        }
        number = Some(next);
    }
    Some(number)
}

fn one(spec: &Spec, conversion: char, value: &Value) -> Option<String> {
    let upper = conversion.is_ascii_uppercase();
    let text = match (conversion.to_ascii_lowercase(), value) {
        ('b', value) => cut(
            spec,
            match value {
                Value::Null => "false".to_owned(),
                Value::Boolean(truth) => truth.to_string(),
                _ => "true".to_owned(),
            },
        ),
        ('s', value) => cut(spec, plain(value)),
        ('d' | 'x' | 'o' | 'f' | 'e' | 'c', Value::Null) => cut(spec, "null".to_owned()),
        ('c', Value::Whole { value, .. }) => char::from_u32(u32::try_from(*value).ok()?)?.to_string(),
        ('c', Value::Text(text)) if text.chars().count() == 1 => text.clone(),
        ('d', Value::Whole { value, .. }) => {
            signed(spec, *value < 0, &grouped(spec, &value.unsigned_abs().to_string(), ""))
        }
        ('x', Value::Whole { value, bits }) => {
            let digits = format!("{:x}", unsigned(*value, *bits));
            zeros(spec, if spec.alternate { "0x" } else { "" }, &digits)
        }
        ('o', Value::Whole { value, bits }) => {
            zeros(spec, if spec.alternate { "0" } else { "" }, &format!("{:o}", unsigned(*value, *bits)))
        }
        ('f', Value::Float(value)) if value.is_finite() => {
            let digits =
                format!("{:.*}", spec.precision.unwrap_or(6), rounded(value.abs(), spec.precision.unwrap_or(6)));
            let (whole, fraction) = digits.split_once('.').map_or((digits.as_str(), ""), |(w, f)| (w, f));
            signed(spec, value.is_sign_negative(), &grouped(spec, whole, fraction))
        }
        ('f', Value::Decimal(digits)) => {
            let (negative, digits) = digits.strip_prefix('-').map_or((false, digits.as_str()), |rest| (true, rest));
            let digits = round_text(digits, spec.precision.unwrap_or(6))?;
            let (whole, fraction) = digits.split_once('.').map_or((digits.as_str(), ""), |(w, f)| (w, f));
            signed(spec, negative, &grouped(spec, whole, fraction))
        }
        ('e', Value::Float(value)) if value.is_finite() => {
            let text = format!("{:.*e}", spec.precision.unwrap_or(6), value.abs());
            let (mantissa, exponent) = text.split_once('e')?;
            let exponent: i32 = exponent.parse().ok()?;
            let sign = if exponent < 0 { '-' } else { '+' };
            signed(spec, value.is_sign_negative(), &format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs()))
        }
        ('f' | 'e', Value::Float(value)) => double_text(*value),
        _ => return None,
    };
    let text = if upper { text.to_uppercase() } else { text };
    (!"DFC".contains(conversion) || conversion == 'C').then(|| pad(text, spec))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Whole { value, .. } => value.to_string(),
        Value::Float(value) => double_text(*value),
        Value::Decimal(text) | Value::Text(text) => text.clone(),
        Value::Boolean(truth) => truth.to_string(),
    }
}

fn cut(spec: &Spec, text: String) -> String {
    match spec.precision {
        Some(length) => text.chars().take(length).collect(),
        None => text,
    }
}

fn unsigned(value: i64, bits: u32) -> u64 {
    let all = value.cast_unsigned();
    if bits >= 64 { all } else { all & ((1_u64 << bits) - 1) }
}

/// The shortest text of the number decides where it is half up, as in Java.
fn rounded(value: f64, precision: usize) -> f64 {
    let text = format!("{value}");
    round_text(&text, precision).and_then(|text| text.parse().ok()).unwrap_or(value)
}

/// Digits with or without a point, rounded half up to so many behind it.
fn round_text(digits: &str, precision: usize) -> Option<String> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() <= precision {
        let point = if precision > 0 { "." } else { "" };
        return Some(format!("{whole}{point}{fraction:0<precision$}"));
    }
    let kept = fraction.get(..precision)?;
    let up = fraction.as_bytes().get(precision).is_some_and(|digit| *digit >= b'5');
    let mut all: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    let mut carry = up;
    for digit in all.iter_mut().rev() {
        if !carry {
            break;
        }
        carry = *digit == b'9';
        *digit = if carry { b'0' } else { *digit + 1 };
    }
    if carry {
        all.insert(0, b'1');
    }
    let text = String::from_utf8(all).ok()?;
    let (whole, fraction) = text.split_at(text.len().checked_sub(precision)?);
    Some(if precision > 0 { format!("{whole}.{fraction}") } else { whole.to_owned() })
}

/// With a comma between thousands where it is wanted.
fn grouped(spec: &Spec, whole: &str, fraction: &str) -> String {
    let mut text = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if spec.comma && position > 0 && (whole.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

fn signed(spec: &Spec, negative: bool, digits: &str) -> String {
    let (before, after) = match negative {
        true if spec.parentheses => ("(", ")"),
        true => ("-", ""),
        false if spec.plus => ("+", ""),
        false if spec.space => (" ", ""),
        false => ("", ""),
    };
    zeros(spec, before, digits) + after
}

/// The sign, zeros up to the width where they are wanted, the digits.
fn zeros(spec: &Spec, before: &str, digits: &str) -> String {
    let wanted = if spec.zero { spec.width.unwrap_or(0) } else { 0 };
    let missing = wanted.saturating_sub(before.len() + digits.len());
    format!("{before}{}{digits}", "0".repeat(missing))
}

fn pad(text: String, spec: &Spec) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    let blanks = " ".repeat(missing);
    if spec.left { text + &blanks } else { blanks + &text }
}

#[cfg(test)]
mod tests {
    use super::{Value, format};

    fn whole(value: i64) -> Value {
        Value::Whole { value, bits: 32 }
    }

    fn check(pattern: &str, values: &[Value], expected: Option<&str>) {
        assert_eq!(format(pattern, values).as_deref(), expected, "{pattern}");
    }

    #[test]
    fn formats_are_those_of_java() {
        let text = |text: &str| Value::Text(text.to_owned());
        check("a %s b%%", &[text("x")], Some("a x b%"));
        check(
            "%5d|%-5d|%05d|%+d|%,d",
            &[whole(42), whole(42), whole(-42), whole(1), whole(1_234_567)],
            Some("   42|42   |-0042|+1|1,234,567"),
        );
        check("%(d", &[whole(-5)], Some("(5)"));
        check("%x %X %o", &[whole(-1), whole(255), whole(8)], Some("ffffffff FF 10"));
        check(
            "%.2f %8.1f %.0f",
            &[Value::Float(2.345), Value::Float(-0.25), Value::Float(2.5)],
            Some("2.35     -0.3 3"),
        );
        check("%f", &[Value::Decimal("12.5".to_owned())], Some("12.500000"));
        check("%.1f", &[Value::Decimal("-9.95".to_owned())], Some("-10.0"));
        check("%e", &[Value::Float(12345.678)], Some("1.234568e+04"));
        check("%2$s %1$s", &[text("a"), text("b")], Some("b a"));
        check("%.2s|%3s|%S", &[text("abc"), text("x"), text("up")], Some("ab|  x|UP"));
        check("%b %c %s %d", &[Value::Boolean(true), text("z"), Value::Null, Value::Null], Some("true z null null"));
    }

    #[test]
    fn what_does_not_fit_gives_nothing() {
        check("%d", &[Value::Text("x".to_owned())], None);
        check("%s %s", &[whole(1)], None);
        check("%", &[], None);
        check("%q", &[whole(1)], None);
        check("%99999999999d", &[whole(1)], None);
        check("%0$s", &[whole(1)], None);
    }
}
