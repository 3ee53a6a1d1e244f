//! Numbers of JSON as Java prints them: whole ones as they are, others as `BigDecimal` does.

use arrow::datatypes::i256;

/// The text of a number of the JSON grammar; `None` for anything else.
pub(super) fn canonical(text: &str) -> Option<String> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (mantissa, exponent) = digits.split_once(['e', 'E']).map_or((digits, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !all_digits(whole) || leading_zero || fraction.is_some_and(|fraction| !all_digits(fraction)) {
        return None;
    }
    let exponent = match exponent {
        Some(exponent) => {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            all_digits(unsigned).then_some(())?;
            i64::from(exponent.parse::<i32>().ok()?)
        }
        None if fraction.is_none() => {
            let sign = if negative && whole != "0" { "-" } else { "" };
            return Some(format!("{sign}{whole}"));
        }
        None => 0,
    };
    let fraction = fraction.unwrap_or_default();
    let scale = i64::try_from(fraction.len()).ok()? - exponent;
    let unscaled = format!("{whole}{fraction}");
    let unscaled = unscaled.trim_start_matches('0');
    let sign = if negative && !unscaled.is_empty() { "-" } else { "" };
    Some(format!("{sign}{}", scaled(if unscaled.is_empty() { "0" } else { unscaled }, scale)))
}

/// Digits without sign and leading zeros, of which the last `scale` stand behind the point.
fn scaled(digits: &str, scale: i64) -> String {
    if scale == 0 {
        return digits.to_owned();
    }
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let exponent = length - 1 - scale;
    if scale > 0 && exponent >= -6 {
        let width = usize::try_from(scale).unwrap_or(0) + 1;
        let padded = format!("{digits:0>width$}");
        let (whole, fraction) = padded.split_at(padded.len() + 1 - width);
        return format!("{whole}.{fraction}");
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{first}{point}{rest}E{exponent:+}")
}

/// The whole part of a number, where 128 bits hold it.
pub(super) fn whole(text: &str) -> Option<i128> {
    if text.contains(['.', 'E', 'e']) { cut(text) } else { text.parse().ok() }
}

/// Without what stands behind the point.
fn cut(text: &str) -> Option<i128> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let significant = digits.trim_start_matches('0');
    if kept <= 0 || significant.is_empty() {
        return Some(0);
    }
    let leading = i64::try_from(digits.len() - significant.len()).ok()?;
    let wanted = usize::try_from(kept - leading).unwrap_or(0);
    if wanted == 0 {
        return Some(0);
    }
    if wanted > 39 {
        return None;
    }
    let whole: String = significant.chars().chain(std::iter::repeat('0')).take(wanted).collect();
    let value = i256::from_string(&whole)?.to_i128()?;
    Some(if negative { -value } else { value })
}
