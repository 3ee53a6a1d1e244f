//! What belongs to another team is not found, by whatever door one comes.

use millrace_backend::access::policy::RULES;
use serde_json::{Value, json};

use crate::connection::draft as connection_draft;
use crate::support::{As, People, TestApp};
use crate::table::draft as table_draft;

/// One of each, in the people's team, made by its owner.
struct Things {
    connection: String,
    table: String,
    job: String,
    function: String,
}

async fn things(test: &TestApp, people: &People) -> Things {
    let connection = test.post(&people.owner, &people.path("/connections"), connection_draft("theirs")).await.good();
    let table = test.post(&people.owner, &people.path("/tables"), table_draft("theirs")).await.good();
    let job = json!({ "name": "theirs", "sql": "SELECT 1" });
    let job = test.post(&people.owner, &people.path("/jobs"), job).await.good();
    let function = json!({ "name": "theirs", "definition": "(x INT) RETURN x" });
    let function = test.post(&people.owner, &people.path("/functions"), function).await.good();
    let id = |thing: &Value| thing["id"].as_str().unwrap().to_owned();
    Things { connection: id(&connection), table: id(&table), job: id(&job), function: id(&function) }
}

/// Bodies that are valid, so that nothing but the object is the reason.
fn body(path: &str) -> Option<Value> {
    if path.ends_with("/connections/{connection}") {
        Some(connection_draft("mine now"))
    } else if path.ends_with("/topics") {
        Some(json!({ "name": "t", "partitions": 1 }))
    } else if path.ends_with("/tables/{table}") || path.ends_with("/impact") {
        Some(table_draft("mine_now"))
    } else if path.ends_with("/jobs/{job}") {
        Some(json!({ "name": "mine now" }))
    } else if path.ends_with("/functions/{function}") {
        Some(json!({ "remark": "mine now" }))
    } else if path.ends_with("/test") && path.contains("{function}") {
        Some(json!({ "rows": [["1"]] }))
    } else if path.ends_with("/schedule/check") {
        Some(json!({ "cron": "* * * * *", "zone": "UTC" }))
    } else if path.ends_with("/savepoint-schedule") {
        Some(json!({ "cron": "* * * * *", "zone": "UTC", "enabled": true, "keep": 1 }))
    } else if path.ends_with("/schedule") {
        Some(json!({
            "cron": "* * * * *", "zone": "UTC", "enabled": true, "catch_up": "skip", "catch_up_most": 1,
            "retry_attempts": 0, "retry_delay_ms": 0,
        }))
    } else if path.ends_with("/draft") {
        let settings = serde_json::to_value(millrace_wire::job::JobSettings::default()).unwrap();
        Some(json!({ "sql": "SELECT 2", "settings": settings, "revision": 1 }))
    } else if path.ends_with("/versions") || path.ends_with("/restore") {
        Some(json!({}))
    } else if path.ends_with("/start") {
        Some(json!({ "from": "latest" }))
    } else if path.ends_with("/tests") || path.ends_with("/tests/{test}") {
        Some(crate::job_test::draft("mine now"))
    } else if path.ends_with("/shadow-runs") {
        Some(json!({ "from": "earliest" }))
    } else if path.ends_with("/tests/run") {
        Some(json!({}))
    } else if path.ends_with("/tests-gate") {
        Some(json!({ "must_pass": false }))
    } else if path.ends_with("/stop") {
        Some(json!({ "mode": "cancel" }))
    } else {
        None
    }
}

#[tokio::test]
async fn objects_of_another_team_are_not_found_under_ones_own() {
    let test = TestApp::new().await;
    let (theirs, mine) = (People::settle(&test.app).await, People::settle(&test.app).await);
    let things = things(&test, &theirs).await;
    let before = snapshot(&test, &theirs).await;
    let mut cases = 0;
    for rule in RULES.iter().filter(|rule| rule.path.starts_with("/teams/{team}/")) {
        let names = ["{connection}", "{table}", "{job}", "{function}"];
        if !names.iter().any(|name| rule.path.contains(name)) {
            continue;
        }
        let path = rule
            .path
            .replace("{connection}", &things.connection)
            .replace("{table}", &things.table)
            .replace("{job}", &things.job)
            .replace("{function}", &things.function);
        let body = (rule.method != "GET" && rule.method != "DELETE").then(|| body(rule.path)).flatten();
        let again = body.clone();
        let answer = test.call(&mine.owner, rule.method, &crate::matrix::fill(&path, &mine.slug), body).await;
        assert_eq!(answer.status.as_u16(), 404, "{} {}: {}", rule.method, rule.path, answer.body);
        // Not even that it exists: the answer is the one to an id that nothing has.
        let unknown = crate::matrix::fill(rule.path, &mine.slug);
        let nothing = test.call(&mine.owner, rule.method, &unknown, again).await;
        let said = |answer: &crate::support::Answer| {
            let mut body = answer.body.clone();
            body.as_object_mut().map(|body| body.remove("request_id"));
            body
        };
        assert_eq!(said(&answer), said(&nothing), "{} {}", rule.method, rule.path);
        cases += 1;
    }
    assert!(cases > 25, "{cases}");
    assert_eq!(snapshot(&test, &theirs).await, before, "something of theirs has changed");
}

async fn snapshot(test: &TestApp, people: &People) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/connections", "/tables", "/jobs", "/databases", "/functions"] {
        all.push(test.get(&people.owner, &people.path(path)).await.good());
    }
    all
}

#[tokio::test]
async fn lists_search_and_catalogs_show_ones_own_only() {
    let test = TestApp::new().await;
    let (theirs, mine) = (People::settle(&test.app).await, People::settle(&test.app).await);
    things(&test, &theirs).await;
    let find = async |who: &As, people: &People| {
        let hits = test.get(who, &people.path("/search?q=theirs")).await.good();
        hits["total"].as_u64().unwrap()
    };
    assert!(find(&theirs.viewer, &theirs).await >= 3);
    assert_eq!(find(&mine.viewer, &mine).await, 0);
    let validated = test.post(&mine.viewer, &mine.path("/sql/validate"), json!({ "sql": "SELECT 1" })).await.good();
    assert_eq!(validated["reads"], json!([]));
    let validated = test.post(&theirs.viewer, &theirs.path("/sql/validate"), json!({ "sql": "SELECT 1" })).await.good();
    assert_eq!(validated["reads"], json!(["main.theirs"]));
    let own_connections = test.get(&mine.viewer, &mine.path("/connections")).await.good();
    assert_eq!(own_connections["total"], 1, "only the built-in one");
}

#[tokio::test]
async fn a_token_is_good_for_its_team_only() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let other = crate::support::People::settle(&test.app).await;
    // The owner of one team becomes a viewer of the other; the token stays what it was made for.
    let email = test.get(&people.owner, "/session").await.good()["user"]["email"].as_str().unwrap().to_owned();
    let set = json!({ "email": email, "role": "viewer" });
    test.call(&other.owner, "PUT", &other.path("/members"), Some(set)).await.good();
    test.get(&people.owner, &other.path("/tables")).await.good();
    test.get(&people.owner_token, &other.path("/tables")).await.refused(404, "not_found");
    let session = test.get(&people.owner_token, "/session").await.good();
    assert_eq!(session["teams"].as_array().unwrap().len(), 1);
}
