//! What the person at the terminal sees: one line per step with its time, and one line on failure.

use std::fmt::Display;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Runs `work` as a named step: says that it starts, and how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    eprintln!("{} {name}", paint("1;34", "==>"));
    let started = Instant::now();
    let outcome = work();
    if outcome.is_ok() {
        eprintln!("    {name}: {}", duration(started.elapsed()));
    }
    outcome
}

/// A line of detail below the current step.
pub(crate) fn note(text: impl Display) {
    eprintln!("    {text}");
}

/// Something was left out, and why. The caller counts it.
pub(crate) fn skipped(reason: impl Display) {
    println!("{} {reason}", paint("1;33", "skipped:"));
}

/// The one line that says what went wrong, causes included.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("{} {error:#}", paint("1;31", "failed:"));
}

/// A duration as a person reads it: `480 ms`, `12.4 s`, `3 min 20 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds == 0 {
        format!("{} ms", time.as_millis())
    } else if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

/// Bytes as a person reads them, in units of 1,000.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..=999 => format!("{count} B"),
        1_000..=999_999 => format!("{:.1} KB", count as f64 / 1e3),
        _ => format!("{:.2} MB", count as f64 / 1e6),
    }
}

fn paint(code: &str, text: &str) -> String {
    if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
