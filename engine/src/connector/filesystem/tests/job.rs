//! Whole jobs into folders.

use super::*;
use crate::connector::testing::run_script;

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
    let insert = |sql: &str| run_script(&format!("{tables} {sql};"), 3, &place.runtime);

    insert("INSERT INTO plain VALUES (1), (2)");
    insert("INSERT INTO plain VALUES (3)");
    insert("INSERT INTO plain VALUES (4); INSERT INTO plain VALUES (5)");
    assert_eq!(lines(&place, "plain"), ["1", "2", "3", "4", "5"], "also when one job writes twice");
    insert("INSERT OVERWRITE plain SELECT id * 10 FROM plain WHERE id BETWEEN 2 AND 3");
    assert_eq!(lines(&place, "plain"), ["20", "30"], "it may read what it replaces");

    insert("INSERT INTO days VALUES (1, 1), (2, 2), (3, 3)");
    insert("INSERT OVERWRITE days VALUES (20, 2), (21, 2), (40, 4)");
    let days = |place: &Place| (1..5).map(|day| lines(place, &format!("days/day={day}"))).collect::<Vec<_>>();
    assert_eq!(days(&place), [vec!["1"], vec!["20", "21"], vec!["3"], vec!["40"]]);
    insert("INSERT OVERWRITE days PARTITION (`day` = 3) SELECT id FROM plain");
    assert_eq!(days(&place), [vec!["1"], vec!["20", "21"], vec!["20", "30"], vec!["40"]]);
}
