//! Counts every number and checksums every partition; and is shown to notice a broken sink.

use std::collections::{BTreeMap, BTreeSet};

/// What a read-committed reader saw: partition and number.
pub(crate) type Seen = Vec<(i32, u64)>;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Exact,
    Wrong {
        /// The first few numbers that are missing.
        lost: Vec<u64>,
        /// The first few numbers that came more than once, with how often.
        doubled: Vec<(u64, u32)>,
        /// Keys whose records are in more than one partition.
        scattered: Vec<i32>,
        /// Keys whose checksum differs from the one of what was produced.
        checksums: Vec<i32>,
    },
}

/// The partition that a number is produced to, and its key from there on.
pub(crate) fn partition_of(number: u64) -> i32 {
    i32::try_from(number % u64::try_from(crate::PARTITIONS).unwrap()).unwrap()
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
    let lost: Vec<u64> = numbered().filter(|(times, _)| **times == 0).map(|(_, number)| number).take(10).collect();
    let doubled: Vec<(u64, u32)> =
        numbered().filter(|(times, _)| **times > 1).map(|(times, number)| (number, *times)).take(10).collect();
    let checksums: Vec<i32> = sums.into_iter().filter(|(_, sum)| *sum != 0).map(|(key, _)| key).collect();
    let scattered: Vec<i32> = homes.into_iter().filter(|(_, homes)| homes.len() > 1).map(|(key, _)| key).collect();
    if lost.is_empty() && doubled.is_empty() && scattered.is_empty() && checksums.is_empty() {
        return Verdict::Exact;
    }
    Verdict::Wrong { lost, doubled, scattered, checksums }
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
        assert_eq!(check(MANY, &seen), Verdict::Exact);
    }

    #[test]
    fn notices_one_lost_in_a_hundred_thousand() {
        let mut seen = whole();
        seen.remove(77_777);
        assert_eq!(
            check(MANY, &seen),
            Verdict::Wrong { lost: vec![77_777], doubled: vec![], scattered: vec![], checksums: vec![1] }
        );
    }

    #[test]
    fn notices_one_doubled_in_a_hundred_thousand() {
        let mut seen = whole();
        seen.push((partition_of(5), 5));
        assert_eq!(
            check(MANY, &seen),
            Verdict::Wrong { lost: vec![], doubled: vec![(5, 2)], scattered: vec![], checksums: vec![1] }
        );
    }

    #[test]
    fn notices_a_key_in_two_partitions() {
        let mut seen = whole();
        seen[8].0 = 3;
        assert_eq!(
            check(MANY, &seen),
            Verdict::Wrong { lost: vec![], doubled: vec![], scattered: vec![0], checksums: vec![] }
        );
    }
}
