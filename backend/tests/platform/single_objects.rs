//! `millrace tables …`, `connections …` and the savepoints of a job, against a server.

use std::process::{Command, Output};

use crate::files::{furnish, token};
use crate::server::{NO_KAFKA, Server, server_binary};

pub(crate) struct Cli {
    pub(crate) origin: String,
    pub(crate) token: String,
}

impl Cli {
    fn call(&self, arguments: &[&str]) -> Output {
        Command::new(server_binary())
            .args(arguments)
            .env("MILLRACE_SERVER", &self.origin)
            .env("MILLRACE_TOKEN", &self.token)
            .env("MILLRACE_TEAM", "tests")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }

    #[track_caller]
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn single_objects_are_listed_shown_changed_and_deleted() {
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    furnish(&server).await;
    let cli = Cli { origin: server.origin(), token: token(&server).await };

    let listed = cli.good(&["tables", "list"]);
    assert!(listed.starts_with("NAME") && listed.contains("shop.orders") && listed.contains("main.sums"), "{listed}");
    let ddl = cli.good(&["tables", "ddl", "shop.orders"]);
    assert!(ddl.contains("CREATE TABLE") && ddl.contains("'topic' = 'orders'"), "{ddl}");
    assert!(cli.refused(&["tables", "show", "nowhere"]).contains("there is no table 'nowhere'"));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("any.yaml");
    let path = file.display().to_string();
    let shown = cli.good(&["tables", "show", "shop.orders"]);
    std::fs::write(&file, &shown).unwrap();
    assert!(cli.refused(&["tables", "apply", &path]).contains("--name"), "where it lies tells no name");
    let apply = ["tables", "apply", &path, "--name", "shop.orders", "--var", "topic=others"];
    assert_eq!(cli.good(&apply), "shop.orders: left\n");
    std::fs::write(&file, shown.replace("topic: orders", "topic: ${topic}")).unwrap();
    assert_eq!(cli.good(&apply), "shop.orders: changed\n");
    assert!(cli.good(&["tables", "ddl", "shop.orders"]).contains("'topic' = 'others'"));
    let made = ["tables", "apply", &path, "--name", "shop.copies", "--var", "topic=copies"];
    assert_eq!(cli.good(&made), "shop.copies: created\n");
    assert!(cli.refused(&["tables", "delete", "shop.copies"]).contains("--yes"));
    cli.good(&["tables", "delete", "shop.copies", "--yes"]);
    assert!(!cli.good(&["tables", "list"]).contains("shop.copies"));

    assert!(cli.good(&["connections", "list"]).contains("events"));
    let shown = cli.good(&["connections", "show", "events"]);
    assert!(shown.contains("127.0.0.1:9") && shown.contains("(stored)") && !shown.contains("s3cret"), "{shown}");
    let tested = cli.call(&["connections", "test", "events"]);
    assert!(!tested.status.success(), "nobody listens there: {tested:?}");
    assert!(String::from_utf8(tested.stdout).unwrap().contains("failed"));
    let used = cli.refused(&["connections", "delete", "events", "--yes"]);
    assert!(used.contains("table"), "{used}");

    let job = "orders / minute";
    assert!(cli.good(&["jobs", "savepoint-schedule", job]).starts_with("0 3 * * * UTC, keeps 5, next "));
    let set = cli.good(&["jobs", "savepoint-schedule", job, "--cron", "15 * * * *", "--keep", "2"]);
    assert!(set.starts_with("15 * * * * UTC, keeps 2, next "), "{set}");
    cli.good(&["jobs", "savepoint-schedule", job, "--remove"]);
    assert!(cli.refused(&["jobs", "savepoint-schedule", job]).contains("takes no savepoints by itself"));
    assert!(cli.good(&["jobs", "savepoints", job]).starts_with("NUMBER"));
}
