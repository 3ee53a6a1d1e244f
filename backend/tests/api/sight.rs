//! What is hidden stays so in bulk actions, the bin, test runs, impact, reports, scripts and by tokens with a scope.

use serde_json::{Value, json};

use crate::support::{As, People, TestApp};
use crate::table::draft;

const HIDDEN: &str = "hidden_thing";

fn id_of(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

async fn make_table(test: &TestApp, people: &People, name: &str) -> String {
    let table = test.post(&people.owner, &people.path("/tables"), draft(name)).await.good();
    people.path(&format!("/tables/{}", id_of(&table)))
}

/// With a version. By its id.
async fn make_job(test: &TestApp, people: &People, name: &str, sql: &str) -> String {
    let job = json!({ "name": name, "sql": sql, "tags": [name] });
    let id = id_of(&test.post(&people.owner, &people.path("/jobs"), job).await.good());
    test.post(&people.owner, &people.path(&format!("/jobs/{id}/versions")), json!({})).await.good();
    id
}

async fn restrict(test: &TestApp, people: &People, path: &str) {
    let change = json!({ "restricted": true });
    test.call(&people.owner, "PATCH", &format!("{path}/permissions"), Some(change)).await.good();
}

async fn give(test: &TestApp, people: &People, path: &str, level: &str, who: &As) {
    let email = test.get(who, "/session").await.good()["user"]["email"].clone();
    let grant = json!({ "level": level, "email": email });
    test.call(&people.owner, "PUT", &format!("{path}/grants"), Some(grant)).await.good();
}

#[tokio::test]
async fn bulk_acts_by_the_right_to_each_job_and_counts_what_one_sees() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        make_table(&test, &people, "t").await;
        let open = make_job(&test, &people, "open", "INSERT INTO main.t SELECT 1").await;
        let hidden = make_job(&test, &people, HIDDEN, "INSERT INTO main.t SELECT 2").await;
        restrict(&test, &people, &people.path(&format!("/jobs/{hidden}"))).await;
        let bulk = people.path("/jobs/bulk");

        let named = json!({ "action": "tag", "tag": "new", "jobs": [open, hidden] });
        let report = test.post(&people.operator, &bulk, named).await.good();
        assert_eq!((&report["done"], &report["refused"]), (&json!(1), &json!(1)), "{report}");
        let refused = report["items"].as_array().unwrap().iter().find(|item| item["done"] == false).unwrap();
        assert_eq!((&refused["code"], &refused["name"]), (&json!("not_found"), &json!("")), "{report}");
        let filtered = json!({ "action": "untag", "tag": "new", "filter": {} });
        let report = test.post(&people.operator, &bulk, filtered).await.good();
        assert_eq!(report["items"].as_array().unwrap().len(), 1, "{report}");
        assert!(!report.to_string().contains(HIDDEN), "{report}");

        // A developer may not delete in general, but this one job.
        give(&test, &people, &people.path(&format!("/jobs/{hidden}")), "manage", &people.developer).await;
        let both = json!({ "action": "delete", "jobs": [open, hidden] });
        let report = test.post(&people.developer, &bulk, both).await.good();
        let code = |id: &String| {
            let items = report["items"].as_array().unwrap();
            items.iter().find(|item| item["job"] == **id).unwrap()["code"].clone()
        };
        assert_eq!((code(&open), code(&hidden)), (json!("not_allowed"), Value::Null), "{report}");

        // In the bin it is seen by the same people, and counted for nobody else.
        let binned = async |who: &As| test.get(who, &people.path("/jobs/bin")).await.good()["total"].clone();
        assert_eq!((binned(&people.operator).await, binned(&people.developer).await), (json!(0), json!(1)));
        let restore = people.path(&format!("/jobs/bin/{hidden}/restore"));
        test.post(&people.operator, &restore, json!({})).await.refused(404, "not_found");
        test.post(&people.developer, &restore, json!({})).await.good();
        let total = async |who: &As, path: &str| test.get(who, &people.path(path)).await.good()["total"].clone();
        for path in ["/jobs", "/jobs/counts"] {
            assert_eq!(total(&people.operator, path).await, 1, "{path}");
            assert_eq!(total(&people.developer, path).await, 2, "{path}");
        }
        test.close().await;
    }
}

#[tokio::test]
async fn jobs_that_are_hidden_are_counted_in_impact_and_named_nowhere_downstream() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let table = make_table(&test, &people, "t").await;
    let writer = make_job(&test, &people, "writer", "INSERT INTO main.t needs id").await;
    let mut without = draft("t");
    without["columns"] = json!([{ "name": "more", "data_type": "BIGINT", "kind": "physical" }]);
    let ask = async |who: &As| {
        let impact = test.post(who, &format!("{table}/impact"), without.clone()).await.good();
        (impact["checked"].clone(), impact["jobs"].as_array().unwrap().len(), impact["hidden_jobs"].clone())
    };
    let (checked, named, hidden) = ask(&people.developer).await;
    let broken = named as u64 + hidden.as_u64().unwrap();
    assert!(broken > 0, "the change breaks the job");
    restrict(&test, &people, &people.path(&format!("/jobs/{writer}"))).await;
    let after = ask(&people.developer).await;
    assert_eq!((after.0, after.1, after.2), (checked, 0, json!(broken)));
    let listed = test.get(&people.developer, &people.path("/tables?q=t")).await.good();
    assert_eq!(listed["items"][0]["producers"], 0);
    let listed = test.get(&people.owner, &people.path("/tables?q=t")).await.good();
    assert_eq!(listed["items"][0]["producers"], 1);
}

#[tokio::test]
async fn scripts_neither_bring_out_nor_overwrite_what_is_closed() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let table = make_table(&test, &people, HIDDEN).await;
    let id = table.rsplit_once('/').unwrap().1.to_owned();
    let script = format!("CREATE TABLE {HIDDEN} (id STRING) WITH ('connector' = 'datagen')");
    let import = async || {
        let asked =
            json!({ "sql": script, "database": "main", "connections": {}, "accept_breaking": true, "apply": true });
        test.post(&people.developer, &people.path("/tables/import"), asked).await.good()
    };
    let export = people.path(&format!("/tables/script?table={id}"));
    test.get(&people.developer, &export).await.good();
    restrict(&test, &people, &table).await;
    test.get(&people.developer, &export).await.refused(404, "not_found");
    let all = test.get(&people.developer, &people.path("/tables/script")).await.good();
    assert!(!all.to_string().contains(HIDDEN), "{all}");
    let told = import().await;
    assert_eq!((&told["applied"], &told["tables"][0]["verdict"]), (&json!(false), &json!("refused")), "{told}");
    assert_eq!(told["tables"][0]["changes"], json!([]), "{told}");
    let seen = test.get(&people.owner, &table).await.good();
    assert_eq!((&seen["revision"], &seen["resolved"][0]["data_type"]), (&json!(1), &json!("BIGINT")));
    give(&test, &people, &table, "read", &people.developer).await;
    test.get(&people.developer, &export).await.good();
    assert_eq!(import().await["applied"], false, "reading is not changing");
}

#[tokio::test]
async fn what_was_read_for_one_person_is_not_kept_for_another() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    make_table(&test, &people, "open").await;
    let table = make_table(&test, &people, HIDDEN).await;
    let reads = async |who: &As| {
        let told = test.post(who, &people.path("/sql/validate"), json!({ "sql": "SELECT 1" })).await.good();
        told["reads"].to_string().contains(HIDDEN)
    };
    assert!(reads(&people.owner).await && reads(&people.viewer).await);
    restrict(&test, &people, &table).await;
    assert!(reads(&people.owner).await && !reads(&people.viewer).await);
    assert!(reads(&people.owner).await, "what is taken out for one is there for the other");
    give(&test, &people, &table, "read", &people.viewer).await;
    assert!(reads(&people.viewer).await && !reads(&people.developer).await);
}

#[tokio::test]
async fn the_scope_of_a_token_limits_rights_to_objects() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    make_table(&test, &people, "t").await;
    let job = people.path(&format!("/jobs/{}", make_job(&test, &people, "job", "INSERT INTO main.t SELECT 1").await));
    give(&test, &people, &job, "manage", &people.viewer).await;
    let change = json!({ "description": "changed" });
    test.call(&people.viewer, "PATCH", &job, Some(change.clone())).await.good();
    let wish = json!({ "name": "reads", "team": people.team, "scope": "viewer", "expires_in_days": 7 });
    let issued = test.post(&people.viewer, "/tokens", wish).await.good();
    let token = As::Token(issued["secret"].as_str().unwrap().to_owned());
    let seen = test.get(&token, &job).await.good();
    assert_eq!((&seen["access"]["edit"], &seen["access"]["manage"]), (&json!(false), &json!(false)));
    test.call(&token, "PATCH", &job, Some(change)).await.refused(403, "not_allowed");
    test.call(&token, "DELETE", &job, None).await.refused(403, "not_allowed");
}
