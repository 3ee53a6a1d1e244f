//! The document: every rule has its operation, and what is published does not change unseen.

use std::collections::BTreeSet;

use millrace_backend::access::policy::RULES;
use millrace_backend::http::openapi;

#[test]
fn every_rule_is_documented_and_nothing_else() {
    let documented: BTreeSet<String> =
        openapi::operations().iter().map(|operation| format!("{} {}", operation.method, operation.path)).collect();
    let ruled: BTreeSet<String> = RULES.iter().map(|rule| format!("{} {}", rule.method, rule.path)).collect();
    assert_eq!(documented, ruled);
}

#[test]
fn every_reference_leads_somewhere() {
    let text = openapi::document().unwrap();
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for part in text.split("\"$ref\": \"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is referred to and not defined");
    }
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn the_document_is_the_published_one() {
    let document: serde_json::Value = serde_json::from_str(openapi::document().unwrap()).unwrap();
    insta::assert_json_snapshot!("openapi", document);
}
