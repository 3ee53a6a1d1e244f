//! `millrace jobs …`, `variables`, `functions`, `members`, `search` and `api`: a job's life from a terminal.

use reqwest::Method;
use serde_json::{Value, json};

use crate::files::token;
use crate::server::{NO_KAFKA, PASSWORD, Server};
use crate::single_objects::Cli;

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_life_from_a_terminal() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    for (name, connector) in [("numbers", "datagen"), ("nowhere", "blackhole")] {
        let columns = json!([{ "name": "n", "data_type": "BIGINT", "kind": "physical", "nullable": true }]);
        let table =
            json!({ "database": "main", "name": name, "connector": connector, "options": {}, "columns": columns });
        server.post("/tables", table).await;
    }
    let cli = Cli { origin: server.origin(), token: token(&server).await };

    // What has no command of its own.
    let script = |limit: u32| format!("INSERT INTO nowhere SELECT n FROM numbers WHERE n < {limit}");
    let job = json!({ "name": "small numbers", "sql": script(1) }).to_string();
    let made: Value = serde_json::from_str(&cli.good(&["api", "jobs", "--data", &job])).unwrap();
    let id = made["id"].as_str().unwrap();
    cli.good(&["api", &format!("jobs/{id}/versions"), "--data", "{}"]);
    let draft =
        json!({ "sql": script(2), "settings": made["draft"]["settings"], "revision": made["draft"]["revision"] });
    cli.good(&["api", "put", &format!("jobs/{id}/draft"), "--data", &draft.to_string()]);
    assert!(cli.good(&["api", "/session"]).contains("\"teams\""));
    assert_eq!(serde_json::from_str::<Vec<Value>>(&cli.good(&["api", "jobs", "--all"])).unwrap().len(), 1);
    let nobody = "00000000-0000-7000-8000-000000000000";
    assert!(cli.refused(&["api", &format!("jobs/{nobody}")]).contains("no such job"), "in the server's words");
    assert!(cli.refused(&["api", "jobs", "--data", "{"]).contains("no JSON"));

    let name = "small numbers";
    assert!(cli.good(&["jobs", "show", name]).contains("n < 2"));
    let difference = cli.good(&["jobs", "diff", name, "--from", "1"]);
    assert!(
        difference.contains("-INSERT") && difference.contains("+INSERT") && difference.contains("n < 2"),
        "{difference}"
    );
    cli.good(&["jobs", "report", name]);
    cli.good(&["api", &format!("jobs/{id}/versions"), "--data", "{}"]);
    assert!(cli.good(&["jobs", "rollback", name, "1"]).contains("is what version 1 was"));
    assert!(cli.good(&["jobs", "versions", name]).starts_with("NUMBER"));
    assert!(cli.good(&["jobs", "runs", name]).starts_with("NUMBER"));
    assert_eq!(cli.good(&["jobs", "tag", name, "nightly"]), "small numbers: nightly\n");
    assert!(cli.good(&["search", "nightly"]).contains(name));
    assert_eq!(cli.good(&["jobs", "tag", name, "nightly", "--remove"]), "small numbers: no tags\n");
    assert!(cli.refused(&["jobs", "delete", name]).contains("--yes"));
    cli.good(&["jobs", "delete", name, "--yes"]);
    assert!(!cli.good(&["jobs", "list"]).contains(name));
    assert!(cli.good(&["jobs", "bin"]).contains(name));
    assert_eq!(cli.good(&["jobs", "restore", name, "--name", "back"]), "back: restored, and stopped\n");

    assert_eq!(cli.good(&["variables", "set", "limit", "7"]), "limit: made\n");
    assert_eq!(cli.good(&["variables", "set", "limit", "hush", "--secret"]), "limit: changed\n");
    // A secret stays one.
    assert_eq!(cli.good(&["variables", "set", "limit", "hush2"]), "limit: changed\n");
    let listed = cli.good(&["variables", "list"]);
    assert!(listed.contains("(secret)") && !listed.contains("hush"), "{listed}");
    cli.good(&["variables", "delete", "limit", "--yes"]);
    assert!(cli.refused(&["variables", "delete", "limit", "--yes"]).contains("there is no variable"));

    let other =
        json!({ "email": "b@example.org", "role": "viewer", "new_user": { "name": "B", "password": PASSWORD } });
    server.call(Method::PUT, "/teams/tests/members", Some(other)).await.good();
    assert_eq!(cli.good(&["members", "set", "b@example.org", "developer"]), "b@example.org: developer\n");
    let listed = cli.good(&["members", "list"]);
    assert!(listed.lines().any(|line| line.contains("b@example.org") && line.ends_with("developer")), "{listed}");
    cli.good(&["members", "remove", "b@example.org", "--yes"]);
    assert!(!cli.good(&["members", "list"]).contains("b@example.org"));

    assert!(cli.good(&["functions", "list"]).starts_with("NAME"));
    let no_module = tempfile::NamedTempFile::new().unwrap();
    let path = no_module.path().display().to_string();
    cli.refused(&["functions", "upload", "f", &path]);
    assert!(cli.refused(&["functions", "delete", "f", "--yes"]).contains("there is no function"));
}
