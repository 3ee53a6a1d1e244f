//! What is written is read back; what is damaged is noticed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use super::{CheckpointStore, NodeEntry, Part, SourcePart, Verdict, Written, compatibility};
use crate::connector::SplitPosition;
use crate::error::EngineError;
use crate::state::{KeyedState, StateHome, StateOptions};

fn parts(mark: u8) -> Vec<Part> {
    let state = KeyedState { groups: [(3, vec![mark; 1000]), (77, vec![1, 2, 3])].into() };
    let split = ("t/0".into(), SplitPosition(serde_json::json!({ "offset": 42 })), 7);
    let part = |node: &str, task| Part {
        node: node.into(),
        task,
        state: None,
        segments: Vec::new(),
        sink: None,
        source: None,
    };
    vec![
        Part { state: Some(state.clone()), ..part("agg", 0) },
        Part { state: Some(KeyedState { groups: [(100, vec![9])].into() }), ..part("agg", 1) },
        Part { source: Some(SourcePart { splits: vec![split] }), ..part("src", 0) },
        Part { sink: Some(b"pending".to_vec()), ..part("sink", 1) },
        Part { sink: Some(Vec::new()), ..part("sink", 0) },
    ]
}

fn about(number: u64, savepoint: bool) -> Written {
    let nodes =
        vec![NodeEntry { id: "agg".into(), kind: "Group aggregate".into(), name: "k".into(), state: "v1".into() }];
    Written { number, savepoint, run: "r".into(), at: 0, plan_hash: "h".into(), nodes }
}

fn store() -> (tempfile::TempDir, CheckpointStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(folder.path().join("job")).unwrap();
    (folder, store)
}

#[test]
fn a_checkpoint_is_read_back_as_it_was() {
    let (_folder, store) = store();
    let (name, bytes) = store.write(about(5, false), &parts(4)).unwrap();
    assert_eq!(name, "chk-5");
    assert!(bytes > 0);
    let (manifest, restored) = CheckpointStore::read(&store.path(&name)).unwrap();
    assert_eq!((manifest.number, manifest.run.as_str()), (5, "r"));
    assert_eq!(restored.operators["agg"].groups[&3], vec![4; 1000]);
    assert_eq!(restored.operators["agg"].groups[&100], [9]);
    assert_eq!(restored.sources["src"]["t/0"], (SplitPosition(serde_json::json!({ "offset": 42 })), 7));
    assert_eq!(restored.sinks["sink"], [Vec::new(), b"pending".to_vec()]);
}

#[test]
fn every_flipped_byte_and_every_cut_is_noticed() {
    let (_folder, store) = store();
    let (name, _) = store.write(about(1, false), &parts(1)).unwrap();
    let directory = store.path(&name);
    let files: Vec<PathBuf> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    for file in files {
        let whole = std::fs::read(&file).unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&file, &damaged).unwrap();
            assert!(CheckpointStore::read(&directory).is_err(), "byte {at} of {}", file.display());
        }
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        assert!(CheckpointStore::read(&directory).is_err());
        std::fs::remove_file(&file).unwrap();
        assert!(CheckpointStore::read(&directory).is_err());
        std::fs::write(&file, &whole).unwrap();
    }
    CheckpointStore::read(&directory).unwrap();
}

#[test]
fn the_one_before_a_damaged_checkpoint_is_used() {
    let (_folder, store) = store();
    for number in 1..=3 {
        store.write(about(number, false), &parts(number as u8)).unwrap();
    }
    std::fs::write(store.path("chk-3").join("manifest.json"), "{}").unwrap();
    let (_, manifest, restored) = store.newest_whole(None).unwrap().unwrap();
    assert_eq!(manifest.number, 2);
    assert_eq!(restored.operators["agg"].groups[&3][0], 2);
    assert_eq!(store.newest_whole(Some(1)).unwrap().unwrap().1.number, 1);
}

#[test]
fn old_checkpoints_go_and_savepoints_stay() {
    let (_folder, store) = store();
    for number in 1..=5 {
        store.write(about(number, number == 2), &parts(0)).unwrap();
    }
    store.prune(5, 2).unwrap();
    let left: Vec<u64> = store.list().unwrap().into_iter().map(|(number, _)| number).collect();
    assert_eq!(left, [5, 4, 2]);
}

#[test]
fn what_a_dead_attempt_left_half_written_is_no_checkpoint() {
    let (_folder, store) = store();
    std::fs::create_dir_all(store.path(".tmp-chk-1")).unwrap();
    std::fs::write(store.path(".tmp-chk-1").join("task-0.state"), "half").unwrap();
    assert!(store.list().unwrap().is_empty());
    store.write(about(1, false), &parts(0)).unwrap();
    assert_eq!(store.list().unwrap().len(), 1);
}

#[test]
fn an_unknown_version_is_refused_by_its_number() {
    let (_folder, store) = store();
    let (name, _) = store.write(about(1, false), &parts(0)).unwrap();
    let path = store.path(&name).join("manifest.json");
    let line =
        std::fs::read_to_string(&path).unwrap().lines().next().unwrap().replace("\"version\":2", "\"version\":3");
    std::fs::write(&path, format!("{line}\n{:08x}\n", crc32fast::hash(line.as_bytes()))).unwrap();
    let error = CheckpointStore::read(&store.path(&name)).unwrap_err();
    assert_eq!(error.code, "checkpoint_version");
    assert!(error.message.contains('3'), "{error}");
}

#[test]
fn a_report_says_what_is_kept_dropped_new_and_incompatible() {
    let (_folder, store) = store();
    let mut written = about(1, false);
    written.nodes.push(NodeEntry { id: "old".into(), kind: "Limit".into(), name: "10".into(), state: "x".into() });
    written.nodes.push(NodeEntry { id: "same".into(), kind: "Union".into(), name: "u".into(), state: "s".into() });
    let (name, _) = store.write(written, &[]).unwrap();
    let manifest = CheckpointStore::manifest(&store.path(&name)).unwrap();
    let node =
        |id: &str, state: &str| NodeEntry { id: id.into(), kind: "k".into(), name: id.into(), state: state.into() };
    let report = compatibility(&manifest, &[node("agg", "v2"), node("fresh", "f"), node("same", "s")]);
    let verdict = |id: &str| report.iter().find(|entry| entry.node == id).unwrap().verdict.clone();
    assert!(matches!(verdict("agg"), Verdict::Incompatible { why } if why.contains("v1") && why.contains("v2")));
    assert_eq!((verdict("fresh"), verdict("same"), verdict("old")), (Verdict::New, Verdict::Kept, Verdict::Dropped));
}

/// Its merges may go on for a while; the folder goes with the last of them.
#[test]
fn an_attempt_that_ends_late_leaves_the_next_one_its_files() {
    let (_folder, store) = store();
    let home = || {
        let directory = Some(store.work("r"));
        StateHome::new(StateOptions { directory, inline: true, ..StateOptions::default() })
    };
    let segment = |home: &StateHome| {
        let write = |path: &Path| std::fs::write(path, "no segment").map_err(|_| EngineError::internal("unwritten"));
        home.write(write).unwrap()
    };
    let folders = || std::fs::read_dir(store.path("")).unwrap().count();
    let first = home();
    let late = segment(&first);
    drop(first);
    let second = home();
    let held = segment(&second);
    assert_eq!(folders(), 1, "what the first left is still there");
    drop(late);
    assert_eq!(folders(), 1, "the second has lost its folder");
    drop((held, second));
    assert_eq!(folders(), 0);
}
