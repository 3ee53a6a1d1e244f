//! `millrace export` and `millrace apply`: out of one server, into an empty one, and what happens when both sides change.

use std::path::Path;
use std::process::{Command, Output};

use reqwest::Method;
use serde_json::json;

use crate::server::{NO_KAFKA, Server, server_binary};

pub(crate) async fn token(server: &Server) -> String {
    let team = server.get("").await["id"].clone();
    let wish = json!({ "name": "files", "team": team, "expires_in_days": 1 });
    let issued = server.call(Method::POST, "/tokens", Some(wish)).await.good();
    issued["secret"].as_str().unwrap().to_owned()
}

struct Files<'a> {
    server: &'a Server,
    token: String,
    folder: &'a Path,
}

impl<'a> Files<'a> {
    async fn of(server: &'a Server, folder: &'a Path) -> Files<'a> {
        Files { token: token(server).await, server, folder }
    }

    fn call(&self, arguments: &[&str]) -> Output {
        Command::new(server_binary())
            .args(arguments)
            .arg(self.folder)
            .env("MILLRACE_SERVER", self.server.origin())
            .env("MILLRACE_TOKEN", &self.token)
            .env("MILLRACE_TEAM", "tests")
            .env("MILLRACE_VAR_EVENTS_SASL_PASSWORD", "s3cret of the test")
            .env("MILLRACE_VAR_VARIABLE_TOKEN", "s3cret of a variable")
            .output()
            .unwrap()
    }

    #[track_caller]
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let file = self.folder.join(path);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{path}: {text}");
        std::fs::write(file, text.replace(from, to)).unwrap();
    }
}

/// One object of each kind, with names that are not those of files.
pub(crate) async fn furnish(server: &Server) {
    let connection = json!({
        "name": "events", "kind": "kafka", "description": "of the shop",
        "options": { "bootstrap.servers": "127.0.0.1:9", "security.protocol": "SASL_PLAINTEXT",
                     "sasl.mechanism": "PLAIN", "sasl.username": "shop" },
        "secrets": { "sasl.password": "s3cret of the test" },
    });
    let connection = server.post("/connections", connection).await;
    server.post("/variables", json!({ "name": "least", "value": "100", "description": "of an id" })).await;
    server.post("/variables", json!({ "name": "token", "value": "s3cret of a variable", "secret": true })).await;
    server.post("/databases", json!({ "name": "shop", "description": "what is sold" })).await;
    let column =
        |name: &str, kind: &str| json!({ "name": name, "data_type": kind, "kind": "physical", "nullable": true });
    let orders = json!({
        "database": "shop", "name": "orders", "comment": "as they come", "connector": "kafka",
        "connection": connection["id"], "format": "json", "options": { "topic": "orders" },
        "columns": [column("id", "BIGINT"), column("at", "TIMESTAMP(3)")],
        "event_time": { "column": "at", "watermark": "at - INTERVAL '5' SECOND" },
    });
    server.post("/tables", orders).await;
    let sums = json!({ "database": "main", "name": "sums", "connector": "blackhole", "options": {},
                       "columns": [column("id", "BIGINT")] });
    server.post("/tables", sums).await;
    let double = "(x BIGINT) RETURNS BIGINT RETURN x * 2";
    server.post("/functions", json!({ "name": "twice", "definition": double, "remark": "two times" })).await;
    let job = json!({ "name": "orders / minute", "description": "counts", "tags": ["shop"], "folder": "shop/hourly",
                      "sql": "INSERT INTO main.sums\nSELECT twice(id) FROM shop.orders WHERE id > ${least};\n" });
    let job = server.post("/jobs", job).await;
    let schedule = json!({ "cron": "0 3 * * *", "zone": "UTC", "enabled": true, "keep": 5 });
    let path = format!("/teams/tests/jobs/{}/savepoint-schedule", job["id"].as_str().unwrap());
    server.call(Method::PUT, &path, Some(schedule)).await.good();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_goes_into_files_and_out_of_them_into_an_empty_server() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    furnish(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let here = Files::of(&server, folder.path()).await;
    here.good(&["export"]);
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).unwrap();
    assert!(read("connections/events.yaml").contains("sasl.password: ${events_sasl_password}"));
    assert_eq!(
        read("jobs/orders %2F minute.sql"),
        "INSERT INTO main.sums\nSELECT twice(id) FROM shop.orders WHERE id > ${least};\n"
    );
    assert!(read("jobs/orders %2F minute.yaml").contains("keep: 5"));
    assert!(read("jobs/orders %2F minute.yaml").contains("folder: shop/hourly"));
    assert!(read("tables/shop/orders.yaml").contains("connection: events"));
    assert_eq!(read("variables/least.yaml"), "description: of an id\nvalue: '100'\n");
    assert_eq!(read("variables/token.yaml"), "secrets:\n  value: ${variable_token}\n");
    // A variable of the team stays in the script, whatever value its name has here.
    assert_eq!(here.good(&["apply", "--yes", "--var", "least=7"]).lines().next(), Some("no change"));
    assert_eq!(here.good(&["apply", "--yes"]).lines().next(), Some("no change"));

    let Some(empty) = Server::start(NO_KAFKA).await else { return };
    let there = Files::of(&empty, folder.path()).await;
    let plan = there.good(&["apply", "--dry-run"]);
    assert!(plan.contains("create   connections/events") && plan.contains("8 to create"), "{plan}");
    assert_eq!(empty.get("/jobs").await["total"], 0, "a dry run makes nothing");
    there.good(&["apply", "--yes"]);
    assert_eq!(there.good(&["apply", "--yes"]).lines().next(), Some("no change"));

    // The same team: its own export differs in nothing.
    let second = tempfile::tempdir().unwrap();
    Files { server: &empty, token: token(&empty).await, folder: second.path() }.good(&["export"]);
    let difference =
        Command::new("diff").args(["-r", "--exclude=.millrace"]).arg(folder.path()).arg(second.path()).output();
    let difference = difference.unwrap();
    assert!(difference.status.success(), "{}", String::from_utf8_lossy(&difference.stdout));
    // The secret is nowhere in the files.
    let grep = Command::new("grep").args(["-r", "s3cret"]).arg(folder.path()).output().unwrap();
    assert!(grep.stdout.is_empty(), "{grep:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_on_both_sides_meet() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    furnish(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let files = Files::of(&server, folder.path()).await;
    files.good(&["export"]);
    let job = server.get("/jobs").await["items"][0]["id"].as_str().unwrap().to_owned();
    let describe = async |words: &str| {
        let change = Some(json!({ "description": words }));
        server.call(Method::PATCH, &format!("/teams/tests/jobs/{job}"), change).await.good()
    };

    // Changed in the console only: it is told and left.
    describe("from the console").await;
    let plan = files.good(&["apply", "--yes"]);
    assert!(
        plan.contains("drift    jobs/orders %2F minute") && plan.contains("-description: from the console"),
        "{plan}"
    );
    assert_eq!(server.get(&format!("/jobs/{job}")).await["description"], "from the console");

    // Changed on both sides: nothing is applied.
    files.edit("jobs/orders %2F minute.yaml", "description: counts", "description: from the file");
    files.edit("jobs/orders %2F minute.yaml", "folder: shop/hourly", "folder: shop/minutes");
    assert!(files.refused(&["apply", "--yes"]).contains("nothing was applied"));
    assert!(files.refused(&["export"]).contains("jobs/orders %2F minute.yaml"), "an export takes no edit away");
    files.good(&["apply", "--yes", "--overwrite"]);
    assert_eq!(server.get(&format!("/jobs/{job}")).await["description"], "from the file");
    assert_eq!(server.get(&format!("/jobs/{job}")).await["folder"], "shop/minutes");

    // A variable in the file, and a file that goes.
    files.edit("jobs/orders %2F minute.sql", "shop.orders", "${source}");
    assert!(files.good(&["apply", "--dry-run", "--var", "source=shop.orders"]).starts_with("no change"));
    for gone in ["jobs/orders %2F minute.sql", "jobs/orders %2F minute.yaml", "tables/shop/orders.yaml"] {
        std::fs::remove_file(folder.path().join(gone)).unwrap();
    }
    let plan = files.good(&["apply", "--yes"]);
    let (job_at, table_at) = (plan.find("delete   jobs/"), plan.find("delete   tables/shop/orders"));
    assert!(job_at.is_some() && table_at.is_some(), "{plan}");
    assert_eq!(server.get("/jobs").await["total"], 0);

    // Without a file from the start: left, unless it is asked to go.
    server.post("/databases", json!({ "name": "extra", "description": "" })).await;
    assert!(files.good(&["apply", "--yes"]).contains("unknown  databases/extra"));
    files.good(&["apply", "--yes", "--prune"]);
    assert!(!server.get("/databases").await.to_string().contains("extra"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_file_is_told_with_its_name() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = Files::of(&server, folder.path()).await;
    assert!(files.refused(&["apply", "--yes"]).contains("holds no file of a team"));
    std::fs::create_dir_all(folder.path().join("tables/main")).unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("tables/main/t.yaml"), text).unwrap();
    write("connector: blackhole\ncolums: []\n");
    let said = files.refused(&["apply", "--yes"]);
    assert!(said.contains("tables/main/t.yaml") && said.contains("colums"), "{said}");
    write("connector: ${kind}\ncolumns: []\n");
    assert!(files.refused(&["apply", "--yes"]).contains("--var kind="));
    write("connector: nothing\ncolumns: []\n");
    let said = files.refused(&["apply", "--yes"]);
    assert!(said.contains("create tables/main/t") && said.contains("There is no connector 'nothing'."), "{said}");
}
