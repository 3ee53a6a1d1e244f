#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;

use millrace_wire::ids::RunId;
use millrace_wire::log::{LogLevel, LogLine};

use super::*;
use crate::clock::new_id;

fn line(message: &str, level: LogLevel, attempt: u32) -> LogLine {
    LogLine {
        seq: 0,
        at: 1,
        level,
        target: "engine::kafka".into(),
        message: message.into(),
        job: None,
        job_name: "j".into(),
        run: None,
        attempt,
        worker: "w".into(),
        team: "t".into(),
    }
}

fn infos(from: u64, to: u64) -> Vec<LogLine> {
    (from..to).map(|number| line(&format!("line {number}"), LogLevel::Info, 1)).collect()
}

fn at(attempt: u32, frame: u64) -> Origin {
    Origin { attempt, frame }
}

fn newest(limit: usize) -> LogQuery {
    LogQuery { limit, ..LogQuery::default() }
}

#[tokio::test]
async fn appended_lines_are_on_the_disk_after_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::with_limits(folder.path().to_owned(), 400, 100);
    let run = RunId(new_id());
    assert!(store.is_synced(run));
    store.append(run, at(1, 1), infos(0, 5)).await.unwrap();
    assert!(!store.is_synced(run));
    store.sync(run).await.unwrap();
    assert!(store.is_synced(run));
}

fn seqs(page: &LogPage) -> Vec<u64> {
    page.lines.iter().map(|line| line.seq).collect()
}

#[tokio::test]
async fn pages_go_both_ways_over_many_segments() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::with_limits(folder.path().to_owned(), 400, 100);
    let run = RunId(new_id());
    for start in (0..50).step_by(5) {
        store.append(run, at(1, start / 5 + 1), infos(start, start + 5)).await.unwrap();
    }
    let page = store.page(run, newest(7)).await.unwrap();
    assert_eq!(seqs(&page), (43..50).collect::<Vec<_>>());
    assert!(page.more_before);
    assert_eq!(page.next_seq, 50);
    let page = store.page(run, LogQuery { before: Some(43), limit: 100, ..LogQuery::default() }).await.unwrap();
    assert_eq!(seqs(&page), (0..43).collect::<Vec<_>>());
    assert!(!page.more_before);
    let page = store.page(run, LogQuery { from: Some(10), limit: 3, ..LogQuery::default() }).await.unwrap();
    assert_eq!(seqs(&page), [10, 11, 12]);
    assert_eq!(page.next_seq, 13);
    let page = store.page(run, LogQuery { from: Some(50), limit: 3, ..LogQuery::default() }).await.unwrap();
    assert_eq!((seqs(&page), page.next_seq), (vec![], 50));
}

#[tokio::test]
async fn filters_by_level_and_text() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::new(folder.path().to_owned());
    let run = RunId(new_id());
    let lines = vec![
        line("Broker away", LogLevel::Error, 1),
        line("slow", LogLevel::Warn, 1),
        line("broker is back", LogLevel::Info, 1),
        line("detail", LogLevel::Debug, 1),
    ];
    store.append(run, at(1, 1), lines).await.unwrap();
    let query = LogQuery { level: Some(LogLevel::Warn), limit: 10, ..LogQuery::default() };
    assert_eq!(seqs(&store.page(run, query).await.unwrap()), [0, 1]);
    let query = LogQuery { contains: Some("BROKER".into()), limit: 10, ..LogQuery::default() };
    assert_eq!(seqs(&store.page(run, query).await.unwrap()), [0, 2]);
}

#[tokio::test]
async fn a_report_that_comes_again_is_not_stored_twice() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunId(new_id());
    let store = LogStore::new(folder.path().to_owned());
    store.append(run, at(1, 1), infos(0, 2)).await.unwrap();
    store.append(run, at(1, 2), infos(2, 3)).await.unwrap();
    // A new server process: what it knows comes from the files.
    let store = LogStore::new(folder.path().to_owned());
    assert!(store.append(run, at(1, 2), infos(2, 3)).await.unwrap().is_empty());
    assert!(store.append(run, at(1, 1), infos(0, 2)).await.unwrap().is_empty());
    store.append(run, at(0, 0), infos(3, 4)).await.unwrap();
    store.append(run, at(2, 1), vec![line("of the next attempt", LogLevel::Info, 2)]).await.unwrap();
    assert_eq!(seqs(&store.page(run, newest(10)).await.unwrap()), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_torn_line_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunId(new_id());
    LogStore::new(folder.path().to_owned()).append(run, at(1, 1), infos(0, 2)).await.unwrap();
    let path = folder.path().join(run.to_string()).join(format!("{:020}.jsonl", 0));
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(br#"{"seq":2,"at":1,"lev"#).unwrap();
    let store = LogStore::new(folder.path().to_owned());
    store.append(run, at(1, 2), infos(2, 3)).await.unwrap();
    let page = store.page(run, newest(10)).await.unwrap();
    assert_eq!(seqs(&page), [0, 1, 2]);
    assert_eq!(page.lines[2].message, "line 2");
}

#[tokio::test]
async fn retention_drops_the_oldest_and_tails_are_woken() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::with_limits(folder.path().to_owned(), 300, 3);
    let run = RunId(new_id());
    let mut watch = store.watch(run);
    for start in (0..40).step_by(4) {
        store.append(run, at(1, start / 4 + 1), infos(start, start + 4)).await.unwrap();
    }
    assert!(watch.has_changed().unwrap());
    assert_eq!(*watch.borrow_and_update(), 40);
    let page = store.page(run, newest(100)).await.unwrap();
    assert_eq!(page.lines.len(), 12);
    assert_eq!(page.lines.last().unwrap().seq, 39);
}

#[tokio::test]
async fn long_messages_are_cut_at_a_character() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::new(folder.path().to_owned());
    let run = RunId(new_id());
    let long = "é".repeat(MAX_MESSAGE);
    let stored = store.append(run, at(1, 1), vec![line(&long, LogLevel::Info, 1)]).await.unwrap();
    assert!(stored[0].message.ends_with("more bytes were cut off)"));
}
