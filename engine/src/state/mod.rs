//! Keyed state of operators.
//!
//! Keys are row-encoded bytes, probed without being copied; values are typed columns of an operator, addressed by the
//! slot that [`KeyTable`] gives a key. In a checkpoint, state is cut into [`KEY_GROUPS`] groups by the hash of the key;
//! a task holds a range of groups, so that the same state fits any parallelism.

mod buckets;
mod budget;
mod codec;
mod home;
mod key_encoder;
mod key_table;
mod keyed;
mod log;
mod segment;
mod slot_column;
mod slot_lists;

use std::collections::BTreeMap;
use std::ops::Range;

pub use codec::{Reader, write_bytes, write_i64, write_u32, write_u64};
pub use home::{Segment, StateHome, StateOptions};
pub use key_encoder::{EncodedKeys, KeyEncoder, hash_key};
pub use key_table::KeyTable;
pub use keyed::{Keyed, NEVER, SlotValues, StatePlace, Waking};
pub use log::{Hashes, LogPart};
pub use segment::SegmentFile;
pub use slot_column::{SlotColumn, room_for};
pub use slot_lists::SlotLists;

/// Never changes: it is the finest cut of a checkpoint, and bounds the parallelism.
pub const KEY_GROUPS: u16 = 128;

/// State of one operator in one task, or of an operator as a whole, by key group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyedState {
    pub groups: BTreeMap<u16, Vec<u8>>,
}

/// What an operator holds in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSize {
    pub rows: u64,
    pub bytes: u64,
}

pub fn key_group(hash: u64) -> u16 {
    // The high bits: the low ones choose buckets in hash tables.
    ((u128::from(hash) * u128::from(KEY_GROUPS)) >> 64) as u16
}

/// Which of `tasks` tasks holds a group.
pub fn task_of(group: u16, tasks: usize) -> usize {
    usize::from(group) * tasks / usize::from(KEY_GROUPS)
}

/// The groups that one of `tasks` tasks holds.
pub fn groups_of(task: usize, tasks: usize) -> Range<u16> {
    let first = |task: usize| (task * usize::from(KEY_GROUPS)).div_ceil(tasks.max(1)) as u16;
    first(task)..first(task + 1)
}

/// The hashes of the keys that one of `tasks` tasks holds.
pub fn hashes_of(task: usize, tasks: usize) -> Hashes {
    let groups = groups_of(task, tasks);
    // The first hash of a group; of the group behind the last one it would be one more than there are.
    let first = |group: u16| ((u128::from(group) << 64).div_ceil(u128::from(KEY_GROUPS))) as u64;
    let last = if groups.end >= KEY_GROUPS { u64::MAX } else { first(groups.end) - 1 };
    Hashes { first: first(groups.start), last }
}

impl KeyedState {
    pub fn group(&mut self, hash: u64) -> &mut Vec<u8> {
        self.groups.entry(key_group(hash)).or_default()
    }

    pub fn bytes(&self) -> u64 {
        self.groups.values().map(|bytes| bytes.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_belongs_to_exactly_the_task_that_its_keys_go_to() {
        for tasks in 1..=usize::from(KEY_GROUPS) {
            for group in 0..KEY_GROUPS {
                let owners: Vec<usize> = (0..tasks).filter(|task| groups_of(*task, tasks).contains(&group)).collect();
                assert_eq!(owners, [task_of(group, tasks)], "group {group} of {tasks} tasks");
            }
        }
    }

    #[test]
    fn the_hashes_of_a_task_are_those_of_its_groups() {
        for tasks in 1..=usize::from(KEY_GROUPS) {
            for task in 0..tasks {
                let (hashes, groups) = (hashes_of(task, tasks), groups_of(task, tasks));
                assert_eq!((key_group(hashes.first), key_group(hashes.last)), (groups.start, groups.end - 1));
                let before = hashes.first.checked_sub(1).map(key_group);
                assert!(before.is_none_or(|before| before == groups.start - 1));
                let behind = hashes.last.checked_add(1).map(key_group);
                assert!(behind.is_none_or(|behind| behind == groups.end));
            }
        }
    }
}
