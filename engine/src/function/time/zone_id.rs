//! Time zones as `java.util.TimeZone` names them: `Europe/Berlin`, `PST`, `GMT-08:00`. A name that nobody knows is GMT.

use chrono_tz::Tz;

use super::value::{Local, to_local, to_utc};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ZoneId {
    Named(Tz),
    /// Seconds ahead of UTC.
    Offset(i64),
}

/// Java's abbreviations for zones, where the tz database has none or another one.
const SHORT: &[(&str, Tz)] = &[
    ("ACT", Tz::Australia__Darwin),
    ("AET", Tz::Australia__Sydney),
    ("AGT", Tz::America__Argentina__Buenos_Aires),
    ("ART", Tz::Africa__Cairo),
    ("AST", Tz::America__Anchorage),
    ("BET", Tz::America__Sao_Paulo),
    ("BST", Tz::Asia__Dhaka),
    ("CAT", Tz::Africa__Harare),
    ("CNT", Tz::America__St_Johns),
    ("CST", Tz::America__Chicago),
    ("CTT", Tz::Asia__Shanghai),
    ("EAT", Tz::Africa__Addis_Ababa),
    ("ECT", Tz::Europe__Paris),
    ("IET", Tz::America__Indiana__Indianapolis),
    ("IST", Tz::Asia__Kolkata),
    ("JST", Tz::Asia__Tokyo),
    ("MIT", Tz::Pacific__Apia),
    ("NET", Tz::Asia__Yerevan),
    ("NST", Tz::Pacific__Auckland),
    ("PLT", Tz::Asia__Karachi),
    ("PNT", Tz::America__Phoenix),
    ("PRT", Tz::America__Puerto_Rico),
    ("PST", Tz::America__Los_Angeles),
    ("SST", Tz::Pacific__Guadalcanal),
    ("VST", Tz::Asia__Ho_Chi_Minh),
];

impl ZoneId {
    pub(super) fn parse(text: &str) -> Self {
        if let Some((_, zone)) = SHORT.iter().find(|(short, _)| *short == text) {
            return ZoneId::Named(*zone);
        }
        match text.parse() {
            Ok(zone) => ZoneId::Named(zone),
            Err(_) => ZoneId::Offset(offset(text).unwrap_or(0)),
        }
    }

    pub(super) fn to_utc(self, local: Local) -> Option<Local> {
        match self {
            ZoneId::Named(zone) => to_utc(local, zone),
            ZoneId::Offset(seconds) => local.add_nanos(-i128::from(seconds) * 1_000_000_000),
        }
    }

    pub(super) fn to_local(self, utc: Local) -> Option<Local> {
        match self {
            ZoneId::Named(zone) => to_local(utc, zone),
            ZoneId::Offset(seconds) => utc.add_nanos(i128::from(seconds) * 1_000_000_000),
        }
    }
}

/// `GMT+8`, `GMT-08:00`, `GMT+0530`
fn offset(text: &str) -> Option<i64> {
    let rest = text.strip_prefix("GMT").or_else(|| text.strip_prefix("UTC"))?;
    let (sign, digits) = match rest.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let number = |text: &str| {
        let right = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if right { text.parse::<i64>().ok() } else { None }
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::ZoneId;
    use chrono_tz::Tz;

    #[test]
    fn zones_are_read_as_java_reads_them() {
        for (text, expected) in [
            ("Europe/Berlin", ZoneId::Named(Tz::Europe__Berlin)),
            ("PST", ZoneId::Named(Tz::America__Los_Angeles)),
            ("GMT-08:00", ZoneId::Offset(-8 * 3_600)),
            ("GMT+8", ZoneId::Offset(8 * 3_600)),
            ("GMT+0530", ZoneId::Offset(5 * 3_600 + 1_800)),
            ("GMT+25", ZoneId::Offset(0)),
            ("GMT+ñ", ZoneId::Offset(0)),
            ("Nowhere", ZoneId::Offset(0)),
            ("", ZoneId::Offset(0)),
        ] {
            assert_eq!(ZoneId::parse(text), expected, "{text}");
        }
    }
}
