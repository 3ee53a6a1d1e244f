//! Which errors are the same one: a fingerprint of the message without what changes from one time to the next, and of the
//! top frames of its stack trace.

use xxhash_rust::xxh64::xxh64;

/// Frames that count. Deeper ones differ by who called.
const FRAMES: usize = 3;
const LONGEST: usize = 300;

/// `None` for a text of which nothing is left.
pub(crate) fn fingerprint<'a>(message: &str, following: impl Iterator<Item = &'a str>) -> Option<u64> {
    let mut lines = message.lines();
    let mut said = normalised(lines.next()?);
    let mut rest: Vec<&str> = lines.collect();
    let following: Vec<&str> = following.flat_map(str::lines).collect();
    rest.extend(following);
    // Rust says where first, and what in the next line.
    if is_panic_place(message.lines().next()?) {
        said = format!("panicked: {}", rest.first().map(|line| normalised(line)).unwrap_or_default());
    }
    if said.is_empty() {
        return None;
    }
    for frame in rest.iter().filter_map(|line| frame(line)).take(FRAMES) {
        said.push('\n');
        said.push_str(&frame);
    }
    Some(xxh64(said.as_bytes(), 0))
}

/// `thread 'main' panicked at src/main.rs:4:5:`, after which the message follows in the next line.
pub(crate) fn is_panic_place(line: &str) -> bool {
    line.contains("panicked at ") && line.ends_with(':')
}

/// Numbers, hexadecimal ids, UUIDs and quoted texts become one sign each.
pub(crate) fn normalised(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line.trim();
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        if out.len() >= LONGEST {
            break;
        }
        let quoted = if before.is_alphanumeric() { None } else { quoted(rest) };
        let (length, put) = match quoted {
            Some(length) => (length, "“…”"),
            None if first.is_alphanumeric() => {
                let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
                let word = rest.get(..length).unwrap_or_default();
                (length, if changes(word) { "#" } else { word })
            }
            None => (
                first.len_utf8(),
                if first.is_whitespace() { " " } else { rest.get(..first.len_utf8()).unwrap_or_default() },
            ),
        };
        before = rest.get(..length).and_then(|part| part.chars().next_back()).unwrap_or(' ');
        let repeats_blank = put == " " && out.ends_with(' ');
        // `3f2a-91bc` and `10.0.0.3` are one changing thing, not several.
        let joins = put == "#" && (out.ends_with("#-") || out.ends_with("#.") || out.ends_with("#:"));
        if joins {
            out.pop();
        } else if !repeats_blank {
            out.push_str(put);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// Length of a quoted text at the front, with its quotes.
fn quoted(text: &str) -> Option<usize> {
    let open = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inside = text.get(1..)?;
    let length = inside.find(open)?;
    Some(length + 2)
}

fn changes(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_number = digits == word.len();
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit()) && digits > 0 && word.len() >= 4;
    let is_prefixed_hex = word.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    // "12ms", "3rd", "5s".
    let has_unit = word.starts_with(|c: char| c.is_ascii_digit()) && digits + 3 >= word.len();
    is_number || is_hex || is_prefixed_hex || has_unit
}

/// What a line of a stack trace calls, without where in the file.
pub(crate) fn frame(line: &str) -> Option<String> {
    let text = line.trim_start();
    if let Some(java) = text.strip_prefix("at ") {
        // Rust's "at src/main.rs:3" repeats the frame above it.
        return java.split_once('(').map(|(call, _)| call.to_owned());
    }
    if let Some(python) = text.strip_prefix("File \"") {
        let (file, rest) = python.split_once('"')?;
        let call = rest.split_once(", in ").map_or("", |(_, call)| call);
        return Some(format!("{file}:{call}"));
    }
    let (number, call) = text.split_once(": ")?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let call = call.trim();
    let call = match call.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path,
        _ => call,
    };
    let is_machinery = ["std::", "core::", "rust_begin_unwind", "__rust", "backtrace::"];
    (!is_machinery.iter().any(|start| call.starts_with(start))).then(|| call.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_left_out() {
        for (said, normal) in [
            ("offset 4711 of orders-3 is gone", "offset # of orders-# is gone"),
            ("run 019a3b2c-7f00-7abc-8def-0123456789ab failed", "run # failed"),
            ("cannot open '/data/x y': no such file", "cannot open “…”: no such file"),
            ("broker 10.0.0.3:9092 is away for 12ms", "broker # is away for #"),
            ("it can't be", "it can't be"),
            ("at 0xdeadBEEF", "at #"),
        ] {
            assert_eq!(normalised(said), normal);
        }
    }

    #[test]
    fn the_same_error_has_one_fingerprint_and_another_place_another_one() {
        let of = |message: &str, frames: &[&str]| fingerprint(message, frames.iter().copied());
        let frames = ["\tat org.a.B.c(B.java:12)", "\tat org.a.D.e(D.java:7)"];
        let moved = ["\tat org.a.B.c(B.java:99)", "\tat org.a.D.e(D.java:7)"];
        let elsewhere = ["\tat org.a.X.y(B.java:12)"];
        assert_eq!(of("no record at 12", &frames), of("no record at 99", &moved));
        assert_ne!(of("no record at 12", &frames), of("no record at 12", &elsewhere));
        assert_ne!(of("no record at 12", &frames), of("no table at 12", &frames));
        assert_eq!(of("", &[]), None);
    }

    #[test]
    fn a_panic_is_told_by_its_message() {
        let place = "thread 'w-3' panicked at src/a.rs:10:5:";
        let other = "thread 'w-7' panicked at src/a.rs:11:5:";
        let of = |place: &str, said: &str| fingerprint(place, [said].into_iter());
        assert_eq!(of(place, "index 7 out of range"), of(other, "index 9 out of range"));
        assert_ne!(of(place, "index 7 out of range"), of(place, "attempt to divide by zero"));
    }

    #[test]
    fn frames_of_java_rust_and_python() {
        assert_eq!(frame("    at org.a.B.c(B.java:12)").as_deref(), Some("org.a.B.c"));
        assert_eq!(frame("   3: app::run::h0123456789abcdef").as_deref(), Some("app::run"));
        assert_eq!(frame("   0: std::panicking::begin_panic"), None);
        assert_eq!(frame("             at ./src/main.rs:3:4"), None);
        assert_eq!(frame("  File \"a.py\", line 3, in go").as_deref(), Some("a.py:go"));
        assert_eq!(frame("nothing"), None);
    }
}
