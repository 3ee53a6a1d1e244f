//! Percent encoding of one part of a path or query.

/// Encodes all but unreserved characters.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(HEX.get(usize::from(nibble)).copied().map_or('0', char::from));
            }
        }
    }
    out
}

/// Decodes; what is no valid escape stays as it is.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%'
            && let (Some(high), Some(low)) = (nibble(bytes.get(at + 1)), nibble(bytes.get(at + 2)))
        {
            out.push(high * 16 + low);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn nibble(byte: Option<&u8>) -> Option<u8> {
    byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
}

/// Splits a query string, without its question mark, into decoded pairs.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

/// Writes pairs as a query string; empty when there are none.
pub fn query(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        for text in ["", "plain", "a b/c?d=e&f", "100 %", "Zürich 東京", "%41", "a+b"] {
            assert_eq!(decode(&encode(text)), text);
        }
    }

    #[test]
    fn broken_escapes_stay() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
    }

    #[test]
    fn a_query_comes_back() {
        let written = vec![("q".to_owned(), "a&b = c".to_owned()), ("state".to_owned(), "failed".to_owned())];
        assert_eq!(pairs(&query(&written)), written);
        assert_eq!(pairs("q=a+b&&flag"), vec![("q".into(), "a b".into()), ("flag".into(), String::new())]);
    }
}
