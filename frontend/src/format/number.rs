//! Numbers for people: grouped digits, and short forms such as `184.6 k`.

/// Whole number with groups of three: `88,120,441`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// As [`grouped`], with a sign.
pub fn grouped_signed(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(value.unsigned_abs()))
}

/// Four figures at most and a unit prefix: `999`, `12.4 k`, `1.84 M`.
pub fn short(value: f64) -> String {
    const PREFIXES: [&str; 5] = ["", " k", " M", " G", " T"];
    if !value.is_finite() {
        return "not known".to_owned();
    }
    let mut rest = value.abs();
    let mut step = 0;
    // 999.95 would be written as 1000.0: it belongs to the next prefix.
    while rest >= 999.5 && step + 1 < PREFIXES.len() {
        rest /= 1000.0;
        step += 1;
    }
    let sign = if value < 0.0 && rest > 0.0 { "-" } else { "" };
    let prefix = PREFIXES.get(step).copied().unwrap_or_default();
    format!("{sign}{}{prefix}", three_figures(rest))
}

/// Rate per second, as a figure without its unit: small rates keep a decimal.
pub fn rate(per_second: f64) -> String {
    short(per_second)
}

/// `1 job`, `3 jobs`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

fn three_figures(value: f64) -> String {
    let text = if value >= 99.95 || value == 0.0 {
        format!("{value:.0}")
    } else if value >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(88_120_441), "88,120,441");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(grouped_signed(-1_234), "-1,234");
        assert_eq!(grouped_signed(i64::MIN), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn long_numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.004, "0"),
            (1.0, "1"),
            (12.34, "12.3"),
            (999.0, "999"),
            (999.6, "1 k"),
            (12_400.0, "12.4 k"),
            (184_600.0, "185 k"),
            (1_840_000.0, "1.84 M"),
            (2.31e9, "2.31 G"),
            (7e15, "7000 T"),
            (-1500.0, "-1.5 k"),
        ] {
            assert_eq!(short(value), text, "{value}");
        }
        assert_eq!(short(f64::NAN), "not known");
    }

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(counted(1, "job", "jobs"), "1 job");
        assert_eq!(counted(1_200, "job", "jobs"), "1,200 jobs");
    }
}
