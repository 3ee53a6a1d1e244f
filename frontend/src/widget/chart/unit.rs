//! Values of a series in words, by the unit that the server names.

use crate::format::{age, bytes, number};

/// `184.6 k`, `48 s`, `2.1 MB`, `31 %`.
pub fn figure(value: f64, unit: &str) -> String {
    if !value.is_finite() {
        return crate::i18n::words::not_known().to_owned();
    }
    match unit {
        "ms" | "s" if value <= 0.0 => "0 s".to_owned(),
        "ms" => age::duration(whole(value)),
        "s" => age::duration(whole(value * 1_000.0)),
        "bytes" | "B" => bytes::bytes(whole(value)),
        "bytes/s" | "B/s" => format!("{}/s", bytes::bytes(whole(value))),
        "share" | "ratio" => format!("{} %", (value * 100.0).round()),
        _ => number::short(value),
    }
}

fn whole(value: f64) -> u64 {
    // Saturates; a negative duration or size is a clock that went back.
    value.max(0.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_has_its_words() {
        assert_eq!(figure(48_000.0, "ms"), "48 s");
        assert_eq!(figure(0.5, "s"), "500 ms");
        assert_eq!(figure(1_500.0, "bytes"), "1.5 kB");
        assert_eq!(figure(2_000.0, "bytes/s"), "2 kB/s");
        assert_eq!(figure(0.314, "share"), "31 %");
        assert_eq!(figure(12_400.0, "records/s"), "12.4 k");
        assert_eq!(figure(f64::NAN, "ms"), "not known");
        assert_eq!(figure(-3.0, "ms"), "0 s");
    }
}
