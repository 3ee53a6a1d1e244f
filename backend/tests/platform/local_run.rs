//! `millrace run`: a script without a server. Rows on standard output, everything else on standard error.

use std::path::Path;
use std::process::{Command, Output};

const RECORDS: usize = 1_000;

#[test]
fn rows_are_printed_and_the_closing_line_counts() {
    let folder = folder_of_records();
    let output = run(folder.path(), "SELECT n FROM numbers WHERE MOD(n, 100) = 0;");
    assert!(output.status.success(), "{output:?}");
    let rows = String::from_utf8(output.stdout).unwrap();
    let wanted: Vec<String> = (0..RECORDS).step_by(100).map(|n| format!("+I\t{n}")).collect();
    assert_eq!(rows.lines().next(), Some("kind\tn"));
    assert_eq!(rows.lines().skip(1).collect::<Vec<_>>(), wanted);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("finished after ") && said.ends_with(": 1000 records read, 10 written\n"), "{said}");
}

#[test]
fn an_insert_writes_its_file_and_tells_how_much() {
    let folder = folder_of_records();
    let sink = format!(
        "CREATE TABLE sums (parity BIGINT, total BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv');",
        folder.path().join("out").display()
    );
    let insert = "INSERT INTO sums SELECT n, n FROM numbers WHERE n < 7;";
    let output = run(folder.path(), &format!("{sink}\n{insert}"));
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.ends_with(": 1000 records read, 7 written\n"), "{said}");
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder.path().join("out")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        lines.extend(text.lines().map(str::to_owned));
    }
    lines.sort();
    assert_eq!(lines, (0..7).map(|n| format!("{n},{n}")).collect::<Vec<_>>());
}

#[test]
fn a_wrong_script_names_the_place_and_prints_no_row() {
    let folder = folder_of_records();
    let output = run(folder.path(), "SELECT m FROM numbers;");
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("script.sql:2:8: error"), "{said}");
}

#[test]
fn variables_of_the_team_are_given_and_one_that_is_missing_is_named() {
    let folder = folder_of_records();
    let variables = folder.path().join("variables");
    std::fs::create_dir(&variables).unwrap();
    std::fs::write(variables.join("least.yaml"), "description: of a number\nvalue: '997'\n").unwrap();
    let variables = variables.display().to_string();
    let sql = "SELECT n FROM numbers WHERE n > ${least} AND n < ${most};";
    let output = run_with(folder.path(), sql, &["--variables", &variables, "--var", "most=999"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "kind\tn\n+I\t998\n");
    let output = run_with(folder.path(), sql, &["--variables", &variables]);
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("script.sql:2:50: error[unknown-variable]: There is no variable 'most'."), "{said}");
    // A problem of the filled text is told of what was written.
    let output = run_with(folder.path(), "SELECT ${least}, m FROM numbers;", &["--var", "least=123456"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("script.sql:2:18: error"), "{said}");
}

fn folder_of_records() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let records: String = (0..RECORDS).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    std::fs::write(folder.path().join("numbers.json"), records).unwrap();
    folder
}

/// Runs `sql` behind the description of the records, which is the first line.
fn run(folder: &Path, sql: &str) -> Output {
    run_with(folder, sql, &[])
}

fn run_with(folder: &Path, sql: &str, more: &[&str]) -> Output {
    let table = format!(
        "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');",
        folder.join("numbers.json").display()
    );
    let script = folder.join("script.sql");
    std::fs::write(&script, format!("{table}\n{sql}\n")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_millrace")).arg("run").arg(&script).args(more).output().unwrap()
}
