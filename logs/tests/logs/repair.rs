//! What is damaged is noticed and mended, from the lines beside the index and from the journal.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use millrace_logs::{Allowed, Day, Error, Notice};

use crate::support::*;

fn filled(folder: &Path) -> PathBuf {
    let bench = open(folder);
    let lines: Vec<_> = (0..5000).map(|seq| line(&run(1), seq, &format!("record {seq} of the topic"))).collect();
    for part in lines.chunks(1000) {
        bench.index.append(part).unwrap();
        bench.index.flush().unwrap();
    }
    folder.join("2026-11-23")
}

fn biggest(folder: &Path, extension: &str) -> PathBuf {
    let files = std::fs::read_dir(folder.join("index")).unwrap().map(|entry| entry.unwrap().path());
    let of_kind = files.filter(|path| path.extension().is_some_and(|found| found == extension));
    of_kind.max_by_key(|path| std::fs::metadata(path).unwrap().len()).unwrap()
}

fn flip(path: &Path, at: SeekFrom) {
    let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let place = file.seek(at).unwrap();
    let mut byte = [0];
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(place)).unwrap();
    file.write_all(&[byte[0] ^ 0xff]).unwrap();
}

fn is_whole_again(folder: &Path, damaged_at_start: bool) {
    let bench = open(folder);
    bench.index.append(&[line(&run(1), 9000, "record after the damage")]).unwrap();
    bench.index.flush().unwrap();
    assert_eq!(ask(&bench, "record").total, None);
    let counted = bench.index.search(&Allowed::All, &query("record"), &millrace_logs::Wanted::default()).unwrap();
    assert_eq!(counted.total, Some(5001));
    assert_eq!(numbers(&ask(&bench, "\"record 4711 of\"")), [4711]);
    let notices = bench.notices.lock();
    let rebuilt = notices.iter().any(|notice| matches!(notice, Notice::Rebuilt { blocks_lost: 0, .. }));
    assert_eq!(rebuilt, damaged_at_start, "{notices:?}");
}

#[test]
fn a_lost_or_torn_file_of_the_index_is_noticed_at_the_start() {
    for damage in ["meta", "no meta", "term", "fast", "format"] {
        let folder = tempfile::tempdir().unwrap();
        let day = filled(folder.path());
        match damage {
            "meta" => std::fs::write(day.join("index/meta.json"), "{").unwrap(),
            "no meta" => std::fs::remove_file(day.join("index/meta.json")).unwrap(),
            "format" => std::fs::write(day.join("format"), "0").unwrap(),
            kind => {
                let file = OpenOptions::new().write(true).open(biggest(&day, kind)).unwrap();
                file.set_len(file.metadata().unwrap().len() / 2).unwrap();
            }
        }
        is_whole_again(folder.path(), true);
        is_whole_again(folder.path(), false);
    }
}

#[test]
fn a_flipped_bit_is_noticed_when_the_day_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let day_folder = filled(folder.path());
    let day = Day::of(NOW);
    let bench = open(folder.path());
    assert!(bench.index.verify(day).unwrap());
    flip(&biggest(&day_folder, "pos"), SeekFrom::Start(5));
    assert!(!bench.index.verify(day).unwrap());
    bench.index.append(&[line(&run(1), 8999, "record")]).unwrap();
    // The first try may meet the day while it is given back to the builder; the lines wait in the journal.
    let done = (0..5).any(|_| bench.index.flush().is_ok());
    assert!(done);
    assert!(bench.index.verify(day).unwrap());
    let counted = bench.index.search(&Allowed::All, &query("record"), &millrace_logs::Wanted::default()).unwrap();
    assert_eq!((counted.total, counted.left_out), (Some(5001), vec![]));
}

#[test]
fn damaged_lines_cost_their_block_only() {
    let folder = tempfile::tempdir().unwrap();
    let day = filled(folder.path());
    // In the middle of the third block or so; the journal has nothing of it any more.
    flip(&day.join("lines"), SeekFrom::End(-2000));
    for entry in std::fs::read_dir(folder.path().join("journal")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let bench = open(folder.path());
    let outcome = bench.index.search(&Allowed::All, &query("record"), &newest(5000));
    assert!(matches!(outcome, Err(Error::Damaged(_))), "{:?}", outcome.map(|answer| answer.hits.len()));
    bench.index.append(&[line(&run(1), 8999, "record")]).unwrap();
    bench.index.flush().unwrap();
    let found = ask(&bench, "record").hits.len();
    let counted = bench.index.search(&Allowed::All, &query("record"), &millrace_logs::Wanted::default()).unwrap();
    assert!((3000..5000).contains(&counted.total.unwrap()), "{counted:?} {found}");
    let notices = bench.notices.lock();
    assert!(notices.iter().any(|notice| matches!(notice, Notice::Rebuilt { blocks_lost: 1, .. })), "{notices:?}");
}

#[test]
fn a_torn_end_of_the_journal_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    bench.index.append(&[line(&run(1), 0, "whole")]).unwrap();
    bench.index.sync().unwrap();
    drop(bench);
    let journal = std::fs::read_dir(folder.path().join("journal")).unwrap().next().unwrap().unwrap().path();
    let mut file = OpenOptions::new().append(true).open(&journal).unwrap();
    file.write_all(&[200, 0, 0, 0, 1, 2, 3, 4, 5]).unwrap();
    drop(file);
    let bench = open(folder.path());
    assert_eq!(*bench.notices.lock(), [Notice::JournalCut { file: journal, bytes: 9 }]);
    bench.index.append(&[line(&run(1), 1, "whole")]).unwrap();
    bench.index.flush().unwrap();
    assert_eq!(numbers(&ask(&bench, "whole")), [1, 0]);
}

#[test]
fn what_was_acknowledged_and_not_indexed_comes_from_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    bench.index.append(&[line(&run(1), 0, "indexed")]).unwrap();
    bench.index.flush().unwrap();
    bench.index.append(&[line(&run(1), 1, "acknowledged")]).unwrap();
    bench.index.sync().unwrap();
    // As a kill would leave it: the files as they are now.
    copy_all(folder.path(), copy.path());
    let bench = open(copy.path());
    bench.index.flush().unwrap();
    assert_eq!(numbers(&ask(&bench, "acknowledged")), [1]);
    assert_eq!(numbers(&ask(&bench, "indexed")), [0]);
}

fn copy_all(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
