//! `…/tables/import` and `…/tables/script`.

use serde_json::{Value, json};

use crate::support::{People, TestApp};

const SCRIPT: &str = "\
CREATE DATABASE shop COMMENT 'the shop';
CREATE TABLE shop.orders (id BIGINT NOT NULL, amount DOUBLE, PRIMARY KEY (id) NOT ENFORCED) WITH (
  'connector' = 'kafka', 'topic' = 'orders',
  'properties.bootstrap.servers' = '10.255.255.1:9092, 10.255.255.2:9092'
);
CREATE TABLE shop.numbers (id BIGINT) WITH ('connector' = 'datagen');
SET 'a' = 'b';";

fn verdicts(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    report["tables"].as_array().unwrap().iter().map(|one| (text(&one["name"]), text(&one["verdict"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, verdict)| ((*name).to_owned(), (*verdict).to_owned())).collect()
}

#[tokio::test]
async fn a_script_is_judged_then_taken_over_as_a_whole() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path("/tables/import");
        let import = async |sql: &str, apply: bool| {
            test.post(&people.developer, &path, json!({ "sql": sql, "apply": apply })).await.good()
        };
        // Nothing leads to these brokers yet: somebody has to choose.
        let report = import(SCRIPT, true).await;
        assert_eq!(verdicts(&report), pairs(&[("shop.orders", "refused"), ("shop.numbers", "new")]));
        assert_eq!((&report["applied"], &report["databases"]), (&json!(false), &json!(["shop"])));
        assert_eq!(test.get(&people.viewer, &people.path("/tables")).await.good()["total"], 0);

        let connection =
            json!({ "name": "events", "kind": "kafka", "options": { "bootstrap.servers": "10.255.255.1:9092" } });
        let connection = test.post(&people.developer, &people.path("/connections"), connection).await.good();
        let report = import(SCRIPT, false).await;
        assert_eq!(verdicts(&report), pairs(&[("shop.orders", "new"), ("shop.numbers", "new")]));
        assert_eq!(report["tables"][0]["connection_name"], "events");
        assert_eq!((&report["left_out"][0]["line"], &report["applied"]), (&json!(7), &json!(false)));
        assert_eq!(import(SCRIPT, true).await["applied"], true);
        let orders = test.get(&people.viewer, &people.path("/tables?q=orders")).await.good();
        let orders = people.path(&format!("/tables/{}", orders["items"][0]["id"].as_str().unwrap()));
        let table = test.get(&people.viewer, &orders).await.good();
        assert_eq!((&table["connection"], &table["options"]), (&connection["id"], &json!({ "topic": "orders" })));
        assert_eq!(table["owner"], table["updated_by"]);

        // Again it says the same, and a change is a version.
        assert_eq!(verdicts(&import(SCRIPT, true).await), pairs(&[("shop.orders", "same"), ("shop.numbers", "same")]));
        let wider = SCRIPT.replace("amount DOUBLE", "amount DOUBLE, note STRING");
        let report = import(&wider, true).await;
        assert_eq!(report["tables"][0]["verdict"], "changed");
        assert_eq!(report["tables"][0]["changes"][0]["name"], "note");
        assert_eq!(test.get(&people.viewer, &orders).await.good()["revision"], 2);
        test.close().await;
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_and_nothing_is_saved() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let path = people.path("/tables/import");
    let sql = "CREATE TABLE a (id BIGINT) WITH ('connector' = 'datagen');\nCREATE TABLE b (\n id WRONG) WITH ('connector' = 'x');\n\
        CREATE TABLE a (id BIGINT) WITH ('connector' = 'datagen');\nCREATE TABLE c (id BIGINT) WITH ('connector' = 'nothing');";
    let report = test.post(&people.developer, &path, json!({ "sql": sql, "apply": true })).await.good();
    assert_eq!(verdicts(&report), pairs(&[("main.a", "new"), ("main.a", "refused"), ("main.c", "refused")]));
    assert_eq!((&report["problems"][0]["line"], &report["applied"]), (&json!(3), &json!(false)));
    assert_eq!(test.get(&people.viewer, &people.path("/tables")).await.good()["total"], 0);
    test.post(&people.viewer, &path, json!({ "sql": sql })).await.refused(403, "not_allowed");
}

#[tokio::test]
async fn the_script_of_a_dry_run_is_not_kept() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let sql = "CREATE TABLE t (id INT) WITH ('connector' = 'datagen', 'password' = 'canary-19f3')";
    test.post(&people.developer, &people.path("/tables/import"), json!({ "sql": sql })).await.good();
    let trail = millrace_backend::store::audit::list(&test.app.store, 0, 1000).await.unwrap();
    assert!(trail.iter().all(|link| !format!("{link:?}").contains("canary-19f3")));
}

#[tokio::test]
async fn secrets_are_placeholders_in_what_is_written_out() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let connection = json!({
        "name": "events", "kind": "kafka",
        "options": { "bootstrap.servers": "10.255.255.1:9092", "security.protocol": "SASL_SSL", "sasl.username": "me" },
        "secrets": { "sasl.password": "canary-55aa" },
    });
    let connection = test.post(&people.developer, &people.path("/connections"), connection).await.good();
    let mut table = crate::table::draft("orders");
    table["connector"] = json!("kafka");
    table["connection"] = connection["id"].clone();
    table["options"] = json!({ "topic": "orders" });
    test.post(&people.developer, &people.path("/tables"), table).await.good();
    let script = test.get(&people.viewer, &people.path("/tables/script")).await.good();
    let sql = script["sql"].as_str().unwrap();
    assert_eq!(script["tables"], 1);
    assert!(!sql.contains("canary-55aa"), "{sql}");
    for part in [
        "CREATE DATABASE IF NOT EXISTS `main`",
        "10.255.255.1:9092",
        "SASL_SSL",
        "PlainLoginModule",
        "${sasl.password}",
    ] {
        assert!(sql.contains(part), "{part} in {sql}");
    }
    let other = test.get(&people.viewer, &people.path("/tables/script?database=other")).await.good();
    assert_eq!(other["tables"], 0);
}
