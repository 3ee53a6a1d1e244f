//! Files in, files out, and what survives between.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod job;
mod partition;

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::connector::registry::problems;
use crate::connector::testing::{batch, context, read, read_all, reader, source, table, with_metadata, with_options};
use crate::connector::{SinkWriter, SourceEvent, SplitStart};
use crate::types::LogicalType as L;

struct Place {
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        Place { folder: TempDir::new().unwrap(), runtime }
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn table(&self, path: &str, format: &str) -> TableRef {
        let path = self.folder.path().join(path);
        let options = [("connector", "filesystem"), ("path", path.to_str().unwrap()), ("format", format)];
        table(&[("id", L::Int), ("name", L::String)], &options)
    }

    fn context(&self) -> ConnectorContext {
        context(&self.runtime, "job-1")
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join(folder)).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn writer(&self, table: &TableRef, restored: Vec<Vec<u8>>) -> Box<dyn SinkWriter> {
        Filesystem.sink(table, &self.context()).unwrap().writer(0, 1, restored).unwrap()
    }
}

#[test]
fn a_folder_is_read_in_the_order_of_paths_without_hidden_files() {
    let place = Place::new();
    place.file("in/b.json", "{\"id\":2}\n\n{\"id\":3}");
    place.file("in/a/x.json", "{\"id\":1}\r\n");
    place.file("in/.hidden", "{broken");
    place.file("in/_SUCCESS", "");
    let ids: Vec<String> = read_all(&place.table("in", "json"), &place.context()).unwrap();
    let expected: Vec<String> = (1..=3).map(|id| format!("+I{{\"id\":{id},\"name\":null}}")).collect();
    assert_eq!(ids, expected);
    assert_eq!(read_all(&place.table("in/b.json", "json"), &place.context()).unwrap().len(), 2);
}

#[test]
fn reading_goes_on_from_any_position() {
    let place = Place::new();
    let lines: Vec<String> = (0..500).map(|id| format!("{id},\"row\n{id}\"\n")).collect();
    place.file("in/a.csv", &lines[..300].concat());
    place.file("in/b.csv", &lines[300..].concat());
    let table = place.table("in", "csv");
    let mut context = place.context();
    context.batch_rows = 7;
    let whole = read_all(&table, &context).unwrap();
    assert_eq!(whole.len(), 500);
    let source = source(&table, &context);
    for stop in [0, 1, 299, 300, 301, 499, 500] {
        context.batch_rows = 1;
        let one = self::source(&table, &context);
        let mut first = reader(&*one, &[]);
        let mut rows = read(&mut *first, stop).unwrap();
        assert_eq!(rows.len(), stop);
        rows.extend(read(&mut *reader(&*source, &first.positions()), usize::MAX).unwrap());
        assert_eq!(rows, whole, "stopped after {stop}");
    }
}

#[test]
fn metadata_columns_describe_the_file() {
    let place = Place::new();
    place.file("in/a.json", "{\"id\":1}\n");
    let columns = [("p", L::String, "file.name"), ("s", L::BigInt, "file.size")];
    let table = with_metadata(&place.table("in", "json"), &columns);
    assert_eq!(read_all(&table, &place.context()).unwrap(), [r#"+I{"id":1,"name":null,"p":"a.json","s":9}"#]);
}

#[test]
fn broken_lines_follow_the_policy() {
    let place = Place::new();
    place.file("in/a.json", "{\"id\":1}\n{broken\n{\"id\":3}\n");
    let table = place.table("in", "json");
    let failed = read_all(&table, &place.context()).unwrap_err();
    assert!(failed.message.contains("a.json at 9"), "{}", failed.message);
    assert_eq!(read_all(&with_options(&table, &[("decode.on-error", "skip")]), &place.context()).unwrap().len(), 2);
    let dead = place.folder.path().join("dead/letters.json");
    let options = [("decode.on-error", "dead-letter"), ("decode.dead-letter.path", dead.to_str().unwrap())];
    assert_eq!(read_all(&with_options(&table, &options), &place.context()).unwrap().len(), 2);
    let letter: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(dead).unwrap()).unwrap();
    assert_eq!((letter["offset"].as_i64(), letter["value"].as_str()), (Some(9), Some("e2Jyb2tlbg==")));
    assert!(letter["reason"].as_str().unwrap().starts_with("it is no JSON"), "{letter}");
}

#[test]
fn files_that_cannot_be_read_follow_the_policy() {
    for format in ["parquet", "avro"] {
        let place = Place::new();
        let table = place.table("in", format);
        let mut writing = place.writer(&table, Vec::new());
        writing.write(&batch(&table, &[r#"{"id":1,"name":"a"}"#])).unwrap();
        writing.close().unwrap();
        place.file("in/a-broken", "this is no such file");
        assert!(read_all(&table, &place.context()).unwrap_err().message.contains("a-broken"), "{format}");
        let skipping = with_options(&table, &[("decode.on-error", "skip")]);
        assert_eq!(read_all(&skipping, &place.context()).unwrap(), [r#"+I{"id":1,"name":"a"}"#], "{format}");
        let dead = place.folder.path().join("dead/letters.json");
        let options = [("decode.on-error", "dead-letter"), ("decode.dead-letter.path", dead.to_str().unwrap())];
        assert_eq!(read_all(&with_options(&table, &options), &place.context()).unwrap().len(), 1, "{format}");
        let letter: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(dead).unwrap()).unwrap();
        assert_eq!(letter["offset"].as_i64(), Some(0), "{letter}");
        assert!(letter["reason"].as_str().unwrap().ends_with("the rest of the file is left out"), "{letter}");
    }
}

#[test]
fn a_watched_folder_gives_new_files() {
    let place = Place::new();
    place.file("in/a.json", "{\"id\":1}\n");
    let table = with_options(&place.table("in", "json"), &[("source.monitor-interval", "1 ms")]);
    let source = source(&table, &place.context());
    assert!(!source.bounded());
    let mut reading = reader(&*source, &[]);
    assert_eq!(read(&mut *reading, 1).unwrap().len(), 1);
    while !matches!(reading.next(std::time::Duration::ZERO).unwrap(), SourceEvent::Idle) {}
    place.file("in/b.json", "{\"id\":2}\n");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let mut splits = source.splits().unwrap();
    while splits.len() < 2 {
        assert!(std::time::Instant::now() < deadline);
        splits = source.splits().unwrap();
    }
    let fresh = splits.pop().unwrap();
    reading.add_splits(vec![SplitStart { split: fresh, position: None }]).unwrap();
    assert_eq!(read(&mut *reading, 1).unwrap(), [r#"+I{"id":2,"name":null}"#]);
    let mut again = reader(&*source, &reading.positions());
    loop {
        match again.next(std::time::Duration::ZERO).unwrap() {
            SourceEvent::Idle => break,
            SourceEvent::SplitEnd { .. } => {}
            _ => panic!("files that were read are not read again"),
        }
    }
}

#[test]
fn paths_that_lead_out_of_the_roots_are_refused() {
    let place = Place::new();
    place.file("root/in/a.json", "{\"id\":1}\n");
    place.file("secret/b.json", "{\"id\":2}\n");
    let link = place.folder.path().join("root/in/link.json");
    std::os::unix::fs::symlink(place.folder.path().join("secret/b.json"), link).unwrap();
    std::os::unix::fs::symlink(place.folder.path().join("secret"), place.folder.path().join("root/way-out")).unwrap();
    let mut context = place.context();
    context.file_roots = vec![place.folder.path().join("root")];
    assert_eq!(read_all(&place.table("root/in", "json"), &context).unwrap().len(), 1, "the link is passed over");
    for path in ["secret", "root/../secret/b.json", "root/way-out", "root/in/link.json"] {
        let failed = self::source(&place.table(path, "json"), &context).splits().unwrap_err();
        assert_eq!(failed.code, "path_refused", "{path}");
    }
    for path in ["elsewhere", "root/way-out/new", "root/../new"] {
        let failed = Filesystem.sink(&place.table(path, "json"), &context).err().unwrap();
        assert_eq!(failed.code, "path_refused", "{path}");
        assert!(!Path::new(&place.folder.path().join("secret/new")).exists());
    }
}

#[test]
fn files_appear_with_the_commit_of_their_checkpoint() {
    let place = Place::new();
    for format in ["json", "csv", "parquet", "avro"] {
        let table = place.table(format, format);
        let mut writing = place.writer(&table, Vec::new());
        writing.write(&batch(&table, &[r#"{"id":1,"name":"a"}"#, r#"{"id":2,"name":"b"}"#])).unwrap();
        writing.prepare(1).unwrap();
        writing.write(&batch(&table, &[r#"{"id":3,"name":"c"}"#])).unwrap();
        assert_eq!(read_all(&table, &place.context()).unwrap().len(), 0, "{format}: nothing before the commit");
        writing.commit(1).unwrap();
        assert_eq!(read_all(&table, &place.context()).unwrap().len(), 2, "{format}");
        writing.prepare(2).unwrap();
        writing.commit(2).unwrap();
        writing.close().unwrap();
        let expected = [r#"+I{"id":1,"name":"a"}"#, r#"+I{"id":2,"name":"b"}"#, r#"+I{"id":3,"name":"c"}"#];
        assert_eq!(read_all(&table, &place.context()).unwrap(), expected, "{format}");
    }
}

#[test]
fn a_restart_finishes_what_was_prepared_and_removes_the_rest() {
    let place = Place::new();
    let table = place.table("out", "json");
    let mut writing = place.writer(&table, Vec::new());
    writing.write(&batch(&table, &[r#"{"id":1}"#])).unwrap();
    let state = writing.prepare(1).unwrap();
    writing.write(&batch(&table, &[r#"{"id":2}"#])).unwrap();
    // The process dies here: nothing of it runs any more.
    std::mem::forget(writing);
    place.file("out/.job_1-part-older-0-7.json", "{\"id\":9}\n");
    place.file("out/.other_job-part-x-0-0.json", "{\"id\":8}\n");
    let mut again = place.writer(&table, vec![state.clone()]);
    assert_eq!(read_all(&table, &place.context()).unwrap(), [r#"+I{"id":1,"name":null}"#]);
    again.commit(1).unwrap();
    let names = place.names("out");
    assert!(!names.iter().any(|name| name.contains("older")), "{names:?}");
    assert!(names.iter().any(|name| name.contains("other_job")), "files of other jobs stay: {names:?}");
    // Once more, as after a crash between rename and the end of the commit.
    drop(place.writer(&table, vec![state]));
    assert_eq!(read_all(&table, &place.context()).unwrap().len(), 1);
}

#[test]
fn finished_files_that_are_gone_from_a_watched_folder_are_forgotten() {
    let place = Place::new();
    place.file("in/a.json", "{\"id\":1}\n");
    place.file("in/b.json", "{\"id\":2}\n");
    let table = with_options(&place.table("in", "json"), &[("source.monitor-interval", "1 ms")]);
    let source = source(&table, &place.context());
    let mut reading = reader(&*source, &[]);
    assert_eq!(read(&mut *reading, 2).unwrap().len(), 2);
    let idle = |reading: &mut dyn crate::connector::SourceReader| {
        while !matches!(reading.next(std::time::Duration::ZERO).unwrap(), SourceEvent::Idle) {}
    };
    idle(&mut *reading);
    assert_eq!(reading.positions().len(), 2, "both would be read again otherwise");
    std::fs::remove_file(place.folder.path().join("in/a.json")).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while source.splits().unwrap().len() > 1 {
        assert!(std::time::Instant::now() < deadline);
    }
    idle(&mut *reading);
    let left = reading.positions();
    assert!(left.len() == 1 && left[0].0.ends_with("b.json"), "{left:?}");
}

#[test]
fn parquet_is_read_by_name_with_missing_columns_as_null() {
    let place = Place::new();
    let table = place.table("p", "parquet");
    let mut writing = place.writer(&table, Vec::new());
    let rows: Vec<String> = (0..1000).map(|id| format!("{{\"id\":{id},\"name\":\"n{id}\"}}")).collect();
    writing.write(&batch(&table, &rows.iter().map(String::as_str).collect::<Vec<_>>())).unwrap();
    writing.prepare(1).unwrap();
    writing.commit(1).unwrap();
    let other = crate::connector::testing::table(&[("zzz", L::Double), ("name", L::String), ("id", L::BigInt)], &[]);
    let options: Vec<(&str, &str)> =
        table.options.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let other = with_options(&other, &options);
    let found = read_all(&other, &place.context()).unwrap();
    assert_eq!((found.len(), found[1].as_str()), (1000, r#"+I{"zzz":null,"name":"n1","id":1}"#));
    let source = source(&other, &place.context());
    let mut first = reader(&*source, &[]);
    let mut rows = read(&mut *first, 300).unwrap();
    rows.extend(read(&mut *reader(&*source, &first.positions()), usize::MAX).unwrap());
    assert_eq!(rows, found);
    place.file("p/broken.parquet", "PAR1 no");
    assert_eq!(read_all(&table, &place.context()).unwrap_err().code, "bad_record");
}

#[test]
fn columns_are_found_from_files() {
    let place = Place::new();
    place.file("j/a.json", "{\"id\":1,\"at\":\"2020-01-02 03:04:05\"}\n");
    place.file("c/a.csv", "id,price,name\n1,1.5,x\n2,,\n");
    let found = |path: &str| {
        let mut table = place.table(path, "json").options.clone();
        table.remove("format");
        let schema = place.runtime.block_on(Filesystem.fetch(&table, &place.context())).unwrap();
        let columns = schema.columns.iter().map(|column| format!("{} {}", column.name, column.data_type));
        (schema.format.clone(), columns.collect::<Vec<_>>().join(", "), schema.options)
    };
    assert_eq!(found("j").1, "id BIGINT, at TIMESTAMP(3)");
    let csv = found("c");
    assert_eq!((csv.0.as_str(), csv.1.as_str()), ("csv", "id BIGINT, price DOUBLE, name STRING"));
    assert_eq!(csv.2.get("csv.header").map(String::as_str), Some("true"));
    let table = place.table("p", "parquet");
    let mut writing = place.writer(&table, Vec::new());
    writing.write(&batch(&table, &["{\"id\":1}"])).unwrap();
    writing.prepare(1).unwrap();
    writing.commit(1).unwrap();
    assert_eq!(found("p").1, "id INT, name STRING");
    let test = place.runtime.block_on(Filesystem.test(&table, &place.context()));
    assert!(test.ok && test.steps.len() == 2, "{test:?}");
}

#[test]
fn a_header_is_no_record() {
    let place = Place::new();
    place.file("c/a.csv", "id,name\n1,x\n");
    let table = with_options(&place.table("c", "csv"), &[("csv.header", "true")]);
    assert_eq!(read_all(&table, &place.context()).unwrap(), [r#"+I{"id":1,"name":"x"}"#]);
}

#[test]
fn wrong_options_are_named() {
    let place = Place::new();
    let codes = |table: &TableRef, use_| {
        let found = problems(table, use_);
        found.into_iter().map(|found| (found.option, found.problem.code)).collect::<Vec<_>>()
    };
    let table = place.table("in", "json");
    assert_eq!(codes(&table, TableUse::Read), []);
    assert_eq!(codes(&with_options(&table, &[("nope", "1")]), TableUse::Read), [("nope".to_owned(), "unknown-option")]);
    assert_eq!(codes(&with_options(&table, &[("format", "jsno")]), TableUse::Read)[0].0, "format");
    assert_eq!(codes(&with_options(&table, &[("path", "s3://x")]), TableUse::Read)[0].0, "path");
    let mut without = crate::catalog::TableDef::clone(&table);
    without.options.remove("path");
    assert_eq!(codes(&std::sync::Arc::new(without), TableUse::Read), [("path".to_owned(), "missing-option")]);
    let unknown = with_options(&table, &[("connector", "filesistem")]);
    let found = problems(&unknown, TableUse::Read);
    assert_eq!(found[0].problem.code, "unknown-connector");
    assert_eq!(found[0].problem.hint.as_deref(), Some("Did you mean 'filesystem'?"));
}
