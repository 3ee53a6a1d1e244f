//! SQL tests of jobs: kept, changed, run, and in the way of a start. The front of the tests passes a test when the
//! script contains its name.

use serde_json::{Value, json};

use crate::support::{People, TestApp};

pub(crate) fn draft(name: &str) -> Value {
    let rows = json!([{ "values": { "id": 1 } }]);
    json!({
        "name": name,
        "inputs": [{ "table": "main.in", "rows": rows }],
        "expected": [{ "table": "main.out", "view": "state", "order": "any", "rows": rows }],
    })
}

async fn job(test: &TestApp, people: &People) -> String {
    let job = json!({ "name": "orders", "sql": "INSERT INTO main.out SELECT alpha" });
    test.post(&people.developer, &people.path("/jobs"), job).await.good()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn tests_are_kept_with_the_job() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path(&format!("/jobs/{}/tests", job(&test, &people).await));
        let made = test.post(&people.developer, &path, draft(" alpha ")).await.good();
        assert_eq!((&made["name"], &made["parallelism"]), (&json!("alpha"), &json!(1)));
        test.post(&people.developer, &path, draft("alpha")).await.refused(409, "name_taken");
        test.post(&people.developer, &path, draft("beta")).await.good();

        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let mut changed = draft("gamma");
        changed["expected"][0]["float_tolerance"] = json!(0.5);
        test.call(&people.developer, "PUT", &one, Some(changed.clone())).await.good();
        let taken = test.call(&people.developer, "PUT", &one, Some(draft("beta"))).await;
        taken.refused(409, "name_taken");
        let listed = test.get(&people.viewer, &path).await.good();
        let names: Vec<&str> =
            listed["tests"].as_array().unwrap().iter().map(|test| test["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["beta", "gamma"]);
        assert_eq!(listed["tests"][1]["expected"][0]["float_tolerance"], 0.5);
        assert_eq!(listed["gate"], json!({ "job": false, "team": false }));

        assert_eq!(test.call(&people.developer, "DELETE", &one, None).await.status, 204);
        test.call(&people.developer, "DELETE", &one, None).await.refused(404, "not_found");
        assert_eq!(test.get(&people.viewer, &path).await.good()["tests"].as_array().unwrap().len(), 1);
        test.close().await;
    }
}

#[tokio::test]
async fn results_are_kept_until_the_test_changes() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path(&format!("/jobs/{}/tests", job(&test, &people).await));
        let alpha = test.post(&people.developer, &path, draft("alpha")).await.good();
        test.post(&people.developer, &path, draft("beta")).await.good();
        let report = test.post(&people.developer, &format!("{path}/run"), json!({})).await.good();
        assert_eq!((&report["passed"], &report["failed"]), (&json!(1), &json!(1)));
        assert_eq!(report["results"][0]["test"], alpha["id"]);
        let listed = test.get(&people.viewer, &path).await.good();
        assert_eq!(listed["tests"][0]["last"]["passed"], true);
        assert_eq!(listed["tests"][1]["last"]["passed"], false);

        // Text that is not saved, and a test that is not saved, leave no trace.
        let other = json!({ "sql": "INSERT INTO main.out SELECT beta" });
        let report = test.post(&people.developer, &format!("{path}/run"), other).await.good();
        assert_eq!(report["results"][1]["passed"], true);
        let unsaved = json!({ "draft": draft("delta") });
        let report = test.post(&people.developer, &format!("{path}/run"), unsaved).await.good();
        assert_eq!((report["results"].as_array().unwrap().len(), &report["results"][0]["test"]), (1, &Value::Null));
        assert_eq!(test.get(&people.viewer, &path).await.good()["tests"][1]["last"]["passed"], false);

        let one = format!("{path}/{}", alpha["id"].as_str().unwrap());
        test.call(&people.developer, "PUT", &one, Some(draft("alpha"))).await.good();
        assert_eq!(test.get(&people.viewer, &path).await.good()["tests"][0]["last"], Value::Null);
        test.close().await;
    }
}

#[tokio::test]
async fn what_is_no_test_is_refused() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let path = people.path(&format!("/jobs/{}/tests", job(&test, &people).await));
    let wrong = |field: &str, value: Value| {
        let mut draft = draft("alpha");
        draft[field] = value;
        draft
    };
    let twice = json!([{ "table": "main.in", "rows": [] }, { "table": "main.in", "rows": [] }]);
    for (field, value) in [("expected", json!([])), ("inputs", twice), ("parallelism", json!(0)), ("name", json!("  "))]
    {
        let answer = test.post(&people.developer, &path, wrong(field, value)).await;
        answer.refused(400, "validation_failed");
        assert_eq!(answer.body["field"], field);
    }
    test.close().await;
}

#[tokio::test]
async fn a_version_that_fails_its_tests_does_not_start_where_that_is_wished() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let id = job(&test, &people).await;
        let path = people.path(&format!("/jobs/{id}"));
        for name in ["alpha", "beta", "gamma"] {
            test.post(&people.developer, &format!("{path}/tests"), draft(name)).await.good();
        }
        let gate = |must_pass: bool| json!({ "must_pass": must_pass });
        let own = format!("{path}/tests-gate");
        test.call(&people.developer, "PUT", &own, Some(gate(true))).await.refused(403, "not_allowed");
        let set = test.call(&people.operator, "PUT", &own, Some(gate(true))).await.good();
        assert_eq!(set, json!({ "job": true, "team": false }));

        let start = json!({ "from": "fresh" });
        let refused = test.post(&people.operator, &format!("{path}/start"), start.clone()).await;
        refused.refused(409, "tests_failed");
        assert_eq!(refused.body["message"], "Version 1 was not started: 2 of its tests fail: beta, gamma.");
        assert_eq!(test.get(&people.viewer, &path).await.good()["desired"], "stopped");
        let listed = test.get(&people.viewer, &format!("{path}/tests")).await.good();
        assert_eq!(listed["tests"][2]["last"]["version"], 1);

        // The team's gate alone does the same; without either the job starts.
        test.call(&people.operator, "PUT", &own, Some(gate(false))).await.good();
        let team = people.path("/tests-gate");
        test.call(&people.operator, "PUT", &team, Some(gate(true))).await.refused(403, "not_allowed");
        test.call(&people.owner, "PUT", &team, Some(gate(true))).await.good();
        test.post(&people.operator, &format!("{path}/start"), start.clone()).await.refused(409, "tests_failed");
        test.call(&people.owner, "PUT", &team, Some(gate(false))).await.good();
        test.post(&people.operator, &format!("{path}/start"), start).await.good();
        test.close().await;
    }
}
