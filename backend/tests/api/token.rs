//! `/tokens`: API tokens.

use serde_json::json;

use crate::support::{As, People, TestApp};

#[tokio::test]
async fn a_token_works_until_it_is_revoked() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let wish = json!({ "name": "build", "team": people.team, "expires_in_days": 7 });
        let issued = test.post(&people.operator, "/tokens", wish).await.good();
        let secret = As::Token(issued["secret"].as_str().unwrap().to_owned());
        test.get(&secret, &people.path("/tables")).await.good();
        // The rights are the user's: an operator's token deletes no team.
        test.call(&secret, "DELETE", &people.path(""), None).await.refused(403, "not_allowed");

        let listed = test.get(&people.operator, "/tokens").await.good();
        assert_eq!(listed["total"], 1);
        assert!(listed["items"][0]["last_used_at"].is_i64(), "{listed}");
        assert!(!listed.to_string().contains(issued["secret"].as_str().unwrap()));

        let id = issued["token"]["id"].as_str().unwrap();
        test.call(&people.viewer, "DELETE", &format!("/tokens/{id}"), None).await.refused(404, "not_found");
        test.call(&people.operator, "DELETE", &format!("/tokens/{id}"), None).await.good();
        test.get(&secret, &people.path("/tables")).await.refused(401, "not_signed_in");
        test.close().await;
    }
}

#[tokio::test]
async fn a_scope_is_the_most_that_a_token_may() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let wish = |scope: &str| json!({ "name": "reads", "team": people.team, "scope": scope, "expires_in_days": 7 });
    let issued = test.post(&people.owner, "/tokens", wish("viewer")).await.good();
    assert_eq!(issued["token"]["scope"], "viewer");
    let secret = As::Token(issued["secret"].as_str().unwrap().to_owned());
    test.get(&secret, &people.path("/tables")).await.good();
    let refused = test.post(&secret, &people.path("/tables"), crate::table::draft("orders")).await;
    refused.refused(403, "not_allowed");
    assert_eq!(refused.body["message"], "This needs the role developer; that of the token is viewer.");
    let session = test.get(&secret, "/session").await.good();
    assert_eq!(session["teams"][0]["role"], "viewer");
    // Neither in its team nor anywhere else.
    let source =
        json!({ "team": people.slug, "kind": "topic", "address": "k1", "table": "orders", "purpose": "reports" });
    test.post(&secret, "/ingestion-requests", source.clone()).await.refused(403, "not_allowed");
    test.post(&people.owner_token, "/ingestion-requests", source).await.good();
    for inbox in ["/requests", "/notices"] {
        test.get(&people.owner_token, inbox).await.refused(403, "not_allowed");
    }

    // Nobody hands out more than they have, and a smaller role later makes the token smaller too.
    test.post(&people.developer, "/tokens", wish("owner")).await.refused(400, "validation_failed");
    let issued = test.post(&people.developer, "/tokens", wish("developer")).await.good();
    let secret = As::Token(issued["secret"].as_str().unwrap().to_owned());
    let email = test.get(&people.developer, "/session").await.good()["user"]["email"].clone();
    let smaller = json!({ "email": email, "role": "viewer" });
    test.call(&people.owner, "PUT", &people.path("/members"), Some(smaller)).await.good();
    test.post(&secret, &people.path("/tables"), crate::table::draft("orders")).await.refused(403, "not_allowed");
}

#[tokio::test]
async fn a_token_makes_no_other() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let wish = json!({ "name": "more", "team": people.team, "expires_in_days": 7 });
    test.post(&people.owner_token, "/tokens", wish).await.refused(403, "not_allowed");
}

#[tokio::test]
async fn it_dies_with_the_membership() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let wish = json!({ "name": "build", "team": people.team, "expires_in_days": 7 });
    let issued = test.post(&people.developer, "/tokens", wish).await.good();
    let secret = As::Token(issued["secret"].as_str().unwrap().to_owned());
    let user = test.get(&people.developer, "/session").await.good()["user"]["id"].as_str().unwrap().to_owned();
    test.call(&people.owner, "DELETE", &people.path(&format!("/members/{user}")), None).await.good();
    test.get(&secret, &people.path("/tables")).await.refused(401, "not_signed_in");
    // The session goes on, without the team.
    test.get(&people.developer, &people.path("/tables")).await.refused(404, "not_found");
}

#[tokio::test]
async fn wishes_are_checked() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    for (wish, field) in [
        (json!({ "name": " ", "team": people.team, "expires_in_days": 7 }), "name"),
        (json!({ "name": "x", "team": people.team, "expires_in_days": 0 }), "expires_in_days"),
        (json!({ "name": "x", "team": people.team, "expires_in_days": 4000 }), "expires_in_days"),
        (json!({ "name": "x", "team": uuid::Uuid::now_v7(), "expires_in_days": 7 }), "team"),
    ] {
        let answer = test.post(&people.viewer, "/tokens", wish).await;
        answer.refused(400, "validation_failed");
        assert_eq!(answer.body["field"], field);
    }
}
