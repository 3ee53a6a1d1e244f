//! `/session`: sign-in and sign-out.

use axum::http::header;
use millrace_backend::app::account;
use serde_json::json;

use crate::support::{As, TestApp};

const PASSWORD: &str = "a long enough phrase";

async fn with_anna(settings: &[(&str, &str)]) -> TestApp {
    let test = TestApp::with(settings).await;
    let token = account::prepare_first_run(&test.app).await.unwrap().unwrap();
    let first = json!({ "token": token, "name": "Anna", "email": "anna@example.org", "password": PASSWORD });
    test.post(&As::Nobody, "/setup", first).await.good();
    test
}

fn cookie(answer: &crate::support::Answer) -> As {
    let text = answer.headers[header::SET_COOKIE].to_str().unwrap();
    As::Session(text.split(';').next().unwrap().split_once('=').unwrap().1.to_owned())
}

#[tokio::test]
async fn a_session_lasts_from_sign_in_to_sign_out() {
    let test = with_anna(&[]).await;
    let answer = test.post(&As::Nobody, "/session", json!({ "email": "ANNA@example.org", "password": PASSWORD })).await;
    let anna = cookie(&answer);
    assert_eq!(answer.good()["user"]["name"], "Anna");
    test.get(&anna, "/session").await.good();
    test.call(&anna, "DELETE", "/session", None).await.good();
    test.get(&anna, "/session").await.refused(401, "not_signed_in");
}

#[tokio::test]
async fn wrong_password_and_unknown_user_read_the_same() {
    let test = with_anna(&[]).await;
    let wrong = test.post(&As::Nobody, "/session", json!({ "email": "anna@example.org", "password": "x" })).await;
    let unknown = test.post(&As::Nobody, "/session", json!({ "email": "eve@example.org", "password": "x" })).await;
    wrong.refused(401, "not_signed_in");
    unknown.refused(401, "not_signed_in");
    assert_eq!(wrong.body["message"], unknown.body["message"]);
    assert!(wrong.headers.get(header::SET_COOKIE).is_none());
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let test = with_anna(&[]).await;
    let guess = json!({ "email": "anna@example.org", "password": "x" });
    let mut seen = Vec::new();
    for _ in 0..12 {
        seen.push(test.post(&As::Nobody, "/session", guess.clone()).await.status.as_u16());
    }
    assert!(seen.contains(&401) && seen.last() == Some(&429), "{seen:?}");
    // The right password does not pass either: otherwise the limit would only slow down honest people.
    let right = json!({ "email": "anna@example.org", "password": PASSWORD });
    test.post(&As::Nobody, "/session", right).await.refused(429, "too_many_requests");
}

#[tokio::test]
async fn a_made_up_cookie_is_nobody() {
    let test = with_anna(&[]).await;
    for value in ["", "x", "'; DROP TABLE sessions; --", &"a".repeat(5000)] {
        test.get(&As::Session(value.to_owned()), "/session").await.refused(401, "not_signed_in");
    }
}

#[tokio::test]
async fn on_https_the_cookie_is_bound_to_the_host() {
    let test = TestApp::with(&[("public_url", "https://mill.example"), ("demo", "true")]).await;
    account::ensure_demo(&test.app).await.unwrap();
    let request = axum::http::Request::post("/api/v1/session/demo")
        .header("x-millrace", "1")
        .header(header::ORIGIN, "https://mill.example")
        .body(axum::body::Body::empty());
    let answer = test.send(request.unwrap()).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-millrace=") && cookie.contains("; Secure"), "{cookie}");
    assert!(answer.headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
}

#[tokio::test]
async fn demo_sign_in_is_there_in_demo_mode_only() {
    let test = TestApp::new().await;
    test.call(&As::Nobody, "POST", "/session/demo", None).await.refused(403, "not_allowed");
    let test = TestApp::with(&[("demo", "true")]).await;
    account::ensure_demo(&test.app).await.unwrap();
    account::ensure_demo(&test.app).await.unwrap();
    let session = test.call(&As::Nobody, "POST", "/session/demo", None).await.good();
    assert_eq!(session["teams"][0]["slug"], "demo");
    assert_eq!(session["user"]["administrator"], false);
    // Nobody gets in as the demo user by password, whatever it is.
    let guess = json!({ "email": account::DEMO_EMAIL, "password": "" });
    test.post(&As::Nobody, "/session", guess).await.refused(401, "not_signed_in");
}

#[tokio::test]
async fn an_address_that_was_given_to_somebody_else_at_the_provider_opens_no_account() {
    use millrace_backend::access::sign_on::Person;
    use millrace_backend::app::sign_on::user_of;
    use millrace_wire::session::SignOnRefusal;

    for test in crate::support::TestApp::on_each_database().await {
        let people = crate::support::People::settle(&test.app).await;
        let person = |issuer: &str, subject: &str| Person {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            email: Some(format!("{}@example.org", people.viewer_id)),
            name: None,
        };
        let known = async |person: Person| user_of(&test.app, &person, true).await.map_err(|refused| refused.why);
        for _ in 0..2 {
            assert_eq!(known(person("https://a.example", "first")).await.unwrap().id, people.viewer_id);
        }
        let other = known(person("https://a.example", "second")).await;
        assert_eq!(other.unwrap_err(), SignOnRefusal::OtherPerson);
        assert_eq!(known(person("https://b.example", "second")).await.unwrap().id, people.viewer_id);
        test.close().await;
    }
}
