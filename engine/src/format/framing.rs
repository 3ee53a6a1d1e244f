//! Where one record of a file ends and the next begins.

/// How a format tells records apart in a stream of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One record per line; `\r\n` counts as one end.
    Lines,
    /// Lines, but a line end inside quotes belongs to the record.
    QuotedLines { quote: u8, escape: Option<u8> },
}

/// A record inside a buffer, and where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub start: usize,
    pub end: usize,
    pub next: usize,
}

impl Framing {
    /// The next record from `from` on; `None` when its end is not in the buffer. With `last`, the end of the buffer ends
    /// the last record.
    pub fn frame(self, buffer: &[u8], from: usize, last: bool) -> Option<Frame> {
        let rest = buffer.get(from..)?;
        let line_end = match self {
            Self::Lines => memchr::memchr(b'\n', rest),
            Self::QuotedLines { quote, escape } => quoted_end(rest, quote, escape),
        };
        let (end, next) = match line_end {
            Some(end) => (from + end, from + end + 1),
            None if last && !rest.is_empty() => (buffer.len(), buffer.len()),
            None => return None,
        };
        let carriage_return = end > from && buffer.get(end - 1) == Some(&b'\r');
        Some(Frame { start: from, end: end - usize::from(carriage_return), next })
    }
}

fn quoted_end(bytes: &[u8], quote: u8, escape: Option<u8>) -> Option<usize> {
    let mut inside = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if Some(*byte) == escape && escape != Some(quote) {
            at += 1;
        } else if *byte == quote {
            // A doubled quote closes and opens again, which comes to the same.
            inside = !inside;
        } else if *byte == b'\n' && !inside {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn frames(framing: Framing, text: &str) -> Vec<&str> {
        let mut at = 0;
        let mut found = Vec::new();
        while let Some(frame) = framing.frame(text.as_bytes(), at, true) {
            found.push(&text[frame.start..frame.end]);
            at = frame.next;
        }
        found
    }

    #[test]
    fn lines_with_any_end() {
        assert_eq!(frames(Framing::Lines, "a\r\nb\n\nc"), ["a", "b", "", "c"]);
        assert!(frames(Framing::Lines, "").is_empty());
    }

    #[test]
    fn an_unfinished_line_waits() {
        assert_eq!(Framing::Lines.frame(b"abc", 0, false), None);
    }

    #[test]
    fn quotes_may_hold_line_ends() {
        let framing = Framing::QuotedLines { quote: b'"', escape: None };
        assert_eq!(frames(framing, "1,\"a\n\"\"b\"\n2,c\n"), ["1,\"a\n\"\"b\"", "2,c"]);
        let escaped = Framing::QuotedLines { quote: b'"', escape: Some(b'\\') };
        assert_eq!(frames(escaped, "\"a\\\"\nb\"\nc"), ["\"a\\\"\nb\"", "c"]);
    }
}
