//! Sizes in bytes.

/// `512 B`, `1.2 GB`; steps of 1,000, as disks and networks count.
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if value < 1_000 {
        return format!("{value} B");
    }
    let mut rest = value as f64;
    let mut unit = "B";
    for next in UNITS {
        if rest < 999.5 {
            break;
        }
        rest /= 1_000.0;
        unit = next;
    }
    let text = if rest < 9.95 { format!("{rest:.1}") } else { format!("{rest:.0}") };
    format!("{} {unit}", text.trim_end_matches(".0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_step_up_before_four_figures() {
        for (value, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (1_250, "1.2 kB"),
            (999_600, "1 MB"),
            (1_200_000_000, "1.2 GB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(bytes(value), text, "{value}");
        }
    }
}
