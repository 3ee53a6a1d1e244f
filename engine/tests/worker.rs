//! The real worker process against a server that says what the test wants.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod worker_link;

use std::io::Write;
use std::process::{Command as Process, Stdio};

use millrace_wire::job::StopMode;
use millrace_wire::link::{Command, PreviewAssignment, PreviewLine, Report, Restore, WorkerState};
use millrace_wire::preview::PreviewEvent;
use millrace_wire::run::RestoreKind;
use worker_link::{Server, TOKEN, assignment};

const ENDLESS: &str = "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '2000');
CREATE TABLE nowhere (n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT n FROM numbers WHERE n IS NOT NULL;";

#[tokio::test(flavor = "multi_thread")]
async fn a_bounded_script_runs_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in.json"), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n").unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let sql = format!(
        "CREATE TABLE i (a BIGINT) WITH ('connector'='filesystem','path'='{}','format'='json');
         CREATE TABLE o (a BIGINT) WITH ('connector'='filesystem','path'='{}','format'='json');
         INSERT INTO o SELECT a * 10 FROM i WHERE a > 1;",
        at("in.json"),
        at("out")
    );
    let server = Server::start().await;
    let mut worker = server.launch(1);
    let mut link = server.accept().await;
    assert_eq!(link.hello.state, WorkerState::Waiting);
    assert_eq!((link.hello.token.as_str(), link.hello.attempt), (TOKEN, 1));
    assert_eq!(link.hello.pid, worker.id());
    link.send(Command::Start(Box::new(assignment(&sql, folder.path())))).await;
    link.until(|report| matches!(report, Report::State(WorkerState::Running { graph, .. }) if graph.nodes.len() >= 3))
        .await;
    link.until(|report| matches!(report, Report::State(WorkerState::Finished))).await;
    assert!(worker.wait().unwrap().success());
    let parts = std::fs::read_dir(folder.path().join("out")).unwrap();
    let visible = parts
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    let mut rows: Vec<String> = visible
        .flat_map(|path| std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    rows.sort();
    assert_eq!(rows, [r#"{"a":20}"#, r#"{"a":30}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_outlives_its_server_and_stops_with_a_savepoint_that_can_be_started_from() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let mut worker = server.launch(1);
    let mut link = server.accept().await;
    link.send(Command::Start(Box::new(assignment(ENDLESS, folder.path())))).await;
    link.until(|report| matches!(report, Report::CheckpointDone(done) if done.number >= 1)).await;
    link.until(
        |report| matches!(report, Report::Metrics(figures) if figures.sources.iter().any(|source| source.records > 0)),
    )
    .await;
    let acknowledged = link.last_seq;
    // The next reports are read but never acknowledged: they have to come again.
    link.acknowledge = false;
    let first_lost = link.next().await;
    drop(link);

    let mut link = server.accept().await;
    assert!(matches!(link.hello.state, WorkerState::Running { .. }), "{:?}", link.hello.state);
    let first = link.next().await;
    assert!(first.seq > acknowledged, "what was acknowledged does not come again");
    assert!(first.seq <= first_lost.seq.max(acknowledged + 1), "{} after {}", first.seq, first_lost.seq);
    link.send(Command::Stop { mode: StopMode::Savepoint }).await;
    let stopped = link.until(|report| matches!(report, Report::State(WorkerState::Stopped { .. }))).await;
    let Report::State(WorkerState::Stopped { savepoint: Some(savepoint) }) = stopped else { panic!("{stopped:?}") };
    assert_eq!(savepoint.kind, RestoreKind::Savepoint);
    assert!(worker.wait().unwrap().success());

    let mut again = assignment(ENDLESS, folder.path());
    let path = folder.path().join("checkpoints").join(&savepoint.path).display().to_string();
    again.restore = Some(Restore { path, number: savepoint.number, kind: RestoreKind::Savepoint });
    again.settings.parallelism = 2;
    let mut worker = server.launch(1);
    let mut link = server.accept().await;
    link.send(Command::Start(Box::new(again))).await;
    let running = link
        .until(|report| matches!(report, Report::State(WorkerState::Running { .. } | WorkerState::Failed { .. })))
        .await;
    let Report::State(WorkerState::Running { restored_from, .. }) = running else { panic!("{running:?}") };
    assert_eq!(restored_from, Some(savepoint.number));
    link.send(Command::Stop { mode: StopMode::Cancel }).await;
    link.until(|report| matches!(report, Report::State(WorkerState::Stopped { savepoint: None }))).await;
    assert!(worker.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fenced_worker_leaves_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let mut worker = server.launch(3);
    let mut link = server.accept().await;
    link.send(Command::Start(Box::new(worker_link::of_attempt(assignment(ENDLESS, folder.path()), 3)))).await;
    link.until(|report| matches!(report, Report::State(WorkerState::Running { .. }))).await;
    link.send(Command::Fence { reason: "another attempt took over".to_owned() }).await;
    assert_eq!(worker.wait().unwrap().code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_sql_fails_with_its_place_and_is_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let mut worker = server.launch(1);
    let mut link = server.accept().await;
    let sql = ENDLESS.replace("SELECT n FROM", "SELECT m FROM");
    link.send(Command::Start(Box::new(assignment(&sql, folder.path())))).await;
    let failed = link.until(|report| matches!(report, Report::State(WorkerState::Failed { .. }))).await;
    let Report::State(WorkerState::Failed { failure }) = failed else { panic!("{failed:?}") };
    assert_eq!((failure.code.as_str(), failure.retry), ("unknown-column", false));
    assert!(failure.message.contains("line 3"), "{}", failure.message);
    assert!(!worker.wait().unwrap().success());
    let lines = link.lines();
    assert!(
        lines
            .iter()
            .all(|line| line.attempt == 1 && line.team == "team" && line.job_name == "job" && !line.worker.is_empty())
    );
    assert!(!serde_json::to_string(lines).unwrap().contains(TOKEN), "the token is in a log line");
}

fn preview(sql: &str, max_rows: u32, max_seconds: u32) -> Vec<PreviewLine> {
    let assignment = PreviewAssignment {
        sql: sql.to_owned(),
        offset: None,
        tables: Default::default(),
        functions: Default::default(),
        secrets: Default::default(),
        default_database: "default".to_owned(),
        max_rows,
        max_seconds,
        memory_limit_mb: 1024,
        parallelism: 1,
        file_roots: Vec::new(),
        identity: "preview-1".to_owned(),
    };
    let mut child = Process::new(env!("CARGO_BIN_EXE_millrace-worker"))
        .arg("preview")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", serde_json::to_string(&assignment).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(input);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn rows(lines: &[PreviewLine]) -> usize {
    let rows = |line: &PreviewLine| match line {
        PreviewLine::Event(PreviewEvent::Rows { rows }) => rows.len(),
        _ => 0,
    };
    lines.iter().map(rows).sum()
}

fn end(lines: &[PreviewLine]) -> String {
    match lines.last() {
        Some(PreviewLine::Event(PreviewEvent::End { reason, .. })) => reason.clone(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_preview_ends_at_its_row_limit_and_writes_nothing() {
    let lines = preview(ENDLESS, 50, 20);
    let Some(PreviewLine::Started { columns, note }) = lines.first() else { panic!("{lines:?}") };
    assert_eq!(columns.len(), 1);
    assert!(note.contains("nowhere"), "{note}");
    assert_eq!((rows(&lines), end(&lines).as_str()), (50, "row limit"));
}

#[test]
fn a_preview_ends_by_itself_or_at_its_time() {
    let lines = preview("SELECT 1 AS a, 'x' AS b", 50, 20);
    assert_eq!((rows(&lines), end(&lines).as_str()), (1, "finished"), "{lines:?}");
    let nothing = "CREATE TABLE t (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100'); SELECT n FROM t WHERE n IS NULL";
    let lines = preview(nothing, 50, 1);
    assert_eq!((rows(&lines), end(&lines).as_str()), (0, "time limit"), "{lines:?}");
}

#[test]
fn a_wrong_preview_says_where() {
    let lines = preview("SELECT nothing FROM nowhere", 50, 5);
    let [PreviewLine::Event(PreviewEvent::Failed { diagnostic })] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(diagnostic.code, "unknown-table");
    assert!(diagnostic.span.is_some());
}

/// The figure of the issue: an idle worker stays below 80 MB.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_is_small() {
    let server = Server::start().await;
    let mut worker = server.launch(1);
    let link = server.accept().await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", worker.id())).unwrap();
    let kb: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    println!("an idle worker takes {} MB", kb / 1024);
    assert!(kb < 80 * 1024, "{kb} kB");
    drop(link);
    worker.kill().unwrap();
    worker.wait().unwrap();
}
