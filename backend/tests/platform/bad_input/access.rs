//! Signing in with what is wrong: the answers do not tell who has an account.

use reqwest::Method;
use serde_json::json;

use super::in_words;
use crate::server::{EMAIL, NO_KAFKA, PASSWORD, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_person_get_the_same_answer() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let sign_in = async |email: &str, password: &str| {
        server.call(Method::POST, "/session", Some(json!({ "email": email, "password": password }))).await
    };
    let known = sign_in(EMAIL, "not the password").await;
    let unknown = sign_in("nobody@example.org", "not the password").await;
    let without = |answer: &crate::server::Answer| {
        let mut body = answer.body.clone();
        body.as_object_mut().unwrap().remove("request_id");
        (answer.status, body)
    };
    assert_eq!(without(&known), without(&unknown));
    insta::assert_snapshot!(in_words(&known), @"401 not_signed_in: The e-mail address or the password is wrong.");
    assert_eq!(sign_in(EMAIL, PASSWORD).await.status, 200);
}
