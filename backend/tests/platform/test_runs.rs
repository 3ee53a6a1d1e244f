//! Test runs in real workers, SQL tests in a real server, and `millrace test` on files.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{NO_KAFKA, Server};

/// The sinks would need a Kafka and a database that are nowhere.
const SCRIPT: &str = "CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');
    CREATE TABLE evens (i BIGINT) WITH ('connector' = 'blackhole');
    CREATE TABLE kinds (kind STRING NOT NULL, n BIGINT, PRIMARY KEY (kind) NOT ENFORCED) WITH ('connector' = 'print');
    INSERT INTO evens SELECT i FROM n WHERE MOD(i, 2) = 0;
    INSERT INTO kinds SELECT CASE WHEN MOD(i, 2) = 0 THEN 'even' ELSE 'odd' END, COUNT(*) FROM n
      GROUP BY CASE WHEN MOD(i, 2) = 0 THEN 'even' ELSE 'odd' END;";

async fn ended(server: &Server, id: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let run = server.get(&format!("/test-runs/{id}")).await;
        if run["state"] != "running" {
            return run;
        }
        assert!(Instant::now() < deadline, "{run}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_run_reads_for_real_and_keeps_what_its_sinks_would_get() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let started = server.post("/test-runs", json!({ "sql": SCRIPT, "from": "table", "max_rows": 40 })).await;
    let run = ended(&server, started["id"].as_str().unwrap()).await;
    assert_eq!((&run["state"], &run["reason"]), (&json!("finished"), &json!("row limit")), "{run}");
    assert_eq!(run["sinks"][0]["words"], "evens (blackhole) was replaced by a sandbox table.");
    assert_eq!((&run["sinks"][0]["kept"], &run["sinks"][1]["kept"]), (&json!(40), &json!(40)));
    assert!(run["inputs"]["n"][0]["values"]["i"].is_i64(), "{}", run["inputs"]);
    let state = format!("/test-runs/{}/sinks/kinds/rows?view=state", run["id"].as_str().unwrap());
    let state = server.get(&state).await;
    assert_eq!(state["total"], 2, "{state}");

    // With supplied rows nothing is read, and the run ends by itself.
    let rows = json!({ "n": [{ "values": { "i": 4 } }, { "values": { "i": 6 } }, { "values": { "i": 7 } }] });
    let started = server.post("/test-runs", json!({ "sql": SCRIPT, "from": "table", "rows": rows })).await;
    let run = ended(&server, started["id"].as_str().unwrap()).await;
    assert_eq!((&run["reason"], &run["sources"][0]["supplied"]), (&json!("finished"), &json!(true)), "{run}");
    let rows = format!("/test-runs/{}/sinks/evens/rows", run["id"].as_str().unwrap());
    let rows = server.get(&rows).await;
    assert_eq!(rows["rows"], json!([{ "kind": "+I", "values": [4] }, { "kind": "+I", "values": [6] }]));

    let wrong = server.post("/test-runs", json!({ "sql": "INSERT INTO nowhere SELECT 1", "from": "table" })).await;
    let run = ended(&server, wrong["id"].as_str().unwrap()).await;
    assert_eq!(run["state"], "failed", "{run}");
    assert!(run["diagnostic"]["span"].is_object(), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_target_gets_the_rows_and_the_sink_stays_as_it_is() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let (out, sandbox) = (server.files().join("out"), server.files().join("sandbox"));
    std::fs::create_dir_all(&out).unwrap();
    std::fs::write(out.join("part-0"), "{\"i\":1}\n").unwrap();
    let script = "CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');
        CREATE TABLE evens (i BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
        INSERT INTO evens SELECT i FROM n WHERE MOD(i, 2) = 0;";
    server.post("/sandbox-targets", json!({ "place": "sandbox" })).await;
    let offers = server.post("/sandbox-targets/offers", json!({ "sql": script })).await;
    assert_eq!(offers["items"][0]["table"], "evens", "{offers}");
    assert_eq!(offers["items"][0]["place"]["place"], "sandbox");

    let request = json!({ "sql": script, "from": "table", "max_rows": 40, "sandbox_targets": ["evens"] });
    let mut folders = Vec::new();
    for _ in 0..2 {
        let started = server.post("/test-runs", request.clone()).await;
        let run = ended(&server, started["id"].as_str().unwrap()).await;
        assert_eq!((&run["state"], &run["reason"]), (&json!("finished"), &json!("row limit")), "{run}");
        let name = run["sinks"][0]["target"]["name"].as_str().unwrap().to_owned();
        assert!(run["sinks"][0]["words"].as_str().unwrap().contains(&format!("by the {name}")), "{run}");
        let folder = server.files().join(name.strip_prefix("folder ").unwrap());
        assert_eq!(lines(&folder), 40, "{}", folder.display());
        folders.push(folder);
    }
    assert_ne!(folders[0], folders[1]);
    assert_eq!((lines(&out), std::fs::read_dir(&out).unwrap().count()), (1, 1), "the sink itself got nothing");

    let objects = server.get("/sandbox-objects").await;
    assert_eq!(objects["total"], 2, "{objects}");
    for object in objects["items"].as_array().unwrap() {
        let one = format!("/teams/tests/sandbox-objects/{}", object["id"].as_str().unwrap());
        server.call(reqwest::Method::DELETE, &one, None).await.good();
    }
    assert_eq!(server.get("/sandbox-objects").await["total"], 0);
    assert_eq!(std::fs::read_dir(&sandbox).unwrap().count(), 0, "both folders are gone");
    assert_eq!(lines(&out), 1);

    // What the target would lie around is refused, whatever was set before.
    let around = server
        .try_post(
            "/test-runs",
            json!({
                "sql": script.replace("'out'", "'sandbox/out'"), "from": "table", "sandbox_targets": ["evens"],
            }),
        )
        .await;
    assert_eq!(around.status, 400, "{}", around.body);
}

/// Of all files of a folder that show.
fn lines(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let shown = files.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    shown.map(|path| std::fs::read_to_string(path).unwrap().lines().count()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_tests_run_in_the_server() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let job = server.post("/jobs", json!({ "name": "kinds", "sql": SCRIPT })).await;
    let path = format!("/jobs/{}/tests", job["id"].as_str().unwrap());
    let test = |even: i64| {
        json!({
            "name": "counts",
            "inputs": [{ "table": "n", "rows": [{ "values": [4] }, { "values": [6] }, { "values": [7] }] }],
            "expected": [{
                "table": "kinds", "view": "state", "order": "any",
                "rows": [{ "values": { "kind": "even", "n": even } }, { "values": { "kind": "odd", "n": 1 } }],
            }],
        })
    };
    let saved = server.post(&path, test(3)).await;
    let report = server.post(&format!("{path}/run"), json!({})).await;
    assert_eq!((&report["passed"], &report["failed"]), (&json!(0), &json!(1)), "{report}");
    let sink = &report["results"][0]["sinks"][0];
    assert_eq!(sink["different"][0]["actual"]["values"], json!(["even", 2]));
    let one = format!("/teams/tests{path}/{}", saved["id"].as_str().unwrap());
    server.call(reqwest::Method::PUT, &one, Some(test(2))).await.good();
    let report = server.post(&format!("{path}/run"), json!({})).await;
    assert_eq!((&report["passed"], &report["failed"]), (&json!(1), &json!(0)), "{report}");
}

const FILE: &str = r#"
tables = '''
CREATE TABLE orders (id INT, price DOUBLE) WITH ('connector' = 'datagen');
CREATE TABLE big (id INT) WITH ('connector' = 'blackhole');
'''
sql_file = "big.sql"

[[tests]]
name = "keeps what is dear"
[tests.inputs]
orders = '''
{"id": 1, "price": 5}
{"id": 2, "price": 500}
'''
[tests.expected.big]
rows = '{"id": 2}'

[[tests]]
name = "is wrong"
[tests.inputs]
orders = '{"id": 1, "price": 500}'
[tests.expected.big]
rows = '{"id": 3}'
"#;

fn test_files(folder: &Path, script: &str) -> Output {
    let file = folder.join("big.test.toml");
    std::fs::write(&file, FILE).unwrap();
    std::fs::write(folder.join("big.sql"), script).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.arg("test").arg(&file).arg("--junit").arg(folder.join("junit.xml")).output().unwrap()
}

#[test]
fn files_of_tests_run_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let output = test_files(folder.path(), "INSERT INTO big\nSELECT id FROM orders WHERE price > 100;");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("passed  keeps what is dear") && said.contains("FAILED  is wrong"), "{said}");
    assert!(said.contains("- missing     +I id=3") && said.contains("+ unexpected  +I id=1"), "{said}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("1 passed, 1 failed"));
    let junit = std::fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert!(junit.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{junit}");

    // What is wrong with the script is at its place in the script.
    let output = test_files(folder.path(), "INSERT INTO big\nSELECT idd FROM orders;");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("2:8: "), "{said}");
}
