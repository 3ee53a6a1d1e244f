//! Folders of jobs: where a job lies, the list by folder, and folders that get another name.

use serde_json::{Value, json};

use crate::support::{As, People, TestApp};

async fn make(test: &TestApp, people: &People, name: &str, folder: &str) -> String {
    let job = json!({ "name": name, "sql": "SELECT 1", "folder": folder });
    let made = test.post(&people.developer, &people.path("/jobs"), job).await.good();
    made["id"].as_str().unwrap().to_owned()
}

/// Names of the jobs that the query admits, by name, each with its folder.
async fn listed(test: &TestApp, people: &People, query: &str) -> Vec<String> {
    let page = test.get(&people.viewer, &people.path(&format!("/jobs?sort=name{query}"))).await.good();
    let job = |job: &Value| format!("{} in {}", job["name"].as_str().unwrap(), job["folder"].as_str().unwrap());
    page["items"].as_array().unwrap().iter().map(job).collect()
}

async fn move_all(test: &TestApp, people: &People, who: &As, from: &str, to: &str) -> Value {
    let bulk = json!({ "action": "move", "filter": { "folder": from }, "from_folder": from, "folder": to });
    test.post(who, &people.path("/jobs/bulk"), bulk).await.good()
}

#[tokio::test]
async fn a_job_lies_in_a_folder_and_the_list_is_narrowed_by_it() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let one = make(&test, &people, "one", " billing / daily ").await;
        make(&test, &people, "two", "billing").await;
        make(&test, &people, "three", "billings").await;
        make(&test, &people, "four", "").await;
        let path = people.path(&format!("/jobs/{one}"));
        assert_eq!(test.get(&people.viewer, &path).await.good()["folder"], "billing/daily");
        assert_eq!(listed(&test, &people, "&folder=billing").await, ["one in billing/daily", "two in billing"]);
        assert_eq!(listed(&test, &people, "&folder=billing%2Fdaily").await, ["one in billing/daily"]);
        assert_eq!(listed(&test, &people, "&folder=Billing").await, Vec::<String>::new());
        assert_eq!(listed(&test, &people, "&q=daily").await, ["one in billing/daily"]);
        let counts = test.get(&people.viewer, &people.path("/jobs/counts?folder=billing")).await.good();
        assert_eq!(counts["total"], 2);

        let moved = test.call(&people.developer, "PATCH", &path, Some(json!({ "folder": "a/b" }))).await.good();
        assert_eq!((&moved["folder"], &moved["name"]), (&json!("a/b"), &json!("one")));
        let renamed = test.call(&people.developer, "PATCH", &path, Some(json!({ "name": "uno" }))).await.good();
        assert_eq!(renamed["folder"], "a/b", "what is absent stays");
        test.call(&people.viewer, "PATCH", &path, Some(json!({ "folder": "" }))).await.refused(403, "not_allowed");
        for bad in ["a//b", "/a", "1/2/3/4/5/6", &"x".repeat(61), "a/\u{1}"] {
            let refused = test.call(&people.developer, "PATCH", &path, Some(json!({ "folder": bad }))).await;
            refused.refused(400, "validation_failed");
            assert_eq!(refused.body["field"], "folder", "{bad:?}");
            let new = json!({ "name": "bad", "sql": "SELECT 1", "folder": bad });
            test.post(&people.developer, &people.path("/jobs"), new).await.refused(400, "validation_failed");
        }
        let root = test.call(&people.developer, "PATCH", &path, Some(json!({ "folder": "" }))).await.good();
        assert_eq!(root["folder"], "");

        let audit = test.get(&people.owner, &people.path("/audit?limit=200")).await.good();
        let told = audit["items"].as_array().unwrap().iter().any(|entry| entry.to_string().contains("a/b"));
        assert!(told, "{audit}");
        test.close().await;
    }
}

#[tokio::test]
async fn a_folder_that_is_renamed_takes_all_below_it_along() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        make(&test, &people, "one", "billing/daily").await;
        let two = make(&test, &people, "two", "billing").await;
        make(&test, &people, "three", "billings").await;
        make(&test, &people, "deep", "billing/2/3/4/5").await;
        let report = move_all(&test, &people, &people.developer, "billing", "fin/invoices").await;
        assert_eq!((&report["done"], &report["refused"]), (&json!(2), &json!(1)), "{report}");
        let all = ["deep in billing/2/3/4/5", "one in fin/invoices/daily", "three in billings", "two in fin/invoices"];
        assert_eq!(listed(&test, &people, "").await, all, "the sixth level is refused");
        move_all(&test, &people, &people.developer, "fin", "").await;
        assert_eq!(listed(&test, &people, "&folder=invoices").await, ["one in invoices/daily", "two in invoices"]);

        let bulk = people.path("/jobs/bulk");
        let into = json!({ "action": "move", "jobs": [two], "folder": "x" });
        assert_eq!(test.post(&people.developer, &bulk, into.clone()).await.good()["done"], 1);
        assert_eq!(listed(&test, &people, "&folder=x").await, ["two in x"]);
        let elsewhere = json!({ "action": "move", "jobs": [two], "folder": "y", "from_folder": "z" });
        let report = test.post(&people.developer, &bulk, elsewhere).await.good();
        assert_eq!(report["items"][0]["code"], "validation_failed", "{report}");
        test.post(&people.viewer, &bulk, into).await.refused(403, "not_allowed");
        for body in
            [json!({ "action": "move", "jobs": [two] }), json!({ "action": "move", "jobs": [two], "folder": "/" })]
        {
            let refused = test.post(&people.developer, &bulk, body).await;
            refused.refused(400, "validation_failed");
            assert_eq!(refused.body["field"], "folder");
        }
        test.close().await;
    }
}
