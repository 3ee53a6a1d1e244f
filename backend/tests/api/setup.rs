//! `/setup`: the first run.

use millrace_backend::app::account;
use serde_json::{Value, json};

use crate::support::{As, TestApp};

fn first_run(token: &str) -> Value {
    json!({ "token": token, "name": "Anna", "email": "Anna@Example.org", "password": "a long enough phrase" })
}

#[tokio::test]
async fn the_token_makes_one_administrator_once() {
    for test in TestApp::on_each_database().await {
        let status = test.get(&As::Nobody, "/setup").await.good();
        assert_eq!(status["needs_administrator"], true);
        let token = account::prepare_first_run(&test.app).await.unwrap().unwrap();

        test.post(&As::Nobody, "/setup", first_run("guessed")).await.refused(400, "validation_failed");
        let answer = test.post(&As::Nobody, "/setup", first_run(&token)).await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
        let session = answer.good();
        assert_eq!(session["user"]["administrator"], true);
        assert_eq!(session["user"]["email"], "anna@example.org");
        assert_eq!(session["teams"][0]["role"], "owner");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");

        test.post(&As::Nobody, "/setup", first_run(&token)).await.refused(400, "validation_failed");
        assert_eq!(test.get(&As::Nobody, "/setup").await.good()["needs_administrator"], false);
        assert_eq!(account::prepare_first_run(&test.app).await.unwrap(), None);
        test.close().await;
    }
}

#[tokio::test]
async fn a_new_start_makes_the_old_token_useless() {
    let test = TestApp::new().await;
    let old = account::prepare_first_run(&test.app).await.unwrap().unwrap();
    let new = account::prepare_first_run(&test.app).await.unwrap().unwrap();
    test.post(&As::Nobody, "/setup", first_run(&old)).await.refused(400, "validation_failed");
    test.post(&As::Nobody, "/setup", first_run(&new)).await.good();
}

#[tokio::test]
async fn weak_passwords_do_not_use_the_token_up() {
    let test = TestApp::new().await;
    let token = account::prepare_first_run(&test.app).await.unwrap().unwrap();
    let mut weak = first_run(&token);
    weak["password"] = json!("short");
    let answer = test.post(&As::Nobody, "/setup", weak).await;
    answer.refused(400, "validation_failed");
    assert_eq!(answer.body["field"], "password");
    test.post(&As::Nobody, "/setup", first_run(&token)).await.good();
}

#[tokio::test]
async fn two_at_once_make_one() {
    for test in TestApp::on_each_database().await {
        let token = account::prepare_first_run(&test.app).await.unwrap().unwrap();
        let mut other = first_run(&token);
        other["email"] = json!("ben@example.org");
        let (left, right) =
            tokio::join!(test.post(&As::Nobody, "/setup", first_run(&token)), test.post(&As::Nobody, "/setup", other),);
        let done = [&left, &right].iter().filter(|answer| answer.status.is_success()).count();
        assert_eq!(done, 1, "{} {}", left.body, right.body);
        test.close().await;
    }
}
