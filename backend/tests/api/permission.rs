//! Grants on single jobs and tables, restricted ones, and tables of other teams in SQL.

use millrace_backend::access::policy::{RULES, Who};
use serde_json::{Value, json};

use crate::live::Reader;
use crate::support::{Answer, As, People, TestApp};
use crate::table::draft;

const HIDDEN: &str = "hidden_thing";

fn id_of(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

async fn email(test: &TestApp, who: &As) -> String {
    test.get(who, "/session").await.good()["user"]["email"].as_str().unwrap().to_owned()
}

/// Paths of a job and a table of the team, made by its owner.
async fn things(test: &TestApp, people: &People, name: &str) -> (String, String) {
    let table = test.post(&people.owner, &people.path("/tables"), draft(name)).await.good();
    let job = json!({ "name": name, "sql": format!("INSERT INTO main.{name} SELECT 1"), "tags": [name] });
    let job = test.post(&people.owner, &people.path("/jobs"), job).await.good();
    (people.path(&format!("/jobs/{}", id_of(&job))), people.path(&format!("/tables/{}", id_of(&table))))
}

async fn restrict(test: &TestApp, who: &As, path: &str) -> Value {
    let change = json!({ "restricted": true });
    test.call(who, "PATCH", &format!("{path}/permissions"), Some(change)).await.good()
}

async fn give(test: &TestApp, who: &As, path: &str, grant: Value) -> Value {
    test.call(who, "PUT", &format!("{path}/grants"), Some(grant)).await.good()
}

/// The id of the newest grant.
fn newest_grant(permissions: &Value) -> String {
    let entries = permissions["entries"].as_array().unwrap();
    entries.iter().rev().find_map(|entry| entry["because"]["grant"].as_str()).unwrap().to_owned()
}

/// Without what differs from request to request.
fn said(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    body.as_object_mut().map(|body| body.remove("request_id"));
    body
}

/// Everything of the team that `who` can list, look for or be told.
async fn all_that_is_told(test: &TestApp, people: &People, who: &As) -> String {
    let mut told = String::new();
    for path in [
        "/jobs",
        "/tables",
        "/databases",
        "/overview",
        "/functions",
        "/connections",
        "/search?q=hidden",
        "/search?q=thing",
        "/shared",
        "/jobs/counts?q=hidden",
        "/jobs/bin",
        "/jobs?q=hidden&sort=name",
        "/tables?q=hidden",
        "/tables/tags",
        "/tables/script",
        "/search?q=main.hidden",
    ] {
        told.push_str(&test.get(who, &people.path(path)).await.good().to_string());
    }
    let script = json!({ "sql": "SELECT 1" });
    told.push_str(&test.post(who, &people.path("/sql/validate"), script).await.good().to_string());
    told
}

#[tokio::test]
async fn what_is_restricted_is_nowhere_for_other_members() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let (job, table) = things(&test, &people, HIDDEN).await;
        test.post(&people.owner, &format!("{job}/versions"), json!({})).await.good();
        let counted = |database: &Value| database["items"][0]["tables"].as_u64().unwrap();
        let before = test.get(&people.operator, &people.path("/databases")).await.good();
        assert!(all_that_is_told(&test, &people, &people.operator).await.contains(HIDDEN));
        restrict(&test, &people.owner, &job).await;
        restrict(&test, &people.owner, &table).await;
        for who in [&people.viewer, &people.developer, &people.operator] {
            let told = all_that_is_told(&test, &people, who).await;
            assert!(!told.contains(HIDDEN), "{told}");
        }
        let after = test.get(&people.operator, &people.path("/databases")).await.good();
        assert_eq!(counted(&before), counted(&after) + 1);
        assert!(
            all_that_is_told(&test, &people, &people.maker(&test.app).await).await.contains(HIDDEN),
            "owners see everything"
        );
        // The table is used by a job that the operator sees not, and refuses without naming it.
        give(&test, &people.owner, &table, json!({ "level": "manage", "email": email(&test, &people.operator).await }))
            .await;
        let refused = test.call(&people.operator, "DELETE", &table, None).await;
        refused.refused(409, "table_in_use");
        assert!(!refused.body["message"].as_str().unwrap().contains(HIDDEN), "{}", refused.body);
        let seen = test.get(&people.operator, &table).await.good();
        assert_eq!((&seen["producers"], &seen["access"]["manage"]), (&json!([]), &json!(true)));
        test.close().await;
    }
}

#[tokio::test]
async fn hidden_answers_are_those_of_what_is_not_there() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let (job, table) = things(&test, &people, HIDDEN).await;
    restrict(&test, &people.owner, &job).await;
    restrict(&test, &people.owner, &table).await;
    let mut cases = 0;
    for rule in RULES.iter().filter(|rule| matches!(rule.who, Who::Job(..) | Who::Table(..))) {
        let (hidden, word) = if matches!(rule.who, Who::Job(..)) { (&job, "{job}") } else { (&table, "{table}") };
        let id = hidden.rsplit_once('/').unwrap().1;
        let unknown = uuid::Uuid::now_v7().to_string();
        // With bodies that do not fit, too: nothing of the request may be looked at before.
        for body in [None, Some(json!({ "nonsense": 1 }))] {
            let ask = async |id: &str| {
                let path = crate::matrix::fill(&rule.path.replace(word, id), &people.slug);
                test.call(&people.operator, rule.method, &path, body.clone()).await
            };
            let (there, not_there) = (ask(id).await, ask(&unknown).await);
            assert_eq!((there.status.as_u16(), said(&there)), (404, said(&not_there)), "{} {}", rule.method, rule.path);
            cases += 1;
        }
    }
    assert!(cases > 50, "{cases}");
}

#[tokio::test]
async fn a_grant_opens_just_that_object_to_a_person_outside() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let (job, table) = things(&test, &people, "opened").await;
        let (other_job, other_table) = things(&test, &people, HIDDEN).await;
        let mail = email(&test, &people.outsider).await;
        test.get(&people.outsider, &job).await.refused(404, "not_found");
        let given = give(&test, &people.owner, &job, json!({ "level": "read", "email": mail.to_uppercase() })).await;
        give(&test, &people.owner, &table, json!({ "level": "read", "email": mail })).await;

        let seen = test.get(&people.outsider, &job).await.good();
        assert_eq!((&seen["access"]["edit"], &seen["access"]["shared"]), (&json!(false), &json!(true)));
        test.get(&people.outsider, &format!("{job}/logs")).await.good();
        test.get(&people.outsider, &table).await.good();
        test.call(&people.outsider, "PATCH", &job, Some(json!({ "name": "x" }))).await.refused(403, "not_allowed");
        test.get(&people.outsider, &format!("{job}/permissions")).await.refused(403, "not_allowed");
        for closed in [&other_job, &other_table, &people.path("/jobs"), &people.path("/live"), &people.path("")] {
            let answer = test.get(&people.outsider, closed).await;
            assert_eq!(answer.body["message"], "There is no such team.", "{closed}");
        }
        let shared = test.get(&people.outsider, &format!("/teams/{}/shared", people.other_slug)).await.good();
        assert_eq!(shared["total"], 2, "{shared}");
        let session = test.get(&people.outsider, "/session").await.good();
        assert_eq!(session["guest_of"][0]["slug"], people.slug);
        // What was given in person does not go with a token for another team.
        test.get(&people.outsider_token, &job).await.refused(404, "not_found");
        give(&test, &people.owner, &job, json!({ "level": "read", "team": people.other_slug })).await;
        test.get(&people.outsider_token, &job).await.good();

        // Raised, lowered, withdrawn.
        give(&test, &people.owner, &job, json!({ "level": "write", "email": mail })).await;
        test.call(&people.outsider, "PATCH", &job, Some(json!({ "description": "x" }))).await.good();
        test.call(&people.outsider, "DELETE", &job, None).await.refused(403, "not_allowed");
        let permissions = test.get(&people.viewer, &format!("{job}/permissions")).await.good();
        assert_eq!(permissions["manage"], false);
        let to_team = newest_grant(&permissions);
        let withdraw = |grant: String| format!("{job}/grants/{grant}");
        for grant in [to_team, newest_grant(&given)] {
            test.call(&people.operator, "DELETE", &withdraw(grant), None).await.good();
        }
        test.get(&people.outsider, &job).await.refused(404, "not_found");
        test.close().await;
    }
}

#[tokio::test]
async fn whoever_restricts_keeps_the_right_to_manage() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let (job, _) = things(&test, &people, "job").await;
    let after = restrict(&test, &people.operator, &job).await;
    let reasons: Vec<&str> =
        after["entries"].as_array().unwrap().iter().map(|entry| entry["because"]["kind"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["owner", "grant"], "{after}");
    test.get(&people.operator, &job).await.good();
    test.get(&people.developer, &job).await.refused(404, "not_found");
    let open = json!({ "restricted": false });
    test.call(&people.operator, "PATCH", &format!("{job}/permissions"), Some(open)).await.good();
    test.get(&people.developer, &job).await.good();
}

#[tokio::test]
async fn grants_name_one_who_exists() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let (job, _) = things(&test, &people, "job").await;
    let path = format!("{job}/grants");
    for (grant, field) in [
        (json!({ "level": "read", "email": "nobody@example.org" }), "email"),
        (json!({ "level": "read", "team": "no-such-team" }), "team"),
        (json!({ "level": "read" }), "email"),
    ] {
        let answer = test.call(&people.owner, "PUT", &path, Some(grant)).await;
        answer.refused(400, "validation_failed");
        assert_eq!(answer.body["field"], field, "{}", answer.body);
    }
    let unknown = format!("{path}/{}", uuid::Uuid::now_v7());
    test.call(&people.owner, "DELETE", &unknown, None).await.refused(404, "not_found");
    let listed = json!({ "listed": true });
    test.call(&people.owner, "PATCH", &format!("{job}/permissions"), Some(listed))
        .await
        .refused(400, "validation_failed");
}

#[tokio::test]
async fn streams_leave_out_what_is_hidden() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let (job, _) = things(&test, &people, HIDDEN).await;
    let mut viewer = Reader::open(&test, &people, None).await;
    let mut owner = Reader::open_as(&test, &people, &people.owner, None).await;
    restrict(&test, &people.owner, &job).await;
    let change = |name: &str| Some(json!({ "description": name }));
    test.call(&people.owner, "PATCH", &job, change("one")).await.good();
    test.post(&people.developer, &people.path("/databases"), json!({ "name": "seen" })).await.good();
    let (first, event) = viewer.next().await.unwrap();
    assert_eq!(event["type"], "reset", "rights changed");
    assert_eq!(viewer.next().await.unwrap().1["type"], "tables_changed");
    assert_eq!(owner.next().await.unwrap().1["type"], "reset");
    assert_eq!(owner.next().await.unwrap().1["type"], "jobs_changed");
    // Who comes back is told no more than who stayed, also of what is in the bin, or gone by now.
    test.call(&people.owner, "DELETE", &job, None).await.good();
    let binned = job.replace("/jobs/", "/jobs/bin/");
    test.call(&people.owner, "DELETE", &format!("{binned}?name={HIDDEN}"), None).await.good();
    test.post(&people.developer, &people.path("/databases"), json!({ "name": "last" })).await.good();
    drop(viewer);
    let mut viewer = Reader::open(&test, &people, Some(&first)).await;
    let mut told = Vec::new();
    while let Some((_, event)) = viewer.next().await {
        told.push(event["type"].as_str().unwrap().to_owned());
        if told.len() == 2 || event["type"] == "reset" {
            break;
        }
    }
    assert!(told == ["tables_changed", "tables_changed"] || told == ["reset"], "{told:?}");
}

#[tokio::test]
async fn tables_of_other_teams_are_used_by_names_of_three_parts() {
    for test in TestApp::on_each_database().await {
        let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
        let (_, table) = things(&test, &theirs, "orders").await;
        things(&test, &ours, "orders").await;
        let name = format!("{}.main.orders", theirs.slug);
        let reads = async |who: &As| {
            let script = json!({ "sql": "SELECT 1" });
            let found = test.post(who, &ours.path("/sql/validate"), script).await.good();
            found["reads"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(reads(&ours.viewer).await, ["main.orders"]);
        let read = json!({ "level": "read", "team": ours.slug });
        give(&test, &theirs.owner, &table, read).await;
        assert!(reads(&ours.viewer).await.contains(&name));
        let list = test.get(&ours.viewer, &ours.path("/tables")).await.good();
        assert_eq!(list["total"], 1, "lists hold the team's own");

        let job = json!({ "name": "writer", "sql": format!("INSERT INTO {name} SELECT 1") });
        let job = test.post(&ours.developer, &ours.path("/jobs"), job).await.good();
        let job = ours.path(&format!("/jobs/{}", id_of(&job)));
        let versions = format!("{job}/versions");
        let refused = test.post(&ours.developer, &versions, json!({})).await;
        refused.refused(422, "invalid_sql");
        assert!(refused.body["message"].as_str().unwrap().contains("for reading"), "{}", refused.body);
        let write = json!({ "level": "write", "team": ours.slug });
        let given = give(&test, &theirs.owner, &table, write).await;
        test.post(&ours.developer, &versions, json!({})).await.good();

        // The other team learns that jobs use it, and not which.
        let refused = test.call(&theirs.owner, "DELETE", &table, None).await;
        refused.refused(409, "table_in_use");
        assert!(!refused.body.to_string().contains("writer"), "{}", refused.body);

        let grant = newest_grant(&given);
        test.call(&theirs.owner, "DELETE", &format!("{table}/grants/{grant}"), None).await.good();
        assert_eq!(reads(&ours.viewer).await, ["main.orders"]);
        let start = json!({ "from": "fresh", "version": 1 });
        let refused = test.post(&ours.operator, &format!("{job}/start"), start.clone()).await;
        refused.refused(422, "invalid_sql");
        assert!(refused.body["message"].as_str().unwrap().contains(&name), "{}", refused.body);
        give(&test, &theirs.owner, &table, json!({ "level": "write", "team": ours.slug })).await;
        test.post(&ours.operator, &format!("{job}/start"), start).await.good();
        test.close().await;
    }
}

#[tokio::test]
async fn hints_cannot_lead_a_table_of_another_team_elsewhere() {
    let test = TestApp::new().await;
    let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
    let (_, table) = things(&test, &theirs, "orders").await;
    give(&test, &theirs.owner, &table, json!({ "level": "read", "team": ours.slug })).await;
    let name = format!("{}.main.orders", theirs.slug);
    let errors = async |sql: String| {
        let found = test.post(&ours.viewer, &ours.path("/sql/validate"), json!({ "sql": sql })).await.good();
        found["diagnostics"].as_array().unwrap().len()
    };
    assert_eq!(errors(name.clone()).await, 0);
    assert_eq!(errors(format!("{name} scan.startup.mode=earliest-offset")).await, 0);
    assert_eq!(errors(format!("{name} topic=secrets")).await, 1);
    assert_eq!(errors(format!("{name} path=/etc")).await, 1);
}

#[tokio::test]
async fn a_connection_in_use_does_not_name_hidden_tables() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let connection = test.post(&people.owner, &people.path("/connections"), crate::connection::draft("c")).await.good();
    let mut table = draft(HIDDEN);
    table["connector"] = json!("kafka");
    table["connection"] = connection["id"].clone();
    table["options"] = json!({ "topic": "t" });
    let table = test.post(&people.owner, &people.path("/tables"), table).await.good();
    restrict(&test, &people.owner, &people.path(&format!("/tables/{}", id_of(&table)))).await;
    let path = people.path(&format!("/connections/{}", id_of(&connection)));
    for (who, named) in [(&people.developer, false), (&people.owner, true)] {
        let refused = test.call(who, "DELETE", &path, None).await;
        refused.refused(409, "connection_in_use");
        assert_eq!(refused.body.to_string().contains(HIDDEN), named, "{}", refused.body);
    }
}

#[tokio::test]
async fn what_one_was_given_in_person_goes_with_the_membership() {
    for test in TestApp::on_each_database().await {
        let (people, others) = (People::settle(&test.app).await, People::settle(&test.app).await);
        let (job, table) = things(&test, &people, "left").await;
        let (other_job, _) = things(&test, &others, "stays").await;
        restrict(&test, &people.operator, &job).await;
        restrict(&test, &people.operator, &table).await;
        let own = json!({ "level": "read", "email": email(&test, &people.operator).await });
        give(&test, &others.owner, &other_job, own).await;
        let member = people.path(&format!("/members/{}", people.operator_id));
        test.call(&people.owner, "DELETE", &member, None).await.good();
        for path in [&job, &table] {
            test.get(&people.operator, path).await.refused(404, "not_found");
        }
        test.get(&people.operator, &other_job).await.good();
        let trail = test.get(&people.owner, &people.path("/audit?q=members")).await.good().to_string();
        assert!(trail.contains("withdrawn_grants"), "{trail}");
        test.close().await;
    }
}

#[tokio::test]
async fn a_token_does_not_carry_what_other_teams_gave_in_person() {
    let test = TestApp::new().await;
    let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
    let (_, table) = things(&test, &theirs, "orders").await;
    give(&test, &theirs.owner, &table, json!({ "level": "read", "email": email(&test, &ours.owner).await })).await;
    let name = format!("{}.main.orders", theirs.slug);
    let told = async |who: &As| {
        let script = json!({ "sql": "SELECT 1" });
        let reads = test.post(who, &ours.path("/sql/validate"), script).await.good()["reads"].to_string();
        let shared = test.get(who, &ours.path("/shared")).await.good()["total"].clone();
        (reads.contains(&name), shared)
    };
    assert_eq!(told(&ours.owner).await, (true, json!(1)));
    assert_eq!(told(&ours.owner_token).await, (false, json!(0)));
    // What the team was given, its token has.
    give(&test, &theirs.owner, &table, json!({ "level": "read", "team": ours.slug })).await;
    assert_eq!(told(&ours.owner_token).await, (true, json!(1)));
}
