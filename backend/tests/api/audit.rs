//! The trail: who, what, before and after; kept whole under pressure.

use millrace_backend::access::audit::{self, Entry};
use millrace_backend::store;
use serde_json::{Value, json};

use crate::support::{As, People, TestApp};

#[tokio::test]
async fn an_entry_tells_who_did_what_and_what_it_was_before() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let made = test.post(&people.developer, &people.path("/tables"), crate::table::draft("orders")).await.good();
    let one = people.path(&format!("/tables/{}", made["id"].as_str().unwrap()));
    let mut changed = crate::table::draft("orders");
    changed["comment"] = json!("new words");
    let answer = test.call(&people.developer, "PUT", &one, Some(changed)).await;
    let request_id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    answer.good();
    test.call(&people.viewer, "DELETE", &one, None).await.refused(403, "not_allowed");
    test.post(&As::Nobody, "/session", json!({ "email": "eve@example.org", "password": "x" })).await;

    let trail = store::audit::list(&test.app.store, 0, 100).await.unwrap();
    assert_eq!(audit::verify(&trail), None);
    let entries: Vec<&Entry> = trail.iter().map(|link| &link.entry).collect();
    let edit = entries.iter().find(|entry| entry.action == "PUT /teams/{team}/tables/{table}").unwrap();
    assert_eq!((edit.outcome.as_str(), edit.status, edit.via.as_str()), ("done", 200, "session"));
    assert_eq!(
        (edit.team_slug.as_str(), edit.object.as_str()),
        (people.slug.as_str(), format!("/api/v1{one}").as_str())
    );
    assert_eq!(edit.request_id, request_id);
    assert!(edit.user_email.ends_with("@example.org") && !edit.user_id.is_empty());
    let detail: Value = serde_json::from_str(&edit.detail).unwrap();
    assert_eq!((&detail["before"]["comment"], &detail["after"]["comment"]), (&json!(""), &json!("new words")));
    let refused = entries.iter().find(|entry| entry.action.starts_with("DELETE")).unwrap();
    assert_eq!((refused.outcome.as_str(), refused.status), ("not_allowed", 403));
    let tried = entries.iter().find(|entry| entry.action == "POST /session").unwrap();
    assert_eq!(tried.outcome, "not_signed_in");
    assert!(tried.detail.contains("eve@example.org") && tried.via == "none");
}

#[tokio::test]
async fn entries_at_once_make_one_chain() {
    for test in TestApp::on_each_database().await {
        let append = |number: i64| {
            let store = test.app.store.clone();
            tokio::spawn(async move {
                let entry = Entry { at: number, action: "test".to_owned(), ..Entry::default() };
                store::audit::append(&store, &entry).await
            })
        };
        let tasks: Vec<_> = (0..20).map(append).collect();
        let mut kept = 0;
        for task in tasks {
            kept += usize::from(task.await.unwrap().is_ok());
        }
        let trail = store::audit::list(&test.app.store, 0, 100).await.unwrap();
        assert_eq!((trail.len(), audit::verify(&trail)), (kept, None));
        assert_eq!(kept, 20);
        test.close().await;
    }
}
