//! What is written is found again, by key and in order; what is damaged is noticed.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::{Merge, Scan, SegmentFile, Unsorted};
use crate::state::hash_key;

type Model = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

fn write(path: &Path, entries: &Model) -> Arc<SegmentFile> {
    let mut unsorted = Unsorted::default();
    for (key, value) in entries {
        match value {
            Some(value) => unsorted.push(hash_key(key), key, 7, |out| out.extend_from_slice(value)),
            None => unsorted.push_gone(hash_key(key), key),
        }
    }
    unsorted.write(path).unwrap();
    Arc::new(SegmentFile::open(path).unwrap())
}

fn read(mut merge: Merge) -> Model {
    let mut found = Model::new();
    let mut last = None;
    while let Some(entry) = merge.entry() {
        let place = (entry.hash, entry.key.to_vec());
        assert!(last.as_ref().is_none_or(|last| *last < place), "out of order");
        assert!(found.insert(entry.key.to_vec(), entry.value.map(<[u8]>::to_vec)).is_none());
        last = Some(place);
        merge.advance().unwrap();
    }
    found
}

fn model() -> impl Strategy<Value = Model> {
    let key = proptest::collection::vec(0_u8..4, 0..4);
    let value = proptest::option::weighted(0.8, proptest::collection::vec(any::<u8>(), 0..3000));
    proptest::collection::btree_map(key, value, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_newest_entry_of_each_key_counts(layers in proptest::collection::vec(model(), 1..5)) {
        let folder = tempfile::tempdir().unwrap();
        let mut expected = Model::new();
        let mut files = Vec::new();
        for (number, layer) in layers.iter().enumerate() {
            files.push(write(&folder.path().join(number.to_string()), layer));
            expected.extend(layer.clone());
        }
        for (layer, file) in layers.iter().zip(&files) {
            for (key, value) in layer {
                let found = file.get(hash_key(key), key, |entry| Ok(entry.value.map(<[u8]>::to_vec))).unwrap();
                prop_assert_eq!(found.as_ref(), Some(value));
                prop_assert!(file.may_hold(hash_key(key)));
            }
            prop_assert_eq!(file.get(hash_key(b"other"), b"other", |_| Ok(())).unwrap(), None);
        }
        let scans = |first: u64, last: u64| {
            files.iter().rev().map(|file| Scan::new(Arc::clone(file), first, last).unwrap()).collect::<Vec<_>>()
        };
        prop_assert_eq!(&read(Merge::new(scans(0, u64::MAX))), &expected);
        // Two halves of the hashes are the whole.
        let middle = 1 << 63;
        let mut halves = read(Merge::new(scans(0, middle - 1)));
        halves.extend(read(Merge::new(scans(middle, u64::MAX))));
        prop_assert_eq!(&halves, &expected);
    }
}

#[test]
fn every_flipped_byte_and_every_cut_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segment");
    let entries: Model = (0..2000_u32).map(|key| (key.to_le_bytes().to_vec(), Some(vec![key as u8; 40]))).collect();
    write(&path, &entries).verify().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let is_whole = || SegmentFile::open(&path).and_then(|file| file.verify()).is_ok();
    for at in (0..whole.len()).step_by(whole.len() / 300) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        std::fs::write(&path, &damaged).unwrap();
        assert!(!is_whole(), "byte {at} of {}", whole.len());
        std::fs::write(&path, &whole[..at]).unwrap();
        assert!(!is_whole(), "cut at {at}");
    }
    // Each byte of the foot.
    for at in whole.len() - super::FOOT..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x01;
        std::fs::write(&path, &damaged).unwrap();
        assert!(!is_whole(), "byte {at} of {}", whole.len());
    }
}

#[test]
fn of_entries_of_one_key_the_last_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1");
    let mut unsorted = Unsorted::default();
    let mut push = |key: &[u8], value: Option<&[u8]>| match value {
        Some(value) => unsorted.push(hash_key(key), key, 7, |out| out.extend_from_slice(value)),
        None => unsorted.push_gone(hash_key(key), key),
    };
    push(b"", Some(b"1"));
    push(b"a", Some(b"1"));
    push(b"b", None);
    // Neither key nor value takes a byte.
    push(b"", None);
    push(b"", Some(b""));
    push(b"a", None);
    push(b"b", Some(b"2"));
    unsorted.write(&path).unwrap();
    let file = Arc::new(SegmentFile::open(&path).unwrap());
    assert_eq!(file.entries(), 3);
    let merge = Merge::new(vec![Scan::new(file, 0, u64::MAX).unwrap()]);
    let wanted = [(vec![], Some(vec![])), (b"a".to_vec(), None), (b"b".to_vec(), Some(b"2".to_vec()))];
    assert_eq!(read(merge), Model::from(wanted));
}
