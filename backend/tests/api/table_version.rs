//! Schema versions, compatibility, what a change breaks, and what belongs to a table beside its schema.

use serde_json::{Value, json};

use crate::support::{People, TestApp};
use crate::table::draft;

fn column(name: &str, data_type: &str) -> Value {
    json!({ "name": name, "data_type": data_type, "kind": "physical", "nullable": true })
}

fn with_columns(columns: &[Value]) -> Value {
    let mut table = draft("orders");
    table["columns"] = json!(columns);
    table
}

fn path_of(people: &People, table: &Value) -> String {
    people.path(&format!("/tables/{}", table["id"].as_str().unwrap()))
}

#[tokio::test]
async fn every_save_makes_a_version_that_stays() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let made = test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
        let one = path_of(&people, &made);
        let mut wider = with_columns(&[column("id", "BIGINT"), column("note", "STRING")]);
        wider["version_comment"] = json!("notes of the shop");
        test.call(&people.developer, "PUT", &one, Some(wider.clone())).await.good();
        // Saving what is there makes none.
        let again = test.call(&people.developer, "PUT", &one, Some(wider)).await.good();
        assert_eq!(again["revision"], 2);

        let versions = test.get(&people.viewer, &format!("{one}/versions")).await.good();
        let numbers: Vec<&Value> = versions["items"].as_array().unwrap().iter().map(|one| &one["number"]).collect();
        assert_eq!(numbers, [&json!(2), &json!(1)]);
        assert_eq!(versions["items"][0]["comment"], "notes of the shop");
        let first = test.get(&people.viewer, &format!("{one}/versions/1")).await.good();
        assert_eq!(first["draft"]["columns"].as_array().unwrap().len(), 1);
        test.get(&people.viewer, &format!("{one}/versions/3")).await.refused(404, "not_found");

        let diff = test.get(&people.viewer, &format!("{one}/diff?from=1&to=2")).await.good();
        let changes: Vec<(&str, &str)> = diff["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| (change["kind"].as_str().unwrap(), change["name"].as_str().unwrap()))
            .collect();
        assert_eq!(changes, [("nullability_changed", "id"), ("column_added", "note")]);
        assert!(
            diff["to_ddl"].as_str().unwrap().contains("note") && !diff["from_ddl"].as_str().unwrap().contains("note")
        );
        // The old one says NOT NULL, so that it cannot read what the new one writes.
        assert_eq!((diff["backward"].as_array().unwrap().len(), diff["forward"].as_array().unwrap().len()), (0, 1));
        test.close().await;
    }
}

#[tokio::test]
async fn the_mode_refuses_what_does_not_fit_unless_it_is_confirmed() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let made = test
        .post(&people.developer, &people.path("/tables"), with_columns(&[column("id", "BIGINT"), column("n", "INT")]))
        .await
        .good();
    let one = path_of(&people, &made);
    let mode = json!({ "compatibility": "backward" });
    test.call(&people.developer, "PATCH", &one, Some(mode)).await.good();

    let widened = with_columns(&[column("id", "BIGINT"), column("n", "BIGINT")]);
    test.call(&people.developer, "PUT", &one, Some(widened)).await.good();
    let mut narrowed = with_columns(&[column("id", "BIGINT"), column("n", "INT")]);
    let impact = test.post(&people.developer, &format!("{one}/impact"), narrowed.clone()).await.good();
    assert_eq!((&impact["breaks"], impact["incompatible"].as_array().unwrap().len()), (&json!(true), 1));
    let refusal = test.call(&people.developer, "PUT", &one, Some(narrowed.clone())).await;
    refusal.refused(409, "breaking_change");
    assert_eq!(test.get(&people.viewer, &one).await.good()["revision"], 2);

    narrowed["accept_breaking"] = json!(true);
    assert_eq!(test.call(&people.developer, "PUT", &one, Some(narrowed)).await.good()["revision"], 3);
}

#[tokio::test]
async fn a_change_that_breaks_a_job_names_it_and_is_audited_when_confirmed() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let columns = [column("id", "BIGINT"), column("amount", "DOUBLE"), column("note", "STRING")];
        let made = test.post(&people.developer, &people.path("/tables"), with_columns(&columns)).await.good();
        let one = path_of(&people, &made);
        for (name, sql) in
            [("Sums", "INSERT INTO main.orders needs amount"), ("Ids", "INSERT INTO main.orders needs id")]
        {
            let job =
                test.post(&people.developer, &people.path("/jobs"), json!({ "name": name, "sql": sql })).await.good();
            let versions = people.path(&format!("/jobs/{}/versions", job["id"].as_str().unwrap()));
            test.post(&people.developer, &versions, json!({})).await.good();
        }

        let harmless = with_columns(&[column("id", "BIGINT"), column("amount", "DOUBLE")]);
        let impact = test.post(&people.developer, &format!("{one}/impact"), harmless).await.good();
        assert_eq!((&impact["breaks"], &impact["checked"]), (&json!(false), &json!(2)));

        let mut breaking = with_columns(&[column("id", "BIGINT"), column("note", "STRING")]);
        let impact = test.post(&people.developer, &format!("{one}/impact"), breaking.clone()).await.good();
        let jobs = impact["jobs"].as_array().unwrap();
        assert_eq!(jobs.len(), 1, "{impact}");
        assert_eq!((&jobs[0]["job"]["name"], &jobs[0]["columns"]), (&json!("Sums"), &json!(["amount"])));
        let refusal = test.call(&people.developer, "PUT", &one, Some(breaking.clone())).await;
        refusal.refused(409, "breaking_change");
        assert!(refusal.body["message"].as_str().unwrap().contains("Sums"), "{}", refusal.body);

        breaking["accept_breaking"] = json!(true);
        test.call(&people.developer, "PUT", &one, Some(breaking)).await.good();
        let trail = millrace_backend::store::audit::list(&test.app.store, 0, 10_000).await.unwrap();
        let saved = trail.iter().rfind(|link| link.entry.action == "PUT /teams/{team}/tables/{table}").unwrap();
        let detail: Value = serde_json::from_str(&saved.entry.detail).unwrap();
        assert_eq!(detail["after"]["accepted_breaking"]["jobs"], json!(["Sums"]), "{detail}");
        test.close().await;
    }
}

#[tokio::test]
async fn owner_tags_and_sharers_are_found_and_make_no_version() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path("/tables");
        let made = test.post(&people.developer, &path, draft("orders")).await.good();
        test.post(&people.developer, &path, draft("clicks")).await.good();
        let one = path_of(&people, &made);
        let change = json!({ "owner": "Anna", "tags": ["gold", " gold", "eu"], "sharers": ["Data office"] });
        let changed = test.call(&people.developer, "PATCH", &one, Some(change)).await.good();
        assert_eq!((&changed["tags"], &changed["revision"]), (&json!(["gold", "eu"]), &json!(1)));
        for query in ["tag=gold", "owner=Anna", "q=data%20OFFICE", "q=eu"] {
            let listed = test.get(&people.viewer, &format!("{path}?{query}")).await.good();
            assert_eq!((&listed["total"], &listed["items"][0]["name"]), (&json!(1), &json!("orders")), "{query}");
        }
        assert_eq!(test.get(&people.viewer, &format!("{path}/tags")).await.good()["items"], json!(["eu", "gold"]));
        let too_long = json!({ "owner": "x".repeat(121) });
        test.call(&people.developer, "PATCH", &one, Some(too_long)).await.refused(400, "validation_failed");
        // What is absent stays.
        let kept = test.call(&people.developer, "PATCH", &one, Some(json!({ "owner": "" }))).await.good();
        assert_eq!((&kept["owner"], &kept["sharers"]), (&json!(""), &json!(["Data office"])));
        test.close().await;
    }
}

#[tokio::test]
async fn lists_are_searched_ordered_and_cut_by_the_server() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        let path = people.path("/tables");
        for (name, columns) in [("b_100", 2), ("a_one", 1), ("c%x", 3)] {
            let mut table = draft(&name.replace('%', "_"));
            table["comment"] = json!(if name.contains('%') { "100% of orders" } else { "" });
            let columns: Vec<Value> = (0..columns).map(|at| column(&format!("c{at}"), "INT")).collect();
            table["columns"] = json!(columns);
            test.post(&people.developer, &path, table).await.good();
        }
        let names = async |query: &str| -> Vec<String> {
            let page = test.get(&people.viewer, &format!("{path}?{query}")).await.good();
            page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("").await, ["a_one", "b_100", "c_x"]);
        assert_eq!(names("sort=-name").await, ["c_x", "b_100", "a_one"]);
        assert_eq!(names("sort=columns").await, ["c_x", "b_100", "a_one"]);
        // Signs of patterns are looked for as they are.
        assert_eq!(names("q=100%25").await, ["c_x"]);
        assert_eq!(names("q=_").await, ["a_one", "b_100", "c_x"]);
        assert_eq!(names("q=c2").await, ["c_x"]);
        assert_eq!(names("connector=kafka").await, Vec::<String>::new());
        let found = test.get(&people.viewer, &format!("{path}?q=c2")).await.good();
        assert_eq!(found["items"][0]["found"][0]["name"], "c2");

        let first = test.get(&people.viewer, &format!("{path}?limit=2")).await.good();
        assert_eq!((&first["total"], &first["next"]), (&json!(3), &json!("2")));
        assert_eq!(names("limit=2&cursor=2").await, ["c_x"]);
        test.get(&people.viewer, &format!("{path}?sort=age")).await.refused(400, "validation_failed");
        test.get(&people.viewer, &format!("{path}?cursor=x")).await.refused(400, "validation_failed");

        let hits = test.get(&people.viewer, &people.path("/search?q=c2")).await.good();
        assert_eq!((&hits["items"][0]["kind"], &hits["items"][0]["title"]), (&json!("column"), &json!("c2")));
        test.close().await;
    }
}

/// What was read for planning is kept, but never longer than it is true.
#[tokio::test]
async fn scripts_see_a_table_as_soon_as_it_is_there() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let reads = async || -> Vec<String> {
        let answer =
            test.post(&people.viewer, &people.path("/sql/validate"), json!({ "sql": "SELECT 1" })).await.good();
        answer["reads"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(reads().await, Vec::<String>::new());
    let made = test.post(&people.developer, &people.path("/tables"), draft("orders")).await.good();
    assert_eq!(reads().await, ["main.orders"]);
    test.call(&people.developer, "DELETE", &path_of(&people, &made), None).await.good();
    assert_eq!(reads().await, Vec::<String>::new());
}
