//! Ids that follow from what is computed.

use std::sync::Arc;

use crate::catalog::TableDef;
use crate::connector::credential::is_credential;

/// 16 hexadecimal digits.
pub type NodeId = Arc<str>;

/// FNV-1a over the parts with their lengths; two independent halves. Ids are stored in checkpoints, so this function
/// must never change.
pub(super) fn hash_text<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut eat = |byte: u8| {
        hash ^= u64::from(byte);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    };
    for part in parts {
        part.len().to_le_bytes().into_iter().for_each(&mut eat);
        part.bytes().for_each(&mut eat);
    }
    // FNV mixes its last bytes poorly into the high bits.
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^= hash >> 32;
    format!("{hash:016x}")
}

/// Two scans with the same key are one source: same table, same options (hints may differ between uses).
pub fn scan_key(table: &TableDef) -> String {
    text(table, |_| true)
}

/// What the id of a scan with options of its own is made of. Credentials are left out: an id is shown, and it stays when
/// a password changes.
pub(super) fn scan_text(table: &TableDef) -> String {
    text(table, |option| !is_credential(option))
}

fn text(table: &TableDef, counts: impl Fn(&str) -> bool) -> String {
    let mut text = table.name.clone();
    for (name, value) in table.options.iter().filter(|(name, _)| counts(name)) {
        text.push('\n');
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_every_part_and_its_place_and_never_change() {
        let id = |parts: &[&str]| hash_text(parts.iter().copied());
        assert_ne!(id(&["ab", "c"]), id(&["a", "bc"]));
        assert_ne!(id(&["a", "b"]), id(&["b", "a"]));
        assert_eq!(id(&["Calc", "$0"]), id(&["Calc", "$0"]));
        assert_eq!(id(&[]).len(), 16);
    }
}
