//! Keyed state against a plain map: with memory that does not suffice, checkpoints, and other parallelism.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::error::Result;
use crate::state::{
    Hashes, Keyed, KeyedState, LogPart, Reader, SlotValues, StateHome, StateOptions, StatePlace, hash_key, hashes_of,
    key_group, task_of, write_bytes, write_i64,
};

#[derive(Default)]
struct Texts {
    texts: Vec<Vec<u8>>,
    used_ms: Vec<i64>,
}

impl SlotValues for Texts {
    fn grow(&mut self, capacity: usize) {
        self.texts.resize(capacity.max(self.texts.len()), Vec::new());
        self.used_ms.resize(self.texts.len(), 0);
    }
    fn clear(&mut self, slot: u32) {
        self.texts[slot as usize] = Vec::new();
        self.used_ms[slot as usize] = 0;
    }
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        write_i64(out, self.used_ms[slot as usize]);
        write_bytes(out, &self.texts[slot as usize]);
    }
    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.used_ms[slot as usize] = from.i64()?;
        self.texts[slot as usize] = from.bytes()?.to_vec();
        Ok(())
    }
    fn used_ms(&self, slot: u32) -> i64 {
        self.used_ms[slot as usize]
    }
    fn bytes(&self) -> u64 {
        self.texts.iter().map(|text| text.len() as u64 + 32).sum()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append(u8, u8),
    Remove(u8),
    Settle,
    /// Everything but the checkpoint is lost; then so many tasks.
    Restart(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0_u8..60, any::<u8>()).prop_map(|(key, text)| Step::Append(key, text)),
        4 => (0_u8..60).prop_map(Step::Remove),
        4 => Just(Step::Settle),
        1 => (1_usize..4).prop_map(Step::Restart),
    ];
    proptest::collection::vec(step, 0..400)
}

struct Tasks {
    options: StateOptions,
    tasks: Vec<Keyed<Texts>>,
    folder: tempfile::TempDir,
    checkpoints: usize,
}

type Saved = Vec<(KeyedState, Vec<(PathBuf, Hashes)>)>;

impl Tasks {
    fn new(options: StateOptions) -> Self {
        let mut tasks = Tasks { options, tasks: Vec::new(), folder: tempfile::tempdir().unwrap(), checkpoints: 0 };
        tasks.start(1, &Vec::new());
        tasks
    }

    fn start(&mut self, count: usize, saved: &Saved) {
        self.checkpoints += 1;
        let directory = self.folder.path().join(format!("work-{}", self.checkpoints));
        let home = StateHome::new(StateOptions { directory: Some(directory), ..self.options.clone() });
        self.tasks = (0..count)
            .map(|task| {
                let mut keyed = Keyed::new(Texts::default());
                let hashes = hashes_of(task, count);
                keyed.attach(StatePlace { home: Arc::clone(&home), hashes });
                let mut segments = Vec::new();
                for (state, paths) in saved {
                    for (group, bytes) in &state.groups {
                        let mut reader = Reader::new(bytes);
                        while task_of(*group, count) == task && !reader.is_empty() {
                            keyed.restore(&mut reader).unwrap();
                        }
                    }
                    segments.extend(
                        paths
                            .iter()
                            .map(|(path, hashes)| LogPart { segment: home.adopt(path).unwrap(), hashes: *hashes }),
                    );
                }
                keyed.adopt(segments).unwrap();
                keyed
            })
            .collect();
    }

    fn save(&mut self) -> Saved {
        let (folder, number) = (self.folder.path(), self.checkpoints);
        let save = |(task, keyed): (usize, &mut Keyed<Texts>)| {
            let mut state = KeyedState::default();
            keyed.snapshot(&[], &mut state).unwrap();
            let link = |(index, part): (usize, &LogPart)| {
                let path = folder.join(format!("{number}-{task}-{index}"));
                part.segment.link(&path).unwrap();
                (path, part.hashes)
            };
            let segments = keyed.parts();
            (state, segments.iter().enumerate().map(link).collect())
        };
        self.tasks.iter_mut().enumerate().map(save).collect()
    }

    fn of(&mut self, key: &[u8]) -> &mut Keyed<Texts> {
        let task = task_of(key_group(hash_key(key)), self.tasks.len());
        &mut self.tasks[task]
    }

    fn all(&mut self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut found = BTreeMap::new();
        for keyed in &mut self.tasks {
            keyed
                .each_chunk(7, |keyed, slots| {
                    for slot in slots {
                        let text = keyed.values.texts[*slot as usize].clone();
                        assert!(found.insert(keyed.key(*slot).to_vec(), text).is_none(), "a key is there twice");
                    }
                    Ok(())
                })
                .unwrap();
        }
        found
    }
}

fn check(options: StateOptions, steps: &[Step]) -> std::result::Result<(), TestCaseError> {
    let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut tasks = Tasks::new(options);
    for step in steps {
        match step {
            Step::Append(key, byte) => {
                let key = vec![*key; 5];
                let keyed = tasks.of(&key);
                let (slot, new) = keyed.slot(&key).unwrap();
                prop_assert_eq!(new, !model.contains_key(&key), "key {:?}", key);
                keyed.values.texts[slot as usize].extend([*byte; 20]);
                keyed.touch(slot);
                model.entry(key.clone()).or_default().extend([*byte; 20]);
                prop_assert_eq!(&keyed.values.texts[slot as usize], &model[&key]);
            }
            Step::Remove(key) => {
                let key = vec![*key; 5];
                let keyed = tasks.of(&key);
                let slot = keyed.find(&key).unwrap();
                prop_assert_eq!(slot.is_some(), model.remove(&key).is_some());
                slot.into_iter().for_each(|slot| keyed.remove(slot));
            }
            Step::Settle => tasks.tasks.iter_mut().for_each(|keyed| keyed.settle().unwrap()),
            Step::Restart(count) => {
                let saved = tasks.save();
                tasks.start(*count, &saved);
            }
        }
    }
    prop_assert_eq!(tasks.all(), model);
    Ok(())
}

fn options(memory: Option<u64>, whole_below: u64, inline: bool) -> StateOptions {
    StateOptions { memory, whole_below, flush_bytes: 400, keys_at_once: 5, inline, ..StateOptions::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn state_is_a_map_with_memory_for_a_few_keys(steps in steps()) {
        check(options(Some(3000), 0, true), &steps)?;
    }

    #[test]
    fn state_is_a_map_while_files_are_written_by_others(steps in steps()) {
        check(options(Some(3000), 0, false), &steps)?;
    }

    #[test]
    fn state_is_a_map_when_a_restore_has_no_time_to_load(steps in steps()) {
        check(StateOptions { load_for: Duration::ZERO, ..options(None, 0, true) }, &steps)?;
    }

    #[test]
    fn state_is_a_map_with_memory_for_all(steps in steps()) {
        check(options(None, 2000, true), &steps)?;
    }
}

/// What was on disk only and has outlived its time is a new key.
#[test]
fn keys_on_disk_expire_too() {
    let folder = tempfile::tempdir().unwrap();
    let directory = Some(folder.path().join("work"));
    let home = StateHome::new(StateOptions { directory, ..options(Some(2000), 0, true) });
    let mut keyed = Keyed::new(Texts::default());
    keyed.attach(StatePlace { home, hashes: hashes_of(0, 1) });
    for number in 0..200_u32 {
        let (slot, _) = keyed.slot(&number.to_le_bytes()).unwrap();
        keyed.values.used_ms[slot as usize] = i64::from(number);
        keyed.touch(slot);
        keyed.settle().unwrap();
    }
    assert!(keyed.slots().count() < 100, "nothing has left memory");
    keyed.expire(200, 100, |texts, slot| 200 - texts.used_ms[slot as usize] >= 100);
    for number in 0..200_u32 {
        let new = keyed.find(&number.to_le_bytes()).unwrap().is_none();
        assert_eq!(new, number <= 100, "key {number}");
    }
}
