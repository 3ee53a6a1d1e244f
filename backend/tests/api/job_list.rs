//! `…/jobs` as a list: filters, order, pages, counters, saved filters.

use millrace_backend::clock::{new_id, now_ms};
use millrace_backend::error::Result;
use millrace_backend::store;
use millrace_backend::transact;
use millrace_wire::ids::{JobId, RunId};
use millrace_wire::run::RunState;
use serde_json::{Value, json};

use crate::support::{People, TestApp};

async fn make(test: &TestApp, people: &People, name: &str, tags: &[&str]) -> JobId {
    let job = json!({ "name": name, "sql": "SELECT 1", "tags": tags, "description": format!("about {name}") });
    let job = test.post(&people.developer, &people.path("/jobs"), job).await.good();
    job["id"].as_str().unwrap().parse().unwrap()
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap()).collect()
}

async fn list(test: &TestApp, people: &People, query: &str) -> Value {
    test.get(&people.viewer, &people.path(&format!("/jobs{query}"))).await.good()
}

/// As if the job had a run in that state, as far as lists are concerned.
async fn seems(test: &TestApp, job: JobId, state: RunState) {
    let done: Result<()> = transact!(test.app.store, tx => { store::job_list::set_run(tx, job, 0, state).await });
    done.unwrap();
}

#[tokio::test]
async fn jobs_are_filtered_sorted_and_paged_by_the_server() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        for (name, tags) in
            [("beta", ["a", "x\"y"]), ("Alpha", ["a", "b"]), ("gamma_1", ["ab", "c"]), ("delta", ["b", "c"])]
        {
            make(&test, &people, name, &tags).await;
        }
        assert_eq!(names(&list(&test, &people, "?sort=name").await), ["Alpha", "beta", "delta", "gamma_1"]);
        assert_eq!(names(&list(&test, &people, "?sort=-name").await), ["gamma_1", "delta", "beta", "Alpha"]);
        assert_eq!(names(&list(&test, &people, "?sort=changed").await)[0], "delta");
        // A tag is a whole one, and whatever is in it.
        assert_eq!(names(&list(&test, &people, "?sort=name&tag=a").await), ["Alpha", "beta"]);
        assert_eq!(names(&list(&test, &people, "?tag=x%22y").await), ["beta"]);
        // All words, whatever their case; none of them is a pattern.
        assert_eq!(names(&list(&test, &people, "?q=ABOUT+alph").await), ["Alpha"]);
        assert_eq!(names(&list(&test, &people, "?q=a_1").await), ["gamma_1"]);
        assert!(names(&list(&test, &people, "?q=%25").await).is_empty());
        assert!(names(&list(&test, &people, "?q=%00&tag=%00&owner=%00&state=%00").await).is_empty());
        assert_eq!(list(&test, &people, "?owner=Somebody&kind=stream").await["total"], 4);
        assert_eq!(list(&test, &people, "?owner=Nobody").await["total"], 0);

        let first = list(&test, &people, "?sort=name&limit=3").await;
        assert_eq!((names(&first).len(), &first["total"]), (3, &json!(4)));
        let rest =
            list(&test, &people, &format!("?sort=name&limit=3&cursor={}", first["next"].as_str().unwrap())).await;
        assert_eq!((names(&rest), &rest["next"]), (vec!["gamma_1"], &Value::Null));
        test.get(&people.viewer, &people.path("/jobs?cursor=x")).await.refused(400, "validation_failed");
        test.get(&people.viewer, &people.path("/jobs?sort=name;")).await.refused(400, "validation_failed");
        assert!(names(&list(&test, &people, "?cursor=18446744073709551615").await).is_empty());
        test.close().await;
    }
}

#[tokio::test]
async fn what_is_not_right_comes_first_and_is_counted() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let runs = make(&test, &people, "runs", &[]).await;
        let failed = make(&test, &people, "failed", &["t"]).await;
        let recovers = make(&test, &people, "recovers", &[]).await;
        make(&test, &people, "draft", &["t"]).await;
        seems(&test, runs, RunState::Running).await;
        seems(&test, failed, RunState::Failed).await;
        seems(&test, recovers, RunState::Recovering).await;
        assert_eq!(names(&list(&test, &people, "").await), ["failed", "recovers", "runs", "draft"]);
        assert_eq!(names(&list(&test, &people, "?state=failed").await), ["failed"]);
        assert_eq!(list(&test, &people, "?state=failed").await["total"], 1);
        let counts = test.get(&people.viewer, &people.path("/jobs/counts?state=failed&tag=t")).await.good();
        let expected = json!([{ "state": "draft", "jobs": 1 }, { "state": "failed", "jobs": 1 }]);
        assert_eq!((&counts["states"], &counts["total"]), (&expected, &json!(2)));
        let overview = test.get(&people.viewer, &people.path("/overview")).await.good();
        assert_eq!((&overview["jobs"], overview["states"].as_array().unwrap().len()), (&json!(4), 4));
        let late: Vec<&str> =
            overview["latest"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap()).collect();
        assert_eq!(late, ["recovers", "runs"]);
        test.close().await;
    }
}

#[tokio::test]
async fn the_list_follows_runs() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = make(&test, &people, "j", &[]).await;
        crate::store::use_table(&test.app, people.team, job, "main", "t").await;
        let version = store::version::id_of(&test.app.store, job, 1).await.unwrap().unwrap();
        let now = now_ms();
        let mut run = crate::store::run_row(people.team, job, version, RunId(new_id()), now);
        for number in [1, 2] {
            run.id = RunId(new_id());
            run.number = number;
            let done: Result<()> = transact!(test.app.store, tx => { store::run::insert(tx, &run).await });
            done.unwrap();
            // As a server does that goes on with the run: it tells browsers.
            test.app.answers.changed();
            assert_eq!(names(&list(&test, &people, "?state=pending").await), ["j"]);
            let seen = store::run::Seen { attempt: 0, state: RunState::Pending };
            let change = store::run::Change { to: RunState::Failed, reason: "why", attempt_is_over: true, at: now };
            let changed =
                transact!(test.app.store, tx => { store::run::change_state(tx, run.id, seen, &change).await });
            assert!(changed.unwrap());
            test.app.answers.changed();
            let failed = list(&test, &people, "?state=failed").await;
            assert_eq!(failed["items"][0]["current"]["number"], number);
            assert_eq!(failed["items"][0]["current"]["reason"], "why");
        }
        test.close().await;
    }
}

#[tokio::test]
async fn a_saved_filter_is_its_makers() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let filters = people.path("/saved-filters");
        let made =
            test.post(&people.viewer, &filters, json!({ "name": "mine", "query": "?state=failed" })).await.good();
        assert_eq!(made["query"], "state=failed");
        // The same name again changes it.
        let again = test.post(&people.viewer, &filters, json!({ "name": "mine", "query": "tag=a" })).await.good();
        assert_eq!((&again["id"], &again["query"]), (&made["id"], &json!("tag=a")));
        assert_eq!(test.get(&people.viewer, &filters).await.good()["total"], 1);
        assert_eq!(test.get(&people.developer, &filters).await.good()["total"], 0);
        test.post(&people.viewer, &filters, json!({ "name": "", "query": "a=b" }))
            .await
            .refused(400, "validation_failed");
        test.post(&people.viewer, &filters, json!({ "name": "x", "query": "" }))
            .await
            .refused(400, "validation_failed");
        let one = format!("{filters}/{}", made["id"].as_str().unwrap());
        test.call(&people.developer, "DELETE", &one, None).await.refused(404, "not_found");
        test.call(&people.viewer, "DELETE", &one, None).await.good();
        assert_eq!(test.get(&people.viewer, &filters).await.good()["total"], 0);
        test.close().await;
    }
}
