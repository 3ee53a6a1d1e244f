//! Counts every number and checksums every partition; and is shown to notice a broken sink.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a read-committed reader saw: partition and number.
pub(crate) type Seen = Vec<(i32, u64)>;

/// What is wrong; nothing in any list: every number is there exactly once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) lost: Vec<u64>,
    /// With how often they came.
    pub(crate) doubled: Vec<(u64, u32)>,
    /// Keys whose records are in more than one partition.
    scattered: Vec<i32>,
    /// Keys whose checksum differs from the one of what was produced.
    checksums: Vec<i32>,
}

impl Verdict {
    pub(crate) fn counts(&self) -> String {
        format!("{} lost, {} doubled", self.lost.len(), self.doubled.len())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lost, doubled) = (self.lost.iter().take(10), self.doubled.iter().take(10));
        write!(f, "{}; first lost {:?}, ", self.counts(), lost.collect::<Vec<_>>())?;
        write!(f, "first doubled {:?}, ", doubled.collect::<Vec<_>>())?;
        write!(f, "scattered {:?}, checksums {:?}", self.scattered, self.checksums)
    }
}

/// The partition that a number is produced to, and its key from there on.
pub(crate) fn partition_of(number: u64) -> i32 {
    i32::try_from(number % u64::try_from(super::PARTITIONS).unwrap()).unwrap()
}

/// A sum over mixed bits: insensitive to order, sensitive to loss and doubling.
fn mixed(number: u64) -> u64 {
    let scrambled = (number ^ (number >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    scrambled ^ (scrambled >> 27)
}

pub(crate) fn check(produced: u64, seen: &Seen) -> Verdict {
    let mut times = vec![0u32; usize::try_from(produced).unwrap()];
    let mut sums: BTreeMap<i32, u64> = BTreeMap::new();
    let mut homes: BTreeMap<i32, BTreeSet<i32>> = BTreeMap::new();
    for (partition, number) in seen {
        if let Some(count) = times.get_mut(usize::try_from(*number).unwrap()) {
            *count += 1;
        }
        let key = partition_of(*number);
        homes.entry(key).or_default().insert(*partition);
        let sum = sums.entry(key).or_default();
        *sum = sum.wrapping_add(mixed(*number));
    }
    for number in 0..produced {
        let sum = sums.entry(partition_of(number)).or_default();
        *sum = sum.wrapping_sub(mixed(number));
    }
    let numbered = || times.iter().zip(0u64..);
    let lost = numbered().filter(|(times, _)| **times == 0).map(|(_, number)| number).collect();
    let doubled = numbered().filter(|(times, _)| **times > 1).map(|(times, number)| (number, *times)).collect();
    let checksums = sums.into_iter().filter(|(_, sum)| *sum != 0).map(|(key, _)| key).collect();
    let scattered = homes.into_iter().filter(|(_, homes)| homes.len() > 1).map(|(key, _)| key).collect();
    Verdict { lost, doubled, scattered, checksums }
}

/// The control: an oracle that finds nothing in a broken output proves nothing.
mod control {
    use super::{Seen, Verdict, check, partition_of};

    const MANY: u64 = 100_000;

    fn whole() -> Seen {
        (0..MANY).map(|number| (partition_of(number), number)).collect()
    }

    #[test]
    fn accepts_a_whole_output_in_any_order() {
        let mut seen = whole();
        seen.reverse();
        assert_eq!(check(MANY, &seen), Verdict::default());
    }

    #[test]
    fn notices_one_lost_in_a_hundred_thousand() {
        let mut seen = whole();
        seen.remove(77_777);
        assert_eq!(
            check(MANY, &seen),
            Verdict { lost: vec![77_777], doubled: vec![], scattered: vec![], checksums: vec![1] }
        );
    }

    #[test]
    fn notices_one_doubled_in_a_hundred_thousand() {
        let mut seen = whole();
        seen.push((partition_of(5), 5));
        assert_eq!(
            check(MANY, &seen),
            Verdict { lost: vec![], doubled: vec![(5, 2)], scattered: vec![], checksums: vec![1] }
        );
    }

    #[test]
    fn notices_a_key_in_two_partitions() {
        let mut seen = whole();
        seen[8].0 = 3;
        assert_eq!(
            check(MANY, &seen),
            Verdict { lost: vec![], doubled: vec![], scattered: vec![0], checksums: vec![] }
        );
    }
}
