//! `…/sandbox-targets`: who sets them, which places are refused, what a test run may choose of them, and how what it
//! wrote goes again. What is really written is in `engine/tests/sandbox*.rs` and `tests/platform`.

use serde_json::{Value, json};

use crate::connection::draft as kafka;
use crate::support::{Answer, As, People, TestApp};
use crate::table::draft as table;
use crate::test_run::{until, with_worker};

fn id(thing: &Value) -> &str {
    thing["id"].as_str().unwrap()
}

async fn connection(test: &TestApp, people: &People, draft: Value) -> Value {
    test.post(&people.developer, &people.path("/connections"), draft).await.good()["id"].clone()
}

fn postgres(name: &str) -> Value {
    json!({
        "name": name, "kind": "postgresql",
        "options": { "hostname": "10.255.255.1", "database-name": "shop", "username": "u" },
        "secrets": { "password": "p" },
    })
}

async fn described(test: &TestApp, people: &People, name: &str, connector: &str, of: &Value, options: Value) {
    let mut draft = table(name);
    draft["connector"] = json!(connector);
    draft["connection"] = of.clone();
    draft["options"] = options;
    test.post(&people.developer, &people.path("/tables"), draft).await.good();
}

async fn set(test: &TestApp, people: &People, of: &Value, place: &str) -> Answer {
    let draft = json!({ "connection": of, "place": place });
    test.post(&people.owner, &people.path("/sandbox-targets"), draft).await
}

fn refused(answer: &Answer, field: &str, part: &str) {
    answer.refused(400, "validation_failed");
    assert_eq!(answer.body["field"], field, "{}", answer.body);
    assert!(answer.body["message"].as_str().unwrap().contains(part), "{}", answer.body);
}

#[tokio::test]
async fn owners_set_one_for_each_connection_and_one_for_files() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let events = connection(&test, &people, kafka("events")).await;
        let made = set(&test, &people, &events, " sandbox. ").await.good();
        assert_eq!((&made["kind"], &made["place"]), (&json!("topic_prefix"), &json!("sandbox.")));
        assert_eq!(made["connection_name"], "events");
        refused_as_taken(&set(&test, &people, &events, "other.").await);
        let files = set(&test, &people, &Value::Null, "sandbox").await.good();
        assert_eq!((&files["kind"], &files["connection_name"]), (&json!("folder"), &json!("")));
        refused_as_taken(&set(&test, &people, &Value::Null, "another").await);

        let listed = test.get(&people.viewer, &people.path("/sandbox-targets")).await.good();
        let places: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|target| &target["place"]).collect();
        assert_eq!(places, [&json!("sandbox"), &json!("sandbox.")]);

        let one = people.path(&format!("/sandbox-targets/{}", id(&made)));
        let put = async |who: &As, draft: Value| test.call(who, "PUT", &one, Some(draft)).await;
        let moved = put(&people.owner, json!({ "place": "try-" })).await.good();
        assert_eq!((&moved["place"], &moved["connection"]), (&json!("try-"), &events));
        refused(&put(&people.owner, json!({ "place": "millrace.logs." })).await, "place", "belong to the platform");
        put(&people.operator, json!({ "place": "mine-" })).await.refused(403, "not_allowed");
        let theirs = one.replace(&people.slug, &people.other_slug);
        let elsewhere = json!({ "place": "mine-" });
        test.call(&people.outsider, "PUT", &theirs, Some(elsewhere)).await.refused(404, "not_found");
        test.call(&people.outsider, "DELETE", &theirs, None).await.refused(404, "not_found");
        // A connection of another team is none.
        let draft = json!({ "connection": events, "place": "mine-" });
        let path = format!("/teams/{}/sandbox-targets", people.other_slug);
        test.post(&people.outsider, &path, draft).await.refused(404, "not_found");

        assert_eq!(test.call(&people.owner, "DELETE", &one, None).await.status, 204);
        let trail = millrace_backend::store::audit::list(&test.app.store, 0, 10_000).await.unwrap();
        let told = trail.iter().filter(|link| format!("{link:?}").contains("try-")).count();
        assert!(told >= 2, "the change and the deletion are in the trail with the place");
        test.close().await;
    }
}

fn refused_as_taken(answer: &Answer) {
    answer.refused(409, "name_taken");
    assert_eq!(answer.body["field"], "connection");
}

#[tokio::test]
async fn a_place_is_never_one_that_a_table_of_the_installation_means() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let events = connection(&test, &people, kafka("events")).await;
        described(&test, &people, "orders", "kafka", &events, json!({ "topic": "shop.orders" })).await;
        for (place, part) in [
            ("", "Enter where"),
            ("shop.", "The table main.orders describes a topic that begins so"),
            ("s", "main.orders"),
            ("millrace.", "belong to the platform"),
            ("mill", "belong to the platform"),
            (".hidden", "beginning with a letter or digit"),
            ("a b", "Use letters"),
        ] {
            refused(&set(&test, &people, &events, place).await, "place", part);
        }

        let shop = connection(&test, &people, postgres("shop")).await;
        described(&test, &people, "totals", "postgres", &shop, json!({ "table-name": "sales.totals" })).await;
        for (place, part) in [
            ("Sales", "The table main.totals lies there"),
            ("public", "no place for test runs"),
            ("pg_temp_1", "no place for test runs"),
            ("a.b", "Use letters"),
            ("x\"; DROP", "Use letters"),
        ] {
            refused(&set(&test, &people, &shop, place).await, "place", part);
        }
        set(&test, &people, &shop, "sandbox").await.good();

        described(&test, &people, "lines", "filesystem", &Value::Null, json!({ "path": "in/lines" })).await;
        for (place, part) in [
            ("in", "The table main.lines lies in this folder"),
            ("in/lines", "main.lines"),
            ("in/lines/sandbox", "has all files of a folder around this one"),
            ("in/other/../lines", "outside"),
            ("/etc/sandbox", "outside"),
            (".", "Name a folder of its own"),
        ] {
            refused(&set(&test, &people, &Value::Null, place).await, "place", part);
        }
        set(&test, &people, &Value::Null, "in/sandbox").await.good();

        let registry =
            json!({ "name": "r", "kind": "schema_registry", "options": { "url": "http://10.255.255.1:8081" } });
        let registry = connection(&test, &people, registry).await;
        refused(&set(&test, &people, &registry, "sandbox").await, "connection", "No table is written");
        test.close().await;
    }
}

#[tokio::test]
async fn a_test_run_writes_what_is_offered_under_names_of_its_own_until_they_are_removed() {
    let test = with_worker().await;
    let people = People::settle(&test.app).await;
    let events = connection(&test, &people, kafka("events")).await;
    described(&test, &people, "out", "kafka", &events, json!({ "topic": "out" })).await;
    let sql = "INSERT INTO main.out SELECT 1";
    let offers = people.path("/sandbox-targets/offers");
    let offered = test.post(&people.developer, &offers, json!({ "sql": sql })).await.good();
    assert!(offered["items"][0]["why_not"].as_str().unwrap().contains("An owner of the team sets one"), "{offered}");
    let start = |sinks: Value| json!({ "sql": sql, "from": "earliest", "sandbox_targets": sinks });
    let runs = people.path("/test-runs");
    let none = test.post(&people.developer, &runs, start(json!(["main.out"]))).await;
    refused(&none, "sandbox_targets", "An owner of the team sets one");

    set(&test, &people, &events, "sandbox.").await.good();
    let offered = test.post(&people.developer, &offers, json!({ "sql": sql })).await.good();
    assert_eq!(offered["items"][0]["place"], json!({ "kind": "topic_prefix", "place": "sandbox." }));
    let unknown = test.post(&people.developer, &runs, start(json!(["main.other"]))).await;
    refused(&unknown, "sandbox_targets", "does not write main.other");

    let mut names = Vec::new();
    for _ in 0..2 {
        let run = test.post(&people.developer, &runs, start(json!(["main.out"]))).await.good();
        until(&test, &people, id(&run), |run| run["state"] != "running").await;
        let mark = id(&run).rsplit('-').next().unwrap();
        names.push(format!("topic sandbox.main.out-{}", &mark[mark.len() - 8..]));
    }
    assert_ne!(names[0], names[1], "two runs share nothing");
    let objects = people.path("/sandbox-objects");
    let listed = test.get(&people.developer, &objects).await.good();
    let found: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|object| object["name"].as_str().unwrap()).collect();
    assert_eq!(found, [names[1].as_str(), names[0].as_str()]);
    assert_eq!(listed["items"][0]["connection_name"], "events");

    let one = format!("{objects}/{}", id(&listed["items"][0]));
    test.call(&people.viewer, "DELETE", &one, None).await.refused(403, "not_allowed");
    let theirs = one.replace(&people.slug, &people.other_slug);
    test.call(&people.outsider, "DELETE", &theirs, None).await.refused(404, "not_found");
    assert_eq!(test.call(&people.developer, "DELETE", &one, None).await.status, 204);
    let left = test.get(&people.developer, &objects).await.good();
    assert_eq!((&left["total"], &left["items"][0]["name"]), (&json!(1), &json!(names[0])));
    test.close().await;
}
