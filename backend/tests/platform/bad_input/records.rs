//! Records that cannot be decoded: by each policy the job fails, skips, or puts them aside, and says so.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::make_table;
use crate::server::{NO_KAFKA, Server};

const COLUMNS: &[(&str, &str)] = &[("n", "BIGINT"), ("name", "STRING")];
const LINES: &str = "{\"n\":1,\"name\":\"a\"}\n{\"n\":\"two\",\"name\":\"b\"}\n{broken\n{\"n\":4,\"name\":\"d\"}\n";

/// A server whose team has a folder `in` with these files.
async fn server_with(files: &[(&str, &[u8])]) -> Option<(Server, PathBuf)> {
    let server = Server::start(NO_KAFKA).await?;
    let folder = server.files();
    std::fs::create_dir_all(folder.join("in")).unwrap();
    for (name, content) in files {
        std::fs::write(folder.join("in").join(name), content).unwrap();
    }
    Some((server, folder))
}

/// Copies the folder `in` and answers the run when it is over.
async fn copied(server: &Server, format: &str, more: &[(&str, &str)]) -> (String, Value) {
    let mut options = json!({ "path": "in", "format": format });
    for (name, value) in more {
        options[*name] = json!(value);
    }
    make_table(server, "source", "filesystem", options, COLUMNS).await;
    make_table(server, "copy", "filesystem", json!({ "path": "copy", "format": "json" }), COLUMNS).await;
    let job = server.start_job("copy", "INSERT INTO copy SELECT n, name FROM source", &[("restart_attempts", 0)]).await;
    let over = |run: &Value| matches!(run["state"].as_str(), Some("finished" | "failed" | "stopped"));
    let run = server.until(&job, "over", over).await;
    (job, run)
}

/// Without the place where the server's data lies.
fn shown(text: &str, folder: &std::path::Path) -> String {
    text.replace(&folder.display().to_string(), "<files>")
}

fn rows(folder: &std::path::Path) -> Vec<i64> {
    let files = std::fs::read_dir(folder.join("copy")).map(|files| files.map(|file| file.unwrap().path()).collect());
    let files: Vec<PathBuf> = files.unwrap_or_default();
    let hidden = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(['.', '_']);
    let text: String =
        files.iter().filter(|path| !hidden(path)).map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut rows: Vec<i64> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["n"].as_i64().unwrap()).collect();
    rows.sort_unstable();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_the_job_fails_and_names_the_record() {
    let Some((server, folder)) = server_with(&[("a.json", LINES.as_bytes())]).await else { return };
    let (_, run) = copied(&server, "json", &[]).await;
    assert_eq!(run["state"], "failed", "{run}");
    assert_eq!(rows(&folder), Vec::<i64>::new());
    insta::assert_snapshot!(shown(run["reason"].as_str().unwrap(), &folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn skipped_records_are_counted_and_logged() {
    let Some((server, folder)) = server_with(&[("a.json", LINES.as_bytes())]).await else { return };
    let (job, run) = copied(&server, "json", &[("decode.on-error", "skip")]).await;
    assert_eq!(run["state"], "finished", "{run}");
    assert_eq!(rows(&folder), [1, 4]);
    let about = |line: &Value| line["message"].as_str().is_some_and(|message| message.contains("cannot be decoded"));
    let lines = server.until_logged(&job, "a line about the record", about).await;
    let lines: Vec<&str> =
        lines.iter().filter(|line| about(line)).map(|line| line["message"].as_str().unwrap()).collect();
    insta::assert_snapshot!(shown(&lines.join("\n"), &folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_keep_the_record_and_the_reason() {
    let Some((server, folder)) = server_with(&[("a.json", LINES.as_bytes())]).await else { return };
    let more = [("decode.on-error", "dead-letter"), ("decode.dead-letter.path", "dead/letters.json")];
    let (_, run) = copied(&server, "json", &more).await;
    assert_eq!(run["state"], "finished", "{run}");
    assert_eq!(rows(&folder), [1, 4]);
    let letters = std::fs::read_to_string(folder.join("dead/letters.json")).unwrap();
    let letters: Vec<String> = letters
        .lines()
        .map(|line| {
            let mut letter: Value = serde_json::from_str(line).unwrap();
            letter.as_object_mut().unwrap().remove("at");
            letter.to_string()
        })
        .collect();
    insta::assert_snapshot!(shown(&letters.join("\n"), &folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_parquet_is_named() {
    let Some((server, folder)) = server_with(&[("a.parquet", b"this is no parquet file at all")]).await else { return };
    let (_, run) = copied(&server, "parquet", &[]).await;
    assert_eq!(run["state"], "failed", "{run}");
    let fetch = json!({ "connector": "filesystem", "format": "parquet", "options": { "path": "in" } });
    let fetched = server.try_post("/tables/fetch", fetch).await;
    let said = format!("job: {}\nfetch: {}", run["reason"].as_str().unwrap(), super::in_words(&fetched));
    insta::assert_snapshot!(shown(&said, &folder));
}
