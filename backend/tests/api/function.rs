//! Functions of a team: modules and macros, versions, what refuses them, and what they leave on the disk.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::support::{Answer, As, HOST, People, TestApp};

const MAGIC: &[u8] = b"\0asm\x01\0\0\0";

/// A module of functions with these names, as the front of the tests reads it.
fn module(names: &str) -> Vec<u8> {
    [MAGIC, names.as_bytes()].concat()
}

async fn upload(test: &TestApp, who: &As, path: &str, kind: &str, body: Vec<u8>) -> Answer {
    let request = Request::post(format!("/api/v1{path}")).header(header::HOST, HOST).header(header::CONTENT_TYPE, kind);
    let request = match who {
        As::Session(cookie) => request
            .header("x-millrace", "1")
            .header(header::ORIGIN, format!("http://{HOST}"))
            .header(header::COOKIE, format!("millrace={cookie}")),
        As::Token(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        As::Nobody => request,
    };
    test.send(request.body(Body::from(body)).unwrap()).await
}

async fn bring(test: &TestApp, people: &People, query: &str, names: &str) -> Answer {
    let path = people.path(&format!("/functions/modules?{query}"));
    upload(test, &people.developer, &path, "application/wasm", module(names)).await
}

/// Names of the files that uploads left.
fn files(test: &TestApp) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(test.folder.path().join("functions")) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn expression(name: &str, definition: &str) -> Value {
    json!({ "name": name, "definition": definition })
}

#[tokio::test]
async fn a_module_becomes_a_function_with_versions() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let looked = people.path("/functions/inspect");
        let content = upload(&test, &people.developer, &looked, "application/wasm", module("gcd\nlcm")).await.good();
        assert_eq!(content["functions"][1]["entry"], "lcm(int32)->int32");
        assert_eq!(files(&test), Vec::<String>::new(), "looking keeps nothing");

        let made =
            bring(&test, &people, "name=My_Gcd&entry=gcd(int32)-%3Eint32&remark=of%20two", "gcd\nlcm").await.good();
        let (id, versions) = (made["id"].as_str().unwrap().to_owned(), &made["versions"]);
        assert_eq!((&versions[0]["number"], &versions[0]["kind"]), (&json!(1), &json!("scalar")));
        assert_eq!(versions[0]["signature"], "My_Gcd(INT) → INT");
        assert_eq!(versions[0]["parameters"], json!([{ "name": "a1", "data_type": "INT" }]));
        assert_eq!(files(&test), [format!("{}.wasm", content["hash"].as_str().unwrap())]);

        // The name is taken in whatever case, until somebody asks for a version of it.
        let again = bring(&test, &people, "name=my_gcd&entry=lcm(int32)-%3Eint32", "gcd\nlcm").await;
        again.refused(409, "name_taken");
        assert_eq!(again.body["field"], "name");
        let next =
            bring(&test, &people, "name=my_gcd&entry=lcm(int32)-%3Eint32&overwrite=true", "gcd\nlcm").await.good();
        assert_eq!((&next["id"], &next["name"], &next["remark"]), (&json!(id), &json!("My_Gcd"), &json!("of two")));
        assert_eq!(next["versions"].as_array().unwrap().len(), 2);
        let same =
            bring(&test, &people, "name=my_gcd&entry=lcm(int32)-%3Eint32&overwrite=true", "gcd\nlcm").await.good();
        assert_eq!(same["versions"].as_array().unwrap().len(), 2, "nothing is different");

        let list = test.get(&people.viewer, &people.path("/functions?q=gcd")).await.good();
        assert_eq!((&list["total"], &list["items"][0]["version"]), (&json!(1), &json!(2)));
        let path = people.path(&format!("/functions/{id}"));
        let changed = test.call(&people.developer, "PATCH", &path, Some(json!({ "remark": "other" }))).await.good();
        assert_eq!(changed["remark"], "other");
        let found = test.get(&people.viewer, &people.path("/search?q=my_gcd")).await.good();
        assert_eq!(found["items"][0]["kind"], "function");

        test.call(&people.developer, "DELETE", &path, None).await.good();
        test.get(&people.viewer, &path).await.refused(404, "not_found");
        assert_eq!(files(&test), Vec::<String>::new());
        test.close().await;
    }
}

#[tokio::test]
async fn hostile_uploads_are_refused_and_leave_nothing() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let good = "name=f&entry=f(int32)-%3Eint32";
    let wasm = "application/wasm";
    let huge = [MAGIC, &vec![b'\n'; 17 * 1024 * 1024]].concat();
    for (what, query, kind, body, status, code) in [
        ("nothing", good, wasm, Vec::new(), 400, "validation_failed"),
        ("another magic number", good, wasm, b"\x7fELF\x02\x01\x01\0f".to_vec(), 400, "validation_failed"),
        ("a component", good, wasm, b"\0asm\x0d\0\x01\0".to_vec(), 400, "validation_failed"),
        ("no functions", good, wasm, module(""), 400, "validation_failed"),
        ("too large", good, wasm, huge, 413, "too_large"),
        ("not said to be a module", good, "text/plain", module("f"), 400, "validation_failed"),
        ("said to be JSON", good, "application/json", module("f"), 400, "validation_failed"),
        ("no name", "entry=f(int32)-%3Eint32", wasm, module("f"), 400, "validation_failed"),
        ("a path as a name", "name=..%2F..%2Fetc&entry=f(int32)-%3Eint32", wasm, module("f"), 400, "validation_failed"),
        ("a built-in name", "name=upper&entry=f(int32)-%3Eint32", wasm, module("f"), 400, "validation_failed"),
        ("another entry", "name=f&entry=g", wasm, module("f"), 400, "validation_failed"),
        ("refused at last", "name=f&entry=wrong(int32)-%3Eint32", wasm, module("wrong"), 400, "validation_failed"),
    ] {
        let path = people.path(&format!("/functions/modules?{query}"));
        let answer = upload(&test, &people.developer, &path, kind, body).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{what}: {}", answer.body);
        assert_eq!(files(&test), Vec::<String>::new(), "{what}");
    }
    let list = test.get(&people.viewer, &people.path("/functions")).await.good();
    assert_eq!(list["total"], 0);
    // What is refused takes nothing away from a function that uses the same module.
    bring(&test, &people, good, "f\nwrong").await.good();
    bring(&test, &people, "name=g&entry=wrong(int32)-%3Eint32", "f\nwrong").await.refused(400, "validation_failed");
    assert_eq!(files(&test).len(), 1);
}

#[tokio::test]
async fn macros_are_checked_and_kept() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let path = people.path("/functions");
    let checked = test.post(&people.developer, &people.path("/functions/check"), expression("", "WRONG")).await.good();
    assert_eq!(checked["problems"][0]["message"], "It is wrong.");
    test.post(&people.developer, &path, expression("d", "WRONG")).await.refused(400, "validation_failed");
    for name in ["", "a b", "upper", "x;drop table functions"] {
        test.post(&people.developer, &path, expression(name, "(x INT) RETURN x"))
            .await
            .refused(400, "validation_failed");
    }
    let long = format!("(x INT) RETURN {}", "x".repeat(20_000));
    test.post(&people.developer, &path, expression("d", &long)).await.refused(400, "validation_failed");

    let made =
        test.post(&people.developer, &path, expression("d", "(x INT, y ROW<a INT, b INT>) RETURN x")).await.good();
    assert_eq!(made["versions"][0]["language"], "sql");
    assert_eq!(made["versions"][0]["parameters"][1]["data_type"], "ROW<a INT, b INT>");
    let checked =
        test.post(&people.developer, &people.path("/functions/check"), expression("D", "(x INT) RETURN x")).await;
    assert_eq!(checked.good()["existing"], 1);
    test.post(&people.developer, &path, expression("d", "(x INT) RETURN 2")).await.refused(409, "name_taken");
    let mut next = expression("d", "(x INT) RETURN 2");
    next["overwrite"] = json!(true);
    let next = test.post(&people.developer, &path, next).await.good();
    assert_eq!(
        (&next["versions"][0]["number"], &next["versions"][0]["definition"]),
        (&json!(2), &json!("(x INT) RETURN 2"))
    );

    // A test takes a value per parameter; without a worker's program it cannot run.
    let run = people.path(&format!("/functions/{}/test", next["id"].as_str().unwrap()));
    test.post(&people.developer, &run, json!({ "rows": [] })).await.refused(400, "validation_failed");
    test.post(&people.developer, &run, json!({ "rows": [["1", "2"]] })).await.refused(400, "validation_failed");
    test.post(&people.developer, &run, json!({ "rows": [["1"]], "version": 9 })).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_job_keeps_the_version_it_was_saved_with() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let functions = people.path("/functions");
    let made = test.post(&people.developer, &functions, expression("twice", "(x INT) RETURN x + x")).await.good();
    let function = people.path(&format!("/functions/{}", made["id"].as_str().unwrap()));
    test.post(&people.owner, &people.path("/tables"), crate::table::draft("out")).await.good();
    let job = json!({ "name": "doubles", "sql": "INSERT INTO main.out SELECT twice(1)" });
    let job = test.post(&people.developer, &people.path("/jobs"), job).await.good();
    let versions = people.path(&format!("/jobs/{}/versions", job["id"].as_str().unwrap()));
    let first = test.post(&people.developer, &versions, json!({})).await.good();
    assert_eq!(first["functions"]["twice"]["version"], 1);
    let again = test.post(&people.developer, &versions, json!({})).await.good();
    assert_eq!(again["number"], 1, "nothing is different");

    let used = test.get(&people.viewer, &function).await.good();
    assert_eq!(used["used_by"][0]["job"]["name"], "doubles");
    let refused = test.call(&people.developer, "DELETE", &function, None).await;
    refused.refused(409, "function_in_use");
    assert!(refused.body["message"].as_str().unwrap().contains("doubles"), "{}", refused.body);

    let mut next = expression("twice", "(x INT) RETURN 2 * x");
    next["overwrite"] = json!(true);
    test.post(&people.developer, &functions, next).await.good();
    let kept = test.get(&people.viewer, &format!("{versions}/1")).await.good();
    let pinned = &kept["functions"]["twice"];
    assert_eq!((&pinned["version"], &pinned["newer"]), (&json!(1), &json!(2)));
    assert_eq!(pinned["definition"], "(x INT) RETURN x + x");
    let second = test.post(&people.developer, &versions, json!({})).await.good();
    assert_eq!((&second["number"], &second["functions"]["twice"]["version"]), (&json!(2), &json!(2)));

    // With the job its claim goes.
    test.call(&people.operator, "DELETE", &people.path(&format!("/jobs/{}", job["id"].as_str().unwrap())), None)
        .await
        .good();
    test.call(&people.developer, "DELETE", &function, None).await.good();
}
