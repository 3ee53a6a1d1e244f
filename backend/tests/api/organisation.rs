//! `/organisations`, and that what teams show of themselves ends at their organisation.

use serde_json::{Value, json};

use crate::support::{As, People, TestApp, join, make_account, make_organisation, session, token};
use crate::table::draft;
use millrace_wire::team::Role;

/// A listed table of the team; its id.
async fn listed(test: &TestApp, people: &People, name: &str) -> String {
    let table = test.post(&people.owner, &people.path("/tables"), draft(name)).await.good();
    let id = table["id"].as_str().unwrap().to_owned();
    let path = people.path(&format!("/tables/{id}/permissions"));
    test.call(&people.operator, "PATCH", &path, Some(json!({ "listed": true }))).await.good();
    id
}

/// The developer of a team in an organisation of its own, with the address.
async fn stranger(test: &TestApp, slug: &str) -> (As, String) {
    let (owner, user) = (make_account(&test.app, false).await, make_account(&test.app, false).await);
    let team = make_organisation(&test.app, slug, owner).await;
    join(&test.app, team, user, Role::Developer).await;
    let who = session(&test.app, user).await;
    let email = email(test, &who).await;
    (who, email)
}

async fn email(test: &TestApp, who: &As) -> String {
    test.get(who, "/session").await.good()["user"]["email"].as_str().unwrap().to_owned()
}

fn slugs(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["slug"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn made_by_an_administrator_and_managed_by_its_owner() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let new = json!({ "slug": "north", "name": "North" });
        test.post(&people.owner, "/organisations", new.clone()).await.refused(403, "not_allowed");
        test.post(&people.administrator, "/organisations", new.clone()).await.good();
        test.post(&people.administrator, "/organisations", new).await.refused(409, "name_taken");
        let team = json!({ "slug": "sales", "name": "Sales", "organisation": "north" });
        test.post(&people.owner, "/teams", team.clone()).await.refused(403, "not_allowed");
        test.get(&people.owner, "/organisations/north").await.refused(404, "not_found");

        let members = "/organisations/north/members";
        let owner = json!({ "email": email(&test, &people.owner).await, "role": "owner" });
        let named = test.call(&people.administrator, "PUT", members, Some(owner.clone())).await.good();
        assert_eq!((&named["role"], &named["teams"]), (&json!("owner"), &json!([])));
        let made = test.post(&people.owner, "/teams", json!({ "slug": "sales", "name": "Sales" })).await.good();
        assert_eq!(made["organisation"], json!({ "slug": "north", "name": "North" }), "the only one they own");
        let shown = test.get(&people.owner, "/teams/sales").await.good();
        assert_eq!(shown["organisation"]["slug"], "north");
        let renamed = json!({ "name": "Far north" });
        test.call(&people.owner, "PATCH", "/organisations/north", Some(renamed)).await.good();
        assert_eq!(test.get(&people.owner, "/organisations/north").await.good()["name"], "Far north");
        assert_eq!(slugs(&test.get(&people.owner, "/organisations/north/teams").await.good()), ["sales"]);
        let own = test.get(&people.owner, "/organisations").await.good();
        assert_eq!(slugs(&own), ["default", "north"]);
        assert_eq!((&own["items"][0]["role"], &own["items"][1]["role"]), (&json!("member"), &json!("owner")));

        test.call(&people.owner, "DELETE", "/organisations/north", None).await.refused(403, "not_allowed");
        test.call(&people.administrator, "DELETE", "/organisations/north", None).await.refused(409, "wrong_state");
        test.call(&people.owner, "DELETE", "/teams/sales", None).await.good();
        let own = format!("{members}/{}", people.owner_id);
        test.call(&people.administrator, "DELETE", &format!("{members}/{}", people.administrator_id), None)
            .await
            .good();
        test.call(&people.owner, "DELETE", &own, None).await.refused(409, "conflict");
        let demoted = json!({ "email": owner["email"], "role": "member" });
        test.call(&people.owner, "PUT", members, Some(demoted)).await.refused(409, "conflict");
        test.call(&people.administrator, "DELETE", &own, None).await.good();
        test.get(&people.owner, "/organisations/north").await.refused(404, "not_found");
        test.call(&people.administrator, "DELETE", "/organisations/north", None).await.good();
        test.call(&people.administrator, "DELETE", "/organisations/default", None).await.refused(409, "wrong_state");
        test.close().await;
    }
}

#[tokio::test]
async fn with_several_to_choose_from_a_new_team_names_one() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    make_organisation(&test.app, "north", people.owner_id).await;
    make_organisation(&test.app, "south", people.owner_id).await;
    let team = |slug: &str| json!({ "slug": slug, "name": "Sales" });
    let refused = test.post(&people.owner, "/teams", team("sales")).await;
    assert!(refused.body.to_string().contains("north, south"), "{}", refused.body);
    refused.refused(400, "validation_failed");
    let named = json!({ "slug": "sales", "name": "Sales", "organisation": "south" });
    let made = test.post(&people.owner, "/teams", named).await.good();
    assert_eq!(made["organisation"]["slug"], "south");
    let made = test.post(&people.administrator, "/teams", team("stores")).await.good();
    assert_eq!(made["organisation"]["slug"], "default", "administrators make them in the first one");
}

#[tokio::test]
async fn an_owner_sees_the_teams_and_nothing_in_them() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    make_organisation(&test.app, "north", people.owner_id).await;
    test.get(&people.owner, "/organisations/north/members").await.good();
    test.get(&people.owner, "/teams/north").await.refused(404, "not_found");
    test.get(&people.owner, "/teams/north/tables").await.refused(404, "not_found");
}

#[tokio::test]
async fn the_catalogue_and_requests_end_at_the_organisation() {
    for test in TestApp::on_each_database().await {
        let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
        let table = listed(&test, &theirs, "clicks").await;
        let (stranger, _) = stranger(&test, "north").await;
        assert_eq!(test.get(&ours.viewer, "/catalogue").await.good()["total"], 1, "a team beside finds it");
        assert_eq!(test.get(&stranger, "/catalogue").await.good()["total"], 0);
        let ask = format!("/catalogue/{table}/requests");
        let asked = json!({ "level": "read", "reason": "a report" });
        test.post(&stranger, &ask, asked.clone()).await.refused(404, "not_found");
        test.post(&ours.developer, &ask, asked).await.good();
        let mut ingest = json!({ "kind": "kafka", "address": "a:1", "table": "orders", "purpose": "a report" });
        ingest["team"] = json!(theirs.slug);
        test.post(&stranger, "/ingestion-requests", ingest.clone()).await.refused(400, "validation_failed");
        test.post(&ours.developer, "/ingestion-requests", ingest).await.good();
        test.close().await;
    }
}

#[tokio::test]
async fn access_is_asked_for_a_team_of_the_same_organisation_only() {
    let test = TestApp::new().await;
    let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
    let table = listed(&test, &theirs, "clicks").await;
    let team = make_organisation(&test.app, "north", ours.owner_id).await;
    join(&test.app, team, ours.developer_id, Role::Developer).await;
    let asked = json!({ "level": "read", "reason": "a report", "for_team": "north" });
    let ask = format!("/catalogue/{table}/requests");
    test.post(&ours.developer, &ask, asked).await.refused(400, "validation_failed");
}

#[tokio::test]
async fn nothing_is_opened_to_who_is_in_another_organisation() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let (_, email) = stranger(&test, "north").await;
        let table = test.post(&people.owner, &people.path("/tables"), draft("clicks")).await.good();
        let job = json!({ "name": "count", "sql": "SELECT 1" });
        let job = test.post(&people.owner, &people.path("/jobs"), job).await.good();
        for path in
            [format!("/tables/{}", table["id"].as_str().unwrap()), format!("/jobs/{}", job["id"].as_str().unwrap())]
        {
            let grants = people.path(&format!("{path}/grants"));
            let give = async |to: Value| test.call(&people.operator, "PUT", &grants, Some(to)).await;
            give(json!({ "team": "north", "level": "read" })).await.refused(400, "validation_failed");
            let known = give(json!({ "email": email, "level": "read" })).await;
            let unknown = give(json!({ "email": "nobody@example.org", "level": "read" })).await;
            assert_eq!(known.body["message"], unknown.body["message"], "who is there is not told");
            known.refused(400, "validation_failed");
            give(json!({ "team": people.other_slug, "level": "read" })).await.good();
        }
        test.close().await;
    }
}

#[tokio::test]
async fn whoever_leaves_the_organisation_leaves_all_of_it() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let team = make_organisation(&test.app, "north", people.owner_id).await;
        join(&test.app, team, people.owner_id, Role::Owner).await;
        let away = make_account(&test.app, false).await;
        join(&test.app, team, away, Role::Viewer).await;
        let who = session(&test.app, away).await;
        let email = email(&test, &who).await;
        let table = test.post(&people.owner, "/teams/north/tables", draft("clicks")).await.good();
        let table = format!("/teams/north/tables/{}", table["id"].as_str().unwrap());
        let give = json!({ "email": email, "level": "manage" });
        test.call(&people.owner, "PUT", &format!("{table}/grants"), Some(give)).await.good();
        let by_token = token(&test.app, away, team).await;
        test.get(&by_token, &table).await.good();

        // The team alone: still of the organisation, and the catalogue stays open.
        let path = format!("/teams/north/members/{away}");
        test.call(&people.owner, "DELETE", &path, None).await.good();
        assert_eq!(slugs(&test.get(&who, "/organisations").await.good()), ["north"]);
        join(&test.app, team, away, Role::Viewer).await;

        let path = format!("/organisations/north/members/{away}");
        let id = people.owner_id;
        let own = format!("/organisations/north/members/{id}");
        test.call(&people.administrator, "DELETE", &own, None).await.refused(409, "conflict");
        test.call(&people.owner, "DELETE", &path, None).await.good();
        test.get(&who, &table).await.refused(404, "not_found");
        test.get(&by_token, &table).await.refused(401, "not_signed_in");
        assert_eq!(test.get(&who, "/organisations").await.good()["total"], 0);
        assert_eq!(test.get(&who, "/catalogue").await.good()["total"], 0);
        test.close().await;
    }
}

#[tokio::test]
async fn people_of_another_organisation_are_taken_in_by_an_administrator_only() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    make_organisation(&test.app, "south", people.owner_id).await;
    let (_, email) = stranger(&test, "north").await;
    let take = async |who: &As, email: &str| {
        let body = json!({ "email": email, "role": "member" });
        test.call(who, "PUT", "/organisations/south/members", Some(body)).await
    };
    let (known, unknown) = (take(&people.owner, &email).await, take(&people.owner, "nobody@example.org").await);
    assert_eq!(known.body["message"], unknown.body["message"], "who is there is not told");
    known.refused(400, "validation_failed");
    let into_team = json!({ "email": email, "role": "viewer" });
    let known = test.call(&people.owner, "PUT", &people.path("/members"), Some(into_team)).await;
    assert!(!known.body.to_string().contains("exists"), "{}", known.body);
    known.refused(400, "validation_failed");
    take(&people.administrator, &email).await.good();
    assert_eq!(take(&people.owner, &email).await.good()["role"], "member", "known by now");
}

#[tokio::test]
async fn an_owner_names_owners_of_teams_and_nobody_from_elsewhere() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        make_organisation(&test.app, "north", people.owner_id).await;
        let path = "/organisations/north/teams/north/owners";
        let name = async |email: String| {
            let body = json!({ "email": email });
            test.call(&people.owner, "PUT", path, Some(body)).await
        };
        name(email(&test, &people.viewer).await).await.refused(400, "validation_failed");
        test.get(&people.owner, "/teams/north/tables").await.refused(404, "not_found");
        let named = name(email(&test, &people.owner).await).await.good();
        assert_eq!(named["role"], "owner");
        test.get(&people.owner, "/teams/north/tables").await.good();
        let teams = test.get(&people.owner, "/organisations/north/teams").await.good();
        assert_eq!(teams["items"][0]["owners"], json!(["Somebody"]));
        let elsewhere = format!("/organisations/north/teams/{}/owners", people.slug);
        let body = json!({ "email": email(&test, &people.owner).await });
        test.call(&people.owner, "PUT", &elsewhere, Some(body)).await.refused(404, "not_found");
        test.close().await;
    }
}

#[tokio::test]
async fn a_team_that_moves_leaves_behind_what_would_cross_the_border() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        make_organisation(&test.app, "north", people.administrator_id).await;
        let table = test.post(&people.owner, &people.path("/tables"), draft("clicks")).await.good();
        let table = people.path(&format!("/tables/{}", table["id"].as_str().unwrap()));
        let outsider = json!({ "email": email(&test, &people.outsider).await, "level": "read" });
        for to in [outsider, json!({ "team": people.other_slug, "level": "read" })] {
            test.call(&people.owner, "PUT", &format!("{table}/grants"), Some(to)).await.good();
        }
        let viewer = json!({ "email": email(&test, &people.viewer).await, "level": "manage" });
        test.call(&people.owner, "PUT", &format!("{table}/grants"), Some(viewer)).await.good();
        test.get(&people.outsider, &table).await.good();

        let path = format!("/organisations/north/teams/{}", people.slug);
        test.call(&people.owner, "PUT", &path, None).await.refused(403, "not_allowed");
        let taken = test.call(&people.administrator, "PUT", &path, None).await.good();
        assert_eq!((&taken["from"]["slug"], &taken["withdrawn_grants"]), (&json!("default"), &json!(2)));
        test.get(&people.outsider, &table).await.refused(404, "not_found");
        test.get(&people.viewer, &table).await.good();
        assert_eq!(test.get(&people.viewer, &people.path("")).await.good()["organisation"]["slug"], "north");
        assert_eq!(slugs(&test.get(&people.viewer, "/organisations").await.good()), ["default", "north"]);
        test.call(&people.administrator, "PUT", &path, None).await.refused(409, "wrong_state");
        test.close().await;
    }
}

#[tokio::test]
async fn a_request_is_not_granted_to_who_left_the_organisation() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let team = make_organisation(&test.app, "north", people.owner_id).await;
    join(&test.app, team, people.owner_id, Role::Owner).await;
    let table = test.post(&people.owner, "/teams/north/tables", draft("clicks")).await.good();
    let id = table["id"].as_str().unwrap();
    let path = format!("/teams/north/tables/{id}");
    let listing = json!({ "listed": true });
    test.call(&people.owner, "PATCH", &format!("{path}/permissions"), Some(listing)).await.good();
    let away = make_account(&test.app, false).await;
    join(&test.app, team, away, Role::Viewer).await;
    let who = session(&test.app, away).await;
    test.call(&people.owner, "DELETE", &format!("/teams/north/members/{away}"), None).await.good();
    let asked = json!({ "level": "read", "reason": "a report" });
    test.post(&who, &format!("/catalogue/{id}/requests"), asked).await.good();
    test.call(&people.owner, "DELETE", &format!("/organisations/north/members/{away}"), None).await.good();
    let requests = test.get(&people.owner, "/requests").await.good();
    let request = requests["to_decide"][0]["id"].as_str().unwrap().to_owned();
    let decide = format!("{path}/requests/{request}");
    test.post(&people.owner, &decide, json!({ "accept": true, "answer": "" })).await.refused(409, "wrong_state");
    test.post(&people.owner, &decide, json!({ "accept": false, "answer": "left" })).await.good();
    test.get(&who, &path).await.refused(404, "not_found");
}
