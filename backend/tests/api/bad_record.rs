//! Bad records of tables: what is kept, for how long, and who sees it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use millrace_backend::app;
use millrace_backend::clock::{new_id, now_ms};
use millrace_backend::error::Result;
use millrace_backend::store::bad_record::{self, BadRecordRow, MOST_OF_CAUSE};
use millrace_backend::transact;
use millrace_wire::bad_record::NotKept;
use millrace_wire::ids::{BadRecordId, JobId, RunId, TableId};
use serde_json::{Value, json};

use crate::support::{People, TestApp};
use crate::table::draft;

fn record(table: TableId, offset: i64, cause: &str, value: &[u8]) -> BadRecordRow {
    BadRecordRow {
        id: BadRecordId(new_id()),
        table,
        split: "orders/0".to_owned(),
        offset,
        job: JobId(new_id()),
        run: RunId(new_id()),
        attempt: 1,
        seen_at: now_ms() + offset,
        cause: cause.to_owned(),
        reason: format!("{cause} at {offset}"),
        key: None,
        value: Some(BASE64.encode(value)),
        key_bytes: 0,
        value_bytes: value.len() as u64,
        replayed: None,
    }
}

async fn put(test: &TestApp, records: &[BadRecordRow]) {
    let done: Result<()> = transact!(test.app.store, tx => {
        for record in records {
            bad_record::put(tx, record, record.value.as_deref().unwrap_or_default()).await?;
        }
        Ok(())
    });
    done.unwrap();
}

async fn table(test: &TestApp, people: &People) -> (TableId, String) {
    let made = test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    let id = made["id"].as_str().unwrap();
    (id.parse().unwrap(), people.path(&format!("/tables/{id}/bad-records")))
}

fn offsets(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|record| record["offset"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_record_is_kept_once_until_its_bytes_are_others() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let (id, list) = table(&test, &people).await;
        let first = record(id, 7, "no JSON", b"{");
        put(&test, &[first.clone(), record(id, 8, "no JSON", b"[")]).await;
        put(&test, &[BadRecordRow { attempt: 2, ..record(id, 7, "no JSON", b"{") }]).await;
        let page = test.get(&people.viewer, &list).await.good();
        assert_eq!(offsets(&page), [8, 7]);
        let one = test.get(&people.viewer, &format!("{list}/{}", first.id)).await.good();
        assert_eq!((&one["value"]["text"], &one["record"]["attempt"]), (&json!("{"), &json!(1)));

        let marked: Result<bool> =
            transact!(test.app.store, tx => { bad_record::mark_replayed(tx, &first, "Ann", true, 5).await });
        assert!(marked.unwrap());
        let twice: Result<bool> =
            transact!(test.app.store, tx => { bad_record::mark_replayed(tx, &first, "Bob", true, 6).await });
        assert!(!twice.unwrap(), "of two at once one replays");
        put(&test, &[record(id, 7, "no JSON", b"{")]).await;
        let path = format!("{list}/{}", first.id);
        let same = test.get(&people.viewer, &path).await.good();
        assert_eq!(same["record"]["replayed"]["by"], "Ann", "met again it stays replayed");
        put(&test, &[record(id, 7, "no JSON", b"other")]).await;
        let other = test.get(&people.viewer, &path).await.good();
        assert_eq!((&other["value"]["text"], &other["record"]["replayed"]), (&json!("other"), &Value::Null));
        test.close().await;
    }
}

#[tokio::test]
async fn causes_are_counted_and_narrow_the_list() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let (id, list) = table(&test, &people).await;
        put(&test, &[record(id, 1, "a", b"1"), record(id, 2, "b", b"2"), record(id, 3, "a", b"3")]).await;
        let run = RunId(new_id());
        for count in [5, 9, 9] {
            let told = NotKept { table: String::new(), cause: "a".to_owned(), count, at: 1 };
            let done: Result<()> =
                transact!(test.app.store, tx => { bad_record::put_not_kept(tx, id, run, 1, &told).await });
            done.unwrap();
        }
        let causes = test.get(&people.viewer, &format!("{list}/causes")).await.good();
        let count = |at: usize| {
            let cause = &causes["items"][at];
            (cause["cause"].clone(), cause["kept"].clone(), cause["not_kept"].clone())
        };
        assert_eq!(count(0), (json!("a"), json!(2), json!(9)), "an attempt's total counts once");
        assert_eq!(count(1), (json!("b"), json!(1), json!(0)));

        let narrowed = async |query: &str| {
            let page = test.get(&people.viewer, &format!("{list}?{query}")).await.good();
            offsets(&page)
        };
        assert_eq!(narrowed("cause=a").await, [3, 1]);
        assert_eq!(narrowed("limit=2").await, [3, 2]);
        assert_eq!(narrowed("limit=2&cursor=2").await, [1]);
        assert_eq!(narrowed(&format!("job={}", JobId(new_id()))).await, Vec::<i64>::new());
        assert_eq!(narrowed("to=1").await, Vec::<i64>::new());
        let lines = test.get(&people.viewer, &format!("{list}/export?cause=a")).await.good();
        assert_eq!(lines.as_str().unwrap().lines().count(), 2);

        let dismiss = |cause: &str| format!("{list}?cause={cause}");
        test.call(&people.viewer, "DELETE", &dismiss("a"), None).await.refused(403, "not_allowed");
        test.call(&people.developer, "DELETE", &list, None).await.refused(400, "validation_failed");
        test.call(&people.developer, "DELETE", &dismiss("a"), None).await.good();
        test.call(&people.developer, "DELETE", &dismiss("a"), None).await.refused(404, "not_found");
        assert_eq!(narrowed("").await, [2]);
        test.close().await;
    }
}

#[tokio::test]
async fn a_table_keeps_the_newest_of_each_cause_and_for_two_weeks() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let (id, list) = table(&test, &people).await;
        let many: Vec<BadRecordRow> = (0..MOST_OF_CAUSE + 3).map(|offset| record(id, offset, "flood", b"x")).collect();
        put(&test, &many).await;
        put(&test, &[BadRecordRow { seen_at: 5, ..record(id, 100_000, "rare", b"y") }]).await;
        let done: Result<()> =
            transact!(test.app.store, tx => { bad_record::make_room(tx, id, "flood", now_ms()).await });
        done.unwrap();
        let page = test.get(&people.viewer, &format!("{list}?cause=flood&limit=1000")).await.good();
        assert_eq!((offsets(&page).len(), offsets(&page).last()), (1_000, Some(&3)));
        let causes = test.get(&people.viewer, &format!("{list}/causes")).await.good();
        let flood = causes["items"].as_array().unwrap().iter().find(|cause| cause["cause"] == "flood").unwrap();
        assert_eq!((&flood["kept"], &flood["not_kept"]), (&json!(1_000), &json!(3)));

        // The rare one was met long ago.
        assert_eq!(app::bad_record::purge(&test.app, now_ms()).await.unwrap(), 1);
        let page = test.get(&people.viewer, &format!("{list}?cause=rare")).await.good();
        assert_eq!(page["total"], 0);
        test.close().await;
    }
}

#[tokio::test]
async fn only_who_may_read_the_table_sees_its_bad_records() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let (id, list) = table(&test, &people).await;
        let kept = record(id, 1, "a", b"secret of a customer");
        put(&test, std::slice::from_ref(&kept)).await;
        let one = format!("{list}/{}", kept.id);
        for path in [list.clone(), format!("{list}/causes"), format!("{list}/export"), one.clone()] {
            test.get(&people.viewer, &path).await.good();
            test.get(&people.outsider, &path).await.refused(404, "not_found");
            // Nor under the name of a team of one's own.
            let under_own = path.replace(&people.slug, &people.other_slug);
            test.get(&people.outsider, &under_own).await.refused(404, "not_found");
        }
        let replay = format!("{one}/replay");
        test.post(&people.viewer, &replay, json!({})).await.refused(403, "not_allowed");
        test.post(&people.outsider, &replay, json!({})).await.refused(404, "not_found");
        let under_own = one.replace(&people.slug, &people.other_slug);
        test.call(&people.outsider, "DELETE", &under_own, None).await.refused(404, "not_found");

        // Why not is said before anybody tries.
        let refused = test.post(&people.developer, &replay, json!({})).await;
        refused.refused(409, "wrong_state");
        let detail = test.get(&people.viewer, &one).await.good();
        assert_eq!(detail["no_replay"], refused.body["message"]);
        assert!(refused.body["message"].as_str().unwrap().contains("datagen"), "{}", refused.body);

        // Hidden from the team, hidden with its records.
        let permissions = people.path(&format!("/tables/{id}/permissions"));
        test.call(&people.owner, "PATCH", &permissions, Some(json!({ "restricted": true }))).await.good();
        test.get(&people.viewer, &one).await.refused(404, "not_found");
        test.close().await;
    }
}
