//! `/teams` and members.

use serde_json::json;

use crate::support::{People, TestApp};

#[tokio::test]
async fn an_administrator_makes_teams_with_what_they_need() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let team = test.post(&people.administrator, "/teams", json!({ "slug": "sales", "name": "Sales" })).await.good();
        assert_eq!(team["members"], 1);
        let databases = test.get(&people.administrator, "/teams/sales/databases").await.good();
        assert_eq!(databases["items"][0]["name"], "main");
        let connections = test.get(&people.administrator, "/teams/sales/connections").await.good();
        assert_eq!(connections["items"][0]["built_in"], true);
        let again = json!({ "slug": "sales", "name": "Others" });
        test.post(&people.administrator, "/teams", again).await.refused(409, "name_taken");
        let bad = json!({ "slug": "Sales Team", "name": "x" });
        test.post(&people.administrator, "/teams", bad).await.refused(400, "validation_failed");
        test.call(&people.administrator, "DELETE", "/teams/sales", None).await.good();
        test.get(&people.administrator, "/teams/sales").await.refused(404, "not_found");
        test.close().await;
    }
}

#[tokio::test]
async fn members_come_change_and_go() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let members = people.path("/members");
        let unknown = json!({ "email": "new@example.org", "role": "viewer" });
        test.call(&people.owner, "PUT", &members, Some(unknown)).await.refused(400, "validation_failed");
        let user = json!({ "name": "New", "password": "a long enough phrase" });
        let fresh = json!({ "email": "New@example.org", "role": "viewer", "new_user": user });
        let member = test.call(&people.owner, "PUT", &members, Some(fresh)).await.good();
        assert_eq!(member["role"], "viewer");
        let promoted = json!({ "email": "new@example.org", "role": "operator" });
        let again = test.call(&people.owner, "PUT", &members, Some(promoted)).await.good();
        assert_eq!((&again["user"], &again["since"]), (&member["user"], &member["since"]));
        assert_eq!(again["role"], "operator");
        assert_eq!(test.get(&people.viewer, &members).await.good()["total"], 5);
        let id = member["user"].as_str().unwrap();
        test.call(&people.owner, "DELETE", &format!("{members}/{id}"), None).await.good();
        test.call(&people.owner, "DELETE", &format!("{members}/{id}"), None).await.refused(404, "not_found");
        test.close().await;
    }
}

#[tokio::test]
async fn the_last_owner_stays() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let email = test.get(&people.owner, "/session").await.good()["user"]["email"].as_str().unwrap().to_owned();
    let members = people.path("/members");
    let demoted = json!({ "email": email, "role": "viewer" });
    test.call(&people.owner, "PUT", &members, Some(demoted)).await.refused(409, "conflict");
    let own = format!("{members}/{}", people.owner_id);
    test.call(&people.owner, "DELETE", &own, None).await.refused(409, "conflict");
}

#[tokio::test]
async fn a_change_of_role_bites_at_once() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let database = json!({ "name": "first" });
    test.post(&people.developer, &people.path("/databases"), database).await.good();
    let email = test.get(&people.developer, "/session").await.good()["user"]["email"].as_str().unwrap().to_owned();
    let demoted = json!({ "email": email, "role": "viewer" });
    test.call(&people.owner, "PUT", &people.path("/members"), Some(demoted)).await.good();
    let database = json!({ "name": "second" });
    test.post(&people.developer, &people.path("/databases"), database).await.refused(403, "not_allowed");
}
