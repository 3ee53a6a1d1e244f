//! Whole jobs into folders.

use std::sync::Arc;

use super::*;
use crate::catalog::CatalogText;
use crate::local::{LocalOptions, prepare};
use crate::plan::settings::Settings;
use crate::runtime::Outcome;

fn run(place: &Place, sql: &str) {
    let options = LocalOptions {
        catalog: CatalogText::default(),
        settings: Settings::default(),
        file_roots: Vec::new(),
        batch_rows: 3,
        runtime: place.runtime.handle().clone(),
    };
    let prepared = prepare(sql, options, Arc::new(|_| Ok(()))).unwrap();
    assert_eq!(prepared.start().unwrap().finish().unwrap(), Outcome::Finished);
}

/// Lines of all files of a folder, sorted; one that is not there has none.
fn lines(place: &Place, folder: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(place.folder.path().join(folder)) else { return Vec::new() };
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let texts: Vec<String> = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let mut lines: Vec<String> = texts.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn insert_overwrite_replaces_a_table_or_the_partitions_that_get_rows() {
    let place = Place::new();
    let tables = format!(
        "SET 'execution.runtime-mode' = 'batch';
         SET 'parallelism.default' = '2';
         CREATE TABLE plain (id INT) WITH ('connector' = 'filesystem', 'path' = '{0}/plain', 'format' = 'csv');
         CREATE TABLE days (id INT, `day` INT) PARTITIONED BY (`day`)
           WITH ('connector' = 'filesystem', 'path' = '{0}/days', 'format' = 'csv');",
        place.folder.path().display()
    );
    let insert = |sql: &str| run(&place, &format!("{tables} {sql};"));

    insert("INSERT INTO plain VALUES (1), (2)");
    insert("INSERT INTO plain VALUES (3)");
    assert_eq!(lines(&place, "plain"), ["1", "2", "3"]);
    insert("INSERT OVERWRITE plain SELECT id * 10 FROM plain WHERE id > 1");
    assert_eq!(lines(&place, "plain"), ["20", "30"], "it may read what it replaces");

    insert("INSERT INTO days VALUES (1, 1), (2, 2), (3, 3)");
    insert("INSERT OVERWRITE days VALUES (20, 2), (21, 2), (40, 4)");
    let days = |place: &Place| (1..5).map(|day| lines(place, &format!("days/day={day}"))).collect::<Vec<_>>();
    assert_eq!(days(&place), [vec!["1"], vec!["20", "21"], vec!["3"], vec!["40"]]);
    insert("INSERT OVERWRITE days PARTITION (`day` = 3) SELECT id FROM plain");
    assert_eq!(days(&place), [vec!["1"], vec!["20", "21"], vec!["20", "30"], vec!["40"]]);
}
