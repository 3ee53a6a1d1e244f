//! `…/live`: events of one's own team, with resume.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::{As, People, TestApp};

const PATIENCE: Duration = Duration::from_secs(10);

/// A reader as a browser has it: ids and data of what has come.
pub(crate) struct Reader {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Reader {
    pub(crate) async fn open(test: &TestApp, people: &People, last: Option<&str>) -> Reader {
        Self::open_as(test, people, &people.viewer, last).await
    }

    pub(crate) async fn open_as(test: &TestApp, people: &People, who: &As, last: Option<&str>) -> Reader {
        let As::Session(cookie) = who else { panic!("a session") };
        let mut request = Request::get(format!("/api/v1{}", people.path("/live")))
            .header(header::COOKIE, format!("millrace={cookie}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = test.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert!(response.status().is_success());
        Reader { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let parsed = field("data:")
                    .map(|data| (field("id:").unwrap_or("").to_owned(), serde_json::from_str(data).unwrap()));
                self.text = rest.to_owned();
                if parsed.is_some() {
                    return parsed;
                }
                continue;
            }
            let piece = tokio::time::timeout(PATIENCE, self.body.next()).await.expect("an event in time")?;
            self.text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
    }
}

async fn make_database(test: &TestApp, people: &People, name: &str) {
    test.post(&people.developer, &people.path("/databases"), json!({ "name": name })).await.good();
}

#[tokio::test]
async fn events_come_and_resume_after_the_last_one_seen() {
    let test = TestApp::new().await;
    let (people, others) = (People::settle(&test.app).await, People::settle(&test.app).await);
    let mut reader = Reader::open(&test, &people, None).await;
    make_database(&test, &others, "theirs").await;
    make_database(&test, &people, "one").await;
    let (first, event) = reader.next().await.unwrap();
    assert_eq!(event["type"], "tables_changed");
    drop(reader);
    make_database(&test, &people, "two").await;
    make_database(&test, &people, "three").await;
    let mut reader = Reader::open(&test, &people, Some(&first)).await;
    let (second, _) = reader.next().await.unwrap();
    let (third, _) = reader.next().await.unwrap();
    let number = |id: &str| id.rsplit_once('-').unwrap().1.parse::<u64>().unwrap();
    assert_eq!((number(&first), number(&second), number(&third)), (1, 2, 3));
}

#[tokio::test]
async fn who_cannot_resume_is_told_to_reload() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let mut reader = Reader::open(&test, &people, Some("12345-9")).await;
    assert_eq!(reader.next().await.unwrap().1["type"], "reset");
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let mut reader = Reader::open(&test, &people, None).await;
    test.app.shutdown.cancel();
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn who_leaves_the_team_hears_no_more_and_a_lower_role_hears_less() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let job = json!({ "name": "hidden", "sql": "SELECT 1" });
        let job = test.post(&people.owner, &people.path("/jobs"), job).await.good();
        let job = people.path(&format!("/jobs/{}", job["id"].as_str().unwrap()));
        let change = json!({ "restricted": true });
        test.call(&people.owner, "PATCH", &format!("{job}/permissions"), Some(change)).await.good();
        let second = people.maker(&test.app).await;
        let email = test.get(&second, "/session").await.good()["user"]["email"].clone();

        let mut leaving = Reader::open(&test, &people, None).await;
        let mut lowered = Reader::open_as(&test, &people, &second, None).await;
        let viewer = json!({ "email": email, "role": "viewer" });
        test.call(&people.owner, "PUT", &people.path("/members"), Some(viewer)).await.good();
        assert_eq!(lowered.next().await.unwrap().1["type"], "reset");
        assert_eq!(leaving.next().await.unwrap().1["type"], "reset");
        test.call(&people.owner, "PATCH", &job, Some(json!({ "description": "new" }))).await.good();
        make_database(&test, &people, "seen").await;
        assert_eq!(lowered.next().await.unwrap().1["type"], "tables_changed", "the job is hidden from a viewer");
        assert_eq!(leaving.next().await.unwrap().1["type"], "tables_changed");

        let member = people.path(&format!("/members/{}", people.viewer_id));
        test.call(&people.owner, "DELETE", &member, None).await.good();
        make_database(&test, &people, "unseen").await;
        assert!(leaving.next().await.is_none());
        test.close().await;
    }
}
