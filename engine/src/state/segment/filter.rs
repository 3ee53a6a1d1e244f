//! A blocked Bloom filter over hashes of keys: about ten bits a key, one cache line a question.

const LINE: usize = 64;
const BITS_PER_KEY: usize = 10;
const PROBES: u32 = 6;

/// Bytes in lines of 64. The line follows from the high half of the mixed hash, its bits from nine bits each of the low
/// half and what multiplying brings up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    bytes: Vec<u8>,
}

impl Filter {
    pub(super) fn for_keys(keys: usize) -> Self {
        let lines = (keys * BITS_PER_KEY).div_ceil(LINE * 8).max(1);
        Filter { bytes: vec![0; lines * LINE] }
    }

    pub(super) const fn from_bytes(bytes: Vec<u8>) -> Self {
        Filter { bytes }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let (line, bits) = self.place(hash);
        if let Some(line) = self.bytes.get_mut(line..line + LINE) {
            bits.for_each(|bit| line[bit / 8] |= 1 << (bit % 8));
        }
    }

    /// False is certain.
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let (line, mut bits) = self.place(hash);
        self.bytes.get(line..line + LINE).is_none_or(|line| bits.all(|bit| line[bit / 8] & (1 << (bit % 8)) != 0))
    }

    fn place(&self, hash: u64) -> (usize, impl Iterator<Item = usize> + use<>) {
        // Hashes of one file share their high bits when the file holds few key groups.
        let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let lines = (self.bytes.len() / LINE) as u64;
        let line = ((mixed >> 32) * lines) >> 32;
        let mut rest = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
        let bits = (0..PROBES).map(move |_| {
            let bit = (rest >> 55) as usize;
            rest = rest.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
            bit
        });
        (line as usize * LINE, bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::hash_key;

    #[test]
    fn holds_what_was_put_in_and_little_else() {
        let hashes: Vec<u64> = (0..40_000_u32).map(|number| hash_key(&number.to_le_bytes())).collect();
        let (inside, outside) = hashes.split_at(20_000);
        let mut filter = Filter::for_keys(inside.len());
        inside.iter().for_each(|hash| filter.insert(*hash));
        assert!(inside.iter().all(|hash| filter.may_hold(*hash)));
        let wrong = outside.iter().filter(|hash| filter.may_hold(**hash)).count();
        assert!(wrong < 600, "{wrong} of {} are taken for held", outside.len());
    }

    #[test]
    fn also_where_all_hashes_are_of_one_key_group() {
        let narrow = |number: u32| (hash_key(&number.to_le_bytes()) >> 7) | (3 << 57);
        let mut filter = Filter::for_keys(20_000);
        (0..20_000).for_each(|number| filter.insert(narrow(number)));
        let wrong = (20_000..40_000).filter(|number| filter.may_hold(narrow(*number))).count();
        assert!(wrong < 600, "{wrong} are taken for held");
    }
}
