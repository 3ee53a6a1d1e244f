//! Tables with a folder per value.

use std::sync::Arc;

use super::*;
use crate::catalog::{CatalogText, TableDef};
use crate::connector::SplitId;
use crate::plan::dataflow::{ConnectorEndpoints, NodeKind, plan};
use crate::plan::settings::Settings;
use crate::sql::bind;

impl Place {
    /// `id` and `name` in the files; `day` and `hour` in the folders.
    fn partitioned(&self, path: &str, format: &str, options: &[(&str, &str)]) -> TableRef {
        let path = self.folder.path().join(path);
        let base = [("connector", "filesystem"), ("path", path.to_str().unwrap()), ("format", format)];
        let columns = [("id", L::Int), ("day", L::Date), ("name", L::String), ("hour", L::String)];
        let mut table = TableDef::clone(&with_options(&table(&columns, &base), options));
        table.partition_keys = vec![1, 3];
        Arc::new(table)
    }

    /// All files below a folder, without the random part of their names.
    fn tree(&self, folder: &str) -> Vec<String> {
        let base = self.folder.path().join(folder);
        let (mut found, mut folders) = (Vec::new(), vec![base.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                    continue;
                }
                let name = entry.strip_prefix(&base).unwrap().to_str().unwrap().to_owned();
                let place = name.rfind('/').map_or(0, |at| at + 1);
                let short = if name[place..].contains("part-") { "part" } else { &name[place..] };
                let hidden = if name[place..].starts_with('.') { "." } else { "" };
                found.push(format!("{}{hidden}{short}", &name[..place]));
            }
        }
        found.sort();
        found
    }
}

const ROWS: [&str; 4] = [
    r#"{"id":1,"day":"2020-01-02","name":"a","hour":"03"}"#,
    r#"{"id":2,"day":"2020-01-02","name":"b","hour":"04"}"#,
    r#"{"id":3,"day":"2020-01-02","name":"c","hour":"03"}"#,
    r#"{"id":4,"day":null,"name":"d","hour":"a/b=c%"}"#,
];

fn written(rows: &[&str]) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(|row| format!("+I{row}")).collect();
    rows.sort();
    rows
}

fn read_sorted(table: &TableRef, context: &ConnectorContext) -> Vec<String> {
    let mut rows = read_all(table, context).unwrap();
    rows.sort();
    rows
}

#[test]
fn rows_go_into_the_folders_of_their_values_and_come_back() {
    let place = Place::new();
    for format in ["json", "csv", "parquet", "avro"] {
        let table = place.partitioned(format, format, &[]);
        assert_eq!(problems(&table, TableUse::Write), [], "{format}");
        let mut writing = place.writer(&table, Vec::new());
        writing.write(&batch(&table, &ROWS)).unwrap();
        writing.prepare(1).unwrap();
        assert!(place.tree(format).iter().all(|file| file.ends_with("/.part")), "{:?}", place.tree(format));
        writing.commit(1).unwrap();
        let expected = [
            "day=2020-01-02/hour=03/part",
            "day=2020-01-02/hour=04/part",
            "day=__DEFAULT_PARTITION__/hour=a%2Fb%3Dc%25/part",
        ];
        assert_eq!(place.tree(format), expected, "{format}");
        assert_eq!(read_sorted(&table, &place.context()), written(&ROWS), "{format}");
    }
    let line = std::fs::read_dir(place.folder.path().join("csv/day=2020-01-02/hour=04")).unwrap().next().unwrap();
    assert_eq!(std::fs::read_to_string(line.unwrap().path()).unwrap(), "2,b\n", "partition columns are in no file");
}

#[test]
fn folders_of_hive_are_read_and_others_are_not() {
    let place = Place::new();
    place.file("in/day=2020-01-02/hour=1/a.json", "{\"id\":1,\"day\":\"1999-01-01\"}\n");
    place.file("in/day=2020-01-02/hour=1/_SUCCESS", "");
    place.file("in/day=none/hour=%41/b.json", "{\"id\":2}\n");
    place.file("in/day=2020-01-02/c.json", "{broken");
    place.file("in/hour=1/day=2020-01-02/d.json", "{broken");
    let table = place.partitioned("in", "json", &[("partition.default-name", "none")]);
    let expected = written(&[
        r#"{"id":1,"day":"2020-01-02","name":null,"hour":"1"}"#,
        r#"{"id":2,"day":null,"name":null,"hour":"A"}"#,
    ]);
    assert_eq!(read_sorted(&table, &place.context()), expected);
    place.file("in/day=today/hour=1/e.json", "{\"id\":3}\n");
    let failed = read_all(&table, &place.context()).unwrap_err();
    assert!(failed.message.contains("'day=today'"), "{}", failed.message);
}

/// The folders that a query reads.
fn folders_of(place: &Place, query: &str) -> Vec<String> {
    let path = place.folder.path().join("in");
    let script = format!(
        "CREATE TABLE t (id INT, day DATE, name STRING, hour STRING) PARTITIONED BY (day, hour)
         WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json'); {query}",
        path.display()
    );
    let catalog = CatalogText { default_database: "d".to_owned(), ..CatalogText::default() };
    let bound = bind(&script, &catalog).unwrap_or_else(|problems| panic!("{problems:?}"));
    let collect = Arc::new(crate::collect::CollectSink::new(|_| Ok(())));
    let endpoints = ConnectorEndpoints { context: place.context(), collect: Some(collect) };
    let dataflow = plan(&bound, &Settings::default(), &endpoints).unwrap_or_else(|problems| panic!("{problems:?}"));
    let sources = dataflow.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Source { source, .. } => Some(source.splits().unwrap()),
        _ => None,
    });
    let splits: Vec<SplitId> = sources.flatten().collect();
    splits.iter().map(|split| split.rsplit('/').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn partitions_that_no_query_asks_for_are_not_read() {
    let place = Place::new();
    for (day, hour) in [("2020-01-02", "1"), ("2020-01-02", "2"), ("2020-01-03", "3")] {
        place.file(&format!("in/day={day}/hour={hour}/a.json"), "{\"id\":1}\n");
    }
    let hours = |query: &str| folders_of(&place, query).join(" ");
    assert_eq!(hours("SELECT id FROM t;"), "hour=1 hour=2 hour=3");
    assert_eq!(hours("SELECT id FROM t WHERE id > 5;"), "hour=1 hour=2 hour=3");
    assert_eq!(hours("SELECT id FROM t WHERE hour = '2' AND id > 5;"), "hour=2");
    assert_eq!(hours("SELECT name, COUNT(*) FROM t WHERE day > DATE '2020-01-02' GROUP BY name;"), "hour=3");
    assert_eq!(hours("SELECT id FROM t WHERE hour IN ('1', '3') AND day = DATE '2020-01-02';"), "hour=1");
    assert_eq!(hours("SELECT id FROM t WHERE hour = '2' OR id = 1;"), "hour=1 hour=2 hour=3");
    let both = "SELECT id FROM t WHERE hour = '1' UNION ALL SELECT id FROM t WHERE hour = '3';";
    assert_eq!(hours(both), "hour=1 hour=3");
    assert_eq!(hours("SELECT id FROM t WHERE hour = '1' UNION ALL SELECT id FROM t;"), "hour=1 hour=2 hour=3");
}

const MARKED: [(&str, &str); 1] = [("sink.partition-commit.policy.kind", "success-file")];

#[test]
fn a_partition_is_marked_when_the_watermark_has_passed_its_time() {
    let place = Place::new();
    let options = [
        ("sink.partition-commit.trigger", "partition-time"),
        ("sink.partition-commit.delay", "1 h"),
        ("partition.time-extractor.timestamp-pattern", "$day $hour:00:00"),
    ];
    let table = with_options(&place.partitioned("out", "json", &options), &MARKED);
    assert_eq!(problems(&table, TableUse::Write), []);
    let marks = || place.tree("out").into_iter().filter(|file| file.ends_with("_SUCCESS")).collect::<Vec<_>>();
    let mut writing = place.writer(&table, Vec::new());
    let four_o_clock = 1_577_937_600_000;
    writing.write(&batch(&table, &ROWS[..2])).unwrap();
    writing.watermark(four_o_clock).unwrap();
    writing.prepare(1).unwrap();
    writing.commit(1).unwrap();
    assert_eq!(marks(), Vec::<String>::new(), "the hour is just over");
    writing.watermark(four_o_clock + 1).unwrap();
    let state = writing.prepare(2).unwrap();
    assert_eq!(marks(), Vec::<String>::new(), "not before the checkpoint is durable");
    std::mem::forget(writing);
    // The process died between the checkpoint and the mark: the next attempt makes up for it.
    let mut again = place.writer(&table, vec![state]);
    again.prepare(3).unwrap();
    again.commit(3).unwrap();
    assert_eq!(marks(), ["day=2020-01-02/hour=03/_SUCCESS"]);
    again.watermark(crate::time::END_OF_TIME).unwrap();
    again.prepare(4).unwrap();
    again.commit(4).unwrap();
    again.close().unwrap();
    assert_eq!(marks(), ["day=2020-01-02/hour=03/_SUCCESS", "day=2020-01-02/hour=04/_SUCCESS"]);
}

#[test]
fn a_mark_waits_for_the_files_of_all_tasks() {
    let place = Place::new();
    let table = with_options(&place.partitioned("out", "json", &[]), &MARKED);
    let sink = Filesystem.sink(&table, &place.context()).unwrap();
    let mut tasks: Vec<_> = (0..2).map(|task| sink.writer(task, 2, Vec::new()).unwrap()).collect();
    for task in &mut tasks {
        task.write(&batch(&table, &ROWS[..1])).unwrap();
        task.prepare(1).unwrap();
    }
    tasks[0].commit(1).unwrap();
    assert_eq!(place.tree("out"), ["day=2020-01-02/hour=03/.part", "day=2020-01-02/hour=03/part"]);
    tasks[1].commit(1).unwrap();
    let expected = ["_SUCCESS", "part", "part"].map(|file| format!("day=2020-01-02/hour=03/{file}"));
    assert_eq!(place.tree("out"), expected);
    assert_eq!(read_all(&table, &place.context()).unwrap().len(), 2, "the mark is no file of the table");
}

#[test]
fn without_checkpoints_whole_partitions_are_marked_at_the_end() {
    let place = Place::new();
    let options = [("sink.partition-commit.delay", "1 d"), ("sink.partition-commit.success-file.name", "done")];
    let table = with_options(&place.partitioned("out", "json", &options), &MARKED);
    let mut writing = place.writer(&table, Vec::new());
    writing.write(&batch(&table, &ROWS[..1])).unwrap();
    writing.watermark(crate::time::END_OF_TIME).unwrap();
    writing.close().unwrap();
    assert_eq!(place.tree("out"), ["day=2020-01-02/hour=03/done", "day=2020-01-02/hour=03/part"]);
}

#[test]
fn parts_end_by_size_age_and_silence() {
    let place = Place::new();
    let parts = |name: &str, option: (&str, &str), polls: bool| {
        let table = with_options(&place.table(name, "json"), &[option]);
        let mut writing = place.writer(&table, Vec::new());
        for _ in 0..3 {
            writing.write(&batch(&table, &[r#"{"id":1,"name":"a"}"#])).unwrap();
            if polls {
                crate::connector::waiting::rest(std::time::Duration::from_millis(2));
                writing.poll().unwrap();
            }
        }
        writing.prepare(1).unwrap();
        writing.commit(1).unwrap();
        place.names(name).len()
    };
    assert_eq!(parts("all", ("sink.rolling-policy.file-size", "1 mb"), true), 1);
    assert_eq!(parts("size", ("sink.rolling-policy.file-size", "10 b"), false), 3);
    assert_eq!(parts("age", ("sink.rolling-policy.rollover-interval", "1 ms"), true), 3);
    assert_eq!(parts("silence", ("sink.rolling-policy.inactivity-interval", "1 ms"), true), 3);
}

#[test]
fn state_from_before_there_were_partitions_is_still_read() {
    let place = Place::new();
    place.file("out/.job_1-part-x-0-0.json", "{\"id\":1}\n");
    let old = br#"[{"hidden":".job_1-part-x-0-0.json","name":"part-x-0-0.json"}]"#;
    let table = place.table("out", "json");
    drop(place.writer(&table, vec![old.to_vec()]));
    assert_eq!(read_all(&table, &place.context()).unwrap().len(), 1);
}

#[test]
fn partitions_that_cannot_be_are_refused() {
    let place = Place::new();
    let said = |table: &TableRef| {
        let found = problems(table, TableUse::Write);
        found.into_iter().map(|found| found.problem.message).collect::<Vec<_>>().join(" ")
    };
    let good = place.partitioned("out", "json", &[]);
    assert_eq!(said(&good), "");
    assert!(said(&with_options(&good, &[("sink.partition-commit.policy.kind", "metastore")])).contains("'metastore'"));
    let pattern = ("partition.time-extractor.timestamp-pattern", "$dy 00:00:00");
    assert!(said(&with_options(&with_options(&good, &MARKED), &[pattern])).contains("names 'dy'"));
    assert!(said(&with_options(&place.table("x", "json"), &MARKED)).contains("PARTITIONED BY"));
    let away = ("sink.partition-commit.success-file.name", "../x");
    assert!(said(&with_options(&with_options(&good, &MARKED), &[away])).contains("no name of a file"));
    let mut all = TableDef::clone(&good);
    all.partition_keys = vec![0, 1, 2, 3];
    assert!(said(&Arc::new(all)).contains("needs a column beside"));
    let print = with_options(&good, &[("connector", "print")]);
    assert!(said(&print).contains("cannot be PARTITIONED BY"));
}

fn overwriting(table: &TableRef) -> TableRef {
    with_options(table, &[(crate::connector::OVERWRITE, "true")])
}

#[test]
fn overwriting_puts_the_new_files_into_the_place_of_the_old_ones_at_the_end() {
    let place = Place::new();
    let table = place.table("out", "json");
    let mut old = place.writer(&table, Vec::new());
    old.write(&batch(&table, &[r#"{"id":1,"name":"old"}"#])).unwrap();
    old.close().unwrap();
    place.file("out/_SUCCESS", "");
    let sink = Filesystem.sink(&overwriting(&table), &place.context()).unwrap();
    let mut tasks: Vec<_> = (0..2).map(|task| sink.writer(task, 2, Vec::new()).unwrap()).collect();
    for (id, task) in tasks.iter_mut().enumerate() {
        task.write(&batch(&table, &[&format!(r#"{{"id":{id},"name":"new"}}"#)])).unwrap();
        task.prepare(1).unwrap();
        task.commit(1).unwrap();
        task.write(&batch(&table, &[&format!(r#"{{"id":1{id},"name":"new"}}"#)])).unwrap();
    }
    let old = [r#"+I{"id":1,"name":"old"}"#];
    assert_eq!(read_all(&table, &place.context()).unwrap(), old, "nothing changes before the end");
    for task in &mut tasks {
        assert_eq!(read_all(&table, &place.context()).unwrap(), old, "nor before all tasks are there");
        task.watermark(crate::time::END_OF_TIME).unwrap();
        task.close().unwrap();
    }
    let new = [0, 1, 10, 11].map(|id| format!(r#"{{"id":{id},"name":"new"}}"#));
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    assert_eq!(read_sorted(&table, &place.context()), written(&new));
    assert!(place.names("out").contains(&"_SUCCESS".to_owned()));
}

#[test]
fn overwriting_leaves_partitions_without_new_rows_alone() {
    let place = Place::new();
    let table = place.partitioned("out", "json", &[]);
    let mut old = place.writer(&table, Vec::new());
    old.write(&batch(&table, &ROWS)).unwrap();
    old.close().unwrap();
    let mut new = place.writer(&overwriting(&table), Vec::new());
    let row = r#"{"id":9,"day":"2020-01-02","name":"n","hour":"03"}"#;
    new.write(&batch(&table, &[row])).unwrap();
    new.watermark(crate::time::END_OF_TIME).unwrap();
    new.close().unwrap();
    assert_eq!(read_sorted(&table, &place.context()), written(&[ROWS[1], ROWS[3], row]));
}

#[test]
fn overwriting_goes_on_after_a_crash_and_stops_without_loss() {
    let place = Place::new();
    let table = place.table("out", "json");
    place.file("out/old.json", "{\"id\":7}\n");
    let replaced = overwriting(&table);
    let mut first = place.writer(&replaced, Vec::new());
    first.write(&batch(&table, &[r#"{"id":1}"#])).unwrap();
    let state = first.prepare(1).unwrap();
    first.write(&batch(&table, &[r#"{"id":2}"#])).unwrap();
    // Stopped, not ended.
    first.close().unwrap();
    drop(first);
    assert_eq!(read_all(&table, &place.context()).unwrap(), [r#"+I{"id":7,"name":null}"#]);
    for _ in 0..2 {
        // The second time as after a crash behind the replacement.
        let mut again = place.writer(&replaced, vec![state.clone()]);
        again.write(&batch(&table, &[r#"{"id":3}"#])).unwrap();
        again.watermark(crate::time::END_OF_TIME).unwrap();
        again.close().unwrap();
        let rows = read_sorted(&table, &place.context());
        assert_eq!(rows, written(&[r#"{"id":1,"name":null}"#, r#"{"id":3,"name":null}"#]));
    }
}
