//! Functions that a team brings, in real workers: on sample values, in jobs, and what misbehaves.

use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{NO_KAFKA, Server};

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789$_";
const SAME: &str = "same(int64)->int64";
const FOREVER: &str = "forever(int64)->int64";
const DEEP: &str = "deep(int64)->int64";

/// The least that speaks the interface: one answers with what it was given, one never ends, one calls itself.
fn module(import: &str) -> Vec<u8> {
    let letters = GeneralPurpose::new(&Alphabet::new(LETTERS).unwrap(), NO_PAD);
    let function = |signature: &str, body: &str| {
        let symbol = letters.encode(signature);
        format!("(func (export \"arrowudf_{symbol}\") (param i32 i32 i32) (result i32) {body})")
    };
    let give = "(i32.store (local.get 2) (local.get 0)) (i32.store offset=4 (local.get 2) (local.get 1)) (i32.const 0)";
    let text = format!(
        "(module {import} (memory (export \"memory\") 64)
         (global (export \"ARROWUDF_VERSION_3_0\") i32 (i32.const 0))
         (func (export \"alloc\") (param i32 i32) (result i32) (i32.const 64))
         (func (export \"dealloc\") (param i32 i32 i32))
         {} {} {})",
        function(SAME, give),
        function(FOREVER, "(loop (br 0)) unreachable"),
        function(DEEP, "(local.get 0) (local.get 1) (local.get 2) (call 4)"),
    );
    wat::parse_str(text).unwrap()
}

async fn bring(server: &Server, name: &str, entry: &str) -> String {
    let query = format!("/functions/modules?name={name}&entry={}", entry.replace('>', "%3E"));
    let made = server.upload(&query, module("")).await.good();
    made["id"].as_str().unwrap().to_owned()
}

async fn try_on(server: &Server, id: &str, rows: Value) -> Value {
    server.post(&format!("/functions/{id}/test"), json!({ "rows": rows })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_run_on_sample_values_and_in_jobs() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let looked = server.upload("/functions/inspect", module("")).await.good();
    let entries: Vec<&str> =
        looked["functions"].as_array().unwrap().iter().filter_map(|f| f["entry"].as_str()).collect();
    assert_eq!(entries, [DEEP, FOREVER, SAME]);
    let same = bring(&server, "same", SAME).await;
    let tested = try_on(&server, &same, json!([["7"], [null], ["-1"]])).await;
    assert_eq!(tested["failure"], Value::Null, "{tested}");
    assert_eq!(tested["rows"], json!([[7, 7], [null, null], [-1, -1]]));
    let wrong = try_on(&server, &same, json!([["seven"]])).await;
    assert!(wrong["failure"].is_string() || wrong["rows"][0][0].is_null(), "{wrong}");

    let definition = "(x BIGINT, y BIGINT) RETURNS BIGINT RETURN x * 10 + y";
    let digits = server.post("/functions", json!({ "name": "digits", "definition": definition })).await;
    let tested = try_on(&server, digits["id"].as_str().unwrap(), json!([["4", "2"]])).await;
    assert_eq!(tested["rows"], json!([[4, 2, 42]]), "{tested}");
    let checked = server.post("/functions/check", json!({ "name": "x", "definition": "(x INT) RETURN y" })).await;
    assert!(!checked["problems"].as_array().unwrap().is_empty(), "{checked}");

    let complete = server.post("/sql/complete", json!({ "sql": "SELECT dig", "offset": 10 })).await;
    let found = complete["items"].as_array().unwrap().iter().find(|item| item["label"] == "digits");
    assert!(found.is_some(), "{complete}");

    let script = "CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50');
        CREATE TABLE out (i BIGINT) WITH ('connector' = 'blackhole');
        INSERT INTO out SELECT digits(same(i), 1) FROM n;";
    let job = server.start_job("uses both", script, &[]).await;
    server.until(&job, "reads", |run| run["figures"]["records_in_per_s"].as_f64().unwrap_or(0.0) > 0.0).await;
    let version = server.get(&format!("/jobs/{job}/versions/1")).await;
    assert_eq!(
        (&version["functions"]["same"]["version"], &version["functions"]["digits"]["version"]),
        (&json!(1), &json!(1))
    );
    let refused = server.call(Method::DELETE, &format!("/teams/tests/functions/{same}"), None).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("function_in_use")), "{}", refused.body);
    server.stop(&job, "cancel").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_misbehaves_is_ended_and_harms_nobody() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let (forever, deep) = (bring(&server, "forever", FOREVER).await, bring(&server, "deep", DEEP).await);
    for id in [&forever, &deep] {
        let tested = try_on(&server, id, json!([["1"]])).await;
        println!("{}", tested["failure"]);
        assert!(tested["failure"].as_str().unwrap().len() > 10 && tested["rows"] == json!([]), "{tested}");
    }
    let tables = "CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50');
        CREATE TABLE out (i BIGINT) WITH ('connector' = 'blackhole');";
    let sound = server.start_job("sound", &format!("{tables} INSERT INTO out SELECT i FROM n;"), &[]).await;
    server.until_state(&sound, "running").await;
    let script = format!("{tables} INSERT INTO out SELECT forever(i) FROM n;");
    let endless = server.start_job("endless", &script, &[("restart_attempts", 0)]).await;
    let run = server.until_state(&endless, "failed").await;
    assert!(run["reason"].as_str().unwrap().contains("forever"), "{run}");
    let run = server.get(&format!("/jobs/{sound}")).await["current"].clone();
    assert_eq!((&run["state"], &run["restarts"]), (&json!("running"), &json!(0)), "{run}");
    server.stop(&sound, "cancel").await;

    let import = "(import \"env\" \"open_the_door\" (func))";
    let refused = server.upload("/functions/inspect", module(import)).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(refused.body["message"].as_str().unwrap().contains("open_the_door"), "{}", refused.body);
    let huge = [module(""), vec![0; 17 << 20]].concat();
    assert_eq!(server.upload("/functions/inspect", huge).await.status, 413);
}
