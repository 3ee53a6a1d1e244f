//! `…/variables`, and scripts that use them: what goes in, what never comes out, and what a start makes of it.

use millrace_backend::store;
use serde_json::{Value, json};

use crate::support::{As, People, TestApp};

const CANARY: &str = "canary-8d41ce";

async fn make(test: &TestApp, people: &People, name: &str, value: &str, secret: bool) -> Value {
    let draft = json!({ "name": name, "value": value, "secret": secret });
    test.post(&people.developer, &people.path("/variables"), draft).await.good()
}

async fn put(test: &TestApp, who: &As, path: &str, draft: Value) -> crate::support::Answer {
    test.call(who, "PUT", path, Some(draft)).await
}

fn one(people: &People, variable: &Value) -> String {
    people.path(&format!("/variables/{}", variable["id"].as_str().unwrap()))
}

/// For scripts to write.
async fn table(test: &TestApp, people: &People, name: &str) {
    test.post(&people.developer, &people.path("/tables"), crate::table::draft(name)).await.good();
}

async fn job(test: &TestApp, people: &People, name: &str, sql: &str) -> String {
    let job = test.post(&people.developer, &people.path("/jobs"), json!({ "name": name, "sql": sql })).await.good();
    people.path(&format!("/jobs/{}", job["id"].as_str().unwrap()))
}

async fn nothing_holds_the_canary(test: &TestApp, seen: &[Value]) {
    assert!(seen.iter().all(|answer| !answer.to_string().contains(CANARY)), "{seen:?}");
    let trail = store::audit::list(&test.app.store, 0, 10_000).await.unwrap();
    assert!(trail.len() > 2 && trail.iter().all(|link| !format!("{link:?}").contains(CANARY)));
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let made = make(&test, &people, "token", CANARY, true).await;
        assert_eq!((made["value"].as_str(), made["secret"].as_bool()), (Some(""), Some(true)));
        let (list, path) = (people.path("/variables"), one(&people, &made));
        let mut seen = vec![made, test.get(&people.viewer, &list).await.good()];
        seen.push(test.get(&people.viewer, &path).await.good());
        // An absent value stays, whatever else changes.
        let draft = json!({ "name": "token", "secret": true, "description": "of the registry" });
        seen.push(put(&test, &people.developer, &path, draft).await.good());

        // Anywhere but in a credential the script is refused, and the refusal tells nothing.
        for sql in ["SELECT '${token}'".to_owned(), "SELECT MD5('${token:-x}')".to_owned()] {
            let body = json!({ "sql": sql });
            let checked = test.post(&people.viewer, &people.path("/sql/validate"), body.clone()).await.good();
            assert_eq!(checked["diagnostics"][0]["code"], "misplaced-secret");
            assert_eq!(checked["diagnostics"][0]["span"]["start"], sql.find("${").unwrap());
            seen.push(checked);
            let previewed = test.post(&people.developer, &people.path("/previews"), body.clone()).await;
            previewed.refused(422, "invalid_sql");
            seen.push(previewed.body);
            let asked = json!({ "sql": sql, "from": "earliest" });
            let tested = test.post(&people.developer, &people.path("/test-runs"), asked).await;
            tested.refused(422, "invalid_sql");
            seen.push(tested.body);
        }
        let sql = "SELECT 1 /*+ OPTIONS('password' = '${token}') */";
        let parameters = people.path("/sql/parameters");
        let listed = test.post(&people.viewer, &parameters, json!({ "sql": sql })).await.good();
        assert_eq!((&listed["items"][0]["secret"], &listed["items"][0]["value"]), (&json!(true), &Value::Null));
        seen.push(listed);
        let complete = json!({ "sql": "SELECT ${", "offset": 9 });
        let completed = test.post(&people.viewer, &people.path("/sql/complete"), complete).await.good();
        assert_eq!(completed["items"][0]["detail"], "secret");
        seen.push(completed);

        // It cannot be turned into a plain one to be read.
        let plain = json!({ "name": "token", "secret": false });
        let answer = put(&test, &people.developer, &path, plain).await;
        answer.refused(400, "validation_failed");
        seen.push(answer.body);
        nothing_holds_the_canary(&test, &seen).await;
        test.close().await;
    }
}

#[tokio::test]
async fn the_database_file_holds_no_secret_variable() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    make(&test, &people, "token", CANARY, true).await;
    let plain = make(&test, &people, "later", CANARY, false).await;
    put(&test, &people.developer, &one(&people, &plain), json!({ "name": "later", "secret": true })).await.good();
    let rows = store::variable::list(&test.app.store, people.team).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.secret && !row.value.contains(CANARY)), "{rows:?}");
}

#[tokio::test]
async fn viewers_read_and_developers_write() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let made = make(&test, &people, "channel", "Apple", false).await;
    let seen = test.get(&people.viewer, &one(&people, &made)).await.good();
    assert_eq!(seen["value"], "Apple");
    let draft = json!({ "name": "x", "value": "1" });
    test.post(&people.viewer, &people.path("/variables"), draft.clone()).await.refused(403, "not_allowed");
    put(&test, &people.viewer, &one(&people, &made), draft).await.refused(403, "not_allowed");
    test.call(&people.viewer, "DELETE", &one(&people, &made), None).await.refused(403, "not_allowed");
    assert_eq!(test.get(&people.outsider, &one(&people, &made)).await.status, 404);
    test.call(&people.developer, "DELETE", &one(&people, &made), None).await.good();
    assert_eq!(test.get(&people.viewer, &one(&people, &made)).await.status, 404);
}

#[tokio::test]
async fn wrong_variables_are_refused() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    make(&test, &people, "taken", "1", false).await;
    let path = people.path("/variables");
    for (draft, field) in [
        (json!({ "name": "1x", "value": "" }), "name"),
        (json!({ "name": "a-b", "value": "" }), "name"),
        (json!({ "name": "", "value": "" }), "name"),
        (json!({ "name": "x" }), "value"),
        (json!({ "name": "x", "value": "${taken}" }), "value"),
        (json!({ "name": "x", "value": "", "secret": true }), "value"),
        (json!({ "name": "x", "value": "y".repeat(17_000) }), "value"),
    ] {
        let answer = test.post(&people.developer, &path, draft.clone()).await;
        answer.refused(400, "validation_failed");
        assert_eq!(answer.body["field"], field, "{draft}");
    }
    let again = json!({ "name": "taken", "value": "2" });
    test.post(&people.developer, &path, again).await.refused(409, "name_taken");
    let empty = json!({ "name": "empty", "value": "" });
    test.post(&people.developer, &path, empty).await.good();
}

#[tokio::test]
async fn a_script_is_filled_in_and_places_are_those_of_what_was_written() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    table(&test, &people, "orders").await;
    make(&test, &people, "sink", "main.orders", false).await;
    let validate = people.path("/sql/validate");
    let sql = "-- ünïcode\nINSERT INTO ${sink} SELECT 1";
    let checked = test.post(&people.viewer, &validate, json!({ "sql": sql })).await.good();
    assert_eq!(checked["writes"], json!(["main.orders"]));
    let wrong = test.post(&people.viewer, &validate, json!({ "sql": "SELECT 'ü' || '${sinc}'" })).await.good();
    let problem = &wrong["diagnostics"][0];
    assert_eq!((&problem["code"], &problem["replacement"]), (&json!("unknown-variable"), &json!("${sink}")));
    assert_eq!((&problem["span"]["line"], &problem["span"]["column"]), (&json!(1), &json!(16)));
    let tokens = json!({ "sql": "SELECT ${si}", "offset": 11 });
    let completed = test.post(&people.viewer, &people.path("/sql/complete"), tokens).await.good();
    let item = &completed["items"][0];
    assert_eq!((&item["insert"], &item["detail"]), (&json!("sink"), &json!("main.orders")));
    assert_eq!(item["replace_from"], 9);
    let formatted =
        test.post(&people.viewer, &people.path("/sql/format"), json!({ "sql": " SELECT ${sink} " })).await.good();
    assert_eq!(formatted["sql"], "SELECT ${sink}");
    let body = json!({ "sql": "SELECT '${sink}', ${none:-7}, ${sink}, ${gone}" });
    let listed = test.post(&people.viewer, &people.path("/sql/parameters"), body).await.good();
    let short = listed["items"].as_array().unwrap().iter().map(|item| {
        let places = item["places"].as_array().unwrap().len();
        (item["name"].clone(), item["known"].clone(), item["value"].clone(), places)
    });
    let short: Vec<_> = short.collect();
    assert_eq!(
        short,
        [
            (json!("sink"), json!(true), json!("main.orders"), 2),
            (json!("none"), json!(false), json!("7"), 1),
            (json!("gone"), json!(false), Value::Null, 1),
        ]
    );
}

#[tokio::test]
async fn a_version_keeps_the_text_and_a_run_the_values() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        table(&test, &people, "orders").await;
        let least = make(&test, &people, "least", "10", false).await;
        make(&test, &people, "token", CANARY, true).await;
        let sql = "INSERT INTO main.orders SELECT ${least} ${more:-0} /*+ OPTIONS('password' = '${token}') */";
        let path = job(&test, &people, "filtered", sql).await;
        let fresh = json!({ "from": "fresh" });
        let started = test.post(&people.operator, &format!("{path}/start"), fresh.clone()).await.good();
        let version = test.get(&people.viewer, &format!("{path}/versions/1")).await.good();
        assert_eq!(version["sql"], sql);
        let run: millrace_wire::ids::RunId = started["current"]["run"].as_str().unwrap().parse().unwrap();
        let kept = store::variable::of_run(&test.app.store, run).await.unwrap().unwrap();
        let kept = serde_json::to_value(&kept).unwrap();
        assert_eq!(kept["least"], json!({ "kind": "value", "value": "10" }));
        assert_eq!(kept["more"], json!({ "kind": "default", "value": "0" }));
        assert_eq!(kept["token"]["kind"], "secret");

        // What was started with is in the run's report; what changed since is in the next one.
        let first = test.get(&people.viewer, &format!("{path}/runs/1/report")).await.good();
        assert_eq!(first["variables"][0]["value"], "10");
        assert!(first["variables"].as_array().unwrap().iter().all(|variable| variable["change"].is_null()));
        let draft = json!({ "name": "least", "value": "20" });
        put(&test, &people.developer, &one(&people, &least), draft).await.good();
        let next = test.get(&people.viewer, &format!("{path}/report?from=fresh")).await.good();
        let told = &next["variables"][0];
        assert_eq!((&told["change"], &told["before"], &told["value"]), (&json!("changed"), &json!("10"), &json!("20")));
        assert!(next["variables"][2]["change"].is_null(), "the secret is the same: {}", next["variables"]);
        let all = test.get(&people.viewer, &people.path("/variables")).await.good();
        let token = all["items"].as_array().unwrap().iter().find(|one| one["name"] == "token").unwrap().clone();
        let other = json!({ "name": "token", "value": format!("{CANARY}-2"), "secret": true });
        put(&test, &people.developer, &one(&people, &token), other).await.good();
        let last = test.get(&people.viewer, &format!("{path}/report?from=fresh")).await.good();
        assert_eq!(last["variables"][2]["change"], "changed");
        nothing_holds_the_canary(&test, &[started, version, kept, first, next, all, last]).await;
        test.close().await;
    }
}

#[tokio::test]
async fn a_start_is_refused_when_its_variables_went_or_lead_elsewhere() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    table(&test, &people, "orders").await;
    table(&test, &people, "others").await;
    let sink = make(&test, &people, "sink", "main.orders", false).await;
    let path = job(&test, &people, "moves", "INSERT INTO ${sink} SELECT 1").await;
    let versions = format!("{path}/versions");
    test.post(&people.developer, &versions, json!({ "comment": "" })).await.good();
    let moved = json!({ "name": "sink", "value": "main.others" });
    put(&test, &people.developer, &one(&people, &sink), moved).await.good();
    let start = json!({ "from": "fresh", "version": 1 });
    let refused = test.post(&people.operator, &format!("{path}/start"), start.clone()).await;
    refused.refused(422, "invalid_sql");
    assert!(refused.body["message"].as_str().unwrap().contains("other tables"), "{}", refused.body);
    // A new version of the same text is another one, since it writes another table.
    let second = test.post(&people.developer, &versions, json!({ "comment": "" })).await.good();
    assert_eq!((&second["number"], &second["writes"]), (&json!(2), &json!(["main.others"])));

    let renamed = json!({ "name": "target", "value": "main.others" });
    let answer = put(&test, &people.developer, &one(&people, &sink), renamed).await;
    answer.refused(400, "validation_failed");
    let uses = test.get(&people.viewer, &format!("{}/uses", one(&people, &sink))).await.good();
    assert_eq!((&uses["jobs"][0]["name"], &uses["hidden"]), (&json!("moves"), &json!(0)));
    test.call(&people.developer, "DELETE", &one(&people, &sink), None).await.good();
    let refused = test.post(&people.operator, &format!("{path}/start"), start).await;
    refused.refused(422, "invalid_sql");
    assert!(refused.body["message"].as_str().unwrap().contains("no variable 'sink'"), "{}", refused.body);
}

#[tokio::test]
async fn a_start_looks_again_at_what_the_script_may_reach() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    table(&test, &people, "orders").await;
    let option = make(&test, &people, "extra", "x", false).await;
    // Of the engine of these tests: a line is a table with its options.
    let sql = "INSERT INTO main.orders SELECT\nmine connector=datagen a=${extra}";
    let path = job(&test, &people, "reaches", sql).await;
    test.post(&people.developer, &format!("{path}/versions"), json!({ "comment": "" })).await.good();
    let away = json!({ "name": "extra", "value": "x connector=kafka properties.bootstrap.servers=10.0.0.1:9092" });
    put(&test, &people.developer, &one(&people, &option), away).await.good();
    let start = json!({ "from": "fresh", "version": 1 });
    let refused = test.post(&people.operator, &format!("{path}/start"), start).await;
    refused.refused(422, "invalid_sql");
    assert!(refused.body["message"].as_str().unwrap().contains("needs a connection"), "{}", refused.body);
}

#[tokio::test]
async fn tests_of_a_job_run_on_the_filled_script() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    table(&test, &people, "orders").await;
    make(&test, &people, "word", "passes-when-filled", false).await;
    let path = job(&test, &people, "tested", "INSERT INTO main.orders SELECT '${word}'").await;
    let draft = crate::job_test::draft("passes-when-filled");
    let report = test.post(&people.developer, &format!("{path}/tests/run"), json!({ "draft": draft })).await.good();
    assert_eq!(report["passed"], 1, "{report}");
}

#[tokio::test]
async fn a_guest_who_may_write_a_job_has_none_of_the_teams_variables() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    for (name, secret) in [("topic", false), ("region", false), ("password", true)] {
        make(&test, &people, name, CANARY, secret).await;
    }
    let job = job(&test, &people, "opened", "SELECT '${topic}'").await;
    let mail = test.get(&people.outsider, "/session").await.good()["user"]["email"].as_str().unwrap().to_owned();
    let grant = json!({ "level": "write", "email": mail });
    put(&test, &people.owner, &format!("{job}/grants"), grant).await.good();
    let save = async |who: &As, sql: &str, revision: u32| {
        let settings = test.get(&people.developer, &job).await.good()["draft"]["settings"].clone();
        let draft = json!({ "sql": sql, "settings": settings, "revision": revision });
        put(&test, who, &format!("{job}/draft"), draft).await
    };
    // What the script names already may stay, and the rest of it may change.
    save(&people.outsider, "SELECT '${topic}', 1", 1).await.good();
    for sql in ["SELECT '${region}'", "SELECT '${topic}', '${password}'", "SELECT '${regio}'"] {
        let refused = save(&people.outsider, sql, 2).await;
        refused.refused(400, "validation_failed");
        // Neither whether there is such a variable nor what others are called.
        let told = refused.body.to_string();
        assert!(
            told.contains("Only members of the team") && !told.contains("region}'") && !told.contains(CANARY),
            "{told}"
        );
    }
    // Once a member has used a secret, a guest could lead it elsewhere: the text stays, the settings may change.
    let with_secret = "SELECT '${topic}' -- \n, '${password}'";
    save(&people.developer, with_secret, 2).await.good();
    let refused = save(&people.outsider, &format!("{with_secret}, 2"), 3).await;
    refused.refused(400, "validation_failed");
    save(&people.outsider, with_secret, 3).await.good();
    save(&people.developer, "SELECT '${region}'", 4).await.good();
}
