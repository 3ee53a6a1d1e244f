//! What holds for every request: where it may come from, what bodies are taken, what answers carry.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

use crate::support::{As, HOST, People, TestApp};

fn post(cookie: &As, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let As::Session(cookie) = cookie else { panic!("a session") };
    let mut request = Request::post("/api/v1/teams").header(header::COOKIE, format!("millrace={cookie}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn other_sites_cannot_change_anything() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let own = format!("http://{HOST}");
    let json = ("content-type", "application/json");
    let good = [json, ("x-millrace", "1"), ("origin", own.as_str()), ("host", HOST)];
    let team = r#"{"slug":"sales","name":"Sales"}"#;
    for without in ["x-millrace", "origin"] {
        let headers: Vec<(&str, &str)> = good.iter().copied().filter(|(name, _)| *name != without).collect();
        let answer = test.send(post(&people.administrator, &headers, team)).await;
        answer.refused(403, "not_allowed");
    }
    let foreign = [json, ("x-millrace", "1"), ("origin", "http://evil.example"), ("host", HOST)];
    test.send(post(&people.administrator, &foreign, team)).await.refused(403, "not_allowed");
    let rebound = [json, ("x-millrace", "1"), ("origin", "http://evil.example:7878"), ("host", "evil.example:7878")];
    test.send(post(&people.administrator, &rebound, team)).await.refused(403, "not_allowed");
    // A form of another site can send text, not JSON.
    let text = [("content-type", "text/plain"), ("x-millrace", "1"), ("origin", own.as_str()), ("host", HOST)];
    test.send(post(&people.administrator, &text, team)).await.refused(400, "validation_failed");
    test.send(post(&people.administrator, &good, team)).await.good();
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_told_so() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let own = format!("http://{HOST}");
    let headers = [("content-type", "application/json"), ("x-millrace", "1"), ("origin", own.as_str()), ("host", HOST)];
    for body in ["", "{", "[]", "null", r#"{"slug":1,"name":"x"}"#, "\u{0}", &"[".repeat(10_000)] {
        let answer = test.send(post(&people.administrator, &headers, body)).await;
        answer.refused(400, "validation_failed");
    }
    let huge = format!(r#"{{"slug":"x","name":"{}"}}"#, "a".repeat(3 * 1024 * 1024));
    test.send(post(&people.administrator, &headers, &huge)).await.refused(413, "too_large");
}

#[tokio::test]
async fn ids_and_queries_that_are_none_are_not_internal_errors() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    for path in ["/tables/1", "/tables/..%2f..", "/connections/%00", "/jobs/x", "/tables/%ff"] {
        let answer = test.get(&people.viewer, &people.path(path)).await;
        assert!(answer.status.is_client_error(), "{path}: {} {}", answer.status, answer.body);
    }
    for query in ["?limit=x", "?cursor=x", "?limit=-1"] {
        test.get(&people.viewer, &people.path(&format!("/tables{query}"))).await.refused(400, "validation_failed");
    }
    test.get(&people.viewer, "/nothing/here").await.refused(404, "not_found");
    test.call(&people.viewer, "PATCH", "/session", None).await.refused(404, "not_found");
}

#[tokio::test]
async fn answers_carry_the_headers_that_protect() {
    let test = TestApp::new().await;
    for path in ["/api/v1/health", "/api/v1/session", "/", "/t/demo/overview"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = test.send(request).await;
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.split(';').any(|part| part.contains("script-src") && part.contains("unsafe-inline")));
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(answer.headers["x-request-id"].len(), 32);
    }
}

#[tokio::test]
async fn a_bug_answers_without_its_details() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let mut broken = crate::table::draft("x");
    broken["comment"] = json!("PANIC");
    let answer = test.post(&people.developer, &people.path("/tables/check"), broken).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    answer.refused(500, "internal");
    assert!(!answer.body.to_string().contains("a bug in the engine"), "{}", answer.body);
    test.get(&people.viewer, &people.path("/tables")).await.good();
}

#[tokio::test]
async fn a_database_that_is_gone_is_unavailable_not_broken() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    test.app.store.close().await;
    test.get(&As::Nobody, "/health").await.refused(503, "unavailable");
    let answer = test.get(&people.viewer, &people.path("/tables")).await;
    answer.refused(503, "unavailable");
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
    assert!(!answer.body.to_string().to_lowercase().contains("pool"), "{}", answer.body);
}
