//! Offsets: the server counts UTF-8 bytes, CodeMirror counts UTF-16 units.
//!
//! Promises: any number goes in, none panics. An offset inside a character falls back to its start, one past the
//! end to the end, so that a stale answer cannot point outside the text.

/// UTF-16 offset of a byte offset.
pub fn to_utf16(text: &str, byte: u32) -> u32 {
    let byte = usize::try_from(byte).unwrap_or(usize::MAX);
    let mut units = 0;
    for (start, character) in text.char_indices() {
        if start + character.len_utf8() > byte {
            break;
        }
        units += character.len_utf16();
    }
    small(units)
}

/// Byte offset of a UTF-16 offset.
pub(crate) fn to_utf8(text: &str, unit: u32) -> u32 {
    let unit = usize::try_from(unit).unwrap_or(usize::MAX);
    let mut units = 0;
    for (start, character) in text.char_indices() {
        units += character.len_utf16();
        if units > unit {
            return small(start);
        }
    }
    small(text.len())
}

fn small(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "aé漢😀z";

    #[test]
    fn converts_at_every_border_of_a_character() {
        let bytes = [0, 1, 3, 6, 10, 11];
        let units = [0, 1, 2, 3, 5, 6];
        for (byte, unit) in bytes.into_iter().zip(units) {
            assert_eq!(to_utf16(MIXED, byte), unit, "byte {byte}");
            assert_eq!(to_utf8(MIXED, unit), byte, "unit {unit}");
        }
    }

    #[test]
    fn inside_a_character_means_its_start() {
        assert_eq!(to_utf16(MIXED, 2), 1);
        assert_eq!(to_utf16(MIXED, 8), 3);
        assert_eq!(to_utf8(MIXED, 4), 6);
    }

    #[test]
    fn past_the_end_means_the_end() {
        assert_eq!(to_utf16(MIXED, 99), 6);
        assert_eq!(to_utf8(MIXED, u32::MAX), 11);
        assert_eq!(to_utf16("", 5), 0);
        assert_eq!(to_utf8("", 5), 0);
    }
}
