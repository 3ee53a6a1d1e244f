//! Sandbox targets of files: the rows that are kept are there, and nowhere else. Kafka and PostgreSQL are in `sandbox`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod sandboxed;

use std::collections::BTreeMap;
use std::path::Path;

use millrace_wire::link::TestRunAssignment;
use millrace_wire::sandbox_target::SandboxKind;
use sandboxed::{MARK, assignment, files, outcome, place, run, runtime, snapshot};

fn script(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "CREATE TABLE files_in (id INT, name STRING)
           WITH ('connector' = 'filesystem', 'path' = '{folder}/in', 'format' = 'json');
         CREATE TABLE files_out (id INT, name STRING)
           WITH ('connector' = 'filesystem', 'path' = '{folder}/out', 'format' = 'json');
         CREATE TABLE by_name (id INT, name STRING) PARTITIONED BY (name)
           WITH ('connector' = 'filesystem', 'path' = '{folder}/out', 'format' = 'json');"
    )
}

fn writing(sql: String, targets: &[(&str, &Path)]) -> TestRunAssignment {
    let of = |(table, folder): &(&str, &Path)| {
        ((*table).to_owned(), place(SandboxKind::Folder, folder.display().to_string()))
    };
    TestRunAssignment { targets: targets.iter().map(of).collect(), ..assignment(sql) }
}

/// Lines of all files that show.
fn lines(folder: &Path) -> Vec<String> {
    let shown = |path: &str| !path.rsplit('/').next().unwrap().starts_with('.');
    let files = snapshot(folder).into_iter().filter(|(path, ..)| shown(path));
    let mut lines: Vec<String> = files
        .flat_map(|(_, bytes, _)| String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    lines.sort();
    lines
}

#[test]
fn the_rows_that_are_kept_are_in_a_folder_of_the_run_and_the_sink_stays_as_it_is() {
    let runtime = runtime();
    let (folder, sandbox) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    files(folder.path());
    let before = snapshot(folder.path());
    // Whatever the script asks for, overwriting included.
    for (insert, mark, partitioned) in [
        ("INSERT INTO files_out SELECT id, name FROM files_in", MARK, false),
        (
            "SET 'execution.runtime-mode' = 'batch'; INSERT OVERWRITE files_out SELECT id, name FROM files_in",
            "00000002",
            false,
        ),
        ("INSERT INTO by_name SELECT id, name FROM files_in", "00000003", true),
    ] {
        let table = if partitioned { "by_name" } else { "files_out" };
        let test = writing(format!("{} {insert};", script(folder.path())), &[(table, sandbox.path())]);
        let test = TestRunAssignment { mark: mark.to_owned(), max_rows: 3, parallelism: 1, ..test };
        let told = run(&test, &runtime);
        assert_eq!(told.end.unwrap().1, [5]);
        let kept: Vec<String> = told.rows[&0].iter().map(|row| row.values[0].to_string()).collect();
        assert_eq!(kept.len(), 3);
        let own = sandbox.path().join(format!("{table}-{mark}"));
        let found = lines(&own);
        assert_eq!(found.len(), 3, "{insert}: {found:?}");
        for id in kept {
            assert!(found.iter().any(|line| line.contains(&format!("\"id\":{id}"))), "{id} in {found:?}");
        }
        assert_eq!(told.sinks[0].target.as_ref().unwrap().options["path"], own.display().to_string());
    }
    assert_eq!(snapshot(folder.path()), before);
}

#[test]
fn at_a_limit_everything_that_is_kept_is_handed_over() {
    let runtime = runtime();
    let (folder, sandbox) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let endless = format!(
        "CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');
         CREATE TABLE out (i BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}/out', 'format' = 'json');
         INSERT INTO out SELECT i FROM n;",
        folder.path().display()
    );
    let test = TestRunAssignment { max_rows: 40, ..writing(endless, &[("out", sandbox.path())]) };
    let told = run(&test, &runtime);
    assert_eq!(told.end.unwrap().0, "row limit");
    assert_eq!(told.rows[&0].len(), 40);
    let mut kept: Vec<String> = told.rows[&0].iter().map(|row| format!("{{\"i\":{}}}", row.values[0])).collect();
    kept.sort();
    assert_eq!(lines(&sandbox.path().join(format!("out-{MARK}"))), kept, "the same rows, to the last one");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn what_is_there_or_is_the_tables_own_is_refused_and_left_alone() {
    let runtime = runtime();
    let (folder, sandbox) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    files(folder.path());
    let sql = format!("{} INSERT INTO files_out SELECT id, name FROM files_in;", script(folder.path()));
    let refused = |targets: &[(&str, &Path)]| outcome(&writing(sql.clone(), targets), &runtime).err().unwrap();
    let somebodys = sandbox.path().join(format!("files_out-{MARK}"));
    std::fs::create_dir(&somebodys).unwrap();
    std::fs::write(somebodys.join("mine"), "kept").unwrap();
    let before = (snapshot(folder.path()), snapshot(sandbox.path()));

    let said = refused(&[("files_out", sandbox.path())]);
    assert!(
        said.starts_with("The sandbox target of files_out: There is a folder ") && said.contains("already"),
        "{said}"
    );
    for own in [folder.path().join("out"), folder.path().join("out/below"), folder.path().to_owned()] {
        let said = refused(&[("files_out", &own)]);
        assert!(said.contains("lies in or around the folder of the sandbox targets"), "{said}");
    }
    assert_eq!(refused(&[("files_in", sandbox.path())]), "The script does not write files_in.");
    let outside = TestRunAssignment {
        file_roots: vec![folder.path().display().to_string()],
        ..writing(sql.clone(), &[("files_out", sandbox.path())])
    };
    assert!(outcome(&outside, &runtime).err().unwrap().contains("outside of the folders"));
    let unfitting = TestRunAssignment {
        targets: BTreeMap::from([("files_out".to_owned(), place(SandboxKind::TopicPrefix, "sandbox."))]),
        ..assignment(sql.clone())
    };
    assert!(outcome(&unfitting, &runtime).err().unwrap().contains("cannot be written to a sandbox target"));
    assert_eq!((snapshot(folder.path()), snapshot(sandbox.path())), before);
}
