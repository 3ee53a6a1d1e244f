//! What `SET` may say, as typed values. Unknown keys are refused by the binder; here they are left alone.

use std::time::Duration;

/// Settings of one run: those of the job, overridden by `SET` of the script.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub parallelism: u32,
    pub checkpoint_interval: Option<Duration>,
    /// Zero keeps state for ever.
    pub state_ttl: Duration,
    /// Results come once, at the end of bounded input, as insertions.
    pub batch: bool,
    /// A source split without rows for so long does not hold back the watermark; zero: it does for ever.
    pub idle_timeout: Duration,
    pub zone: chrono_tz::Tz,
}

/// As long as this a split may be silent before the watermark goes on without it.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// What `SET` takes.
pub const KEYS: &[&str] = &[
    "parallelism.default",
    "execution.checkpointing.interval",
    "table.exec.state.ttl",
    "table.exec.source.idle-timeout",
    "execution.runtime-mode",
    "table.local-time-zone",
];

impl Default for Settings {
    fn default() -> Self {
        Settings {
            parallelism: 1,
            checkpoint_interval: None,
            state_ttl: Duration::ZERO,
            batch: false,
            idle_timeout: IDLE_TIMEOUT,
            zone: chrono_tz::UTC,
        }
    }
}

impl Settings {
    /// Applies `SET 'key' = 'value'`. The message names the key and what it takes.
    pub fn apply(mut self, settings: &[(String, String)]) -> Result<Self, String> {
        for (key, value) in settings {
            self.set(key, value.trim())?;
        }
        Ok(self)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let duration =
            || parse_duration(value).ok_or_else(|| format!("'{key}' takes a duration such as '10 s', not '{value}'"));
        match key {
            "parallelism.default" => {
                let number = value.parse().ok().filter(|number| (1..=128).contains(number));
                self.parallelism =
                    number.ok_or_else(|| format!("'{key}' takes a number from 1 to 128, not '{value}'"))?;
            }
            "execution.checkpointing.interval" => self.checkpoint_interval = Some(duration()?),
            "table.exec.state.ttl" => self.state_ttl = duration()?,
            "table.exec.source.idle-timeout" => self.idle_timeout = duration()?,
            "execution.runtime-mode" => match value.to_ascii_lowercase().as_str() {
                "batch" => self.batch = true,
                "streaming" => self.batch = false,
                _ => return Err(format!("'{key}' is 'streaming' or 'batch', not '{value}'")),
            },
            "table.local-time-zone" => {
                self.zone =
                    value.parse().map_err(|_| format!("'{value}' is no time zone, for example 'Europe/Berlin'"))?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// `10 s`, `5min`, `1 h`, `250 ms`, or a bare number of milliseconds.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_the_units_people_write() {
        assert_eq!(parse_duration("10 s"), Some(Duration::from_secs(10)));
        assert_eq!(parse_duration("5min"), Some(Duration::from_secs(300)));
        assert_eq!(parse_duration("250"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("ten s"), None);
        assert_eq!(parse_duration("10 parsecs"), None);
        assert_eq!(parse_duration("99999999999999999999 d"), None);
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        let wrong = Settings::default().apply(&[("parallelism.default".to_owned(), "0".to_owned())]);
        assert!(wrong.is_err_and(|message| message.contains("parallelism.default")));
    }
}
