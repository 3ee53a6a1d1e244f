//! `If-None-Match` and `If-Match`: what did not change is not sent, what somebody else changed is not overwritten.

use axum::body::Body;
use axum::http::{HeaderName, Request, header};
use serde_json::{Value, json};

use crate::support::{Answer, As, HOST, People, TestApp};
use crate::table::draft;

async fn with_tag(
    test: &TestApp,
    who: &As,
    method: &str,
    path: &str,
    tag: (HeaderName, &str),
    body: Option<&Value>,
) -> Answer {
    let As::Session(cookie) = who else { panic!("a session") };
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header(header::HOST, HOST)
        .header("x-millrace", "1")
        .header(header::ORIGIN, format!("http://{HOST}"))
        .header(header::COOKIE, format!("millrace={cookie}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(tag.0, tag.1)
        .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
    test.send(request.unwrap()).await
}

fn tag_of(answer: &Answer) -> String {
    answer.headers[header::ETAG].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let viewer = &people.viewer;
    let lists = people.path("/snippets");
    let first = test.get(viewer, &lists).await;
    let tag = tag_of(&first);
    let again = with_tag(&test, viewer, "GET", &lists, (header::IF_NONE_MATCH, &tag), None).await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (304, Some("")));
    assert_eq!(tag_of(&again), tag);
    let snippet = json!({ "name": "all", "description": "", "sql": "SELECT 1" });
    test.post(&people.developer, &lists, snippet).await.good();
    let changed = with_tag(&test, viewer, "GET", &lists, (header::IF_NONE_MATCH, &tag), None).await;
    assert_eq!(changed.status, 200);
    assert_ne!(tag_of(&changed), tag);
    // Refusals have none.
    assert!(!test.get(&As::Nobody, &lists).await.headers.contains_key(header::ETAG));
}

#[tokio::test]
async fn what_somebody_else_changed_is_not_overwritten() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let developer = &people.developer;
        let made = test.post(developer, &people.path("/tables"), draft("orders")).await.good();
        let path = people.path(&format!("/tables/{}", made["id"].as_str().unwrap()));
        let tag = tag_of(&test.get(developer, &path).await);
        let mut mine = draft("orders");
        mine["comment"] = json!("mine");
        let mut theirs = draft("orders");
        theirs["comment"] = json!("theirs");
        test.call(developer, "PUT", &path, Some(theirs)).await.good();

        let late = with_tag(&test, developer, "PUT", &path, (header::IF_MATCH, &tag), Some(&mine)).await;
        late.refused(412, "precondition_failed");
        with_tag(&test, developer, "DELETE", &path, (header::IF_MATCH, &tag), None)
            .await
            .refused(412, "precondition_failed");
        assert_eq!(test.get(developer, &path).await.good()["comment"], "theirs");
        let fresh = tag_of(&test.get(developer, &path).await);
        let weak = format!("W/{fresh}");
        with_tag(&test, developer, "PUT", &path, (header::IF_MATCH, &weak), Some(&mine))
            .await
            .refused(412, "precondition_failed");
        with_tag(&test, developer, "PUT", &path, (header::IF_MATCH, &fresh), Some(&mine)).await.good();
        with_tag(&test, developer, "PATCH", &path, (header::IF_MATCH, "*"), Some(&json!({ "tags": ["a"] })))
            .await
            .good();
        // Who may not change it hears that, and who may not see it that nothing is there.
        with_tag(&test, &people.viewer, "DELETE", &path, (header::IF_MATCH, "*"), None)
            .await
            .refused(403, "not_allowed");
        with_tag(&test, &people.outsider, "DELETE", &path, (header::IF_MATCH, &tag), None)
            .await
            .refused(404, "not_found");
        let members = people.path("/approval-mode");
        let unknown = people.path("/jobs/00000000-0000-7000-8000-000000000000/draft");
        with_tag(&test, &people.owner, "PUT", &members, (header::IF_MATCH, "\"x\""), Some(&json!({ "mode": "off" })))
            .await
            .refused(412, "precondition_failed");
        with_tag(&test, developer, "PUT", &unknown, (header::IF_MATCH, "\"x\""), Some(&json!({})))
            .await
            .refused(400, "validation_failed");
        test.close().await;
    }
}

#[tokio::test]
async fn of_two_calls_with_one_tag_one_is_done() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let snippet = |sql: &str| json!({ "name": "all", "description": "", "sql": sql });
    let made = test.post(&people.developer, &people.path("/snippets"), snippet("SELECT 1")).await.good();
    let path = people.path(&format!("/snippets/{}", made["id"].as_str().unwrap()));
    let tag = tag_of(&test.get(&people.developer, &path).await);
    let (one, two) = (snippet("SELECT 2"), snippet("SELECT 3"));
    let save = |body| with_tag(&test, &people.developer, "PUT", &path, (header::IF_MATCH, &tag), Some(body));
    let (first, second) = tokio::join!(save(&one), save(&two));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn a_jobs_tag_stands_for_what_people_set() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let job =
        test.post(&people.developer, &people.path("/jobs"), json!({ "name": "one", "sql": "SELECT 1" })).await.good();
    let path = people.path(&format!("/jobs/{}", job["id"].as_str().unwrap()));
    let tag = tag_of(&test.get(&people.developer, &path).await);
    let change = json!({ "description": "hourly" });
    with_tag(&test, &people.developer, "PATCH", &path, (header::IF_MATCH, &tag), Some(&change)).await.good();
    with_tag(&test, &people.developer, "PATCH", &path, (header::IF_MATCH, &tag), Some(&change))
        .await
        .refused(412, "precondition_failed");
    // A tag of what people set does not say that its run is as it was.
    let now = tag_of(&test.get(&people.developer, &path).await);
    let read = with_tag(&test, &people.developer, "GET", &path, (header::IF_NONE_MATCH, &now), None).await;
    assert_eq!(read.status, 200);
}

#[tokio::test]
async fn a_table_that_was_saved_since_it_was_opened_is_not_overwritten() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let made = test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let path = people.path(&format!("/tables/{}", made["id"].as_str().unwrap()));
    let mut theirs = draft("orders");
    theirs["comment"] = json!("theirs");
    theirs["revision"] = json!(1);
    test.call(&people.developer, "PUT", &path, Some(theirs.clone())).await.good();
    theirs["comment"] = json!("mine");
    test.call(&people.developer, "PUT", &path, Some(theirs)).await.refused(409, "draft_changed");
}
